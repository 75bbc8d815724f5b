"""Legs of targets whose answers can tell by themselves where and by what they were made: they report what is said.

A target that names no place where its answers would do so has plain legs, and pays nothing for these. A word is
reported before the bytes that it came in are handed on: what is known before the client has any can still be undone.
"""

from surefoot.dialects.dialect import Ask, StreamReader
from surefoot.dialects.hearing import Hearing
from surefoot.dialects.openai_continued import ContinuedReader
from surefoot.domain.events import Attested
from surefoot.domain.outcome import Kind
from surefoot.domain.place import Said
from surefoot.gateway.continued import ContinuedLeg
from surefoot.gateway.leg import Leg, Listener, Way
from surefoot.gateway.watched import WatchedLeg

_OK = 200


class _Attesting(Leg):
    """What these legs do besides. An error is no answer, and attests to nothing."""

    __slots__ = ()

    _hearing: Hearing

    def head(self, status: int, headers: dict[bytes, bytes], at: float) -> None:
        """The answer begins. That it is there is reported even if its head says nothing: silence is recorded too."""
        super().head(status, headers, at)
        if status == _OK and not self.over:
            self._listener.handle(Attested(self.number, self._hearing.head(headers)), at)

    def piece(self, data: bytes, at: float) -> None:
        """The answer goes on."""
        stream = self._stream
        if stream is not None and self._hearing.open:
            self._report(self._hearing.stream(data), at)
        if not self.over:
            super().piece(data, at)
        elif stream is not None:  # given up for what it said: its tokens may stand in the same piece, and are billed
            stream.feed(data)
            self.usage = stream.usage

    def _judge(self, answer: bytes, at: float) -> None:
        said = self._hearing.body(answer)
        if said:
            reader = self._dialect.plain_reader(self._ask)
            if reader.judge(answer) is Kind.OK:  # else it is none, and fails for that
                self.usage = reader.usage  # known before it may be given up, since it will be billed
                self._report(said, at)
        if not self.over:
            super()._judge(answer, at)

    def _report(self, said: Said, at: float) -> None:
        if said:
            self._listener.handle(Attested(self.number, said), at)


class AttestingLeg(_Attesting):
    """See the module."""

    __slots__ = ("_hearing",)

    def __init__(self, listener: Listener, number: int, way: Way, ask: Ask, stream: StreamReader | None) -> None:
        super().__init__(listener, number, way, ask, stream)
        self._hearing = _hearing_at(way)


class AttestingWatchedLeg(_Attesting, WatchedLeg):
    """Of a watched call."""

    __slots__ = ("_hearing",)

    def __init__(self, listener: Listener, number: int, way: Way, ask: Ask) -> None:
        WatchedLeg.__init__(self, listener, number, way, ask)
        self._hearing = _hearing_at(way)


class AttestingContinuedLeg(_Attesting, ContinuedLeg):
    """Of an attempt that goes on with a broken answer."""

    __slots__ = ("_hearing",)

    def __init__(self, listener: Listener, number: int, way: Way, ask: Ask, reader: ContinuedReader) -> None:
        ContinuedLeg.__init__(self, listener, number, way, ask, reader)
        self._hearing = _hearing_at(way)


def _hearing_at(way: Way) -> Hearing:
    return Hearing(way.target.place.confirms)
