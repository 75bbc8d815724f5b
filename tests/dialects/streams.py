"""Streams as providers write them, for tests of the reader."""

import json
from typing import Any

from surefoot.dialects.dialect import Ask
from surefoot.dialects.openai_chat import DIALECT
from surefoot.dialects.openai_stream import OpenAIStreamReader


def event(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One chunk, as OpenAI spaces it."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    chunk = {"id": "c", "object": "chat.completion.chunk", "choices": choices} | more
    return b"data: " + json.dumps(chunk, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


ROLE = event({"role": "assistant", "content": ""})
USAGE = event(usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})
DONE = b"data: [DONE]\n\n"
COMMENT = b": keep-alive\n\n"
END = event({}, "stop")
WORDS = [event({"content": word}) for word in ("Grüß", " dich", ' "quoted\\" \n\n', " ❤", ' "error": {"usage"')]


def asked(**more: Any) -> Ask:
    body = {"model": "chat", "messages": [], "stream": True} | more
    return DIALECT.read(json.dumps(body).encode())


def reader(**more: Any) -> OpenAIStreamReader:
    return DIALECT.stream_reader(asked(**more))
