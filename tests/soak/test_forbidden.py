"""Nobody who is bound ever comes to the only healthy target, which is outside: in brief, and what would be found."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from benchmarks.bounds import OUTSIDE, PLAIN_TWIN, TLS_TWIN, phases
from benchmarks.forbidden import Found, shortcomings, violations
from msgspec.structs import replace

from surefoot.domain.outcome import Kind
from surefoot.drill.catalogue import MODES
from surefoot.journal.reader import AttemptEntry, CallEntry
from surefoot.load import CallResult

ROOT = Path(__file__).resolve().parents[2]

FIRST = AttemptEntry(
    0, "near", "first", Kind.OK, 0.0, 0.0, 0.01, 0.02, 0.1, None, 10, 8, won=True, breaker="closed", rules=""
)
TRIED = tuple(replace(FIRST, reason=reason, breaker="open") for reason in ("fallback", "hedge", "resume"))
CALL = CallEntry(
    "c-1", 1e9, "open", "bound", "0123", drill=False, stream=True, bucket=0, prompt_tokens=10, max_tokens=8,
    request_bytes=200, answer_bytes=900, kind=Kind.OK, winner=0, first_content=0.02, ended=0.1, jurisdiction="eu",
    jurisdiction_version="", attempts=(FIRST, *TRIED),
)  # fmt: skip


def held() -> Found:
    """A run in which all of it holds."""
    results = [CallResult(0, 5.0, status=403), CallResult(1, 5.0, status=200, ok=True, target="near")]
    struck = Counter(mode.name for mode in MODES)
    return Found(results=results, journal=[CALL], struck=struck, deaths=1, reloads=2)


def test_a_run_in_which_all_of_it_holds_has_nothing_to_say() -> None:
    assert violations(held(), 2) == []


@pytest.mark.parametrize(
    ("what", "count", "sentence"),
    [
        ("connections", 1, "the provider outside has accepted 1 connections"),
        ("asked", 2, "the provider outside was asked 2 times"),
        ("asked_beyond", 3, "the provider outside, behind another gateway, was asked 3 times"),
        ("stuck", 4, "4 calls are stuck"),
        ("deaths", 0, "0 workers died, not one"),
        ("reloads", 0, "0 reloads came about"),
        ("struck", Counter(), "the mode refuse struck nobody"),
        ("results", [], "0 calls were made, not 2"),
        ("journal", [replace(CALL, attempts=(FIRST,))], "there was no attempt for the reason hedge"),
        ("journal", [replace(CALL, attempts=(FIRST,))], "there was no probe"),
    ],
)
def test_what_must_not_be_is_named(what: str, count: object, sentence: str) -> None:
    found = held()
    setattr(found, what, count)
    assert sentence in violations(found, 2)


@pytest.mark.parametrize("target", sorted(OUTSIDE))
def test_an_attempt_or_an_answer_that_names_a_target_outside_is_named(target: str) -> None:
    found = held()
    found.journal.append(replace(CALL, attempts=(replace(FIRST, target=target),)))
    found.results[1].target = target
    assert violations(found, 2) == ["2 attempts and answers name a target outside"]


def test_a_run_with_nothing_that_binds_has_to_come_to_both_outside() -> None:
    assert len(list(shortcomings(Found()))) == 3
    assert list(shortcomings(Found(connections=1, asked=1, asked_beyond=1))) == []


def test_every_mode_is_played_at_every_provider() -> None:
    names = {mode.name for mode in MODES}
    assert {phase.modes[TLS_TWIN].name for phase in phases()} == names
    assert {phase.modes[PLAIN_TWIN].name for phase in phases()} == names - {"tls"}


@pytest.mark.timeout(120)
def test_hundreds_of_calls_under_every_mode_never_come_to_the_only_healthy_target() -> None:
    done = subprocess.run(
        [
            sys.executable, ROOT / "benchmarks" / "forbidden.py",
            "--calls", "500", "--control", "50", "--rate", "90", "--workers", "1",
        ],
        check=False, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "outside: 0 connections accepted, 0 requests" in done.stdout
    assert "forbidden: all of it holds" in done.stdout
