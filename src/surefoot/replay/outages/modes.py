"""What an attempt does in each failure mode: the events that the gateway's leg would tell of it, with their times.

The names are those of `drill.catalogue`, and so is what they mean: there a twin does it on the wire, here it is what
the Call would be told. Three tokens come before an answer breaks, as there.

A play is made from how the target would have answered (`Speech`) and from the way in which the answer is read:
relayed as it comes, watched (streamed here, plain for the client) or plain. Knows no call and no clock.

Of two that strike at once the worse is found by what the table of outcomes says. Must never: decide what follows.
"""

from collections.abc import Callable
from enum import IntEnum
from functools import partial

from msgspec import Struct

from surefoot.domain.outcome import OUTCOMES, Fallback, Kind

AFTER_TOKENS = 3
"""Tokens before an answer breaks, stalls or turns to a drip."""

SLOW_FIRST_TOKEN = 30.0
"""Seconds before content."""

DRIP = 1.0
"""Seconds between the tokens of a drip."""

RETRY_AFTER = 5.0
"""Seconds that a rate limit asks to be left alone for."""

LAST_WORDS = {0: 0.25, 1: 2.0, 2: 0.0}
"""Seconds that a finished stream has for its last line, by way: the gateway waits longer where nobody has it yet."""

_FORGIVEN = 1e-6
"""Seconds by which a token may seem to be late: after years the virtual clock reads no finer than a tenth of that."""


class Way(IntEnum):
    """How an attempt's answer is read."""

    RELAYED = 0
    """A stream, which the client gets as it comes."""
    WATCHED = 1
    """A stream upstream, put together for a client that asked plainly."""
    PLAIN = 2


class Sign(IntEnum):
    """What a leg tells."""

    CONNECTING = 0
    SENT = 1
    HEARD = 2
    SPOKE = 3
    """Content that is held back."""
    CONTENT = 4
    """The first content for the client, of a stream."""
    WHOLE = 5
    """All of it is there."""
    FAILED = 6


class Step(Struct, frozen=True, gc=False):
    """One sign, so many seconds after the target took the request."""

    after: float
    sign: Sign
    kind: Kind | None = None
    """Of a failure."""
    retry_after: float | None = None


class Speech(Struct, frozen=True, gc=False):
    """How a target would answer: seconds to its first content, between tokens, tokens in all, and to a refusal."""

    first: float
    gap: float
    tokens: int
    round_trip: float

    @property
    def end(self) -> float:
        """Seconds to the last token."""
        return self.first + self.gap * (self.tokens - 1)

    def until(self, tokens: int) -> float:
        """Seconds to that token, or to the last one if there are fewer."""
        return self.first + self.gap * (min(tokens, self.tokens) - 1)


class Play(Struct, frozen=True, gc=False):
    """What an attempt does."""

    steps: tuple[Step, ...]
    first: float = float("inf")
    """Seconds to the first token; infinite where none ever comes."""
    gap: float = 0.0
    """Seconds between the first `AFTER_TOKENS` tokens."""
    later_gap: float = 0.0
    """Seconds between the others."""
    tokens: int = 0
    """Said in all."""
    spoiled: bool = False
    """Whether a whole answer is none: whoever hands it on passes it off."""

    @property
    def mended(self) -> bool:
        """Whether it ends in a whole, valid answer."""
        return bool(self.steps) and self.steps[-1].sign is Sign.WHOLE and not self.spoiled

    def said(self, elapsed: float) -> tuple[int, float]:
        """Tokens said after so many seconds, and the seconds at which the last of them came (those given if none)."""
        elapsed += _FORGIVEN
        if elapsed < self.first or not self.tokens:
            return 0, elapsed - _FORGIVEN
        turn = min(AFTER_TOKENS, self.tokens)
        count = turn if self.gap <= 0 else min(1 + int((elapsed - self.first) / self.gap), turn)
        last = self.first + self.gap * (count - 1)
        if count < turn or count == self.tokens:
            return count, last
        more = self.tokens - turn if self.later_gap <= 0 else int((elapsed - last) / self.later_gap)
        more = min(more, self.tokens - turn)
        return count + more, last + self.later_gap * more


_BEGINS = {Way.RELAYED: Sign.CONTENT, Way.WATCHED: Sign.SPOKE}

_RELAYED, _WATCHED, _PLAIN = Way.RELAYED, Way.WATCHED, Way.PLAIN
_CONTENT, _SPOKE, _WHOLE = Sign.CONTENT, Sign.SPOKE, Sign.WHOLE  # by own names: these are in every call


def healthy(speech: Speech, way: Way) -> Play:
    """A whole, good answer."""
    first, gap, tokens = speech.first, speech.gap, speech.tokens
    whole = Step(first + gap * (tokens - 1), _WHOLE)
    if way is _PLAIN:
        return Play((whole,), first, gap, gap, tokens)
    return Play((Step(first, _CONTENT if way is _RELAYED else _SPOKE), whole), first, gap, gap, tokens)


