"""The supervisor: starts the workers, replaces those that die, reloads, drains.

    configuration ─▶ sockets ─▶ workers ─▶ admin application
                                  ▲  │ frames
                                  └──┴── Picture (all that is known), Writer (the journal), Receipts (the chain)

The admin application's libraries are imported only when the workers are on their way, since no request needs them.

Knows: processes, signals, and the order of things.
Must never: be waited for by a request. If it dies, the workers go on with what they know.
"""

import asyncio
import gc
import logging
import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from surefoot.config.configuration import Configuration
from surefoot.control.drilling import Drilling
from surefoot.control.explaining import Question, explain
from surefoot.control.keys import LOOK_EVERY, KeyWatch
from surefoot.control.listeners import Listening, bound, url_of
from surefoot.control.notary import Notary
from surefoot.control.picture import Picture
from surefoot.control.receipts import Loss as ReceiptLoss
from surefoot.control.receipts import Origin, Receipts, Written
from surefoot.control.reloading import keep_what_is_open
from surefoot.control.status import status
from surefoot.control.telling import tell_news, tell_warnings
from surefoot.control.worker import Worker, ending
from surefoot.errors import ConfigError, DrillError, StartError
from surefoot.gateway.channel import Configure, Drain, Keys, Obeyed, Ready, Records, Report, Settings, Settled, Tell, Up
from surefoot.journal.writer import Loss, Writer

if TYPE_CHECKING:
    from surefoot.control.admin import Admin

COMMAND = (sys.executable, "-m", "surefoot.gateway.worker")
"""A worker; the numbers of its channel and of its listening sockets follow."""

HEALTHY = 10.0
"""Seconds that a worker has to live for its death not to count as one of a row."""

FIRST_DELAY, LONGEST_DELAY = 0.1, 30.0
"""Seconds before a worker is started again that has died young twice in a row; doubled each time up to the longest."""

HOPELESS = 5
"""Young deaths in a row, without any worker ever having been ready, after which the gateway gives up starting."""

COLLECT = (20_000, 20, 20)
"""Thresholds of the cyclic garbage collector. Batches of records make containers by the thousand, and no cycle."""

OVERTIME = 1.0
"""Seconds beyond `Door.drain` that workers get to end by themselves."""

ALL_FAIL = "every target fails at once: look at this machine and its network first; breakers stay closed"
NOT_ALL_FAIL = "not every target fails any more"
OBEYED_WITHIN = 5.0
"""Seconds that workers get to make the worlds of a drill: about a millisecond each."""

ASK_EVERY = 0.005
"""Seconds between looks whether they have."""

log = logging.getLogger("surefoot")


