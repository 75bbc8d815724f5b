import asyncio
import socket
from collections.abc import Awaitable, Callable, Sized
from typing import TypeVar

import pytest
from tests.journal.records import call

from surefoot.domain.front import ClientKey, Door, KeyLimits, Listener, Ring
from surefoot.domain.jurisdiction import Constraints, Jurisdiction
from surefoot.domain.place import Transfer, Zone
from surefoot.domain.route import Route, Rung
from surefoot.domain.target import Endpoint, Target
from surefoot.errors import ChannelError
from surefoot.gateway.channel import (
    HIGH_WATER,
    LARGEST,
    LENGTH,
    Allow,
    Channel,
    Configure,
    Down,
    Drain,
    Hear,
    KeyReport,
    Keys,
    Ready,
    Records,
    Report,
    RouteReport,
    Settings,
    TargetReport,
    Tell,
    Up,
    attach,
    supervisor_end,
    worker_end,
)
from surefoot.policy.allowance import Share
from surefoot.policy.first_token import Delays
from surefoot.policy.options import PolicyOptions
from surefoot.policy.target_state import Closed, Opened, ProbePermit, ProbeWanted, SlotShare

TARGET = Target("near", "p", "m", "openai-chat", Endpoint("h", 1, tls=False, path="/v1", headers=(("a", "b"),)))
SETTINGS = Settings(
    version="0123456789ab",
    door=Door((Listener("127.0.0.1", 0),), (ClientKey("team", b"\x00digest"),), b"\xffsalt"),
    targets=(TARGET,),
    routes=(Route("chat", (Rung("near"),), jurisdiction="eu"),),
    options=PolicyOptions(),
    credentials={"near": "credential-of-near"},
    workers=2,
    worker=1,
    seed=7,
    trace=None,
    prefix="c0ffee",
    zones={"EU": Zone(frozenset({"DE", "FR"}), frozenset({"DE", "FR"}))},
    jurisdictions=(Jurisdiction("eu", constraints=Constraints(("EU",), transfers=(Transfer.NONE,))),),
)
RING = Ring(b"\xfesalt", (ClientKey("app", b"\x01digest", routes=("chat",), limits=KeyLimits(4, 60), id="abc"),))
DOWN: list[Down] = [
    Keys(RING, [Share("app", 2, 30), Share("other", None, 5)]),
    Configure(SETTINGS),
    Hear(Opened("near", 10.0)),
    Hear(Closed("near")),
    Hear(ProbePermit("near", 5.0)),
    Hear(SlotShare("near", 3)),
    Allow([Share("app", 3, None)]),
    Drain(),
]
UP: list[Up] = [
    Ready("0123456789ab"),
    Records([call()], 3),
    Tell([ProbeWanted("near"), Opened("near", 1.0)], "v1"),
    Report(
        1,
        2,
        [TargetReport("near", 1, "open", 2.5, [Delays(0.1, 0.5), Delays(0.1, 0.5, 0.05)], 30, 5)],
        [RouteReport("chat", 9, 1, 0, 3.5)],
        {"accepted": 2},
        0,
        keys=[KeyReport("app", 1, 12, Share("app", 2, 30))],
    ),
]


Heard = TypeVar("Heard")


class Pair:
    """Both ends, in one loop, and what they were given."""

    def __init__(self) -> None:
        self.down: list[Down] = []
        self.up: list[Up] = []
        self.lost: list[Exception | None] = []
        self.over = asyncio.Event()
        self.came = asyncio.Event()
        self.supervisor: Channel[Up] = supervisor_end(lambda f: self._note(self.up, f), self._lose)
        self.worker: Channel[Down] = worker_end(lambda f: self._note(self.down, f), self._lose)

    def _note(self, heard: list[Heard], frame: Heard) -> None:
        heard.append(frame)
        self.came.set()

    def _lose(self, error: Exception | None) -> None:
        self.lost.append(error)
        self.over.set()

    async def until(self, heard: Sized, count: int) -> None:
        while len(heard) < count:
            self.came.clear()
            await asyncio.wait_for(self.came.wait(), 10)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    asyncio.run(told())


def test_every_frame_arrives_as_it_was_sent() -> None:
    async def story() -> None:
        pair = Pair()
        ours, its = socket.socketpair()
        await attach(pair.supervisor, ours)
        await attach(pair.worker, its)
        assert pair.supervisor.send(*DOWN)
        for frame in UP:
            assert pair.worker.send(frame)
        await pair.until(pair.down, len(DOWN))
        await pair.until(pair.up, len(UP))
        assert pair.down == DOWN
        assert pair.up == UP
        pair.supervisor.close()
        pair.worker.close()
        await asyncio.wait_for(pair.over.wait(), 10)

    run(story)


def test_frames_are_put_together_from_single_bytes() -> None:
    wire = bytearray()

    async def story() -> None:
        pair = Pair()
        ours, its = socket.socketpair()
        await attach(pair.supervisor, ours)
        pair.supervisor.send(*DOWN)
        its.setblocking(False)
        loop = asyncio.get_running_loop()
        pair.supervisor.close()
        while part := await loop.sock_recv(its, 65536):
            wire.extend(part)
        its.close()
        for at in range(len(wire)):
            pair.worker.data_received(bytes(wire[at : at + 1]))
        assert pair.down == DOWN

    run(story)


@pytest.mark.parametrize(
    ("noise", "sentence"),
    [
        ((5).to_bytes(LENGTH, "big") + b"hello", "cannot be read"),
        ((1).to_bytes(LENGTH, "big") + b"\xc1", "cannot be read"),
        ((LARGEST + 1).to_bytes(LENGTH, "big"), "claims to be"),
        (b"GET / HTTP/1.1\r\n", "claims to be"),
    ],
)
def test_noise_ends_the_channel_with_an_error_and_no_frame(noise: bytes, sentence: str) -> None:
    async def story() -> None:
        pair = Pair()
        ours, its = socket.socketpair()
        await attach(pair.worker, ours)
        its.sendall(noise)
        await asyncio.wait_for(pair.over.wait(), 10)
        its.close()
        assert pair.down == []
        assert isinstance(pair.lost[0], ChannelError)
        assert sentence in str(pair.lost[0])
        assert not pair.worker.send(Ready("v"))

    run(story)


def test_an_end_that_closes_is_noticed_once_and_without_an_error() -> None:
    async def story() -> None:
        pair = Pair()
        ours, its = socket.socketpair()
        await attach(pair.worker, ours)
        its.close()
        await asyncio.wait_for(pair.over.wait(), 10)
        assert pair.lost == [None]

    run(story)


def test_a_reader_that_is_slow_makes_the_channel_congested_and_then_free_again() -> None:
    async def story() -> None:
        pair = Pair()
        ours, its = socket.socketpair()
        its.setblocking(False)
        await attach(pair.worker, ours)
        batch = Records([call("c" * 1000)] * 100, 0)
        sent = 0
        while not pair.worker.congested:
            assert sent < 10 * HIGH_WATER
            pair.worker.send(batch)
            sent += 100_000
        while pair.worker.congested:
            await asyncio.wait_for(asyncio.get_running_loop().sock_recv(its, 65536), 10)
        its.close()
        await asyncio.wait_for(pair.over.wait(), 10)

    run(story)


def test_settings_do_not_print_a_credential() -> None:
    assert "credential-of-near" not in repr(Configure(SETTINGS))
