"""What a message, or a delta of one, may hold, and whether it says anything."""

from msgspec import Raw, Struct

REASONING = frozenset({"reasoning_content", "reasoning", "reasoning_details"})
"""Names under which providers let a model think aloud."""

EMPTY_VALUES = frozenset({b"", b"null", b'""', b"[]", b"{}"})
"""A field with one of these says nothing."""

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
        if bytes(self.content) not in EMPTY_VALUES:  # the common case first
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
