"""One worker: serves clients on the sockets that its supervisor opened, as long as it is told to.

    python -m surefoot.gateway.worker CHANNEL_FD LISTENER_FD...

Knows the loop, the ticker and the channel. If the supervisor goes away it serves on with what it knows. Must never
wait for it.
"""

import asyncio
import contextlib
import gc
import logging
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Sequence

from surefoot.gateway.channel import (
    Allow,
    Configure,
    Down,
    Drain,
    Drill,
    Hear,
    Keys,
    Obeyed,
    Ready,
    Records,
    Report,
    RouteReport,
    Settings,
    Settled,
    TargetReport,
    Tell,
    attach,
    worker_end,
)
from surefoot.gateway.doorkeeper import NONE
from surefoot.gateway.front import Front
from surefoot.gateway.trace import tracing
from surefoot.gateway.world import World
from surefoot.policy.breaker import State
from surefoot.wire.clock import now, wall
from surefoot.wire.pool import server_tls_context
from surefoot.wire.server import ServerConnection

TICK = 0.01
"""Seconds between looks at what is late, at most, while there are calls: no call asks to be woken sooner than that."""

FINEST = 0.001
"""Seconds between looks, at least: the error of a hedge's or a limit's time, and the loop's own resolution."""

REST = 0.1
"""Seconds between ticks while there are none."""

FOLD_EVERY = 0.25
"""Seconds between foldings of learned times."""

SWEEP_EVERY = 1.0
"""Seconds between reports, warm-ups and sweeps of connections."""

COLLECT = (20_000, 50, 100)
"""Thresholds of the cyclic garbage collector. A call leaves no cycle behind, so that it is looked for rarely."""

BATCH = 256
"""Records that are sent without waiting for the next folding."""

LAST_WORDS = 1.0
"""Seconds that the supervisor has to take the last records when a worker leaves."""

MOST_WAITING = 20_000
"""Records that are held while the supervisor is slow; what comes on top is dropped and counted."""

log = logging.getLogger("surefoot.worker")


