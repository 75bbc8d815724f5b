"""What it costs to watch a plain call: microseconds to put its answer together, beside what relaying that stream costs.

Each event is fed alone, as it comes from a provider that writes token by token. `alike` is text as most providers
write it, `padded` the same with OpenAI's padding, `decoded` a stream of which every event has to be read whole.
Run it alone: `python -m benchmarks.assembly`.
Knows: how to write a stream. Must never: time the writing of it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.core import Cost, measure

from surefoot.dialects.dialect import Ask, StreamReader
from surefoot.dialects.openai_chat import DIALECT

_PROSE = (
    " A sure foot tries the ground before it leans on it,"
    " and when the ground gives way the other foot is already standing somewhere else."
)
_EVENTS_TIMED = 4_000
_REPEATS = 40
"""Many short repeats: on a machine that others use as well, the least of them says most."""

_BODIES = {"1 KB": 1_000, "30 KB": 30_000}


@dataclass(frozen=True, slots=True)
class _Answer:
    name: str
    chunks: int
    size: int


_ANSWERS = (_Answer("1 KB in 50 chunks", 50, 20), _Answer("30 KB in 1,000 chunks", 1_000, 30))


def stream_of(answer: _Answer, form: str) -> list[bytes]:
    """The events of one answer, with role, finish reason, usage and end."""
    prose = _PROSE * (answer.chunks * answer.size // len(_PROSE) + 1)
    texts = [prose[at * answer.size :][: answer.size] for at in range(answer.chunks)]
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}, *({"content": text} for text in texts), {}]
    ends = [None] * (len(deltas) - 1) + ["stop"]
    choices = [
        [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": end}]
        for delta, end in zip(deltas, ends, strict=True)
    ]
    usage: dict[str, object] = {
        "prompt_tokens": 250,
        "completion_tokens": answer.chunks,
        "total_tokens": 250 + answer.chunks,
    }
    chunks: list[dict[str, object]] = [{"choices": said, "usage": None} for said in choices]
    chunks.append({"choices": [], "usage": usage})
    return [*(_event(chunk, number, form) for number, chunk in enumerate(chunks)), b"data: [DONE]\n\n"]


def _event(chunk: dict[str, object], number: int, form: str) -> bytes:
    head = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "system_fingerprint": None,
    }
    more: dict[str, object] = {}
    if form == "padded":
        more = {"obfuscation": "x" * (number % 7 + 1)}
    elif form == "decoded":
        more = {"number": number}
    return b"data: " + json.dumps(head | chunk | more, separators=(",", ":")).encode() + b"\n\n"


def _fed(reader: Callable[[], StreamReader], stream: list[bytes]) -> Callable[[], StreamReader]:
    def feed() -> StreamReader:
        subject = reader()
        for event in stream:
            subject.feed(event)
        return subject

    return feed


def main() -> None:
    """Print the cost of each answer in each form, and of the request."""
    ask = DIALECT.read(b'{"model":"chat","messages":[]}')
    for answer in _ANSWERS:
        for form in ("alike", "padded", "decoded"):
            _print_answer(ask, answer, form)
    for name, size in _BODIES.items():
        for said in (b"", b'"stream":false,'):
            _print_encode(name, b'{"model":"chat",%b"messages":["%b"]}' % (said, b"x" * size))


def _print_answer(ask: Ask, answer: _Answer, form: str) -> None:
    stream = stream_of(answer, form)
    calls = _EVENTS_TIMED // len(stream)
    fed = _fed(lambda: DIALECT.assembler(ask), stream)
    subject = DIALECT.assembler(ask)
    for event in stream:
        subject.feed(event)
    body = subject.answer()
    costs = {
        "put together": measure(fed, calls, _REPEATS),
        "relayed": measure(_fed(lambda: DIALECT.stream_reader(ask), stream), calls, _REPEATS),
        "written": measure(subject.answer, calls, _REPEATS),
        "judged": measure(lambda: DIALECT.plain_reader().judge(body), calls, _REPEATS),
    }
    print(f"{answer.name}, {form}: " + ", ".join(f"{name} {_told(cost)}" for name, cost in costs.items()))


def _print_encode(name: str, body: bytes) -> None:
    ask = DIALECT.read(body)

    def encoded(*, watched: bool) -> Callable[[], bytes]:
        def encode() -> bytes:
            ask.model_span = None
            return DIALECT.encode(ask, "target", usage=True, watched=watched)

        return encode

    plain, watched = (measure(encoded(watched=watched), 5_000, _REPEATS) for watched in (False, True))
    own = "with" if ask.says_stream else "without"
    print(f"request of {name} {own} a stream of its own: plain {_told(plain)}, watched {_told(watched)}")


def _told(cost: Cost) -> str:
    return f"{cost.minimum:.1f} us"


if __name__ == "__main__":
    main()
