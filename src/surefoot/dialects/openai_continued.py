"""Reads the stream of a target that goes on with a broken answer, so that the client sees one answer.

It stands behind the reader of the target's own dialect, whose events have OpenAI's form already, and has the same
shape. Of those events it leaves out what the client has: text that is repeated (`dialects.alignment`), the role, and
reasoning, which belongs to another train of thought. What is left gets the identity of the first answer; the model's
name stays that of the target, and a comment in front says where the continuation begins. Anything but text is no
continuation: it is `Kind.DIVERGED`, and not relayed.
"""

from collections import deque

import msgspec
from msgspec import Raw, Struct

from surefoot.dialects.alignment import Alignment, Overlap, Repeat
from surefoot.dialects.delivered import CHUNKS, TEXTS, UNREADABLE, Choice, Chunk
from surefoot.dialects.dialect import Delivered, StreamReader
from surefoot.dialects.openai_content import EMPTY_VALUES, ENDS_WITHOUT_TEXT, REASONING
from surefoot.dialects.reading import Reading
from surefoot.dialects.signals import kind_of_ending
from surefoot.dialects.spent import NOTHING, Spent, summed
from surefoot.dialects.sse import events, payload
from surefoot.domain.outcome import Kind
from surefoot.domain.target import Continues, Target

_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_CHOICES = msgspec.json.Decoder(list[dict[str, Raw]])

_ENDS_IN_A_CALL = frozenset({"tool_calls", "function_call"})
_LEFT_OUT = REASONING | {"role"}


class _Held(Struct):
    """An event whose text is not known to be new yet."""

    data: bytes
    text: str
    finish: str | None


