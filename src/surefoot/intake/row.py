"""What a reader of a traffic log gives back, line by line: an attempt in our units, or why there is none.

A reader is an iterator over `Row` and `Unreadable`. It knows one format and nothing of how attempts become calls
(`intake.joining` does that) or of where they go. Times are Unix seconds in UTC, durations seconds, money US dollars.
None is "the source does not say", which is never the same as zero.

Must never: guess a unit or a time zone, hold a whole file in memory, skip a line without an `Unreadable`.
"""

from msgspec import Struct


class Row(Struct, frozen=True, kw_only=True):
    """One attempt as the source tells it; where the source only knows whole calls, that is its one attempt."""

    line: int
    """Number of the line, or of the record in a file that has no lines, from 1."""
    call: str | None
    """What joins the attempts of one client request (operation, trace or call id). None: the source has nothing."""
    siblings: str | None = None
    """What is under one parent, where the source knows parents and no requests: attempts of one request, or requests of
    one agent. One that failed belongs to the next of its siblings, one that did not ends its request."""
    at: float
    """When the attempt began."""
    asked: bool = True
    """False: the call ended before any provider was asked, and this speaks of the call."""
    provider: str | None = None
    model: str | None = None
    route: str | None = None
    """What the client asked for, where that has a name of its own: route, model group, deployment alias."""
    stream: bool | None = None
    prompt_tokens: int | None = None
    """All tokens of the prompt, cached ones included."""
    completion_tokens: int | None = None
    """All tokens of the answer, reasoning included."""
    max_tokens: int | None = None
    ttft: float | None = None
    """Seconds from the attempt's begin to its first content; only where the source measures that."""
    duration: float | None = None
    """Seconds from its begin to its end."""
    failed: bool | None = None
    status: int | None = None
    """HTTP status, where the source keeps one."""
    kind: str | None = None
    """Our word for how it ended (`domain.outcome.Kind`), where the source tells that well enough."""
    cost: float | None = None
    user: str | None = None
    """The end user, as the source names it; hashed before it is written anywhere."""
    key: str | None = None
    """Name of the client key, team or project; never a secret."""


class Unreadable(Struct, frozen=True):
    """A line that gave no row."""

    line: int
    why: str
    """A short reason without the line's content: `no start time`, `not JSON`."""
