"""What a message, or a delta of one, may hold, and whether it says anything."""

from msgspec import Raw, Struct

_EMPTY_VALUES = frozenset({b"", b"null", b'""', b"[]", b"{}"})

ENDS_WITHOUT_TEXT = frozenset({"length", "content_filter"})
"""Reasons for which an answer may have no text and yet be the answer."""


class Content(Struct):
    """Text, reasoning and tool calls, unread: only whether they are empty matters here."""

    content: Raw = Raw()
    reasoning_content: Raw = Raw()
    reasoning: Raw = Raw()
    tool_calls: Raw = Raw()
    function_call: Raw = Raw()
    refusal: Raw = Raw()
    audio: Raw = Raw()

    def says_something(self) -> bool:
        """Whether any of it is not empty."""
        if bytes(self.content) not in _EMPTY_VALUES:  # the common case first
            return True
        others = (
            self.tool_calls,
            self.reasoning_content,
            self.reasoning,
            self.function_call,
            self.refusal,
            self.audio,
        )
        return any(bytes(value) not in _EMPTY_VALUES for value in others)