class Worker:
    """See the module."""

    make_world: type[World] = World

    def __init__(self, listeners: Sequence[socket.socket]) -> None:
        self._listeners = listeners
        self._servers: list[asyncio.Server] = []
        self._channel = worker_end(self._hear, self._lost)
        self._front: Front | None = None
        self._keys = NONE
        self._old: list[World] = []
        self._dropped = 0
        self._dropped_before = 0
        self._fold_at = 0.0
        self._sweep_at = 0.0
        self._leave_at = float("inf")
        self._alone = False
        self._over = asyncio.Event()

    async def run(self, channel: socket.socket) -> None:
        """Serve until drained."""
        await attach(self._channel, channel)
        await self._over.wait()

    # ── what the supervisor says ───────────────────────────────────────────────────────────────────────────────

    def _hear(self, frame: Down) -> None:
        match frame:
            case Configure(settings=settings):
                self._configure(settings)
            case Keys() | Allow():
                self._hear_of_keys(frame)
            case Hear(news=news):
                if self._front is not None:
                    self._front.world.hear(news, now())
            case Drill():
                if self._front is not None:
                    self._front.drills.obey(frame, self._front, now())
                self._channel.send(Obeyed(frame.serial))
            case Settled():
                if self._front is not None:
                    self._front.owing.settle(frame)
            case Drain():
                self._drain()

    def _hear_of_keys(self, frame: Keys | Allow) -> None:
        if isinstance(frame, Keys):
            self._keys = frame
        if self._front is None:
            return
        if isinstance(frame, Keys):
            self._front.doorkeeper.hold(frame, now())
        else:
            self._front.doorkeeper.allow(frame.shares, now())

    def _lost(self, error: Exception | None) -> None:
        self._alone = True
        if self._front is None or self._front.draining:
            self._over.set()
        elif self._leave_at == float("inf"):
            self._front.world.leave_alone(now())
            self._front.owing.alone = True
            log.error(
                "the supervisor is gone (%s); serving on under configuration %s", error, self._front.world.version
            )

    def _configure(self, settings: Settings) -> None:
        front = self._front
        if front is None:
            world = self.make_world(settings, tracing=tracing(settings))
            self._front = Front(world, settings.prefix, self._keys)
            world.warm_first(self._front.doorkeeper.callers)
            asyncio.get_running_loop().create_task(self._listen(self._front, settings)).add_done_callback(_surface)
            asyncio.get_running_loop().call_soon(self._tick)
            return
        before = front.world
        front.drills.end()  # its targets may be gone
        front.enter(self.make_world(settings, before, tracing=tracing(settings)))
        before.retire(front.world)
        self._old.append(before)
        self._channel.send(Ready(settings.version))

    async def _listen(self, front: Front, settings: Settings) -> None:
        loop = asyncio.get_running_loop()
        await front.listen()
        for listener, taken in zip(settings.door.listeners, self._listeners, strict=True):
            tls: ssl.SSLContext | None = None
            if listener.certificate is not None and listener.private_key is not None:
                tls = server_tls_context(listener.certificate, listener.private_key)
            server = await loop.create_server(lambda: ServerConnection(front), sock=taken, ssl=tls, backlog=2048)
            self._servers.append(server)
        self._channel.send(Ready(settings.version))

    def _drain(self) -> None:
        front = self._front
        if front is None:
            self._over.set()
            return
        front.draining = True
        for server in self._servers:
            server.close()
        front.meeting.close()
        self._leave_at = now() + front.door.drain

    # ── the ticker ─────────────────────────────────────────────────────────────────────────────────────────────

    def _tick(self) -> None:
        rest = REST
        try:
            rest = self._look()
        finally:  # an error is the loop's to log; whoever waits is not to wait for ever because of it
            asyncio.get_running_loop().call_later(rest, self._tick)

    def _look(self) -> float:
        """Do what is due; returns the seconds until the next look."""
        front = self._front
        if front is None:
            return REST
        at = now()
        worlds = [front.world, *self._old]
        rest = REST
        for world in (*worlds, *front.drills.worlds):
            if world.live:
                rest = min(rest, TICK, max(world.wake(at) - at, FINEST))
            if world.fleet.news:
                self._tell(world)
            if len(world.records) + len(world.owed) >= BATCH:
                self._send_records(world)
        if at >= self._fold_at:
            self._fold_at = at + FOLD_EVERY
            front.drills.tick(at)
            for world in worlds:
                world.tick(at)
                self._send_records(world)
        if at >= self._sweep_at:
            self._sweep_at = at + SWEEP_EVERY
            self._sweep(front, at)
        if front.draining:
            self._leave_when_done(front, worlds, at)
        return rest

    def _sweep(self, front: Front, at: float) -> None:
        front.sweep(at)
        front.doorkeeper.expire(wall(), at)
        front.world.warm(at)
        front.resends.answers.expire()
        front.drills.sweep(at)
        self._old = [world for world in self._old if world.live or world.records or world.owed]
        self._channel.send(self._report(front, at))

    def _leave_when_done(self, front: Front, worlds: Sequence[World], at: float) -> None:
        worlds = [*worlds, *front.drills.worlds]
        if at >= self._leave_at:
            _end_at_once(front, worlds)
        front.sweep(at)
        clients = front.connections or front.meeting.inside
        if any(world.live for world in worlds) or clients or self._over.is_set():
            return  # an answer is not given while bytes of it wait to be sent
        for world in worlds:
            self._send_records(world)
        if self._channel.congested and at < self._leave_at + LAST_WORDS:
            return
        for world in worlds:
            self._send_owed(world)  # congested or not: the channel writes what waits before it closes
            world.close()
        self._channel.close()
        if self._alone:
            self._over.set()  # else once the supervisor has everything: see `_lost`

    # ── what the supervisor is told ────────────────────────────────────────────────────────────────────────────

    def _tell(self, world: World) -> None:
        news = list(world.fleet.news)
        world.fleet.news.clear()
        if world.drill or self._front is None:  # what a drill finds out is nobody's news
            return
        if world is not self._front.world:
            news = self._front.world.believe(world, news, now())
        if news:
            self._channel.send(Tell(news))

    def _send_records(self, world: World) -> None:
        records = world.records
        if not records and not world.owed and not world.forgotten:
            return
        if self._channel.congested:
            excess = len(records) - MOST_WAITING
            if excess > 0:
                del records[:excess]
                self._dropped += excess
            return
        self._channel.send(Records(records, self._dropped - self._dropped_before))
        self._dropped_before = self._dropped
        world.records = []
        self._send_owed(world)

    def _send_owed(self, world: World) -> None:
        owed, world.owed = world.owed, []
        forgotten, world.forgotten = world.forgotten, 0
        if self._front is None or not (owed or forgotten):
            return
        self._front.owing.handed_over(len(owed), forgotten)
        if not self._channel.send(Records([], 0, owed, forgotten)):
            log.error("the supervisor is gone, and with it the receipts of %d calls", len(owed))

    def _report(self, front: Front, at: float) -> Report:
        fleet = front.world.fleet
        targets = [
            TargetReport(
                state.name,
                state.in_flight,
                state.breaker.state,
                0.0 if state.breaker.state is State.CLOSED else max(state.breaker.until - at, 0.0),
                state.first_token.table,
                state.first_token.samples(),
                state.slots,
                state.grade,
            )
            for state in fleet.targets.values()
        ]
        routes = [
            RouteReport(name, front.world.calls[name], stack.budget.spent, stack.budget.refused, stack.budget.saved)
            for name, stack in fleet.stacks.items()
        ]
        live = len(front.world.live) + sum(len(world.live) for world in self._old)
        answers = front.resends.answers
        counters = {
            "connections_accepted": front.accepted,
            "requests_refused": front.refused,
            "key_limits_refused": front.doorkeeper.refused,
            "upstream_connections": sum(upstream.pool.opened for upstream in front.world.upstreams.values()),
            "receipts_refused": front.owing.refused,
            **{f"idempotency_{what}": count for what, count in answers.counts.items()},
        }
        kept = (len(answers), answers.memory)
        return Report(
            live,
            len(front.connections),
            targets,
            routes,
            counters,
            self._dropped,
            *kept,
            owed=front.owing.unsent,
            ours=fleet.ours,
            keys=front.doorkeeper.report(SWEEP_EVERY),
        )


