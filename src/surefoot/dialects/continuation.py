"""The request that asks a target to go on with an answer that broke off elsewhere, in OpenAI's words.

The client's own fields and messages keep their bytes; the broken answer and what is asked of it come after them. Knows
nothing of what the target will say (`dialects.openai_continued` reads that).
"""

import msgspec
from msgspec import Raw

from surefoot.dialects.dialect import Ask, Delivered
from surefoot.domain.target import Continues, Target

_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_MESSAGES = msgspec.json.Decoder(list[Raw])

_NULL = Raw(b"null")
_LIMITS = ("max_tokens", "max_completion_tokens")


def with_the_answer(ask: Ask, target: Target, delivered: Delivered, wording: str) -> bytes:
    """The request with the broken answer as the assistant's message, for `Continues.PROMPT` and `Continues.PREFILL`."""
    asked = _FIELDS.decode(ask.body)
    messages = _listed(asked["messages"])
    messages.append({"role": "assistant", "content": delivered.text})
    changed: dict[str, object] = {"model": target.model, "messages": messages}
    if target.continues is Continues.PROMPT:
        messages.append({"role": "user", "content": wording})
    else:
        changed |= target.prefill
    for limit in _LIMITS:
        value = msgspec.json.decode(asked.get(limit, _NULL))
        if isinstance(value, int):  # what was delivered counts against it, and its events stand in for tokens
            changed[limit] = max(1, value - delivered.text_events)
    if target.usage_in_stream:
        options = msgspec.json.decode(asked.get("stream_options", _NULL))
        changed["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    return msgspec.json.encode({**asked, **changed})


def _listed(messages: Raw) -> list[object]:
    """The conversation's messages; what is no list is taken for its only one."""
    return [*_MESSAGES.decode(messages)] if bytes(messages).startswith(b"[") else [messages]
