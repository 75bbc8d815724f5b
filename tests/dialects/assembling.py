"""Answers put together from streams, for tests of the assembler."""

import json
from typing import Any

from tests.dialects.cutting import event

from surefoot.dialects.openai_assembly import OpenAIAssembler


def assembled(stream: bytes | list[bytes], answers: int = 1) -> OpenAIAssembler:
    subject = OpenAIAssembler(answers)
    for piece in [stream] if isinstance(stream, bytes) else stream:
        assert subject.feed(piece) == b""
    return subject


def answer_of(*events: bytes) -> Any:
    subject = assembled(b"".join(events))
    assert subject.wrong is None
    return json.loads(subject.answer())


def said(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish} | more]})


def message_of(*deltas: dict[str, Any]) -> Any:
    return answer_of(*map(said, deltas))["choices"][0]["message"]
