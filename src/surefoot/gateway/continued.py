"""The leg of an attempt that goes on with a broken answer: it is at work before it has anything new to say."""

from surefoot.dialects.dialect import Ask, StreamReader
from surefoot.dialects.openai_continued import ContinuedReader
from surefoot.gateway.leg import Leg, Listener, Way


class ContinuedLeg(Leg):
    """See the module."""

    __slots__ = ("_continued",)

    def __init__(self, listener: Listener, number: int, way: Way, ask: Ask, reader: ContinuedReader) -> None:
        super().__init__(listener, number, way, ask, reader)
        self._continued = reader

    def _held_back(self, stream: StreamReader, at: float, *, spoken: bool) -> None:
        if not spoken and self._continued.events:
            self._listener.grew(self, at, 0)  # text that the client has, or reasoning: not silence, and not news
        else:
            super()._held_back(stream, at, spoken=spoken)
