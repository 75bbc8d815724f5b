"""Handing over leaves nothing behind, however slow the client is at the end."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from typing import cast

import pytest
import uvloop
from tests.gateway.house import PATIENCE

from surefoot.gateway.handover import Meeting, Relay
from surefoot.gateway.recipient import Client
from surefoot.wire.server import Incoming, Served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has abstract names")

REQUESTS = 5


class SlowClient:
    """Takes nothing of what it is given: each piece fills what may wait for it."""

    def __init__(self) -> None:
        self.incoming = Incoming()
        self.served: Served | None = None
        self.over = ""

    def answer(self, status: int, body: bytes, headers: bytes = b"", content_type: bytes = b"") -> None:  # noqa: ARG002
        self._last("answer")

    def start(self, status: int, headers: bytes, first: bytes) -> None:
        """The first piece is taken."""

    def write(self, piece: bytes) -> None:
        """So are others."""

    def finish(self, piece: bytes = b"") -> None:  # noqa: ARG002
        self._last("finish")

    def break_off(self, piece: bytes) -> None:  # noqa: ARG002
        self._last("break_off")

    def abandon(self) -> None:
        """It stays."""

    def _last(self, word: str) -> None:
        assert self.served is not None
        self.served.client_slow()  # as `ServerConnection` does when a write fills its buffer
        self.served = None
        self.over = word


def whole(client: Client) -> None:
    client.answer(200, b"{}")


def ended(client: Client) -> None:
    client.start(200, b"", b"a")
    client.finish(b"b")


def broken(client: Client) -> None:
    client.start(200, b"", b"a")
    client.break_off(b"b")


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a kernel's view


async def hand_over(say: Callable[[Client], None]) -> tuple[list[str], int]:
    """What slow clients have heard, and how many sockets are still open once the owner has let go of all."""
    loop = asyncio.get_running_loop()
    meeting = Meeting(f"test-{os.getpid()}-{say.__name__}", lambda client, _incoming, _name: say(client))
    await meeting.open(0)
    await asyncio.sleep(0)
    before, clients = open_files(), []
    for _ in range(REQUESTS):
        client = SlowClient()
        relay = Relay(cast("Client", client), lambda: None)
        client.served = relay
        assert relay.call_on(f"test-{os.getpid()}-{say.__name__}", 0, Incoming(), "tester")
        clients.append(client)
    limit = loop.time() + PATIENCE / 5
    while loop.time() < limit and (  # noqa: ASYNC110 - nothing tells that a file is closed
        open_files() > before or not all(client.over for client in clients)
    ):
        await asyncio.sleep(0.002)  # a poll, bounded by the deadline
    meeting.close()
    return [client.over for client in clients], open_files() - before


@pytest.mark.parametrize(("say", "word"), [(whole, "answer"), (ended, "finish"), (broken, "break_off")])
def test_a_client_that_is_slow_at_the_end_leaves_no_socket_open(say: Callable[[Client], None], word: str) -> None:
    gc.disable()  # the collector would find the relay in the end, and hide what was left open
    try:
        heard, left_open = uvloop.run(hand_over(say))
    finally:
        gc.enable()

    assert heard == [word] * REQUESTS
    assert left_open <= 0
