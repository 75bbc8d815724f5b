"""Which drills count for a candidate, and what they come to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.drill.built import drilled as calls_of
from tests.drill.built import rates, sheet

from surefoot.candidates.drilled import Drilled, drilled
from surefoot.candidates.weighing import by_route, coverages_of, endless
from surefoot.drill.coverage import BY_LAW
from surefoot.drill.history import keep
from surefoot.drill.repetition import Repetition
from surefoot.drill.shelf import Label
from surefoot.evidence import Counted, coverage_interval
from surefoot.facts import Fact

WEIGHTS = rates({"silence": (20.0, 30.0), "cut": (10.0, 10.0)}, years=2.0)
SILENCE, CUT = calls_of("silence", 15, 20), calls_of("cut", 20, 20)


def run(folder: Path, made: str = "2026-11-23T06:30:00+00:00", **changed: Any) -> None:
    told: dict[str, Any] = {
        "subject": "a.toml, route chat, its own gateway",
        "inputs": "plan",
        "config": "v1",
        "route": "chat",
    }
    named = Label(made=made, modes=("silence", "cut"), **(told | changed))
    repetitions: list[Repetition] = [*SILENCE, *CUT]
    keep(folder / named.route, named, repetitions, sheet(repetitions, WEIGHTS), {})


def look(folder: Path, routes: Mapping[str, float] | None = None) -> Drilled:
    return drilled(folder, "v1", routes or {"chat": 1.0}, "a.toml")


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
    (chat,) = found.counted
    assert (chat.runs, found.weekly, len(chat.repetitions)) == (3, 2, 120)
    assert found.said == ("a.toml: 3 drills of its route chat, the last of 2026-11-17T06:30:00+00:00",)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"config": "v0"}, "1 drill of another version of it: left out"),
        ({"config": ""}, "1 drill of an unknown version: left out"),
        ({"status": "aborted"}, "1 drill not completed: left out"),
        ({"route": "other"}, "1 drill of routes that the traffic does not ask for: left out"),
    ],
)
def test_a_drill_of_something_else_is_left_out_and_said_so(tmp_path: Path, changed: dict[str, str], why: str) -> None:
    run(tmp_path, **changed)
    found = look(tmp_path)
    assert found.counted == []
    assert found.said[0] == f"a.toml: {why}"
    assert coverages_of(found, WEIGHTS, "a", 7) == {}


def test_a_drill_of_another_plan_than_the_newest_is_left_out(tmp_path: Path) -> None:
    run(tmp_path)
    run(tmp_path, "2026-11-24T06:30:00+00:00", inputs="other plan")
    found = look(tmp_path)
    assert [one.runs for one in found.counted] == [1]
    assert "a.toml: 1 drill of its route chat with another plan than the newest: left out" in found.said


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


TWO = {"chat": 0.75, "batch": 0.25}


def test_routes_are_weighed_by_the_calls_that_ask_for_them(tmp_path: Path) -> None:
    run(tmp_path)
    alone = risk(look(tmp_path))
    run(tmp_path, subject="a.toml, route batch, its own gateway", route="batch", forbidden=("silence",))
    found = look(tmp_path, TWO)
    both = risk(found)
    of_batch = next(fact for fact in by_route(found, WEIGHTS, "a", 7) if fact.name == "a.route.batch.coverage.risk")
    assert (alone.value, of_batch.value) == pytest.approx(((600 * 0.75 + 100) / 700, 100 / 700))
    for end in ("value", "low", "high"):
        assert getattr(both, end) == pytest.approx(0.75 * getattr(alone, end) + 0.25 * getattr(of_batch, end))
    assert both.n == alone.n + of_batch.n
    assert "(chat 75.0%, batch 25.0%)" in both.method


def test_a_route_that_nobody_drilled_may_cover_nothing_or_everything_and_is_named(tmp_path: Path) -> None:
    run(tmp_path)
    alone, found = risk(look(tmp_path)), look(tmp_path, TWO)
    both = risk(found)
    assert both.value == pytest.approx(alone.value)
    assert both.low == pytest.approx(0.75 * (alone.low or 0))
    assert both.high == pytest.approx(0.75 * (alone.high or 0) + 0.25)
    assert "not drilled: batch, 25.0% of calls" in both.note
    assert "a.toml: no drill of this version (v1) on its route batch, which 25.0% of the calls ask for" in found.said[1]
    rest = endless(found, WEIGHTS, "a", 7)  # drills of every route: what nobody drilled is not left open for ever
    of_one = endless(look(tmp_path), WEIGHTS, "a", 7)
    assert (rest.low, rest.high) == pytest.approx((of_one.low, of_one.high))


def test_a_mode_that_the_law_leaves_uncovered_weighs_as_none_and_says_so(tmp_path: Path) -> None:
    run(tmp_path, forbidden=("silence",))
    found = look(tmp_path)
    facts = {fact.name: fact for fact in by_route(found, WEIGHTS, "a", 7)}
    assert facts["a.route.chat.mode.silence.mitigated"].note == BY_LAW
    assert facts["a.route.chat.mode.cut.mitigated"].note == ""
    assert risk(found).value == pytest.approx(100 / 700)


def test_a_drill_that_another_version_kept_is_left_out_and_said_so(tmp_path: Path) -> None:
    run(tmp_path, version=1)
    assert "a.toml: 1 drill kept by another version of surefoot: left out" in look(tmp_path).said
