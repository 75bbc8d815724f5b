"""A static target's answer, in OpenAI's words: a configured text, as a whole completion or as a stream of it."""

import msgspec

from surefoot.dialects.dialect import Ask

_DONE = b"data: [DONE]\n\n"
_NOTHING_SPENT = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def canned(ask: Ask, model: str, text: str, created: int) -> bytes:
    """The body. It is marked: `surefoot_static` is true in it, and no tokens were spent. `created` is Unix time."""
    common: dict[str, object] = {"id": "surefoot-static", "created": created, "model": model, "surefoot_static": True}
    message = {"role": "assistant", "content": text}
    if not ask.stream:
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return msgspec.json.encode(
            {**common, "object": "chat.completion", "choices": [choice], "usage": _NOTHING_SPENT}
        )
    chunk = {**common, "object": "chat.completion.chunk"}
    choices: list[list[dict[str, object]]] = [
        [{"index": 0, "delta": message, "finish_reason": None}],
        [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    ]
    events: list[dict[str, object]] = [{**chunk, "choices": choice} for choice in choices]
    if ask.wants_usage:
        events.append({**chunk, "choices": [], "usage": _NOTHING_SPENT})
    return b"".join(b"data: " + msgspec.json.encode(event) + b"\n\n" for event in events) + _DONE