def refused(speech: Speech, kind: Kind, retry_after: float | None = None) -> Play:
    """A refusal, one round trip later."""
    at = speech.round_trip
    return Play((Step(at, Sign.HEARD), Step(at, Sign.FAILED, kind, retry_after)))


def _said_no(kind: Kind, retry_after: float | None = None) -> "Mode":
    return lambda speech, _way: refused(speech, kind, retry_after)


def _refuse(speech: Speech, _way: Way) -> Play:
    return Play((Step(0.0, Sign.CONNECTING), Step(speech.round_trip, Sign.FAILED, Kind.CONNECT)))


def _reset(speech: Speech, _way: Way) -> Play:
    return Play((Step(speech.round_trip, Sign.FAILED, Kind.RESET),))


def _tls(speech: Speech, _way: Way) -> Play:
    """One round trip for the connection, one for the handshake."""
    return Play((Step(0.0, Sign.CONNECTING), Step(2 * speech.round_trip, Sign.FAILED, Kind.TLS)))


def _silence(_speech: Speech, _way: Way) -> Play:
    return Play(())


def _comments_only(speech: Speech, _way: Way) -> Play:
    return Play((Step(speech.round_trip, Sign.HEARD),))


def _slow_first_token(speech: Speech, way: Way) -> Play:
    if way is _PLAIN:
        return Play(
            (Step(max(speech.end, SLOW_FIRST_TOKEN), _WHOLE),), speech.first, speech.gap, speech.gap, speech.tokens
        )
    late = Speech(max(speech.first, SLOW_FIRST_TOKEN), speech.gap, speech.tokens, speech.round_trip)
    return _after(healthy(late, way), Step(speech.round_trip, Sign.HEARD))


def _slow_drip(speech: Speech, way: Way) -> Play:
    play = healthy(Speech(speech.first, DRIP, speech.tokens, speech.round_trip), way)
    return _after(play, Step(speech.first, Sign.HEARD)) if way is _PLAIN else play


def _drip_later(speech: Speech, way: Way) -> Play:
    usual = speech.until(AFTER_TOKENS)
    whole = Step(usual + DRIP * max(speech.tokens - AFTER_TOKENS, 0), _WHOLE)
    play = healthy(speech, way)
    return Play((*play.steps[:-1], whole), speech.first, speech.gap, DRIP, speech.tokens)


def _breaks(kind: Kind | None, plain: Kind | None, speech: Speech, way: Way) -> Play:
    """Some tokens, and then a failure, or nothing for ever; a plain answer comes so far at its usual time."""
    tokens = min(AFTER_TOKENS, speech.tokens)
    if way is _PLAIN:
        steps: tuple[Step, ...] = (Step(speech.end, Sign.HEARD),)
        if plain is not None:
            steps += (Step(speech.end, Sign.FAILED, plain),)
        return Play(steps, speech.first, speech.gap, speech.gap, speech.tokens)
    begins = Step(speech.first, _BEGINS[way])
    if kind is None:
        return Play((begins,), speech.first, speech.gap, speech.gap, tokens)
    ends = Step(speech.until(tokens), Sign.FAILED, kind)
    return Play((begins, ends), speech.first, speech.gap, speech.gap, tokens)


def _broken_event(speech: Speech, way: Way) -> Play:
    """Of a relayed stream nothing is lost; a watched answer would lack text, so that it counts as malformed."""
    return _breaks(Kind.MALFORMED, None, speech, way) if way is _WATCHED else healthy(speech, way)


def _no_done_open(speech: Speech, way: Way) -> Play:
    play = healthy(speech, way)
    end = play.steps[-1].after + LAST_WORDS[way]
    return Play((*play.steps[:-1], Step(end, _WHOLE)), play.first, play.gap, play.later_gap, play.tokens)


def _stale(speech: Speech, way: Way) -> Play:
    """No connection is ever warm: one round trip more."""
    trip = speech.round_trip
    play = healthy(Speech(speech.first + trip, speech.gap, speech.tokens, trip), way)
    return _after(play, Step(0.0, Sign.CONNECTING), Step(trip, Sign.SENT))


def _head_then(kind: Kind, speech: Speech, _way: Way) -> Play:
    """A head at once, and where content would be, none of it."""
    first = max(speech.first, speech.round_trip)
    return Play((Step(speech.round_trip, Sign.HEARD), Step(first, Sign.FAILED, kind)))


def _unreadable(speech: Speech, way: Way) -> Play:
    """A whole answer whose JSON is broken: judged where it is plain for the client, relayed unread where it streams."""
    if way is _RELAYED:
        play = healthy(speech, way)
        return Play(play.steps, play.first, play.gap, play.later_gap, play.tokens, spoiled=True)
    play = healthy(speech, way)
    steps = (*play.steps[:-1], Step(play.steps[-1].after, Sign.FAILED, Kind.MALFORMED))
    return Play(steps, play.first, play.gap, play.later_gap, play.tokens)


