import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.reconcile import Books, reconcile
from benchmarks.soak import LEAK, slope
from msgspec.structs import replace

from surefoot.domain.outcome import Kind
from surefoot.journal.reader import AttemptEntry, CallEntry
from surefoot.load import CallResult
from surefoot.twin import AttemptRecord

ROOT = Path(__file__).resolve().parents[2]
TOKENS = 20

TRIED = AttemptEntry(
    0, "one", "first", Kind.OK, 0.0, 0.0, 0.01, 0.02, 0.1, None, 10, TOKENS, won=True, breaker="closed", rules=""
)
CALL = CallEntry(
    "c-1", 1e9, "chat", "", "0123", drill=False, stream=True, bucket=0, prompt_tokens=10, max_tokens=0,
    features="", request_bytes=200,
    answer_bytes=900, kind=Kind.OK, winner=0, first_content=0.02, ended=0.1, jurisdiction="anywhere",
    jurisdiction_version="", attempts=(TRIED,),
)  # fmt: skip
TOLD = CallResult(0, 5.0, sent=5.0, first_content=5.02, end=5.1, ok=True, status=200, done=True, call="c-1")
SEEN = AttemptRecord(
    1, 1, 5.0, 1e9, model="twin-1", first_byte=5.01, first_content=5.02, end=5.1, content_tokens=TOKENS, user="stream-0"
)


def books(told: CallResult = TOLD, journal: CallEntry | None = CALL, *seen: AttemptRecord) -> Books:
    calls = [] if journal is None else [journal]
    return reconcile({"stream-0": told}, calls, {"one": list(seen)}, TOKENS)


def tried(kind: Kind, **changed: object) -> AttemptEntry:
    return replace(TRIED, kind=kind, won=False, **changed)


def test_three_books_that_agree_have_nothing_to_say() -> None:
    found = books(TOLD, CALL, SEEN)
    assert found.violations == []
    assert found.matched == 1


def test_a_call_that_the_journal_lacks_is_named() -> None:
    assert any("c-1 is not in the journal" in one for one in books(TOLD, None, SEEN).violations)


def test_a_call_that_no_client_knows_is_named() -> None:
    assert any("no client was told" in one for one in books(replace(TOLD, call="c-2"), CALL, SEEN).violations)


def test_an_attempt_that_no_provider_saw_is_named() -> None:
    assert any("was sent 1 times to one (ok), which saw 0" in one for one in books(TOLD, CALL).violations)


def test_an_attempt_that_was_cancelled_before_it_was_read_is_no_fault() -> None:
    call = replace(CALL, attempts=(tried(Kind.CANCELLED, heard=None),), kind=Kind.DEADLINE, winner=None)
    found = books(replace(TOLD, ok=False, failure="http_504"), call)
    assert (found.violations, found.unread) == ([], 1)


def test_an_attempt_that_the_journal_lacks_is_named() -> None:
    assert any("which saw 2" in one for one in books(TOLD, CALL, SEEN, SEEN).violations)


def test_a_request_that_met_a_closing_connection_may_be_seen_twice() -> None:
    found = books(TOLD, CALL, replace(SEEN, fault="stale", first_byte=None, content_tokens=0), SEEN)
    assert (found.violations, found.resent, found.matched) == ([], 1, 1)


def test_a_request_of_nobody_is_named() -> None:
    found = books(TOLD, CALL, SEEN, replace(SEEN, user=None))
    assert found.violations == ["one saw 1 attempts of nobody that no journal knows"]


def test_a_truncated_answer_that_is_told_as_whole_is_named() -> None:
    assert any(
        "7 tokens of one as a whole answer" in v for v in books(TOLD, CALL, replace(SEEN, content_tokens=7)).violations
    )


def test_a_stream_without_its_end_is_named() -> None:
    assert books(replace(TOLD, done=False), CALL, SEEN).violations == ["stream-0 is ok without [DONE]"]


def test_a_good_answer_that_the_journal_calls_a_failure_is_named() -> None:
    call = replace(CALL, attempts=(tried(Kind.MALFORMED),), kind=Kind.MALFORMED, winner=None)
    found = books(replace(TOLD, ok=False, failure="http_502"), call, SEEN)
    assert found.violations == [f"stream-0 at one is {Kind.MALFORMED}, but the answer was whole"]


def test_a_call_that_ends_differently_for_client_and_journal_is_named() -> None:
    assert any(
        "ended as reset for its client" in one
        for one in books(replace(TOLD, ok=False, failure="reset"), CALL, SEEN).violations
    )


@pytest.mark.parametrize(("a_call", "leaks"), [(2 * LEAK, True), (0.0, False)])
def test_a_leak_shows_in_the_slope_and_a_step_does_not(a_call: float, *, leaks: bool) -> None:
    rate = 50.0
    samples = [(float(at), round(at * rate * a_call) + (2**22 if at > 450 else 0) + at % 7 * 4096) for at in range(600)]
    found = slope(samples)
    assert found is not None
    assert (found[1] / rate > LEAK) is leaks


@pytest.mark.timeout(120)
def test_twenty_seconds_of_every_kind_of_trouble_leave_nothing_unexplained() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "soak.py", "--seconds", "20", "--seed", "3"],
        check=False, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "soak: all of it holds" in done.stdout
