"""Which drills count for a candidate, and what they come to."""

from pathlib import Path

import pytest
from tests.drill.built import drilled as calls_of
from tests.drill.built import rates, sheet

from surefoot.candidates.drilled import Drilled, coverages_of, drilled, endless
from surefoot.drill.history import keep
from surefoot.drill.repetition import Repetition
from surefoot.drill.shelf import Label
from surefoot.evidence import Counted, coverage_interval
from surefoot.facts import Fact

WEIGHTS = rates({"silence": (20.0, 30.0), "cut": (10.0, 10.0)}, years=2.0)
SILENCE, CUT = calls_of("silence", 15, 20), calls_of("cut", 20, 20)


def run(folder: Path, made: str = "2026-11-23T06:30:00+00:00", **changed: str) -> None:
    told = {"subject": "a.toml, route chat, its own gateway", "inputs": "plan", "config": "v1", "route": "chat"}
    named = Label(made=made, modes=("silence", "cut"), **(told | changed))  # type: ignore[arg-type]
    repetitions: list[Repetition] = [*SILENCE, *CUT]
    keep(folder / "chat", named, repetitions, sheet(repetitions, WEIGHTS), {})


def look(folder: Path, version: str = "v1") -> Drilled:
    return drilled(folder, version, "chat", "a.toml")


def risk(found: Drilled) -> Fact:
    return coverages_of(found, WEIGHTS, "a.drilled", 7)["risk"].fact


def test_coverage_is_weighed_by_the_rates_that_are_given(tmp_path: Path) -> None:
    run(tmp_path)
    fact = risk(look(tmp_path))
    assert fact.name == "a.drilled.coverage.risk"
    assert fact.value == pytest.approx((600 * 15 / 20 + 100 * 1) / 700)
    rows = [Counted("silence", 20, 30, 15, 20), Counted("cut", 10, 10, 20, 20)]
    band = coverage_interval(rows, years=2.0, seed=7).risk
    assert (fact.low, fact.high) == pytest.approx((band.low, band.high))
    assert fact.n == 40


def test_runs_of_one_plan_are_put_together_and_counted_by_week(tmp_path: Path) -> None:
    for day in ("09", "16", "17"):
        run(tmp_path, f"2026-11-{day}T06:30:00+00:00")
    found = look(tmp_path)
    assert (found.runs, found.weekly, len(found.repetitions)) == (3, 2, 120)
    assert found.said == ("a.toml: 3 drills of its route chat, the last of 2026-11-17T06:30:00+00:00",)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"config": "v0"}, "1 drills of another version of it are left out"),
        ({"config": ""}, "1 drills that do not say of which version they are are left out"),
        ({"status": "aborted"}, "1 drills that were not completed are left out"),
        ({"route": "other"}, "1 drills of other routes than chat, which the traffic asks for most are left out"),
    ],
)
def test_a_drill_of_something_else_is_left_out_and_said_so(tmp_path: Path, changed: dict[str, str], why: str) -> None:
    run(tmp_path, **changed)
    found = look(tmp_path)
    assert found.runs == 0
    assert found.said[0] == f"a.toml: {why}"
    assert coverages_of(found, WEIGHTS, "a", 7) == {}


def test_a_drill_of_another_plan_than_the_newest_is_left_out(tmp_path: Path) -> None:
    run(tmp_path)
    run(tmp_path, "2026-11-24T06:30:00+00:00", inputs="other plan")
    found = look(tmp_path)
    assert found.runs == 1
    assert "a.toml: 1 drills with another plan than the newest are left out" in found.said


def test_drills_of_another_file_are_nobodys_business_here(tmp_path: Path) -> None:
    run(tmp_path, subject="b.toml, route chat, its own gateway", config="v9")
    assert look(tmp_path).said == (f"a.toml: no drill of this version (v1) on its route chat in {tmp_path.name}",)


def test_what_the_rates_leave_open_is_what_drills_without_end_would_leave(tmp_path: Path) -> None:
    run(tmp_path)
    found = look(tmp_path)
    now, then = risk(found), endless(found, WEIGHTS, "a", 7)
    assert then.value == pytest.approx(now.value)
    assert None not in {now.low, now.high, then.low, then.high}
    assert (now.low or 0) < (then.low or 0) < (then.high or 1) < (now.high or 1)