class Supervisor:
    """One gateway. Constructing it opens the sockets and the journal; `run` serves. Both raise `StartError`."""

    def __init__(
        self,
        load: Callable[[], Configuration],
        workers: int = 1,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._load = load
        configuration = load()
        tell_warnings(configuration)
        with ExitStack() as opened:
            self._listening = Listening(configuration.door.listeners, workers)
            opened.callback(self._listening.close)
            self._admin_socket = bound(configuration.admin.host, configuration.admin.port)
            opened.callback(self._admin_socket.close)
            self._admin_socket.listen()  # who asks before the admin application is there waits, and is not refused
            self._journal = None if configuration.journal is None else Writer(configuration.journal)
            self._notary = Notary()
            kept = configuration.receipts
            self._receipts = None if kept is None else Receipts(kept, self._notary, self._written)
            opened.pop_all()
        self._picture = Picture(configuration, workers)
        self._workers = [Worker(number, command, self._hear) for number in range(workers)]
        self._prefixes = [""] * workers
        self._meeting = secrets.token_hex(8)
        self._drilling = Drilling()
        self._keys = KeyWatch(configuration)
        self._began = time.monotonic()
        self._told_ready = False
        self._hopeless: StartError | None = None
        self._under_way = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._quit = asyncio.Event()

    async def run(self) -> None:
        """Serve until a signal says otherwise and the calls in flight have ended."""
        self._loop = loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_end)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        log.info("start: configuration %s, workers %d", self._picture.configuration.version, len(self._workers))
        self._describe(self._picture.configuration)
        if self._receipts is not None:
            self._receipts.start(self._picture.configuration.version)
        keepers = [asyncio.create_task(self._keep(worker)) for worker in self._workers]
        loop.call_later(LOOK_EVERY, self._look_at_keys)
        try:
            admin, serving = await self._start_admin()
            asked = asyncio.create_task(self._stop.wait())
            await asyncio.wait([asked, serving, *keepers], return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
            await self._drain(keepers)
            admin.stop()
            await serving
        finally:
            for worker in self._workers:
                worker.kill()
            self._close()
        if self._hopeless is not None:
            raise self._hopeless

    def reload(self) -> None:
        """Read the configuration again. A broken one is refused, and the old one goes on."""
        try:
            configuration = self._load()
        except ConfigError as error:
            self._picture.reloads["refused"] += 1
            for fault in error.faults:
                log.error("reload refused: %s", fault)  # noqa: TRY400 - a fault of the file, not of the program
            return
        tell_warnings(configuration)
        configuration = keep_what_is_open(self._picture.configuration, configuration, self._listening)
        self._picture.reloads["ok"] += 1
        self._drilling.over()
        self._describe(configuration)
        self._keys.reconfigure(configuration)
        for number, frames in self._picture.reconfigure(configuration).items():
            self._workers[number].send(self._ring(number), Configure(self._settings(number)), *frames)
        log.info("reload ok: %s", configuration.version)

    async def drill(self, body: bytes) -> None:
        """Order a drill, or its end, and wait until every worker goes by it. Raises `DrillError`."""
        frame = self._drilling.order(body, self._picture.configuration, time.monotonic())
        log.warning("drill: %d worlds for at most %g s", len(frame.worlds), frame.seconds)
        for worker in self._workers:
            worker.send(frame)
        limit = time.monotonic() + OBEYED_WITHIN
        while not self._drilling.obeyed(worker.number for worker in self._workers if worker.pid is not None):
            if time.monotonic() > limit:
                raise DrillError(f"not every worker has obeyed within {OBEYED_WITHIN:g} s")
            await asyncio.sleep(ASK_EVERY)

    def readmit(self, target: str) -> bool:
        """A person lifts the suspension of a target. False if it is not suspended."""
        if target not in self._picture.suspended:
            return False
        self._send(self._picture.readmit(target))
        log.warning("target readmitted: %s", target)
        return True

    # ── workers ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _keep(self, worker: Worker) -> None:
        """Keep one place filled."""
        young = 0
        while not self._stop.is_set():
            began = time.monotonic()
            self._prefixes[worker.number] = secrets.token_hex(4)
            frames = self._picture.started(worker.number, began)
            try:
                settings = Configure(self._settings(worker.number))
                drill = self._drilling.for_newcomer(began)
                first = [self._ring(worker.number), settings, *frames, *drill, *self._receipts_state()]
                await worker.start(self._listening.of_worker(worker.number), first)
                self._is_under_way(worker)
                code = await worker.ended()
                self._receipts_lost(worker.number, code)
                why = ending(code, worker.fault)
            except OSError as error:
                why = f"could not be started: {error}"
                self._under_way.set()
            self._picture.lost(worker.number)
            if self._stop.is_set():
                log.info("worker %d %s", worker.number, why)
                return
            young = young + 1 if time.monotonic() - began < HEALTHY else 0
            if young >= HOPELESS and not self._told_ready:
                self._hopeless = StartError(f"the workers end as soon as they start; the last one {why}")
                self._stop.set()
                return
            delay = min(FIRST_DELAY * 2 ** (young - 2), LONGEST_DELAY) if young > 1 else 0.0
            log.warning("worker %d %s; it is replaced in %g s", worker.number, why, delay)
            await self._pause(delay)

    def _is_under_way(self, worker: Worker) -> None:
        log.info("worker %d started: pid %s", worker.number, worker.pid)
        if self._stop.is_set():
            worker.send(Drain())
        if all(each.starts for each in self._workers):
            self._under_way.set()

    async def _pause(self, seconds: float) -> None:
        if seconds:
            stop = asyncio.create_task(self._stop.wait())
            await asyncio.wait([stop], timeout=seconds)
            stop.cancel()

    def _hear(self, number: int, frame: Up) -> None:
        match frame:
            case Records():
                self._record(number, frame)
            case Report():
                before = self._picture.ours
                self._send(self._picture.report(number, frame, time.monotonic()))
                if self._picture.ours is not before:
                    log.warning(ALL_FAIL if self._picture.ours else NOT_ALL_FAIL)
            case Tell():
                for news in frame.news:
                    tell_news(news, self._picture.suspended)
                self._send(self._picture.tell(number, frame.news, time.monotonic()))
            case Obeyed(serial=serial):
                self._drilling.heard(number, serial)
            case Ready():
                self._picture.is_ready(number, frame)
                self._tell_ready()

    def _record(self, number: int, frame: Records) -> None:
        calls = frame.owed + frame.calls
        self._picture.tally.count(calls)
        if self._receipts is not None:
            origin = Origin(number, self._workers[number].starts)
            self._receipts.put(origin, frame.owed, owed=True)
            self._picture.seats[number].owed -= len(frame.owed) + frame.forgotten
            self._receipts.put(origin, frame.calls, owed=False)
            self._receipts.lost(ReceiptLoss.WORKER, frame.dropped)
            self._receipts.lost(ReceiptLoss.FORGOTTEN, frame.forgotten)
        if self._journal is not None:
            self._journal.put(calls)
            if frame.dropped:
                self._journal.lost(Loss.WORKER, frame.dropped)

    def _written(self, written: Written) -> None:
        """In the thread that writes receipts: the workers hear of it."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._settle, written)

    def _settle(self, written: Written) -> None:
        for worker in self._workers:
            calls = written.calls.get(Origin(worker.number, worker.starts), 0)  # what its predecessor owed is its own
            worker.send(Settled(calls, written.writing))

    def _receipts_state(self) -> list[Settled]:
        """What a new worker has to know of receipts."""
        return [] if self._receipts is None else [Settled(0, self._receipts.fault is None)]

    def _receipts_lost(self, number: int, code: int) -> None:
        """A worker has died: what it still owed, as far as it had said, has no receipts."""
        owed = self._picture.seats[number].owed
        if self._receipts is not None and code and owed > 0:
            log.error("worker %d has died, and with it the receipts of about %d calls", number, owed)
            self._receipts.lost(ReceiptLoss.WORKER_LOST, owed)

    def _send(self, answers: Sequence[tuple[int, Any]]) -> None:
        for number, frame in answers:
            self._workers[number].send(frame)

    def _look_at_keys(self) -> None:
        try:
            if self._keys.look():
                self._picture.allowances.deal(self._keys.keys)
                for worker in self._workers:
                    worker.send(self._ring(worker.number))
                log.info("keys: %d in the key file are in force", len(self._keys.ring.keys))
        finally:  # an error is the loop's to log; keys are to be looked at again all the same
            asyncio.get_running_loop().call_later(LOOK_EVERY, self._look_at_keys)

    def _ring(self, number: int) -> Keys:
        self._notary.meet(self._keys.keys)  # no later than any worker
        return Keys(self._keys.ring, self._picture.allowances.shares(number))

    def _settings(self, number: int) -> Settings:
        configuration = self._picture.configuration
        return Settings(
            version=configuration.version,
            door=configuration.door,
            targets=configuration.targets,
            routes=configuration.routes,
            options=configuration.options,
            credentials=dict(configuration.credentials),
            workers=len(self._workers),
            worker=number,
            seed=secrets.randbits(32),
            trace=configuration.trace,
            prefix=self._prefixes[number],
            meeting=self._meeting,
            zones=configuration.zones,
            jurisdictions=configuration.jurisdictions,
            again=self._workers[number].starts > 0,
            receipts=configuration.receipts,
        )

    # ── beginning and end ──────────────────────────────────────────────────────────────────────────────────────

    def _asked_to_end(self) -> None:
        if self._stop.is_set():
            log.warning("asked again: ending at once")
            self._quit.set()
        self._stop.set()

    async def _drain(self, keepers: Sequence["asyncio.Task[None]"]) -> None:
        """Let the calls in flight end, for as long as the configuration says; a second signal ends them at once."""
        self._stop.set()
        self._picture.draining = True
        patience = self._picture.configuration.door.drain
        log.info("drain: calls in flight are given %g s", patience)
        for worker in self._workers:
            worker.send(Drain())
        self._listening.close()
        ended = asyncio.gather(*keepers)
        quitting = asyncio.create_task(self._quit.wait())
        either: list[asyncio.Future[Any]] = [ended, quitting]
        await asyncio.wait(either, timeout=patience + OVERTIME, return_when=asyncio.FIRST_COMPLETED)
        quitting.cancel()
        if not ended.done():
            log.warning("workers that have not ended are killed")
            for worker in self._workers:
                worker.kill()
        await ended
        log.info("end")

    async def _start_admin(self) -> "tuple[Admin, asyncio.Task[None]]":
        """Import and start the admin application, as soon as every worker has its settings."""
        await self._under_way.wait()
        from surefoot.control.admin import Admin, application  # noqa: PLC0415 - dear to import, and not needed before
        from surefoot.control.metrics import Metrics  # noqa: PLC0415 - likewise

        metrics = Metrics(self._picture, self._journal, self._receipts)
        gc.freeze()  # all that was imported stays: there is no use in looking through it again
        gc.set_threshold(*COLLECT)
        told = application(self._picture, metrics, self._status, self.drill, self._explain, self.readmit)
        admin = Admin(told, self._admin_socket)
        return admin, asyncio.create_task(admin.serve())

    def _status(self) -> dict[str, Any]:
        now = time.monotonic()
        told = status(self._picture, self._journal, self._listening.addresses, now - self._began)
        receipts = None if self._receipts is None else self._receipts.status()
        return {**told, "receipts": receipts, "drill": self._drilling.status(now)}

    def _explain(self, question: Question) -> dict[str, Any]:
        configuration = replace(self._picture.configuration, ring=self._keys.ring)  # keys come and go without a reload
        return explain(configuration, question, self._picture.targets(), suspended=self._picture.suspended)

    def _tell_ready(self) -> None:
        if self._picture.ready and not self._told_ready:
            self._told_ready = True
            admin = url_of(*self._admin_socket.getsockname()[:2])
            log.info("ready: serving on %s; admin on %s", ", ".join(self._listening.addresses), admin)

    def _describe(self, configuration: Configuration) -> None:
        self._notary.know(configuration)
        if self._journal is not None:
            self._journal.describe(configuration.version, configuration.targets)

    def _close(self) -> None:
        self._listening.close()
        self._admin_socket.close()
        if self._journal is not None:
            self._journal.close()
        if self._receipts is not None:
            self._receipts.close()
