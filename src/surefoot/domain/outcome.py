"""How an attempt can end, and what follows: one table, for the policy, the journal, the drills and the documentation.

A dialect maps wire signals to one `Kind`; nobody else does. `docs/reference/outcomes.md` is generated from here.
"""

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """How an attempt ended."""

    OK = "ok"
    CONNECT = "connect_failed"
    TLS = "tls_failed"
    RESET = "reset"
    SERVER_ERROR = "server_error"
    OVERLOAD = "overload"
    RATE_LIMIT = "rate_limit"
    QUOTA = "quota_exhausted"
    AUTH = "auth"
    MODEL_GONE = "model_gone"
    BAD_REQUEST = "bad_request"
    SILENCE = "silence"
    SLOW_FIRST_TOKEN = "slow_first_token"  # noqa: S105 - a token of text
    OVERTAKEN = "overtaken"
    STALL = "stall"
    CUT = "cut"
    SLOW_DRIP = "slow_drip"
    EMPTY = "empty"
    MALFORMED = "malformed_answer"
    DIVERGED = "diverged"
    CONTRADICTED = "contradicted"
    CONTENT_FILTER = "content_filter"
    CONTEXT_OVERFLOW = "context_overflow"
    DEADLINE = "deadline"
    CLIENT_GONE = "client_gone"
    CANCELLED = "cancelled"
    NO_ROOM = "no_room"
    NO_TARGET = "no_target"
    NOT_ALLOWED = "not_allowed"
    NOT_ABLE = "not_able"
    TOO_LONG = "too_long"
    SHUTDOWN = "shutdown"


class Fallback(StrEnum):
    """Which other targets are asked after an ending."""

    NEVER = ""
    ANY = "yes"
    LARGER_WINDOW = "to a larger window only"
    OTHER_MODEL = "to another model, if the route says so"


class Consequence(Struct, frozen=True):
    """What a kind of ending leads to."""

    retry: bool
    """May the same target be asked again when no other is left?"""
    fall_back: Fallback
    """Which other targets are asked?"""
    blame: bool
    """Does the target's breaker count it?"""
    billed: bool
    """Is the provider likely to charge for it?"""
    counted: bool
    """Is it a failure mode that coverage counts?"""
    meaning: str


def _row(flags: str, meaning: str) -> Consequence:
    """Read `retry fall_back blame billed counted` from five signs, so that the table can be seen as one.

    `+` yes, `-` no; of the second, `w` to a larger window only, `m` to another model if the route says so.
    """
    retry, _, blame, billed, counted = (sign == "+" for sign in flags)
    return Consequence(retry, _FALLBACKS[flags[1]], blame, billed, counted, meaning)


_FALLBACKS = {"-": Fallback.NEVER, "+": Fallback.ANY, "w": Fallback.LARGER_WINDOW, "m": Fallback.OTHER_MODEL}


# fmt: off
OUTCOMES: dict[Kind, Consequence] = {
    #                            retry, fall back, blame, billed, counted
    Kind.OK:               _row("---+-", "a whole answer was received"),
    Kind.CONNECT:          _row("+++-+", "no connection: refused, unreachable, name not found, or not opened in time"),
    Kind.TLS:              _row("+++-+", "the TLS handshake failed"),
    Kind.RESET:            _row("+++-+", "the connection was closed before an answer began"),
    Kind.SERVER_ERROR:     _row("+++-+", "a 5xx, or a 200 whose first event is an error"),
    Kind.OVERLOAD:         _row("+++-+", "the provider has too much to do (529, 503)"),
    Kind.RATE_LIMIT:       _row("-++-+", "this account sends too much (429)"),
    Kind.QUOTA:            _row("-++-+", "this account has spent what it may (billing, credit, spend limit)"),
    Kind.AUTH:             _row("-++-+", "the credential is refused (401, 403), or the law forbids it there (451)"),
    Kind.MODEL_GONE:       _row("-++-+", "the model or path does not exist there (404)"),
    Kind.BAD_REQUEST:      _row("-----", "the request itself is wrong; another target would say the same"),
    Kind.SILENCE:          _row("-++++", "accepted, then not a byte within the first-token limit"),
    Kind.SLOW_FIRST_TOKEN: _row("-++++", "the answer began, but without content within the first-token limit"),
    Kind.OVERTAKEN:        _row("--+++", "silent past its hedge delay, and a later attempt spoke first"),
    Kind.STALL:            _row("-++++", "content, then nothing within the idle limit"),
    Kind.CUT:              _row("-++++", "the answer broke off or ended without saying that it was finished"),
    Kind.SLOW_DRIP:        _row("-++++", "content, but far more slowly than this target's own distribution"),
    Kind.EMPTY:            _row("+++++", "a success without an answer in it"),
    Kind.MALFORMED:        _row("+++++", "a body that is not what its API promises"),
    Kind.DIVERGED:         _row("-+-+-", "asked to go on with a broken answer, it said something else instead"),
    Kind.CONTRADICTED:     _row("-+-+-", "the answer itself contradicts what is declared of its target"),
    Kind.CONTENT_FILTER:   _row("-m-+-", "the provider's content filter refused the prompt or the answer"),
    Kind.CONTEXT_OVERFLOW: _row("-w---", "the prompt does not fit into the model's context window"),
    Kind.DEADLINE:         _row("---++", "the call's deadline passed"),
    Kind.CLIENT_GONE:      _row("---+-", "the client went away"),
    Kind.CANCELLED:        _row("---+-", "another attempt won; this one was ended by us"),
    Kind.NO_ROOM:          _row("-+---", "the gateway itself has no file or memory left for another connection"),
    Kind.NO_TARGET:        _row("-----", "every target that may serve the request is out of order, suspended or full"),
    Kind.NOT_ALLOWED:      _row("-----", "no target of the route is allowed by what binds the request"),
    Kind.NOT_ABLE:         _row("-----", "no target of the route can do all that the request needs"),
    Kind.TOO_LONG:         _row("-----", "the prompt is of a length that no target of the route takes"),
    Kind.SHUTDOWN:         _row("-----", "the gateway stopped before the answer was whole"),
}
# fmt: on
