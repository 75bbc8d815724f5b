"""The leg of a static target: its answer is written in the configuration, and nothing is reached for it."""

import asyncio

from surefoot.dialects.dialect import Ask
from surefoot.gateway.leg import Leg, Listener, Way
from surefoot.wire.clock import now


class CannedLeg(Leg):
    """See the module. What it is told to launch is the answer itself."""

    __slots__ = ()

    def __init__(self, listener: Listener, number: int, way: Way, ask: Ask) -> None:
        super().__init__(listener, number, way, ask, None)

    def launch(self, request: bytes, at: float) -> None:  # noqa: ARG002 - a leg's signature
        """Say it, once whoever launches is done."""
        self.answer = request
        self.content_type = b"text/event-stream" if self._ask.stream else b"application/json"
        asyncio.get_running_loop().call_soon(self._say)

    def _say(self) -> None:
        if self.over:
            return
        self.over = True
        at = now()
        if self._ask.stream:
            self._listener.whole(self, self.answer, at)
        else:
            self._listener.plain(self, at)
