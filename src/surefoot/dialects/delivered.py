"""What a client has got of an answer that broke: read from the very bytes that were relayed to it.

Nothing is decoded while an answer goes well; only when one breaks its events are read, all at once. What is relayed has
OpenAI's form whatever the target's dialect is, so that there is one reader for all. It works on the pieces of several
attempts as well: an answer, the comment that tells where its continuation begins, and the continuation.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from surefoot.dialects.dialect import Delivered
from surefoot.dialects.openai_content import Content
from surefoot.dialects.sse import events, payload


class Delta(Content):
    """What one event adds to an answer."""

    role: Raw = Raw()


class Choice(Struct):
    """One alternative's part of an event."""

    delta: Delta | None = None
    finish_reason: str | None = None
    index: int = 0


class Chunk(Struct):
    """The data of one event."""

    choices: list[Choice] | None = None
    id: object = None
    created: object = None
    model: object = None


CHUNKS = msgspec.json.Decoder(Chunk)
TEXTS = msgspec.json.Decoder(str)

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding may raise. A `Raw` value is not looked at before it is decoded itself, and may raise then."""


class _Reading:
    """What has been gathered so far."""

    def __init__(self) -> None:
        self.first = Chunk()
        """What the first chunk that has an identity says of the answer."""
        self.texts: list[str] = []
        self.text_only = True
        self.reasoning = False
        self.role = False
        self.events = 0
        self.finish_reason: str | None = None

    def chunk(self, data: bytes) -> None:
        try:
            chunk = CHUNKS.decode(data)
        except UNREADABLE:
            self.text_only = False  # nobody knows what the client made of it
            return
        if self.first.id is None:
            self.first = chunk
        for choice in chunk.choices or ():
            self._choice(choice)

    def _choice(self, choice: Choice) -> None:
        if choice.index != 0:
            self.text_only = False
            return
        self.finish_reason = choice.finish_reason or self.finish_reason
        delta = choice.delta
        if delta is None:
            return
        self.role = self.role or delta.role != Raw()
        self.events += delta.says_something()
        self.reasoning = self.reasoning or delta.thinks()
        if delta.says_more_than_text():
            self.text_only = False
        elif bytes(delta.content) not in {b"", b"null"}:
            self._text(delta.content)

    def _text(self, content: Raw) -> None:
        try:
            self.texts.append(TEXTS.decode(content))
        except UNREADABLE:
            self.text_only = False  # a character in two events, say: nobody knows what the client made of it


def delivered_of(pieces: Sequence[bytes]) -> Delivered:
    """What these whole events have told the client."""
    reading = _Reading()
    for event in events(b"".join(pieces)):
        data = payload(event)
        if data is not None and data.strip() != b"[DONE]":
            reading.chunk(data)
    return Delivered(
        "".join(reading.texts),
        text_only=reading.text_only,
        reasoning=reading.reasoning,
        role=reading.role,
        events=reading.events,
        text_events=sum(map(bool, reading.texts)),
        finish_reason=reading.finish_reason,
        id=reading.first.id,
        created=reading.first.created,
        model=reading.first.model,
    )
