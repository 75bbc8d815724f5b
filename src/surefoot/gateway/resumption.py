"""What it takes to go on with an answer that broke: what the client has of it, and what it has cost so far.

While an answer goes well, pieces are only kept, as they were relayed; they are read when something breaks. Knows no
target and decides nothing: the Call says whether and where the answer goes on.
"""

from surefoot.dialects.delivered import delivered_of
from surefoot.dialects.dialect import Ask, Delivered, Usage
from surefoot.dialects.openai_continued import ContinuedReader
from surefoot.dialects.spent import NOTHING, and_spent
from surefoot.gateway.attesting import AttestingContinuedLeg
from surefoot.gateway.continued import ContinuedLeg
from surefoot.gateway.leg import Leg, Listener
from surefoot.gateway.upstream import Upstream

LARGEST_KEPT = 1024 * 1024
"""Bytes of one answer that are kept for the case that it breaks: some 5,000 events. A longer one is not continued."""


class Resumption:
    """Of one call. `wording` is what a target is asked that continues by a prompt."""

    __slots__ = ("_ask", "_delivered", "_kept", "_read", "_size", "_spent", "_wording", "too_long")

    def __init__(self, ask: Ask, wording: str) -> None:
        self._ask = ask
        self._wording = wording
        self._kept: list[bytes] = []
        self._size = 0
        self._read = 0
        self._delivered: Delivered | None = None
        self._spent = NOTHING
        self.too_long = False

    def keep(self, piece: bytes) -> None:
        """A piece was relayed."""
        self._size += len(piece)
        if self._size > LARGEST_KEPT:
            self.too_long = True
            self._kept.clear()
        else:
            self._kept.append(piece)

    @property
    def delivered(self) -> Delivered:
        """What the client has. Read anew only when there is more of it."""
        if self._delivered is None or self._read != len(self._kept):
            self._read = len(self._kept)
            self._delivered = delivered_of(self._kept)
        return self._delivered

    def broke(self, usage: Usage) -> None:
        """The attempt that has delivered is over: what it cost is added to what the client is told in the end."""
        self._spent = and_spent(self._spent, self._ask, usage, self.delivered)

    def leg(self, listener: Listener, number: int, upstream: Upstream) -> Leg:
        """An attempt at going on."""
        inner = upstream.dialect.stream_reader(self._ask)
        reader = ContinuedReader(inner, self.delivered, upstream.target, number, self._spent)
        made = AttestingContinuedLeg if upstream.target.place.confirms else ContinuedLeg
        return made(listener, number, upstream, self._ask, reader)

    def request(self, upstream: Upstream, left: float, narrowed: bytes) -> bytes:
        """Its request: see `Upstream.request`."""
        body = upstream.dialect.continuation(self._ask, upstream.target, self.delivered, self._wording)
        return upstream.framed(body, left, narrowed)
