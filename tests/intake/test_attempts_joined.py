"""Attempts become calls, and every line is accounted for: what stands in the traffic file."""

import csv
from hashlib import sha256
from hmac import digest
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.intake.brought_in import HEAD, bring_in, calls_in, metadata_of, table

from surefoot.errors import IntakeError
from surefoot.intake.fields import LATEST
from surefoot.intake.importing import fault_of, settled
from surefoot.intake.joining import attempts
from surefoot.intake.parquet import COLUMNS
from surefoot.intake.row import Row


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "traffic.parquet"


def test_a_failed_attempt_and_the_one_that_mended_it_are_one_call(tmp_path: Path, out: Path) -> None:
    log = table(
        tmp_path / "log.csv",
        "1001.5,c,far,m-2,300,40,200,2000,false,ok,0.02,anna",
        "1000,c,near,m-1,,,,1250,true,overload,0,anna",
    )
    imported = bring_in(out, log)
    (call,) = calls_in(out)
    assert list(call) == list(COLUMNS)
    assert (call["call"], call["at"], call["attempts"]) == ("c", 1000.0, 2)
    assert (call["provider"], call["model"], call["prompt_tokens"], call["completion_tokens"]) == (
        "far",
        "m-2",
        300,
        40,
    )
    assert (call["failed"], call["kind"]) == (False, "ok")
    assert (call["first_failed"], call["first_kind"]) == (True, "overload")
    assert (call["ttft"], call["duration"]) == (pytest.approx(1.7), pytest.approx(3.5))
    assert call["cost"] == 0.02
    assert (imported.rows, imported.calls.calls, imported.calls.retried, imported.calls.first_failed) == (2, 1, 1, 1)


def test_a_call_of_which_every_attempt_failed_has_failed_as_its_last_one_did(tmp_path: Path, out: Path) -> None:
    log = table(
        tmp_path / "log.csv",
        "1000,c,near,m,10,,,500,true,overload,,",
        "1001,c,far,m,10,,,700,true,server_error,0.1,",
    )
    bring_in(out, log)
    (call,) = calls_in(out)
    assert (call["failed"], call["kind"], call["provider"]) == (True, "server_error", "far")
    assert (call["ttft"], call["duration"]) == (None, pytest.approx(1.7))
    assert call["cost"] is None, "the cost of one attempt is unknown"


def test_a_call_of_which_an_attempt_was_cut_off_is_neither_good_nor_failed(tmp_path: Path, out: Path) -> None:
    log = table(tmp_path / "log.csv", "1000,c,near,m,10,,,500,true,cut,,", "1001,c,far,m,10,,,700,,client_gone,,")
    bring_in(out, log)
    (call,) = calls_in(out)
    assert (call["failed"], call["kind"], call["first_failed"]) == (None, "client_gone", True)


def test_of_two_good_answers_the_first_is_the_calls(tmp_path: Path, out: Path) -> None:
    log = table(tmp_path / "log.csv", "1000,c,near,m,10,,100,500,false,,1,", "1000.1,c,far,m,10,,50,300,false,,2,")
    bring_in(out, log)
    (call,) = calls_in(out)
    assert (call["provider"], call["ttft"], call["cost"]) == ("near", pytest.approx(0.1), 3.0)


def test_a_row_without_the_name_of_a_call_is_a_call_named_by_file_and_line(tmp_path: Path, out: Path) -> None:
    first = table(tmp_path / "a.csv", "2000,,near,m,1,1,,,true,,,", "1000,c,near,m,1,1,,,false,,,")
    second = table(tmp_path / "b.csv", "1500,,near,m,1,1,,,,,,")
    imported = bring_in(out, first, second)
    assert [(call["call"], call["at"], call["failed"]) for call in calls_in(out)] == [
        ("c", 1000.0, False),
        ("2:2", 1500.0, None),
        ("1:2", 2000.0, True),
    ]
    assert imported.joined == "partly"


def test_attempts_of_one_call_are_joined_across_files(tmp_path: Path, out: Path) -> None:
    first = table(tmp_path / "a.csv", "1000,c,near,m,1,1,,,true,,,")
    second = table(tmp_path / "b.csv", "1001,c,far,m,1,1,,,false,,,")
    assert bring_in(out, second, first).calls.retried == 1


def test_the_file_says_what_it_was_made_of(tmp_path: Path, out: Path) -> None:
    log = table(tmp_path / "log.csv", "1000,c,near,m,1,1,,,true,,,", "noon,c,near,m,1,1,,,true,,,")
    bring_in(out, log)
    assert metadata_of(out) == {
        "surefoot.traffic.version": "1",
        "surefoot.traffic.format": "csv",
        "surefoot.traffic.joined": "true",
        "surefoot.traffic.rows": "1",
        "surefoot.traffic.unreadable": "1",
    }


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, out: Path) -> None:
    lines = [f"{1000 + n % 50},c-{n % 700},p,m,{n},1,,,{n % 3 == 0},,0.{n},u-{n % 9}".lower() for n in range(3_000)]
    log = table(tmp_path / "log.csv", *lines)
    bring_in(out, log, salt=b"0123456789abcdef")
    before = out.read_bytes()
    bring_in(out, log, salt=b"0123456789abcdef", force=True)
    assert out.read_bytes() == before


def siblings(number: int, at: float, parent: str, *, failed: bool | None) -> Row:
    return Row(line=number, call=None, siblings=parent, at=at, failed=failed)


