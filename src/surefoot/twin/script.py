"""What one attempt will see, composed before the first byte leaves: timed bytes and an ending.

Knows: how each fault kind bends a good answer.
Must never: do I/O or read the clock; the player in `connection` acts scripts out.
"""

import enum
import functools
import itertools
from collections.abc import Callable
from typing import NamedTuple

from surefoot.twin import bodies, refusals
from surefoot.twin.behaviour import Behaviour, Draws
from surefoot.twin.faults import STREAM_ONLY, Fault


class Ending(enum.Enum):
    """What happens to the connection after the last step."""

    KEEP = "keep"
    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"
    FORWARD = "forward"
    """Whoever plays the script asks the real provider; its answer says how it ends."""


class Step(NamedTuple):
    """Bytes to write `at` seconds after the request arrived, and the tokens in them."""

    at: float
    data: bytes
    tokens: int


class Script(NamedTuple):
    """Steps in order of time, then the ending; `fault` is the kind that really struck."""

    steps: list[Step]
    ending: Ending
    fault: str | None


class Ask(NamedTuple):
    """What of the request shapes the answer."""

    model: str
    stream: bool
    include_usage: bool
    limit: int | None
    body_bytes: int
    answer_id: bytes
    wall: float
    nth_on_connection: int
    structured: bool = False


