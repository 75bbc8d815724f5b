"""Writes the journal from a thread of its own, a batch in one transaction.

Whoever hands in records never waits: a batch that finds the queue full, or that the database does not take, is dropped
and counted by its reason, and the loss is written into the journal as soon as it takes anything again.

Knows: batches of `domain.record` tuples, and what SQLite can answer.
Must never: block the thread that hands in, or see a prompt.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from time import time
from typing import Any, cast

from surefoot.domain.record import ATTEMPT_FIELDS, AttemptRecord, CallRecord
from surefoot.domain.target import Target
from surefoot.journal.schema import CALL_COLUMNS, PATIENCE, TARGET_COLUMNS, insert, open_for_writing

ROOM = 50_000
"""Most calls that may wait: some 60 MB, and a minute of a busy gateway. A disk that hangs longer costs records."""


class Loss(StrEnum):
    """Why a call is not in the journal."""

    WORKER = "worker_congested"
    QUEUE_FULL = "queue_full"
    DISK_FULL = "disk_full"
    LOCKED = "locked"
    UNREADABLE = "unreadable"
    FAILED = "failed"


_BY_CODE = {
    sqlite3.SQLITE_FULL: Loss.DISK_FULL,
    sqlite3.SQLITE_BUSY: Loss.LOCKED,
    sqlite3.SQLITE_LOCKED: Loss.LOCKED,
}

_UNREADABLE = (sqlite3.ProgrammingError, sqlite3.IntegrityError, OverflowError, TypeError)
"""The record's own fault: wrong length, wrong type, or an integer of more than 64 bits, such as a provider can send."""

_WIDTH = len(CALL_COLUMNS)
_INSERT_CALL = insert("calls", _WIDTH + 1)
_INSERT_ATTEMPT = insert("attempts", len(ATTEMPT_FIELDS) + 1)
_INSERT_TARGET = insert("targets", len(TARGET_COLUMNS), "INSERT OR REPLACE")
_INSERT_LOSS = insert("losses", 3)


class Writer:
    """The one that writes. Opening raises `StartError`; nothing else here raises.

    `room` is how many calls may wait; `patience` is how long, in seconds, another process may hold the database's lock.
    """

    def __init__(self, path: str, room: int = ROOM, patience: float = PATIENCE) -> None:
        self.written = 0
        """Calls that are in the journal."""
        self.dropped: Counter[str] = Counter()
        """Calls that are not, by `Loss`."""
        self._untold: Counter[str] = Counter()
        self._room = room
        self._waiting = 0
        self._lock = Lock()
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._connection = open_for_writing(path, patience)
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def put(self, calls: Sequence[CallRecord]) -> bool:
        """Hand in a batch. False if there was no room and it was dropped."""
        with self._lock:
            if self._waiting + len(calls) > self._room:
                self._lose(Loss.QUEUE_FULL, len(calls))
                return False
            self._waiting += len(calls)
        self._queue.put(partial(self._write, calls))
        return True

    def describe(self, config: str, targets: Iterable[Target]) -> None:
        """Note what a configuration says of its targets."""
        self._queue.put(partial(self._describe, config, tuple(targets)))

    def lost(self, reason: Loss, count: int) -> None:
        """Note records that were lost before they came here."""
        with self._lock:
            self._lose(reason, count)

    def close(self) -> None:
        """Write what waits, then close the file. Waits until that is done."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _lose(self, reason: Loss, count: int) -> None:
        """With the lock held."""
        self.dropped[reason] += count
        self._untold[reason] += count

    # ── the writer's own thread ────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            work()
        self._tell_losses()

    def _write(self, calls: Sequence[CallRecord]) -> None:
        """Write a batch; one that holds an unreadable record is halved until that record stands alone."""
        fault = self._try(partial(self._insert, calls))
        if fault is Loss.UNREADABLE and len(calls) > 1:
            middle = len(calls) // 2
            self._write(calls[:middle])
            self._write(calls[middle:])
            return
        with self._lock:
            self._waiting -= len(calls)
            if fault is None:
                self.written += len(calls)
            else:
                self._lose(fault, len(calls))
        if fault is None and self._untold:
            self._tell_losses()

    def _insert(self, calls: Sequence[CallRecord]) -> None:
        first = self._connection.execute("SELECT coalesce(max(id), 0) + 1 FROM calls").fetchone()[0]
        numbered = list(enumerate(calls, first))
        self._connection.executemany(_INSERT_CALL, [(n, *call[:_WIDTH]) for n, call in numbered])
        self._connection.executemany(
            _INSERT_ATTEMPT,
            [(n, *attempt) for n, call in numbered for attempt in cast("Iterable[AttemptRecord]", call[-1])],
        )

    def _describe(self, config: str, targets: tuple[Target, ...]) -> None:
        rows = [
            (config, t.name, t.provider, t.model, t.place.where(), json.dumps(t.domains, sort_keys=True))
            for t in targets
        ]
        self._try(partial(self._many, _INSERT_TARGET, rows))

    def _tell_losses(self) -> None:
        with self._lock:
            untold, self._untold = self._untold, Counter()
        now = time()
        rows = [(now, str(reason), count) for reason, count in untold.items()]
        if rows and self._try(partial(self._many, _INSERT_LOSS, rows)) is not None:
            with self._lock:
                self._untold.update(untold)

    def _many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        self._connection.executemany(statement, rows)

    def _try(self, insert: Callable[[], None]) -> Loss | None:
        """Run one transaction. Returns why it was undone, if it was."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            insert()
            connection.execute("COMMIT")
        except _UNREADABLE:
            fault = Loss.UNREADABLE
        except sqlite3.Error as error:
            # The low byte is the code proper, the rest says more about it.
            fault = _BY_CODE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, Loss.FAILED)
        else:
            return None
        if connection.in_transaction:
            connection.rollback()
        return fault
