"""What a message, or a delta of one, may hold, and whether it says anything."""

import msgspec
from msgspec import Raw, Struct

REASONING = frozenset({"reasoning_content", "reasoning", "reasoning_details"})
"""Names under which providers let a model think aloud."""

EMPTY_VALUES = frozenset({b"", b"null", b'""', b"[]", b"{}"})
"""A field with one of these says nothing."""
_LONGEST_EMPTY = max(len(value) for value in EMPTY_VALUES)
_NO_ERROR = EMPTY_VALUES | {b"false"}

ENDS_WITHOUT_TEXT = frozenset({"length", "max_tokens", "MAX_TOKENS"})
"""Reasons for which an answer may have no text and yet be the answer."""

CUT_SHORT = ENDS_WITHOUT_TEXT | {"content_filter"}
"""Reasons for which an answer ends in the middle, so that its JSON need not be whole."""


class _Function(Struct):
    arguments: object = None


class _ToolCall(Struct):
    function: _Function | None = None


_TOOL_CALLS = msgspec.json.Decoder(list[_ToolCall])
_FUNCTIONS = msgspec.json.Decoder(_Function)
_TEXTS = msgspec.json.Decoder(str)


class Content(Struct):
    """Text, reasoning and tool calls, unread: only whether they are empty, or not JSON, matters here."""

    content: Raw = Raw()
    reasoning_content: Raw = Raw()
    reasoning: Raw = Raw()
    tool_calls: Raw = Raw()
    function_call: Raw = Raw()
    refusal: Raw = Raw()
    audio: Raw = Raw()

    def says_something(self) -> bool:
        """Whether any of it is not empty."""
        content = self.content
        if len(content) > _LONGEST_EMPTY or bytes(content) not in EMPTY_VALUES:  # the common case first
            return True
        others = (
            self.tool_calls,
            self.reasoning_content,
            self.reasoning,
            self.function_call,
            self.refusal,
            self.audio,
        )
        return any(bytes(value) not in EMPTY_VALUES for value in others)

    def thinks(self) -> bool:
        """Whether there is reasoning in it."""
        return bytes(self.reasoning_content) not in EMPTY_VALUES or bytes(self.reasoning) not in EMPTY_VALUES

    def says_more_than_text(self) -> bool:
        """Whether there is anything in it that is neither text nor reasoning: such an answer is never continued."""
        content = bytes(self.content)
        others = (self.tool_calls, self.function_call, self.refusal, self.audio)
        return (content not in EMPTY_VALUES and not content.startswith(b'"')) or any(
            bytes(value) not in EMPTY_VALUES for value in others
        )

    def parses(self, *, structured: bool) -> bool:
        """Whether the arguments of every call are JSON, and with `structured` the text too. No schema is checked."""
        try:
            if bytes(self.tool_calls) not in EMPTY_VALUES:
                for call in _TOOL_CALLS.decode(self.tool_calls):
                    _check(call.function)
            if bytes(self.function_call) not in EMPTY_VALUES:
                _check(_FUNCTIONS.decode(self.function_call))
            if structured and bytes(self.content) not in EMPTY_VALUES:
                msgspec.json.decode(_TEXTS.decode(self.content))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        return True


def is_error(value: Raw) -> bool:
    """Whether the key `error` is there and says anything."""
    return bool(value) and bytes(value) not in _NO_ERROR


def _check(function: _Function | None) -> None:
    """Arguments are JSON inside a string. Some providers send an empty one for a call without any."""
    if function is not None and isinstance(function.arguments, str) and function.arguments.strip():
        msgspec.json.decode(function.arguments)
