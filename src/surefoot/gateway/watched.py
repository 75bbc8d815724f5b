"""The leg of a watched call: streamed upstream, so that its target is seen to begin and to go on, and plain in the end.

Nothing is delivered before the answer is whole and judged as a plain one is. A target that answers plainly all the same
is taken at its word; one that declines to stream is asked again plainly, in the same attempt.
"""

from collections.abc import Callable

from surefoot.dialects.dialect import Ask
from surefoot.domain.events import Unwatched
from surefoot.domain.outcome import Kind
from surefoot.gateway.leg import Leg, Listener, Way

_OK = 200

Plainly = Callable[[float], bytes]
"""Makes the request that asks plainly, from the time at which it is sent."""


class WatchedLeg(Leg):
    """See the module."""

    __slots__ = ("_assembler", "_plainly")

    last_words = 2.0
    """Seconds: nobody has the answer yet, and without its usage it would not be the plain one."""

    def __init__(self, listener: Listener, number: int, way: Way, ask: Ask) -> None:
        assembler = way.dialect.assembler(ask)
        super().__init__(listener, number, way, ask, assembler)
        self._assembler = assembler
        self._plainly: Plainly | None = None

    def or_plainly(self, plainly: Plainly) -> "WatchedLeg":
        """What makes the request to send if the target declines to stream, from the time; it is asked so once."""
        self._plainly = plainly
        return self

    def head(self, status: int, headers: dict[bytes, bytes], at: float) -> None:
        """The answer begins."""
        super().head(status, headers, at)
        self._misplaced = False  # a plain answer is what the client has asked for

    def piece(self, data: bytes, at: float) -> None:
        """The answer goes on."""
        if self._stream is None:
            super().piece(data, at)
            return
        stream = self._assembler
        stream.feed(data)
        if stream.whole:
            self._let_go()
            self._assembled(at)
        elif stream.wrong is not None:
            self._fail(stream.wrong, at)
        elif stream.progress and stream.content:
            self._listener.grew(self, at, stream.events)
        self._expect_the_end(stream)

    def end(self, at: float) -> None:
        """The answer is complete as HTTP sees it."""
        plainly, self._plainly = self._plainly, None
        refused = plainly is not None and not self.over and self.status != _OK
        if plainly is not None and refused and self._dialect.declines_stream(self.status, b"".join(self._pieces)):
            self._ask_again(plainly(at), at)
        else:
            super().end(at)

    def _ask_again(self, request: bytes, at: float) -> None:
        self._stream = None
        self._pieces.clear()
        self._size = 0
        self._listener.handle(Unwatched(self.number), at)
        self.launch(request, at)

    def _end_of_stream(self, at: float) -> None:
        stream = self._assembler
        if stream.content and stream.finished:
            self._assembled(at)
        else:
            self._fail(Kind.CUT if stream.seen else Kind.EMPTY, at)

    def _assembled(self, at: float) -> None:
        self.content_type = b"application/json"
        self._judge(self._assembler.answer(), at)
