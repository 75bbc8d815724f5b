"""Writes receipts from a thread of its own: whatever waits goes into one write and one `fsync`.

Two kinds of calls come here. Of those that *owe* their receipts nothing is ever dropped: a worker counts them from
their beginning, and takes no more than there is room for until it hears that earlier ones are on the disk. So what
waits here is bounded, and a disk that takes nothing turns into a refusal in the worker within a moment. Receipts of all
other calls are dropped when too many wait, and counted; the chain itself says how many.

Knows: batches of records, the notary and the chain.
Must never: block the thread that hands in, lose what is owed in silence, or see a prompt.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from threading import Condition, Thread
from time import monotonic, time
from typing import Any

from msgspec import Struct

from surefoot import __version__
from surefoot.control.notary import Notary, moment, note
from surefoot.domain.receipt import ReceiptOptions
from surefoot.domain.record import CallRecord
from surefoot.journal.chain import Chain
from surefoot.journal.checkpoint import Checkpoint, Signer

ROOM = 20_000
"""Most calls that may wait and owe nothing."""

AT_ONCE = 4_096
"""Calls that are written at once, at most: some 5 MB."""

RETRY_EVERY = 1.0
"""Seconds between tries to write what the disk did not take."""

log = logging.getLogger("surefoot")


class Loss(StrEnum):
    """Why calls have no receipt."""

    WORKER = "worker_congested"
    WORKER_LOST = "worker_lost"
    QUEUE_FULL = "queue_full"
    UNREADABLE = "unreadable"
    FORGOTTEN = "no_record"


class Origin(Struct, frozen=True):
    """Which process a batch came from: a worker's place, and the how-manieth process in it."""

    worker: int
    start: int


class Written(Struct, frozen=True):
    """What came of batches: calls that owed receipts and do no longer, by who sent them."""

    calls: dict[Origin, int]
    writing: bool
    """False while nothing can be written."""


class _Batch(Struct):
    origin: Origin
    calls: Sequence[CallRecord]
    owed: bool


