"""Streams of OpenAI chat completions.

Until there is content every event is decoded and held back: a role, a comment or a keep-alive is no answer. After
that a segment whose events are all plain deltas is relayed unread; decoded is only what may end the stream, report
tokens or be an error. A key in quotes cannot occur inside a JSON string (there its quotes are escaped), so that
counting such keys in the bytes is exact.
"""

import msgspec
from msgspec import Raw, Struct

from surefoot.dialects.dialect import Usage
from surefoot.dialects.openai_content import ENDS_WITHOUT_TEXT, Content
from surefoot.dialects.openai_errors import kind_of_choice, kind_of_event
from surefoot.dialects.reading import Reading
from surefoot.dialects.signals import kind_of_ending
from surefoot.dialects.sse import Splitter, events, payload
from surefoot.domain.outcome import Kind

LARGEST_EVENT = 32 * 1024 * 1024
"""Bytes of one event that are held before the stream is called malformed."""

_DATA = b"data: {"
_DONE = b"data: [DONE]\n\n"


class _Choice(Struct):
    delta: Content | None = None
    finish_reason: str | None = None
    index: int = 0
    error: Raw = Raw()


class _Chunk(Struct):
    choices: list[_Choice] | None = None
    usage: Usage | None = None
    type: object = None
    """Chunks of this API have none; events of others do, such as `response.created`."""


_CHUNKS = msgspec.json.Decoder(_Chunk)


class OpenAIStreamReader(Reading):
    """Follows one stream; see `dialects.dialect.StreamReader`."""

    __slots__ = ("_answers", "_begun", "_ended", "_ending", "_held", "_owes_done", "_splitter", "_strip_usage")

    def __init__(self, answers: int, *, strip_usage: bool) -> None:
        super().__init__()
        self._answers = answers
        self._strip_usage = strip_usage
        self._splitter = Splitter()
        self._held: list[bytes] = []
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._ending: Kind | None = None
        self._owes_done = False

    def feed(self, data: bytes) -> bytes:
        """Whole events to relay: nothing before there is content, then what was held back as well."""
        self.progress = False
        whole = self._splitter.feed(data)
        if self._splitter.waiting > LARGEST_EVENT:
            self.wrong = Kind.MALFORMED
        if not whole:
            return b""
        # Which of several choices have begun only shows when each event is read.
        plain = _plain_events(whole) if self.content and self._answers == 1 else 0
        if plain:
            self.progress = True
            self.events += plain
            return whole
        relayed = [event for event in events(whole) if self._passes(event)]
        if self._owes_done:
            self._owes_done = False
            relayed.append(_DONE)
        if self.content:
            self.events += len(relayed)
            self._held += relayed
            relayed, self._held = self._held, []
            return b"".join(relayed)
        self._held += relayed
        return b""

    def close(self) -> bytes:
        """The terminal event, if a finished stream came without it."""
        return b"" if self.whole else _DONE

    def _passes(self, event: bytes) -> bool:
        """Read one event; whether it is for the client."""
        data = payload(event)
        if data is None or self.whole or self.wrong is not None:
            return data is None and self.content  # comments before the answer are not worth holding back
        self.progress = self.seen = True
        if data.strip() == b"[DONE]":
            self.wrong = Kind.CUT if self._is_cut() else None
            self.whole = self.wrong is None
            return self.whole
        self.wrong = kind_of_event(event, data)
        if self.wrong is not None:
            return False
        chunk = _chunk_of(data)
        return chunk is not None and self._read(chunk)

    def _is_cut(self) -> bool:
        """Whether a stream that claims to be over left a choice unfinished. Of `n` choices a target may give fewer."""
        if self.finished or not self.content:
            return False
        begun = bool(self._begun) or self.events > 0
        return begun and (self._answers == 1 or not self._begun <= self._ended)

    def _read(self, chunk: _Chunk) -> bool:
        if chunk.usage is not None:
            self.usage = chunk.usage
        if chunk.choices:
            return self._read_choices(chunk.choices)
        if chunk.choices is None and chunk.type is not None:
            return False  # `response.created`, a ping: no event of this API, and its clients could not read it
        return self._read_end(chunk)

    def _read_choices(self, choices: list[_Choice]) -> bool:
        for choice in choices:
            self._read_choice(choice)
        if self.wrong is None and self.finished and not self.content:
            self.wrong = self._ending or Kind.EMPTY
        return self.wrong is None

    def _read_choice(self, choice: _Choice) -> None:
        reason = choice.finish_reason
        self._begun.add(choice.index)
        self.wrong = self.wrong or kind_of_choice(choice.error, reason)
        if self.wrong is not None:
            return
        if not self.content:
            says = choice.delta is not None and choice.delta.says_something()
            self.content = says or reason in ENDS_WITHOUT_TEXT
        if reason:  # some write an empty one into every chunk
            self._ended.add(choice.index)
            self.finished = len(self._ended) >= self._answers
            self._ending = self._ending or kind_of_ending(reason)

    def _read_end(self, chunk: _Chunk) -> bool:
        """A chunk without choices. The usage after the end is the last of what was asked for: nobody waits longer."""
        if chunk.usage is None:
            return True
        if self.finished:
            self.whole = self._owes_done = True
        return not self._strip_usage


def _chunk_of(data: bytes) -> _Chunk | None:
    """None for a broken event. One in a good stream is left out; whether the rest is whole shows at its end."""
    try:
        return _CHUNKS.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _plain_events(whole: bytes) -> int:
    """How many events there are, if each is a delta that neither ends anything nor reports anything; else 0."""
    count = whole.count(b'"finish_reason":null')
    plain = (
        whole.count(b"\n") == 2 * count  # one line each, and the blank one
        and whole.startswith(_DATA)
        and whole.count(b"\n\n" + _DATA) == count - 1
        and whole.rfind(b'"error"') < 0  # from behind: at half the cost
        and (whole.rfind(b'"usage"') < 0 or whole.count(b'"usage"') == whole.count(b'"usage":null'))
        and b"\r" not in whole
    )
    return count if plain else 0
