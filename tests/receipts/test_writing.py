"""The supervisor's writer of receipts: what is owed is never dropped, whatever the disk does; the rest is counted."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.receipts.made import attempt, call, configuration
from tests.receipts.test_chain import files_of_at_most

from surefoot.control.notary import Notary
from surefoot.control.receipts import Loss, Origin, Receipts, Written
from surefoot.domain.receipt import ReceiptOptions
from surefoot.domain.record import CallRecord
from surefoot.journal.checkpoint import make_key, read_checkpoints
from surefoot.journal.verifying import verify

FIRST, SECOND = Origin(0, 1), Origin(1, 1)
PATIENCE = 20.0


class Desk:
    """A writer, and what it has told so far."""

    def __init__(self, folder: Path, room: int = 100, **options: Any) -> None:
        known = configuration(folder)
        self.config = known.version
        self.path = folder / "chain.jsonl"
        self.told: list[Written] = []
        self._changed = threading.Condition()
        notary = Notary()
        notary.know(known)
        self.receipts = Receipts(ReceiptOptions(str(self.path), **options), notary, self._hear, room)

    def _hear(self, written: Written) -> None:
        with self._changed:
            self.told.append(written)
            self._changed.notify_all()

    def until(self, *, writing: bool) -> None:
        """Wait until it has said so last."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.told and self.told[-1].writing is writing, PATIENCE)

    def settled(self, origin: Origin) -> int:
        return sum(written.calls.get(origin, 0) for written in self.told)

    def calls(self, count: int, name: str = "c") -> list[CallRecord]:
        return [call(attempt(), config=self.config, call=f"{name}-{number}") for number in range(count)]

    def chain(self) -> list[dict[str, Any]]:
        return [json.loads(line)["receipt"] for line in self.path.read_text("utf-8").splitlines()]

    def written(self) -> list[str]:
        return [receipt["call"] for receipt in self.chain() if "call" in receipt]


@contextmanager
def at_a_desk(folder: Path, **options: Any) -> Iterator[Desk]:
    desk = Desk(folder, **options)
    desk.receipts.start(desk.config)
    try:
        yield desk
    finally:
        desk.receipts.close()


def test_what_is_handed_in_is_written_and_each_worker_hears_of_what_it_owed(tmp_path: Path) -> None:
    with at_a_desk(tmp_path) as desk:
        desk.receipts.put(FIRST, desk.calls(3, "a"), owed=True)
        desk.receipts.put(SECOND, desk.calls(2, "b"), owed=True)
        desk.receipts.put(SECOND, desk.calls(2, "x"), owed=False)
    assert (desk.settled(FIRST), desk.settled(SECOND)) == (3, 2)
    assert desk.written() == ["a-0", "a-1", "a-2", "b-0", "b-1", "x-0", "x-1"]
    assert (desk.receipts.calls, desk.receipts.waiting, desk.receipts.dropped) == (7, 0, {})
    assert verify(desk.path).records == 8


def test_the_chain_says_when_the_gateway_started_and_what_it_found(tmp_path: Path) -> None:
    with at_a_desk(tmp_path):
        pass
    with (tmp_path / "chain.jsonl").open("ab") as file:
        file.write(b'{"hash":')
    with at_a_desk(tmp_path) as desk:
        pass
    assert [(one["note"], one["torn_bytes"]) for one in desk.chain()] == [("start", 0), ("start", 8)]


def test_a_disk_that_takes_nothing_loses_nothing_that_is_owed_and_says_so(tmp_path: Path) -> None:
    with at_a_desk(tmp_path) as desk:
        desk.receipts.put(FIRST, desk.calls(2, "a"), owed=True)
        desk.until(writing=True)
        with files_of_at_most(desk.path.stat().st_size):
            desk.receipts.put(FIRST, desk.calls(3, "b"), owed=True)
            desk.until(writing=False)
            assert "File too large" in (desk.receipts.fault or "")
            status = desk.receipts.status()
            assert (status["waiting"], status["calls"]) == (3, 2)
            assert "File too large" in status["fault"]
            assert desk.settled(FIRST) == 2
        desk.until(writing=True)
        assert desk.receipts.fault is None
    assert desk.settled(FIRST) == 5
    assert desk.written() == ["a-0", "a-1", "b-0", "b-1", "b-2"]
    assert verify(desk.path).ok


def test_what_owes_nothing_is_dropped_when_too_much_waits_and_the_chain_says_how_much(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, room=4)  # not started yet: everything waits
    desk.receipts.put(FIRST, desk.calls(3, "x"), owed=False)
    desk.receipts.put(FIRST, desk.calls(3, "y"), owed=False)
    desk.receipts.put(FIRST, desk.calls(9, "a"), owed=True)
    desk.receipts.lost(Loss.WORKER_LOST, 5)
    desk.receipts.start(desk.config)
    desk.receipts.close()
    assert desk.receipts.dropped == {Loss.QUEUE_FULL: 3, Loss.WORKER_LOST: 5}
    assert len(desk.written()) == 12
    lost = {one["reason"]: one["calls"] for one in desk.chain() if one.get("note") == "lost"}
    assert lost == {"queue_full": 3, "worker_lost": 5}


def test_a_record_that_cannot_be_read_costs_no_other_and_is_counted(tmp_path: Path) -> None:
    with at_a_desk(tmp_path) as desk:
        desk.receipts.put(FIRST, [("too", "short"), *desk.calls(1)], owed=True)
    assert desk.settled(FIRST) == 2
    assert desk.receipts.dropped == {Loss.UNREADABLE: 1}
    assert (desk.written(), desk.receipts.calls) == (["c-0"], 1)


def test_checkpoints_are_made_after_so_many_receipts_and_at_the_end(tmp_path: Path) -> None:
    public = make_key(tmp_path / "key")
    with at_a_desk(tmp_path, key=str(tmp_path / "key"), every=5) as desk:
        desk.receipts.put(FIRST, desk.calls(6), owed=True)
        desk.until(writing=True)
        desk.receipts.put(FIRST, desk.calls(1), owed=True)
    made = read_checkpoints(tmp_path / "chain.jsonl.checkpoints")
    assert made[-1].n == 8
    assert verify(desk.path, made, [public]).confirmed == 8


def test_a_checkpoint_is_made_in_time_where_little_happens(tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    with at_a_desk(tmp_path, key=str(tmp_path / "key"), period=0.05) as desk:
        done = threading.Event()
        while desk.receipts.checkpoint is None:
            assert not done.wait(0.005)
        assert desk.receipts.status()["checkpoint"]["n"] == 1


def test_receipts_that_never_could_be_written_are_told_when_the_gateway_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(tmp_path)
    desk.receipts.start(desk.config)
    desk.receipts.put(FIRST, desk.calls(1), owed=True)
    desk.until(writing=True)
    with files_of_at_most(desk.path.stat().st_size):
        desk.receipts.put(FIRST, desk.calls(3), owed=True)
        desk.until(writing=False)
        desk.receipts.close()
    assert "those of 3 calls that owed them could not be written" in caplog.text
