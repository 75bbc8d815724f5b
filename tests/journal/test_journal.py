import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.journal.records import attempt, call

from surefoot.domain.place import Place
from surefoot.domain.record import ATTEMPT_FIELDS, CALL_FIELDS
from surefoot.domain.target import Endpoint, Target
from surefoot.errors import StartError
from surefoot.journal import reader
from surefoot.journal.schema import SCHEMA
from surefoot.journal.writer import Loss, Writer


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "journal.db")


def test_what_is_written_is_read_again_field_by_field(path: str) -> None:
    writer = Writer(path)
    assert writer.put([call("c-1"), call("c-2", attempts=[attempt(0, "far", "silence", None), attempt(1)])])
    writer.close()
    with reader.journal(path) as journal:
        first, second = reader.calls(journal)
    assert (first.call, first.route, first.stream, first.ended) == ("c-1", "chat", True, 1.5)
    assert [(one.number, one.target, one.kind, one.won) for one in second.attempts] == [
        (0, "far", "silence", False),
        (1, "near", "ok", True),
    ]
    assert second.attempts[0].completion_tokens is None
    assert (first.max_tokens, first.jurisdiction, first.jurisdiction_version) == (0, "eu+health", "0011223344556677")
    assert [one.evidence for one in second.attempts] == [None, {"model": "m-1"}]
    assert (writer.written, writer.dropped) == (2, {})


def test_entries_have_the_fields_of_the_records() -> None:
    assert reader.CallEntry.__struct_fields__ == CALL_FIELDS
    assert reader.AttemptEntry.__struct_fields__ == ATTEMPT_FIELDS


def test_calls_of_a_span_of_time_are_read_and_no_others(path: str) -> None:
    writer = Writer(path)
    writer.put([call(f"c-{at}", at=float(at)) for at in range(5)])
    writer.close()
    with reader.journal(path) as journal:
        assert [entry.call for entry in reader.calls(journal, since=1.0, until=3.0)] == ["c-1", "c-2"]


def test_a_call_without_an_attempt_is_a_call(path: str) -> None:
    writer = Writer(path)
    writer.put([call(attempts=[])])
    writer.close()
    with reader.journal(path) as journal:
        assert next(reader.calls(journal)).attempts == ()


def test_a_second_start_goes_on_where_the_first_ended(path: str) -> None:
    for name in ("c-1", "c-2"):
        writer = Writer(path)
        writer.put([call(name)])
        writer.close()
    with reader.journal(path) as journal:
        assert [entry.call for entry in reader.calls(journal)] == ["c-1", "c-2"]


def test_failure_domains_are_kept_for_each_configuration(path: str) -> None:
    endpoint = Endpoint("h", 1, tls=False, path="/v1", headers=(("x-api-version", "1"),))
    writer = Writer(path)
    for config, cloud in (("one", "aws"), ("two", "gcp")):
        writer.describe(config, [Target("near", "p", "m", "openai-chat", endpoint, Place(("EU",)), {"cloud": cloud})])
    writer.close()
    with reader.journal(path) as journal:
        targets = reader.targets(journal)
    assert targets["one", "near"] == reader.TargetEntry("one", "near", "p", "m", "EU", {"cloud": "aws"})
    assert targets["two", "near"].domains == {"cloud": "gcp"}


def test_a_full_queue_drops_and_says_so(path: str) -> None:
    writer = Writer(path, room=2)
    assert not writer.put([call(), call(), call()])
    assert writer.put([call()])
    writer.close()
    assert writer.dropped == {Loss.QUEUE_FULL: 3}
    with reader.journal(path) as journal:
        assert [(loss.reason, loss.records) for loss in reader.losses(journal)] == [("queue_full", 3)]