def test_of_siblings_each_that_did_not_fail_ends_a_call(tmp_path: Path, out: Path) -> None:
    told = [(1.0, True), (2.0, True), (3.0, False), (4.0, None), (5.0, True), (6.0, False), (7.0, True)]
    with attempts(tmp_path, 100_000_000) as joining:
        for number, (at, failed) in enumerate(reversed(told), 1):
            joining.add(1, siblings(number, at, "p", failed=failed), None)
        joining.add(1, siblings(9, 2.5, "q", failed=False), None)
        joining.write(out, {})
    found = [(call["at"], call["attempts"], call["failed"], call["first_failed"]) for call in calls_in(out)]
    assert found == [
        (1.0, 3, False, True),
        (2.5, 1, False, False),
        (4.0, 1, None, None),
        (5.0, 2, False, True),
        (7.0, 1, True, True),
    ]


def test_a_status_says_whether_an_attempt_failed_and_how() -> None:
    def ended(**more: object) -> tuple[bool | None, str | None]:
        row = settled(Row(line=1, call=None, at=0.0, **more))  # type: ignore[arg-type]
        return row.failed, row.kind

    assert ended(status=429) == (True, "rate_limit")
    assert ended(status=503) == (True, "overload")
    assert ended(status=500, kind="server_error", failed=True) == (True, "server_error")
    assert ended(status=200) == (False, "ok")
    assert ended(status=200, failed=True) == (True, None)
    assert ended(kind="ok") == (False, "ok")
    assert ended() == (None, None)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"at": float("nan")}, "no usable start time"),
        ({"at": 1.7e18}, "no usable start time"),
        ({"at": LATEST}, "no usable start time"),
        ({"at": 1.0, "ttft": -0.1}, "ttft: negative or not finite"),
        ({"at": 1.0, "cost": float("inf")}, "cost: negative or not finite"),
        ({"at": 1.0, "max_tokens": 2**31}, "max_tokens: negative or beyond all bounds"),
        ({"at": 1.0, "model": "m" * 1_001}, "model: longer than 1,000 characters"),
        ({"at": 1.0, "duration": 0.0, "prompt_tokens": 0, "model": "m" * 1_000}, ""),
    ],
)
def test_a_row_that_no_call_can_be_is_refused_whatever_reader_gave_it(more: dict[str, object], why: str) -> None:
    assert fault_of(Row(line=1, call=None, **more)) == why  # type: ignore[arg-type]


def test_users_are_hashed_under_the_salt_and_their_names_are_nowhere(tmp_path: Path, out: Path) -> None:
    log = table(tmp_path / "log.csv", "1,,p,m,1,1,,,,,,anna@example.com", "2,,p,m,1,1,,,,,,", "3,,p,m,1,1,,,,,,ben")
    salt = b"0123456789abcdef"
    bring_in(out, log, salt=salt)
    expected = digest(salt, b"anna@example.com", sha256)[:8].hex()
    assert [call["user"] for call in calls_in(out)][:2] == [expected, None]
    assert b"anna" not in out.read_bytes()
    bring_in(out, log, force=True)
    drawn = [call["user"] for call in calls_in(out)]
    assert drawn[0] not in {expected, drawn[2], None}


def test_names_that_are_no_valid_text_are_kept_as_far_as_they_are(tmp_path: Path, out: Path) -> None:
    with attempts(tmp_path, 100_000_000) as joining:
        joining.add(1, Row(line=1, call="a\ud800b", at=1.0, model="it's \0 ü"), None)
        joining.write(out, {})
    assert [(call["call"], call["model"]) for call in calls_in(out)] == [("a?b", "it's \0 ü")]


def test_calls_of_one_line_have_names_of_their_own(tmp_path: Path, out: Path) -> None:
    with attempts(tmp_path, 100_000_000) as joining:
        for line in (1, 1, 1, 2):
            joining.add(1, Row(line=line, call=None, at=1.0), None)
        joining.add(2, Row(line=2, call=None, at=1.0), None)
        joining.write(out, {})
    assert sorted(call["call"] for call in calls_in(out)) == ["1:1", "1:1.1", "1:1.2", "1:2", "2:2"]


_CELLS = st.sampled_from(["", "5", "-5", "x", "0.5", "true", "ok", "nan", "1e400", '"', "é"])
_LINES = st.lists(st.lists(_CELLS, min_size=11, max_size=13).map(",".join), max_size=12)


@given(_LINES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rows_and_what_could_not_be_read_are_all_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("property")
    out = folder / "out.parquet"
    whole = [line for line in lines if line.count('"') % 2 == 0]  # an open quote takes further lines into its cell
    log = table(folder / "log.csv", "7,,p,m,1,1,,,,,,", *whole, head=HEAD)
    imported = bring_in(out, log)
    assert imported.rows + imported.unreadable == len(whole) + 1
    assert sum(reason.count for reason in imported.reasons) == imported.unreadable
    listed = Path(f"{out}.unreadable.csv")
    told = list(csv.DictReader(listed.read_text(encoding="utf-8").splitlines())) if listed.exists() else []
    assert len(told) == imported.unreadable
    assert [row["line"] for row in told] == sorted((row["line"] for row in told), key=int)
    assert sum(call["attempts"] for call in calls_in(out)) == imported.rows


def test_a_database_without_room_says_what_to_do(tmp_path: Path, out: Path) -> None:
    log = table(tmp_path / "log.csv", *(f"{n},c-{n},p,m,1,1,,,,,," for n in range(30_000)))
    with pytest.raises(IntakeError, match="give more --memory"):
        bring_in(out, log, memory=1_000)
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