class Receipts:
    """The one that writes. Opening raises `StartError`; nothing else here raises. `told` is called in its thread.

    `room` is how many calls may wait that owe nothing.
    """

    def __init__(
        self, options: ReceiptOptions, notary: Notary, told: Callable[[Written], None], room: int = ROOM
    ) -> None:
        self.options = options
        self.calls = 0
        """Calls whose receipts are on the disk."""
        self.dropped: Counter[str] = Counter()
        """Calls that have none, by `Loss`."""
        self.fault: str | None = None
        """Why nothing can be written now."""
        self.checkpoint: Checkpoint | None = None
        self.checkpoint_fault: str | None = None
        self._notary = notary
        self._told = told
        self._room = room
        self._signer = None if options.key is None else Signer(options.key)
        self._chain = Chain(options.path)
        self._signed_n = self._chain.n
        self._signed_at = monotonic()
        self._ready = Condition()
        self._queue: deque[_Batch] = deque()
        self._notes: deque[bytes] = deque()
        self._waiting = 0
        self._owed = 0
        self._untold: Counter[str] = Counter()
        self._closing = False
        self._thread = Thread(target=self._run, name="receipts", daemon=True)

    def start(self, config: str) -> None:
        """Begin to write. The first record says that the gateway has started, and under which configuration."""
        if self._chain.torn:
            log.warning("receipts: %d bytes of a torn last line were cut off", self._chain.torn)
        more: dict[str, str | int] = {"config": config, "version": __version__, "torn_bytes": self._chain.torn}
        if self._signer is not None:
            more["key"] = self._signer.public
        self._notes.append(note("start", time(), **more))
        self._thread.start()

    @property
    def n(self) -> int:
        """Records of the chain that are on the disk."""
        return self._chain.n

    @property
    def waiting(self) -> int:
        """Calls whose receipts wait to be written."""
        return self._waiting + self._owed

    def put(self, origin: Origin, calls: Sequence[CallRecord], *, owed: bool) -> None:
        """Hand in a batch. One that owes nothing is dropped, and counted, when there is no room."""
        if not calls:
            return
        with self._ready:
            if owed:
                self._owed += len(calls)
            elif self._waiting + len(calls) > self._room:
                self._lose(Loss.QUEUE_FULL, len(calls))
                return
            else:
                self._waiting += len(calls)
            self._queue.append(_Batch(origin, calls, owed))
            self._ready.notify()

    def lost(self, reason: Loss, count: int) -> None:
        """Note calls that were lost before they came here."""
        if count:
            with self._ready:
                self._lose(reason, count)
                self._ready.notify()

    def close(self) -> None:
        """Write what waits, sign it, then close the file. Waits until that is done; a disk that fails is tried once."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        if self._thread.ident is not None:
            self._thread.join()
        if self._owed:
            log.error("receipts: those of %d calls that owed them could not be written: %s", self._owed, self.fault)
        self._chain.close()

    def _lose(self, reason: Loss, count: int) -> None:
        """With the lock held."""
        self.dropped[reason] += count
        self._untold[reason] += count

    # ── the writer's own thread ────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(self._is_due, self._patience())
                last = self._closing
                batches = self._take()
                notes = self._take_notes()
            done = self._write(notes, batches)
            self._sign(now=last)
            if last and (not done or not self._queue):
                return
            if not done:
                self._rest()

    def _is_due(self) -> bool:
        return bool(self._queue or self._notes or self._untold or self._closing)

    def _patience(self) -> float | None:
        """Seconds until a checkpoint is due, if one will be."""
        if self._signer is None or self._chain.n == self._signed_n:
            return None
        return max(self._signed_at + self.options.period - monotonic(), 0.0)

    def _rest(self) -> None:
        """The disk takes nothing: try again in a while, or when the gateway ends."""
        with self._ready:
            self._ready.wait_for(lambda: self._closing, RETRY_EVERY)

    def _take(self) -> list[_Batch]:
        taken: list[_Batch] = []
        room = AT_ONCE
        while self._queue and room > 0:
            taken.append(self._queue.popleft())
            room -= len(taken[-1].calls)
        return taken

    def _take_notes(self) -> list[bytes]:
        at = time()
        for reason, count in self._untold.items():
            self._notes.append(note("lost", at, reason=str(reason), calls=count))
        self._untold.clear()
        notes = list(self._notes)
        self._notes.clear()
        return notes

    def _write(self, notes: list[bytes], batches: list[_Batch]) -> bool:
        """Write all of it, or keep all of it. Whether it was written."""
        if not notes and not batches:
            return self.fault is None
        receipts, unreadable = list(notes), 0
        for batch in batches:
            for call in batch.calls:
                made = self._receipts_of(call)
                unreadable += not made
                receipts += made
        try:
            self._chain.append(receipts)
        except OSError as error:
            self._keep(notes, batches, str(error))
            return False
        with self._ready:
            self._settle(batches, unreadable)
        return True

    def _receipts_of(self, call: CallRecord) -> list[bytes]:
        try:
            return self._notary.receipts(call)
        except (ValueError, TypeError, KeyError) as error:
            log.error("receipts: a record cannot be read: %s", type(error).__name__)  # noqa: TRY400 - words may be long
            return []

    def _keep(self, notes: list[bytes], batches: list[_Batch], why: str) -> None:
        with self._ready:
            self._queue.extendleft(reversed(batches))
            self._notes.extendleft(reversed(notes))
        if self.fault is None:
            log.error("receipts cannot be written: %s; calls that owe one are refused until they can", why)
            self.fault = why
        self._tell(Written({}, writing=False))

    def _settle(self, batches: list[_Batch], unreadable: int) -> None:
        """With the lock held."""
        settled: Counter[Origin] = Counter()
        for batch in batches:
            count = len(batch.calls)
            self.calls += count
            if batch.owed:
                self._owed -= count
                settled[batch.origin] += count
            else:
                self._waiting -= count
        self.calls -= unreadable
        if unreadable:
            self._lose(Loss.UNREADABLE, unreadable)
        recovered, self.fault = self.fault is not None, None
        if recovered:
            log.warning("receipts can be written again")
        if settled or recovered:
            self._tell(Written(dict(settled), writing=True))

    def _tell(self, settled: Written) -> None:
        with suppress(RuntimeError):  # the loop that would hear it has ended
            self._told(settled)

    def _sign(self, *, now: bool) -> None:
        """Make a checkpoint, if it is time for one."""
        chain, signer = self._chain, self._signer
        more = chain.n - self._signed_n
        if signer is None or not more:
            return
        if not now and more < self.options.every and monotonic() < self._signed_at + self.options.period:
            return
        self._signed_at = monotonic()
        try:
            self.checkpoint = chain.checkpoint(signer, moment(time()))
        except OSError as error:
            self.checkpoint_fault = str(error)
            log.error("receipts: no checkpoint could be written: %s", error)  # noqa: TRY400 - the disk's, not ours
            return
        self.checkpoint_fault = None
        self._signed_n = chain.n

    def status(self) -> dict[str, Any]:
        """How it stands, for `/status`."""
        signed = self.checkpoint
        return {
            "path": self.options.path,
            "required": self.options.required,
            "records": self.n,
            "calls": self.calls,
            "waiting": self.waiting,
            "dropped": {str(why): count for why, count in self.dropped.items()},
            "fault": self.fault,
            "checkpoint": None if signed is None else {"n": signed.n, "at": signed.at},
            "checkpoint_fault": self.checkpoint_fault,
        }
