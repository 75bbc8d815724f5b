"""What the world tells a Call, when it is not the common case.

The common case has methods of its own (`Call.begin`, `content`, `finished`), so that a plain success makes no event.
"""

from msgspec import Struct

from surefoot.domain.outcome import Kind
from surefoot.domain.place import Said


class Failed(Struct, frozen=True):
    """An attempt has definitely failed. `retry_after` is in seconds from now, if the provider gave it."""

    attempt: int
    kind: Kind
    retry_after: float | None = None


class Connecting(Struct, frozen=True):
    """No warm connection was at hand: the request is not on the wire yet."""

    attempt: int


class Sent(Struct, frozen=True):
    """The request of an attempt that was connecting is on the wire."""

    attempt: int


class Heard(Struct, frozen=True):
    """The head of an answer arrived, without content: not silence any more, but nothing that counts either."""

    attempt: int


class Spoke(Struct, frozen=True):
    """A watched answer has begun to come: its first content is there, and is held back until all of it is."""

    attempt: int


class Unwatched(Struct, frozen=True):
    """The target does not stream: a watched call was asked again, plainly, within the same attempt."""

    attempt: int


class Attested(Struct, frozen=True):
    """An answer has come as far as where it may tell facts of its target by itself."""

    attempt: int
    said: Said
    """What was found there; may be empty."""


class ClientGone(Struct, frozen=True):
    """The client closed its connection."""


class Stopping(Struct, frozen=True):
    """The gateway ends this call, because it is shutting down and the time to drain is over."""


OfAttempt = Failed | Connecting | Sent | Heard | Spoke | Unwatched | Attested
Event = OfAttempt | ClientGone | Stopping
