"""Surefoot's own journal as traffic: every attempt with its kind, drills and losses told and left out."""

from pathlib import Path

import pytest
from tests.intake.brought_in import calls_in
from tests.journal.records import attempt, call

from surefoot.domain.place import Place
from surefoot.domain.record import ATTEMPT_FIELDS, CALL_FIELDS, CallRecord
from surefoot.domain.target import Endpoint, Target
from surefoot.errors import IntakeError
from surefoot.intake.importing import Imported, Order, import_traffic
from surefoot.journal.writer import Loss, Writer

AT = 1_700_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def told(name: str, *attempts: list[object], **changes: object) -> CallRecord:
    record = dict(zip(CALL_FIELDS, call(name, AT, list(attempts)), strict=True))
    return tuple({**record, **changes}.values())


def tried(number: int, kind: str, **changes: object) -> list[object]:
    record = dict(zip(ATTEMPT_FIELDS, attempt(number, "near" if number == 0 else "far", kind), strict=True))
    return list({**record, **changes}.values())


def bring_in(path: Path, *records: CallRecord, lost: int = 0) -> Imported:
    writer = Writer(str(path))
    endpoint = Endpoint("127.0.0.1", 1, tls=False, path="/v1")
    targets = [Target(name, f"{name} inc.", f"m-{name}", "openai-chat", endpoint, Place()) for name in ("near", "far")]
    writer.describe("0123456789ab", targets)
    writer.put(list(records))
    if lost:
        writer.lost(Loss.WORKER, lost)
    writer.close()
    return import_traffic(Order(format="surefoot", files=(str(path),), out=path.with_name("out.parquet")))


def test_a_silent_first_attempt_and_the_one_that_took_over_are_one_call_with_our_kinds(path: Path) -> None:
    silent = tried(0, "silence", first_content=None, ended=3.0, prompt_tokens=None, completion_tokens=None)
    good = tried(1, "ok", started=2.0, first_content=2.5, ended=4.0, prompt_tokens=310)
    imported = bring_in(path, told("c-1", silent, good, max_tokens=900))
    (found,) = calls_in(path.with_name("out.parquet"))
    assert found == {
        "call": "c-1", "at": AT, "route": "chat", "provider": "far inc.", "model": "m-far", "stream": True,
        "prompt_tokens": 310, "completion_tokens": 200, "max_tokens": 900, "ttft": 2.5, "duration": 4.0,
        "failed": False, "kind": "ok", "first_failed": True, "first_kind": "silence", "attempts": 2, "cost": None,
        "user": None, "key": "team",
    }  # fmt: skip
    assert (imported.joined, imported.unreadable) == ("true", 0)


def test_an_attempt_that_we_cut_off_has_neither_failed_nor_succeeded(path: Path) -> None:
    bring_in(path, told("c-1", tried(0, "cancelled"), tried(1, "ok")), told("c-2", tried(0, "client_gone")))
    first, second = calls_in(path.with_name("out.parquet"))
    assert (first["failed"], first["first_failed"], first["first_kind"]) == (False, None, "cancelled")
    assert (second["failed"], second["kind"]) == (None, "client_gone")


def test_a_call_for_which_nobody_was_asked_is_a_call_without_attempts(path: Path) -> None:
    bring_in(path, told("c-1", kind="not_allowed"))
    (found,) = calls_in(path.with_name("out.parquet"))
    assert (found["attempts"], found["failed"], found["kind"], found["provider"]) == (0, True, "not_allowed", None)


def test_drilled_calls_and_those_that_the_journal_lost_are_told(path: Path) -> None:
    imported = bring_in(path, told("c-1", tried(0, "ok")), told("c-2", tried(0, "cut"), drill=3), lost=7)
    assert [call_["call"] for call_ in calls_in(path.with_name("out.parquet"))] == ["c-1"]
    assert [(reason.why, reason.first) for reason in imported.reasons] == [
        ("a drilled call, which is no traffic", ["line 2"]),
        ("calls that the journal has lost itself: 7 (worker_congested)", ["line 3"]),
    ]


def test_what_is_no_journal_is_refused_and_so_is_a_pipe(path: Path) -> None:
    path.write_text("t,tokens\n", encoding="utf-8")
    out = path.with_name("out.parquet")
    with pytest.raises(IntakeError, match=r"journal\.db: is no journal that can be read"):
        import_traffic(Order(format="surefoot", files=(str(path),), out=out))
    assert not out.exists()