def test_a_full_disk_drops_and_counts_and_what_fits_later_is_written(path: str) -> None:
    writer = Writer(path)
    writer.put([call("before")])
    pages = writer._connection.execute("PRAGMA page_count").fetchone()[0]
    writer._connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own full disk
    writer.put([call(f"c-{n}") for n in range(1_000)])
    writer.put([call("after")])
    writer.close()
    assert writer.dropped == {Loss.DISK_FULL: 1_000}
    with reader.journal(path) as journal:
        assert [entry.call for entry in reader.calls(journal)] == ["before", "after"]


def test_a_lock_that_is_held_by_another_drops_and_counts(path: str) -> None:
    writer = Writer(path, patience=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writer.put([call()])
    writer.close()
    other.close()
    assert writer.dropped == {Loss.LOCKED: 1}


def test_one_record_that_cannot_be_stored_costs_no_other(path: str) -> None:
    writer = Writer(path)
    absurd = call("absurd", attempts=[attempt(tokens=2**63)])  # a provider may claim any number of tokens
    writer.put([call("c-1"), absurd, call("c-2"), ("too", "short")])
    writer.close()
    assert (writer.written, writer.dropped) == (2, {Loss.UNREADABLE: 2})
    with reader.journal(path) as journal:
        assert [entry.call for entry in reader.calls(journal)] == ["c-1", "c-2"]


def test_what_workers_lost_is_in_the_journal(path: str) -> None:
    writer = Writer(path)
    writer.lost(Loss.WORKER, 7)
    writer.close()
    with reader.journal(path) as journal:
        assert [(loss.reason, loss.records) for loss in reader.losses(journal)] == [("worker_congested", 7)]


def test_a_journal_of_a_newer_version_is_refused_with_a_way_out(path: str) -> None:
    Writer(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    connection.close()
    for use in (Writer, lambda name: reader.journal(name).__enter__()):
        with pytest.raises(StartError, match=r"newer Surefoot .* upgrade Surefoot, or name another file"):
            use(path)


def test_an_older_journal_is_neither_written_nor_read(path: str) -> None:
    Writer(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA - 1}")
    connection.close()
    for use in (Writer, lambda name: reader.journal(name).__enter__()):
        with pytest.raises(StartError, match=r"older Surefoot .* move it away, or name another file"):
            use(path)


def test_a_database_of_someone_else_is_left_alone(path: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    before = Path(path).read_bytes()
    with pytest.raises(StartError, match="not a journal of Surefoot"):
        Writer(path)
    assert Path(path).read_bytes() == before


def test_a_file_that_is_no_database_is_refused(path: str) -> None:
    Path(path).write_text("notes\n" * 1_000, encoding="utf-8")
    with pytest.raises(StartError, match="cannot be opened: file is not a database"):
        Writer(path)


def test_a_place_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be opened"):
        Writer(str(tmp_path / "missing" / "journal.db"))
    with pytest.raises(StartError, match="there is no journal at"), reader.journal(str(tmp_path / "none.db")):
        pass


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from tests.journal.records import call
from surefoot.journal.writer import Writer
writer = Writer(sys.argv[1])
n = 0
while True:
    writer.put([call(f"c-{n + k}") for k in range(50)])
    n += 50
    if writer.written >= 1000:
        print(writer.written, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_a_readable_journal_with_all_that_was_written(path: str) -> None:
    here = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, path, here], check=False, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == -9
    with reader.journal(path) as journal:
        entries = list(reader.calls(journal))
        assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(entries) >= int(ended.stdout)
    assert [entry.call for entry in entries] == [f"c-{n}" for n in range(len(entries))]
    assert all(len(entry.attempts) == 1 for entry in entries)


def test_a_journal_is_read_while_it_is_written(path: str) -> None:
    writer = Writer(path)
    try:
        with reader.journal(path) as journal:
            writer.put([call("c-1")])
            limit = time.monotonic() + 10.0
            while not (seen := [entry.call for entry in reader.calls(journal)]):
                assert time.monotonic() < limit, "what was written is never seen"
            assert seen == ["c-1"]
    finally:
        writer.close()