class ContinuedReader(Reading):
    """Follows one continuation; see `dialects.dialect.StreamReader`. `content` is content that is new to the client.

    `events` counts any, be it reasoning or text that the client has: the target is at work.
    """

    __slots__ = ("_alignment", "_bare_end", "_comment", "_delivered", "_held", "_inner", "_left_out", "_spent")

    def __init__(
        self, inner: StreamReader, delivered: Delivered, target: Target, attempt: int, spent: Spent = NOTHING
    ) -> None:
        super().__init__()
        inner.content = True  # the client has content: the inner reader need not wait for any
        self._inner = inner
        self._delivered = delivered
        self._alignment = _alignment(delivered.text, target.continues)
        self._bare_end = bool(delivered.text) and isinstance(self._alignment, Repeat)
        self._spent = spent
        self._comment = _provenance(target.name, attempt, len(delivered.text))
        self._held: deque[_Held] = deque()
        self._left_out = 0

    def feed(self, data: bytes) -> bytes:
        """Whole events to relay: nothing before there is something new."""
        self.progress = False
        if self.whole or self.wrong is not None:
            return b""
        inner = self._inner
        relayed: list[bytes] = []
        for event in events(inner.feed(data)):
            relayed += self._checked(event)
            if self.wrong is not None:
                break
        self.progress = inner.progress
        self.seen = self.seen or inner.progress
        self.usage = inner.usage
        self.wrong = self.wrong or inner.wrong
        self.whole = inner.whole and self.wrong is None
        self.finished = inner.finished and self.wrong is None
        if relayed and self._comment:
            relayed.insert(0, self._comment)
            self._comment = b""
        return b"".join(relayed)

    def close(self) -> bytes:
        """The terminal event, if a finished stream came without it."""
        return self._inner.close()

    def _checked(self, event: bytes) -> list[bytes]:
        """An event whose text cannot be read, as when a character is cut in two, would leave a gap in the answer."""
        try:
            return self._read(event)
        except UNREADABLE:
            self.wrong = Kind.MALFORMED
            return []

    def _read(self, event: bytes) -> list[bytes]:
        data = payload(event)
        if data is None:
            return [event] if self.content else []
        if data.strip() == b"[DONE]":
            released = self._end()
            return [*released, event] if self.content else []
        try:
            chunk = CHUNKS.decode(data)
        except UNREADABLE:
            return []  # one broken event in a good stream
        if not chunk.choices:
            return [self._rewritten(data, None)] if self.content else []
        if not _is_text(chunk):
            self.wrong = Kind.DIVERGED
            return []
        return self._read_choice(data, chunk.choices[0])

    def _read_choice(self, data: bytes, choice: Choice) -> list[bytes]:
        text = ""
        if choice.delta is not None:
            self.events += choice.delta.says_something()
            if bytes(choice.delta.content) not in EMPTY_VALUES:
                text = TEXTS.decode(choice.delta.content)
        self._held.append(_Held(data, text, choice.finish_reason))
        self._alignment.add(text)
        return self._end() if choice.finish_reason else self._released()

    def _end(self) -> list[bytes]:
        self._alignment.end()
        return self._released()

    def _released(self) -> list[bytes]:
        """What is known to be new; what is known to be repeated is dropped, and the rest goes on waiting."""
        alignment = self._alignment
        if alignment.diverged:
            self.wrong = Kind.DIVERGED
            return []
        released: list[bytes] = []
        while self._held:
            held = self._held[0]
            repeated = min(len(held.text), alignment.cut - self._left_out)
            if not alignment.decided and repeated < len(held.text):
                break
            self._held.popleft()
            self._left_out += repeated
            new = held.text[repeated:]
            self.content = self.content or bool(new) or self._may_end(held.finish)
            if held.finish and not self.content:
                self.wrong = kind_of_ending(held.finish) or Kind.EMPTY
            if self.content:
                released.append(self._rewritten(held.data, new if repeated else None))
        return released

    def _may_end(self, finish: str | None) -> bool:
        """Whether the answer may end so although the continuation adds no text.

        Who has said all of it again knows that it ends there; who adds nothing to what it was shown may just be mute.
        """
        return bool(finish) and (self._bare_end or (not self._delivered.text and finish in ENDS_WITHOUT_TEXT))

    def _rewritten(self, data: bytes, text: str | None) -> bytes:
        """The event as part of the first answer, its text replaced if one is given; empty if nothing is left of it."""
        fields = _FIELDS.decode(data)
        chunk: dict[str, object] = dict(fields)
        usage = fields.get("usage", Raw(b"null"))
        worth = bytes(usage) not in EMPTY_VALUES
        if worth:
            chunk["usage"] = summed(usage, self._spent)
        choices = fields.get("choices", Raw(b"null"))
        if bytes(choices) not in EMPTY_VALUES:
            choice, says = _rewritten_choice(_CHOICES.decode(choices)[0], text)
            chunk["choices"] = [choice]
            worth = worth or says
            if not worth:
                return b""
        if self._delivered.id is not None:
            chunk["id"] = self._delivered.id
        if self._delivered.created is not None:
            chunk["created"] = self._delivered.created
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def _alignment(text: str, continues: Continues) -> Alignment:
    """Who was not shown the beginning has to say it again. That holds for `NEVER`, too: nothing is joined unseen."""
    return Overlap(text) if continues in {Continues.PROMPT, Continues.PREFILL} else Repeat(text)


def _provenance(target: str, attempt: int, characters: int) -> bytes:
    """A comment for who reads the stream; clients skip it. Whatever could end its line is taken out of the name."""
    name = "".join(letter if letter.isprintable() and letter != " " else "_" for letter in target)
    return f": surefoot-resume target={name} attempt={attempt} after_characters={characters}\n\n".encode()


def _is_text(chunk: Chunk) -> bool:
    choices = chunk.choices or []
    choice = choices[0]
    return (
        len(choices) == 1
        and choice.index == 0
        and choice.finish_reason not in _ENDS_IN_A_CALL
        and (choice.delta is None or not choice.delta.says_more_than_text())
    )


def _rewritten_choice(fields: dict[str, Raw], text: str | None) -> tuple[dict[str, object], bool]:
    """One choice without what the client has already, and whether there is anything left in it."""
    choice: dict[str, object] = dict(fields)
    raw = fields.get("delta", Raw(b"null"))
    delta: dict[str, object] = {}
    if bytes(raw) not in EMPTY_VALUES:
        delta |= {
            name: value
            for name, value in _FIELDS.decode(raw).items()
            if name not in _LEFT_OUT and bytes(value) not in EMPTY_VALUES
        }
    if text is not None:
        delta.pop("content", None)
        if text:
            delta["content"] = text
        if "logprobs" in choice:
            choice["logprobs"] = None  # they are those of the whole event's text
    choice["delta"] = delta
    return choice, bool(delta) or bytes(fields.get("finish_reason", Raw(b"null"))) not in EMPTY_VALUES
