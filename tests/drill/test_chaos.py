"""Journals of drills that went well, badly, or not at all, held against the specification."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.drill.specification import faults_of_experiment, faults_of_journal

from surefoot.drill import chaos
from surefoot.drill.chaos import Journal

T0 = 1_790_000_000.0

ANSWERED = chaos.probe("answered", chaos.python_provider("surefoot.drill.runner", "answered"), tolerance=[0.99, 1.0])
STRIKE = chaos.action("strike-silence", chaos.python_provider("surefoot.drill.runner", "strike", {"mode": "silence"}))
LOOK = chaos.probe("answered-meanwhile", chaos.python_provider("surefoot.drill.runner", "answered"))
HEAL = chaos.action("heal", chaos.python_provider("surefoot.drill.runner", "heal"))
PLAN = chaos.experiment(
    "Silence of the primary",
    "The primary takes every call and never answers; callers still get whole answers.",
    chaos.hypothesis("Calls are answered", [ANSWERED]),
    method=[STRIKE, LOOK],
    rollbacks=[HEAL],
)


def steady(journal: Journal, when: Any, share: float) -> None:
    at = T0 + (1 if when == "before" else 8)
    met = share >= 0.99
    journal.steady(when, met, [chaos.probe_result(ANSWERED, at, at + 0.5, share, met=met)])


def drilled(
    before: float = 1.0, after: float = 1.0, strike: Any = "succeeded", status: Any = "completed"
) -> dict[str, Any]:
    journal = Journal.start(PLAN, at=T0, platform="Linux 6.1", node="here")
    steady(journal, "before", before)
    if before >= 0.99:
        journal.ran(STRIKE, T0 + 2, T0 + 3, strike)
        journal.ran(LOOK, T0 + 3, T0 + 7, "succeeded", {"k": 199, "n": 200})
        if status == "completed":
            steady(journal, "after", after)
            journal.rolled_back(HEAL, T0 + 9, T0 + 9.25, "succeeded")
    return journal.close(status, T0 + 10)


@pytest.mark.parametrize(
    ("journal", "status", "deviated"),
    [
        (drilled(), "completed", False),
        (drilled(after=0.5), "failed", True),
        (drilled(before=0.5), "failed", False),
        (drilled(strike="failed"), "failed", False),
        (drilled(status="aborted"), "aborted", False),
        (drilled(status="interrupted"), "interrupted", False),
    ],
)
def test_every_end_of_a_drill_is_a_journal_as_specified(journal: dict[str, Any], status: str, deviated: bool) -> None:  # noqa: FBT001 - a column
    assert faults_of_journal(journal) == []
    assert (journal["status"], journal["deviated"]) == (status, deviated)
    assert json.loads(json.dumps(journal)) == journal


def test_the_journal_tells_what_was_run_when_and_what_came_of_it() -> None:
    journal = drilled()
    assert journal["experiment"] == PLAN
    assert (journal["start"], journal["end"]) == ("2026-09-21T14:13:20+00:00", "2026-09-21T14:13:30+00:00")
    assert journal["duration"] == 10
    assert [one["activity"] for one in journal["run"]] == [STRIKE, LOOK]
    assert json.loads(journal["run"][1]["output"]) == {"k": 199, "n": 200}
    assert journal["run"][0]["output"] is None
    assert [one["duration"] for one in journal["rollbacks"]] == [0.25]
    assert journal["steady_states"]["before"]["probes"][0]["tolerance_met"] is True
    assert (journal["platform"], journal["node"]) == ("Linux 6.1", "here")


def test_where_the_steady_state_is_not_met_nothing_is_injected() -> None:
    assert drilled(before=0.2)["run"] == []
    journal = Journal.start(PLAN, at=T0)
    steady(journal, "before", 0.2)
    with pytest.raises(ValueError, match="nothing may be injected"):
        journal.ran(STRIKE, T0 + 2, T0 + 3, "succeeded")


def test_a_drill_that_left_out_a_part_of_its_method_is_not_completed() -> None:
    journal = Journal.start(PLAN, at=T0)
    steady(journal, "before", 1.0)
    journal.ran(STRIKE, T0 + 2, T0 + 3, "succeeded")
    steady(journal, "after", 1.0)
    assert journal.close("completed", T0 + 10)["status"] == "aborted"


def test_the_plan_is_kept_as_it_was_run() -> None:
    plan = json.loads(json.dumps(PLAN))
    journal = Journal.start(plan, at=T0)
    plan["title"] = "another"
    assert journal.close("aborted", T0 + 1)["experiment"]["title"] == PLAN["title"]


def begun() -> Journal:
    journal = Journal.start(PLAN, at=T0)
    steady(journal, "before", 1.0)
    return journal


def interrupted_with_rollbacks() -> None:
    journal = begun()
    journal.rolled_back(HEAL, T0, T0 + 1, "succeeded")
    journal.close("interrupted", T0 + 2)


def steady_after_the_fact() -> None:
    journal = Journal.start(PLAN, at=T0)
    journal.ran(STRIKE, T0, T0 + 1, "succeeded")
    steady(journal, "before", 1.0)


@pytest.mark.parametrize(
    ("misuse", "word"),
    [
        (
            lambda: begun().steady("after", met=True, results=[chaos.probe_result(ANSWERED, 0, 1, 0, met=False)]),
            "only then",
        ),
        (lambda: steady(begun(), "before", 1.0), "told already"),
        (lambda: begun().ran(STRIKE, T0 + 1, T0, "succeeded"), "before it began"),
        (lambda: begun().ran(STRIKE, T0, T0 + 1, "skipped"), "succeeded or failed"),  # type: ignore[arg-type]
        (lambda: begun().close("well", T0 + 1), "no status 'well'"),  # type: ignore[arg-type]
        (lambda: begun().close("completed", T0 - 1), "before it began"),
        (interrupted_with_rollbacks, "no rollbacks"),
        (steady_after_the_fact, "before anything is run"),
        (lambda: chaos.hypothesis("Calls are answered", [LOOK]), "needs a tolerance"),
        (lambda: chaos.experiment("t", "d", {}, []), "at least one activity"),
        (lambda: chaos.probe("answered", {}, tolerance=0.99), "write a range"),
    ],
)
def test_what_would_make_the_journal_lie_is_refused(misuse: Callable[[], object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        misuse()


def without(path: str) -> dict[str, Any]:
    journal: dict[str, Any] = json.loads(json.dumps(drilled()))
    *around, last = path.split(".")
    part: Any = journal
    for name in around:
        part = part[int(name)] if isinstance(part, list) else part[name]
    del part[last]
    return journal


RESULT = ("activity", "status", "start", "end", "duration", "output")


@pytest.mark.parametrize(
    "path",
    [
        *("experiment", "status", "start", "end", "duration", "deviated", "steady_states", "run", "rollbacks"),
        *(f"{where}.0.{name}" for where in ("run", "rollbacks", "steady_states.after.probes") for name in RESULT),
        *(f"experiment.{name}" for name in ("title", "description", "method", "steady-state-hypothesis")),
        *(f"experiment.method.0.{name}" for name in ("type", "name", "provider")),
        "experiment.steady-state-hypothesis.probes.0.tolerance",
        "experiment.method.0.provider.module",
    ],
)
def test_the_checker_misses_no_field_that_is_asked_for(path: str) -> None:
    assert faults_of_journal(without(path)) != []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "deviated"),
        ("start", "2026-09-21 at noon"),
        ("start", "2026-09-21T16:13:20+02:00"),
        ("duration", 11),
        ("deviated", True),
        ("rollbacks", None),
        ("node", 7),
    ],
)
def test_the_checker_sees_wrong_values(name: str, value: object) -> None:
    assert faults_of_journal(drilled() | {name: value}) != []


def test_a_whole_tolerance_is_written_as_an_integer() -> None:
    tolerance = chaos.probe("answered", {}, tolerance=1.0)["tolerance"]
    assert (tolerance, type(tolerance)) == (1, int)


def test_the_plan_itself_is_an_experiment_as_specified() -> None:
    assert faults_of_experiment(PLAN) == []
    assert faults_of_experiment(PLAN | {"rollbacks": [LOOK]}) != []
    assert faults_of_experiment(PLAN | {"contributions": {"reliability": "very"}}) != []