def _surface(task: "asyncio.Task[None]") -> None:
    """A failure to listen ends the worker; its supervisor hears of it."""
    if not task.cancelled() and task.exception() is not None:
        raise SystemExit(f"cannot listen: {task.exception()}")


def _end_at_once(front: Front, worlds: Sequence[World]) -> None:
    """The time to drain is over: whoever still waits is told, and let go."""
    for world in worlds:
        world.end_all()
    for connection in list(front.connections):
        connection.transport.abort()
    for handed in list(front.meeting.inside):
        handed.abort()


def make_room() -> None:
    """Take all the files that the system allows: each stream needs two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(arguments: Sequence[str]) -> None:
    """Serve on the file descriptors that are named."""
    import uvloop  # noqa: PLC0415 - imported where it is used: importing a module does nothing

    make_room()
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor hears it, and drains
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    channel_fd, *listener_fds = (int(argument) for argument in arguments)
    channel = socket.socket(fileno=channel_fd)
    listeners = [socket.socket(fileno=fd) for fd in listener_fds]

    gc.freeze()  # what is there now stays: there is no use in looking through it again
    gc.set_threshold(*COLLECT)

    async def serve() -> None:
        await Worker(listeners).run(channel)

    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve())


if __name__ == "__main__":
    main(sys.argv[1:])
