"""What a Call asks to be done. The exchange does it on sockets, the replay on records."""

from enum import StrEnum

from msgspec import Struct

from surefoot.domain.outcome import Kind


class Reason(StrEnum):
    """Why an attempt is launched."""

    FIRST = "first"
    FALLBACK = "fallback"
    HEDGE = "hedge"
    RETRY = "retry"
    RESUME = "resume"
    EXERCISE = "exercise"


class Launch(Struct, frozen=True):
    """Send the request to this target."""

    attempt: int
    target: str
    reason: Reason


class Deliver(Struct, frozen=True):
    """This attempt has won: relay what it has said and will say."""

    attempt: int


class Cancel(Struct, frozen=True):
    """End this attempt at once; nobody will read its answer."""

    attempt: int


class Finish(Struct, frozen=True):
    """The client has the whole answer: end it normally."""


class Fail(Struct, frozen=True):
    """Tell the client that the call failed: as an error answer, or in band where content was delivered already."""

    kind: Kind
    attempt: int | None = None
    """The attempt whose own answer tells the client best what was wrong, if one does."""
    retry_after: float | None = None
    """Seconds after which trying again makes sense, if that is known."""


class Drop(Struct, frozen=True):
    """Nobody listens any more: forget the call without a word."""


Command = Launch | Deliver | Cancel | Finish | Fail | Drop