def _bad_arguments(speech: Speech, way: Way) -> Play:
    """They break off, after as many tokens as any answer that breaks: a stream is over sooner than a whole one."""
    if way is _PLAIN:
        return _unreadable(speech, way)
    said = min(AFTER_TOKENS, speech.tokens)
    return _unreadable(Speech(speech.first, speech.gap, said, speech.round_trip), way)


def _after(play: Play, *before: Step) -> Play:
    return Play((*before, *play.steps), play.first, play.gap, play.later_gap, play.tokens)


Mode = Callable[[Speech, Way], Play]

_SERVER_ERROR = _said_no(Kind.SERVER_ERROR)
_OVERLOAD = _said_no(Kind.OVERLOAD)
_QUOTA = _said_no(Kind.QUOTA)
_AUTH = _said_no(Kind.AUTH)
_HTML = _said_no(Kind.MALFORMED)
_CUT = partial(_breaks, Kind.CUT, Kind.CUT)
_TRUNCATE = partial(_breaks, Kind.CUT, Kind.MALFORMED)

MODES: dict[str, Mode] = {
    "refuse": _refuse,
    "reset": _reset,
    "tls": _tls,
    "silence": _silence,
    "slow_first_token": _slow_first_token,
    "comments_only": _comments_only,
    "slow_drip": _slow_drip,
    "drip_later": _drip_later,
    "stall": partial(_breaks, None, None),
    "cut": _CUT,
    "cut_reset": _CUT,
    "cut_mid_event": _CUT,
    "truncate": _TRUNCATE,
    "done_unfinished": _CUT,
    "no_done": healthy,
    "no_done_open": _no_done_open,
    "malformed_event": _broken_event,
    "stale": _stale,
    "empty": _said_no(Kind.EMPTY),
    "empty_answer": partial(_head_then, Kind.EMPTY),
    "html": _HTML,
    "error_first": partial(_head_then, Kind.SERVER_ERROR),
    "error_created": partial(_head_then, Kind.QUOTA),
    "error_later": partial(_breaks, Kind.SERVER_ERROR, Kind.SERVER_ERROR),
    "server_error": _SERVER_ERROR,
    "bad_gateway": _SERVER_ERROR,
    "gateway_timeout": _SERVER_ERROR,
    "unavailable": _OVERLOAD,
    "overload": _OVERLOAD,
    "rate_limit": _said_no(Kind.RATE_LIMIT, RETRY_AFTER),
    "quota": _QUOTA,
    "spend_limit": _QUOTA,
    "auth": _AUTH,
    "permission": _AUTH,
    "model_gone": _said_no(Kind.MODEL_GONE),
    "bad_request": _said_no(Kind.BAD_REQUEST),
    "content_filter": partial(_head_then, Kind.CONTENT_FILTER),
    "context_overflow": _said_no(Kind.CONTEXT_OVERFLOW),
    "plain_silence": _silence,
    "plain_error": _SERVER_ERROR,
    "plain_html": _HTML,
    "plain_cut": _CUT,
    "plain_truncate": _TRUNCATE,
    "bad_arguments": _bad_arguments,
    "bad_structure": _unreadable,
}
"""By name. A mode that is drilled with plain calls strikes streamed ones here too: what it means is the same."""


class Severity(IntEnum):
    """How badly a play leaves a client that has nobody else, and how little another target can help; the worst last."""

    WHOLE = 0
    """A whole answer, however slow."""
    TOLD = 1
    """A failure before any content after which anybody else may be asked."""
    SILENT = 2
    """Nothing that is an answer or a failure, ever: only a clock can find that out."""
    REFUSED = 3
    """A failure before any content after which few or none may be asked: it is told to be the request's own fault."""
    BROKEN = 4
    """The client has the beginning of an answer, and no end."""
    SPOILED = 5
    """The client has what looks like an answer, and is none."""


def severity(play: Play) -> Severity:
    """Which of them."""
    if play.spoiled:
        return Severity.SPOILED
    if play.mended:
        return Severity.WHOLE
    if any(step.sign is Sign.CONTENT for step in play.steps):
        return Severity.BROKEN
    kind = play.steps[-1].kind if play.steps else None
    if kind is None:
        return Severity.SILENT
    return Severity.TOLD if OUTCOMES[kind].fall_back is Fallback.ANY else Severity.REFUSED


def worse(one: Play, other: Play) -> Play:
    """Of two that strike at once, the worse one by `Severity`; of two alike the one that ends later; else the first.

    So one outage more can never help a call that has nobody else, and hardly ever one that has.
    """
    return other if (severity(other), _ends(other)) > (severity(one), _ends(one)) else one


def _ends(play: Play) -> float:
    """Seconds to its end; infinite where none ever comes."""
    over = bool(play.steps) and play.steps[-1].sign in {Sign.WHOLE, Sign.FAILED}
    return play.steps[-1].after if over else float("inf")