class Composer:
    """Writes the script of each attempt for one behaviour."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._voice = bodies.Voice(behaviour.text)
        self._nested = bodies.Voice(behaviour.text, nested=True)
        self.extra = bodies.lines(behaviour.headers)
        """Header lines of good answers."""

    def compose(self, ask: Ask, draws: Draws, fault: Fault | None) -> Script:
        """The script for one request, bent by the fault that strikes it, if any."""
        reason = b"stop"
        if self._behaviour.model is not None:
            ask = ask._replace(model=self._behaviour.model)
        if ask.limit is not None and ask.limit < draws.tokens:
            draws, reason = draws._replace(tokens=ask.limit), b"length"
        if fault is None or _spares(fault, ask):
            return self._whole(ask, draws, reason, None)
        return self._bent(ask, draws, reason, fault)

    def _bent(self, ask: Ask, draws: Draws, reason: bytes, fault: Fault) -> Script:
        if fault.kind == "bad_structure":
            return self._whole(ask._replace(structured=False), draws, reason, fault.kind)
        if fault.kind in _SPEECHLESS:
            return self._whole(ask, draws._replace(tokens=0), _SPEECHLESS[fault.kind], fault.kind)
        common = _COMMON.get(fault.kind.partition(":")[0])
        if common is not None:
            steps, ending = common(ask, fault)
            return Script(steps, ending, fault.kind)
        if fault.kind in {"stale", "bad_arguments"}:
            return (self._stale if fault.kind == "stale" else self._bad_call)(ask, draws, reason, fault)
        if ask.stream:
            return self._bent_stream(_Stream(self, ask, _slowed(draws, fault), reason, fault), fault)
        return self._bent_plain(ask, draws, reason, fault)

    def _whole(self, ask: Ask, draws: Draws, reason: bytes, kind: str | None) -> Script:
        if not ask.stream:
            body = self._plain_body(ask, draws.tokens, reason)
            step = Step(_plain_time(draws), bodies.response(200, body, extra=self.extra), draws.tokens)
            return Script([step], Ending.KEEP, kind)
        stream = _Stream(self, ask, draws, reason, None)
        return Script(stream.spoken(draws.tokens) + stream.tail(), Ending.KEEP, kind)

    def _stale(self, ask: Ask, draws: Draws, reason: bytes, fault: Fault) -> Script:
        if fault.stale_at == "next_request":
            if ask.nth_on_connection > 1:
                return Script([], Ending.CLOSE, fault.kind)
            return self._whole(ask, draws, reason, None)
        return self._whole(ask, draws, reason, fault.kind)._replace(ending=Ending.CLOSE)

    def _bad_call(self, ask: Ask, draws: Draws, _reason: bytes, fault: Fault) -> Script:
        if not ask.stream:
            body = self._plain(ask, bodies.BAD_CALL, b"tool_calls", draws.tokens)
            return Script([Step(_plain_time(draws), bodies.response(200, body), 1)], Ending.KEEP, fault.kind)
        broken = draws._replace(tokens=max(1, min(fault.after_tokens, draws.tokens)))
        stream = _Stream(self, ask, broken, b"tool_calls", fault)
        return Script(stream.spoken(0) + stream.call() + stream.tail(), Ending.KEEP, fault.kind)

    @staticmethod
    def _bent_stream(stream: "_Stream", fault: Fault) -> Script:
        steps = stream.spoken(fault.after_tokens if fault.kind in _PARTIAL else stream.tokens)
        now = steps[-1].at
        ending = Ending.KEEP
        if fault.kind == "stall":
            ending = Ending.HANG
        elif fault.kind == "cut":
            ending = Ending.RESET if fault.cut_by == "reset" else Ending.CLOSE
            if fault.cut_by == "mid_event":
                event = stream.frame(fault.after_tokens)
                steps.append(Step(now, event[: len(event) // 2], 0))
        elif fault.kind in bodies.EARLY_ENDS:
            steps.append(Step(now, bodies.EARLY_ENDS[fault.kind], 0))
        elif fault.kind in _ERRORS:
            data = bodies.chunk(refusals.error_event(fault, _code(fault))) + bodies.LAST_CHUNK
            steps.append(Step(now, data, 0))
        elif fault.kind == "no_done_open":
            ending = Ending.HANG
            steps += stream.open_tail()
        elif fault.kind == "malformed_event":
            steps.append(Step(now, bodies.chunk(bodies.BROKEN_EVENT), 0))
            steps += stream.rest(fault.after_tokens) + stream.tail()
        else:
            steps += stream.tail(done=fault.kind != "no_done")
        return Script(steps, ending, fault.kind)

    def _bent_plain(self, ask: Ask, draws: Draws, reason: bytes, fault: Fault) -> Script:
        at, kind, ending = _plain_time(draws), fault.kind, Ending.KEEP
        body = self._plain_body(ask, draws.tokens, reason)
        data, tokens = bodies.response(200, body, extra=self.extra), 0
        if kind == "slow_drip":
            return Script(_dripped(data, draws, fault.delay), ending, kind)
        if kind in {"stall", "cut"}:
            data = data[: len(data) - len(body) // 2]
            by_reset = fault.cut_by == "reset"
            ending = Ending.HANG if kind == "stall" else Ending.RESET if by_reset else Ending.CLOSE
        elif kind == "truncate":
            data = bodies.response(200, body[: len(body) // 2])
        elif kind == "done_unfinished":
            half = self._plain_body(ask, min(fault.after_tokens, draws.tokens), reason)
            data = bodies.response(200, half.replace(b'"finish_reason":"%b"' % reason, b'"finish_reason":null'))
        elif kind in _ERRORS:
            code = _code(fault)
            data = bodies.response(200, refusals.error_body(refusals.error_status(code), code))
        else:
            tokens = draws.tokens
            at = _plain_time(_slowed(draws, fault)) if kind == "drip_later" else max(at, fault.delay)
        return Script([Step(at, data, tokens)], ending, kind)

    def _plain_body(self, ask: Ask, tokens: int, reason: bytes) -> bytes:
        opens, closes = _around(ask, tokens, reason)
        text = opens + self.voice(ask).text(tokens) + closes
        return self._plain(ask, b'{"role":"assistant","content":"%b","refusal":null}' % text, reason, tokens)

    def _plain(self, ask: Ask, message: bytes, reason: bytes, tokens: int) -> bytes:
        return _PLAIN % (
            ask.answer_id,
            int(ask.wall),
            bodies.quoted(ask.model),
            message,
            reason,
            bodies.usage(ask.body_bytes // 4, tokens, self._behaviour.usage),
        )

    def voice(self, ask: Ask) -> bodies.Voice:
        """The words spoken."""
        return self._nested if ask.structured else self._voice

    @property
    def behaviour(self) -> Behaviour:
        """The behaviour scripts are composed for."""
        return self._behaviour


class _Stream:
    """The parts a streamed answer is made of, for one attempt."""

    def __init__(self, composer: Composer, ask: Ask, draws: Draws, reason: bytes, fault: Fault | None) -> None:
        self._behaviour = composer.behaviour
        self._voice = composer.voice(ask)
        self._extra = composer.extra
        self._ask = ask
        self._draws = draws
        self._reason = reason
        self._fault = fault
        self.tokens = draws.tokens
        self._phrases = bodies.Phrases(ask.answer_id, int(ask.wall), ask.model, include_usage=ask.include_usage)
        self._times = self._token_times()
        self._opens, self._closes = _around(ask, self.tokens, reason)

    def _token_times(self) -> list[float]:
        at = self._draws.ttft
        times = []
        for number in range(self.tokens):
            if number:
                at += self._draws.later(number)
            times.append(at)
        return times

    def frame(self, number: int) -> bytes:
        """Token `number` as an event in a chunk."""
        piece = self._voice.piece(number)
        if self._opens:
            piece = (b"" if number else self._opens) + piece + (self._closes if number == self.tokens - 1 else b"")
        return bodies.chunk(self._phrases.content(piece))

    def call(self) -> list[Step]:
        """A call of a tool in the place of text, a piece of its arguments for each token. They are never closed."""
        opens = (bodies.CALL_BEGINS, bodies.CALL_OPENS)
        goes_on = bodies.chunk(self._phrases.delta(bodies.CALL_GOES_ON))
        begins = b"".join(bodies.chunk(self._phrases.delta(delta)) for delta in opens)
        return [Step(at, goes_on if number else begins, 1) for number, at in enumerate(self._times)]

    def spoken(self, upto: int) -> list[Step]:
        """Headers, role, comments while waiting, and the first `upto` tokens."""
        role = bodies.chunk(self._phrases.role())
        kind = None if self._fault is None else self._fault.kind
        bare = kind in {"error_first", "error_created"}
        early = self._behaviour.role == "headers" or self._slow
        first = (bodies.chunk(refusals.CREATED) if kind == "error_created" else b"") if bare else role if early else b""
        steps = [Step(0.0, bodies.STREAM_HEAD % self._extra + first, 0)]
        steps += self._comments()
        if bare:
            return [*steps, Step(self._draws.ttft, b"", 0)]
        if not early:
            steps.append(Step(self._draws.ttft, role, 0))
        return steps + self._tokens(0, min(upto, self.tokens))

    @property
    def _slow(self) -> bool:
        return self._fault is not None and self._fault.kind == "slow_first_token"

    def rest(self, since: int) -> list[Step]:
        """The tokens from number `since` on."""
        return self._tokens(min(since, self.tokens), self.tokens)

    def tail(self, *, done: bool = True) -> list[Step]:
        """Finish reason, usage if asked for, [DONE] unless told otherwise, end of the body."""
        at = self._end()
        events = bodies.chunk(self._phrases.finish(self._reason))
        if self._ask.include_usage:
            prompt = self._ask.body_bytes // 4
            events += bodies.chunk(self._phrases.usage(prompt, self.tokens, self._behaviour.usage))
        if done:
            events += bodies.chunk(bodies.DONE)
        return [Step(at, events + bodies.LAST_CHUNK, 0)]

    def open_tail(self) -> list[Step]:
        """The finish reason, and no more."""
        return [Step(self._end(), bodies.chunk(self._phrases.finish(self._reason)), 0)]

    def _end(self) -> float:
        return self._times[-1] if self._times else self._draws.ttft

    def _tokens(self, first: int, end: int) -> list[Step]:
        size = self._behaviour.events_per_segment
        if size == 1:
            return [Step(self._times[n], self.frame(n), 1) for n in range(first, end)]
        steps = []
        # The first token goes alone: holding it back for its segment would change the TTFT drawn.
        edges = [*range(first, min(first + 1, end)), *range(first + 1, end, size), end]
        for begin, stop in itertools.pairwise(edges):
            data = b"".join(self.frame(n) for n in range(begin, stop))
            steps.append(Step(self._times[stop - 1], data, stop - begin))
        return steps

    def _comments(self) -> list[Step]:
        every = self._behaviour.keepalive
        if self._slow:
            every = every or min(0.5, max(self._draws.ttft / 4, 0.01))
        if every is None:
            return []
        comment = bodies.chunk(bodies.COMMENT)
        number = int(self._draws.ttft / every)
        return [Step(every * n, comment, 0) for n in range(1, number + 1) if every * n < self._draws.ttft]


_ERRORS = frozenset({"error_first", "error_created", "error_later"})
_SPEECHLESS = {"empty_answer": b"stop", "content_filter": b"content_filter"}
"""Kinds that are a whole answer without a word, and the reason that they end for."""
_COMMENT_EVERY, _COMMENTS = 0.1, 6000
"""Seconds between the comments of `comments_only`, unless `seconds` says so; and how many there are."""
_PARTIAL = frozenset({"stall", "cut", "truncate", "done_unfinished", "error_later", "malformed_event"})
_PLAIN = (
    b'{"id":"chatcmpl-%b","object":"chat.completion","created":%d,"model":%b,"choices":[{"index":0,'
    b'"message":%b,"logprobs":null,'
    b'"finish_reason":"%b"}],"usage":%b,"system_fingerprint":null}'
)

_Bent = Callable[[Ask, Fault], tuple[list[Step], Ending]]


def _status(ask: Ask, fault: Fault) -> tuple[list[Step], Ending]:
    status = int(fault.kind.partition(":")[2])
    return [Step(fault.delay, refusals.status_response(status, fault, ask.wall), 0)], Ending.KEEP


def _reset(_ask: Ask, fault: Fault) -> tuple[list[Step], Ending]:
    return [Step(fault.delay, b"", 0)], Ending.RESET


def _silence(_ask: Ask, _fault: Fault) -> tuple[list[Step], Ending]:
    return [], Ending.HANG


def _empty(ask: Ask, fault: Fault) -> tuple[list[Step], Ending]:
    content_type = b"text/event-stream; charset=utf-8" if ask.stream else bodies.JSON_TYPE
    return [Step(fault.delay, bodies.response(200, b"", content_type), 0)], Ending.KEEP


def _not_json(_ask: Ask, fault: Fault) -> tuple[list[Step], Ending]:
    return [Step(fault.delay, bodies.response(200, bodies.HTML, bodies.HTML_TYPE), 0)], Ending.KEEP


def _comments_only(ask: Ask, fault: Fault) -> tuple[list[Step], Ending]:
    """Blank lines where a plain answer is waited for, as some providers send them."""
    return _comments(fault.delay or _COMMENT_EVERY, stream=ask.stream), Ending.HANG


@functools.cache
def _comments(every: float, *, stream: bool) -> list[Step]:
    """The same for every attempt, and long to write: kept. Whoever plays a script does not change it."""
    head, comment = (bodies.STREAM_HEAD % b"", bodies.COMMENT) if stream else (bodies.CHUNKED_HEAD, b"\n")
    said = bodies.chunk(comment)
    return [Step(0.0, head, 0), *(Step(every * n, said, 0) for n in range(1, _COMMENTS + 1))]


_COMMON: dict[str, _Bent] = {
    "comments_only": _comments_only,
    "status": _status,
    "reset": _reset,
    "silence": _silence,
    "empty": _empty,
    "not_json": _not_json,
}
"""Kinds that look the same on plain and streamed requests."""


def _slowed(draws: Draws, fault: Fault) -> Draws:
    if fault.kind == "slow_first_token":
        return draws._replace(ttft=max(draws.ttft, fault.delay))
    if fault.kind == "slow_drip":
        return draws._replace(gaps=float(fault.delay))
    if fault.kind == "drip_later":
        usual = fault.after_tokens
        gaps = [draws.later(number) if number < usual else fault.delay for number in range(1, draws.tokens)]
        return draws._replace(gaps=gaps)
    return draws


def _spares(fault: Fault, ask: Ask) -> bool:
    """Whether the fault means nothing for such a request."""
    return (fault.kind in STREAM_ONLY and not ask.stream) or (fault.kind == "bad_structure" and not ask.structured)


def _code(fault: Fault) -> str | None:
    """Of an error in a stream: what was told, after `response.created` the one that is known from the field."""
    return fault.code or ("insufficient_quota" if fault.kind == "error_created" else None)


def _around(ask: Ask, tokens: int, reason: bytes) -> tuple[bytes, bytes]:
    """What makes JSON of the words, if the client asked for that; cut short by its own limit it is never closed."""
    if not ask.structured or not tokens:
        return b"", b""
    return bodies.JSON_OPENS, b"" if reason == b"length" else bodies.JSON_CLOSES


def _plain_time(draws: Draws) -> float:
    return draws.ttft + sum(draws.later(number) for number in range(1, draws.tokens))


def _dripped(whole: bytes, draws: Draws, gap: float) -> list[Step]:
    pieces = max(draws.tokens, 2)
    size = -(-len(whole) // pieces)
    cuts = range(0, len(whole), size)
    last = cuts[-1]  # with it all tokens are there, as in a plain answer of one piece
    return [
        Step(draws.ttft + gap * n, whole[at : at + size], draws.tokens if at == last else 0)
        for n, at in enumerate(cuts)
    ]
