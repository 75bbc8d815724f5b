"""What the Chaos Toolkit's specification requires of an experiment and of a journal, as a checker.

Read from chaostoolkit.org, reference/api/experiment and reference/api/journal (documentation of 2025-06-30). Every
MUST that concerns a finished journal is one line here. Knows nothing of how ours is written.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

STATUSES = ("completed", "failed", "aborted", "interrupted")
ACTIVITY_STATUSES = ("succeeded", "failed")
PROVIDERS = {"python": ("module", "func"), "http": ("url",), "process": ("path",)}
WEIGHTS = ("high", "medium", "low", "none")
TOLERANCES = {"probe": "provider", "regex": "pattern", "jsonpath": "path", "range": "range"}


def faults_of_journal(journal: Any) -> list[str]:
    """Everything in a journal that the specification does not allow."""
    return list(_journal(journal))


def faults_of_experiment(experiment: Any) -> list[str]:
    """Everything in an experiment that the specification does not allow."""
    return list(_experiment(experiment))


def _journal(journal: Any) -> Iterator[str]:
    yield from _object("journal", journal, ("experiment", "status", "start", "end", "duration", "deviated"))
    if not isinstance(journal, dict):
        return
    yield from _experiment(journal.get("experiment"))
    yield from _one_of("status", journal.get("status"), STATUSES)
    yield from _span("journal", journal)
    if not isinstance(journal.get("deviated"), bool):
        yield "deviated: not a boolean"
    for name in ("steady_states", "run", "rollbacks"):  # SHOULD
        if name not in journal:
            yield f"{name}: recommended, and missing"
    for name in ("platform", "node"):
        if not isinstance(journal.get(name, ""), str):
            yield f"{name}: not a string"
    yield from _steady_states(journal)
    yield from _results("run", journal.get("run", []))
    yield from _results("rollbacks", journal.get("rollbacks", []))
    if journal.get("status") == "interrupted" and journal.get("rollbacks"):
        yield "rollbacks: applied although interrupted"


def _steady_states(journal: dict[str, Any]) -> Iterator[str]:
    states = journal.get("steady_states", {})
    yield from _object("steady_states", states, ())
    for when, state in states.items():
        path = f"steady_states.{when}"
        if when not in {"before", "after"}:
            yield f"{path}: unknown"
        yield from _object(path, state, ("steady_state_met", "probes"))
        yield from _results(f"{path}.probes", state["probes"], more=("tolerance_met",))
        met = [one["tolerance_met"] for one in state["probes"]]
        if state["steady_state_met"] is not all(met) or not all(isinstance(one, bool) for one in met):
            yield f"{path}: met is not what the probes say"
    before, after = (states.get(when, {}).get("steady_state_met") for when in ("before", "after"))
    if before is False and (journal.get("run") or journal.get("status") != "failed"):
        yield "run: the method was applied although the steady state was not met"
    if journal.get("deviated") is not (after is False):
        yield "deviated: not what the steady state after the method says"


def _results(path: str, results: Any, more: tuple[str, ...] = ()) -> Iterator[str]:
    if not isinstance(results, list):
        yield f"{path}: not an array"
        return
    for number, one in enumerate(results):
        at = f"{path}[{number}]"
        yield from _object(at, one, ("activity", "status", "start", "end", "duration", "output", *more))
        yield from _one_of(f"{at}.status", one.get("status"), ACTIVITY_STATUSES)
        yield from _span(at, one)
        yield from _activity(f"{at}.activity", one.get("activity"))
        if not (one.get("output") is None or isinstance(one["output"], str)):
            yield f"{at}.output: neither a string nor null"
        if not isinstance(one.get("exception", ""), str | list):
            yield f"{at}.exception: neither a string nor an array"


def _experiment(experiment: Any) -> Iterator[str]:
    yield from _object("experiment", experiment, ("title", "description", "method"))
    if not isinstance(experiment, dict):
        return
    for name in ("title", "description"):
        if not isinstance(experiment.get(name), str):
            yield f"experiment.{name}: not a string"
    if not isinstance(experiment.get("method"), list) or not experiment["method"]:
        yield "experiment.method: not an array of at least one activity"
    for name in ("method", "rollbacks"):
        for number, activity in enumerate(experiment.get(name, [])):
            yield from _activity(f"experiment.{name}[{number}]", activity)
            if name == "rollbacks" and activity.get("type") != "action":
                yield f"experiment.rollbacks[{number}]: not an action"
    state = experiment.get("steady-state-hypothesis")
    if state is None:
        yield "experiment.steady-state-hypothesis: recommended, and missing"
    else:
        yield from _hypothesis(state)
    for name, weight in experiment.get("contributions", {}).items():
        yield from _one_of(f"experiment.contributions.{name}", weight, WEIGHTS)


def _hypothesis(state: Any) -> Iterator[str]:
    path = "experiment.steady-state-hypothesis"
    yield from _object(path, state, ("title", "probes"))
    for number, probe in enumerate(state.get("probes", [])):
        at = f"{path}.probes[{number}]"
        yield from _activity(at, probe)
        if probe.get("type") != "probe" or "tolerance" not in probe:
            yield f"{at}: not a probe with a tolerance"
            continue
        tolerance = probe["tolerance"]
        if isinstance(tolerance, dict) and TOLERANCES.get(str(tolerance.get("type")), "") not in tolerance:
            yield f"{at}.tolerance: not one of {', '.join(TOLERANCES)} with what it needs"
        elif not isinstance(tolerance, dict | list | str | int | bool):
            yield f"{at}.tolerance: neither a scalar, a sequence nor an object"


def _activity(path: str, activity: Any) -> Iterator[str]:
    if isinstance(activity, dict) and set(activity) == {"ref"}:
        return
    yield from _object(path, activity, ("type", "name", "provider"))
    if not isinstance(activity, dict):
        return
    yield from _one_of(f"{path}.type", activity.get("type"), ("probe", "action"))
    provider = activity.get("provider", {})
    kind = provider.get("type")
    yield from _one_of(f"{path}.provider.type", kind, tuple(PROVIDERS))
    yield from _object(f"{path}.provider", provider, PROVIDERS.get(kind, ()))
    if kind == "python" and not isinstance(provider.get("arguments", {}), dict):
        yield f"{path}.provider.arguments: not an object"


def _object(path: str, value: Any, required: Sequence[str]) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: not an object"
        return
    for name in required:
        if name not in value:
            yield f"{path}.{name}: required, and missing"


def _one_of(path: str, value: Any, allowed: Sequence[str]) -> Iterator[str]:
    if value not in allowed:
        yield f"{path}: {value!r} is not one of {', '.join(allowed)}"


def _span(path: str, value: dict[str, Any]) -> Iterator[str]:
    ends: list[datetime] = []
    for name in ("start", "end"):
        try:
            moment = datetime.fromisoformat(value[name])
        except (KeyError, TypeError, ValueError):
            yield f"{path}.{name}: not a time of RFC 3339"
            continue
        if moment.utcoffset() != timedelta(0):
            yield f"{path}.{name}: not in UTC"
        ends.append(moment)
    duration = value.get("duration")
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        yield f"{path}.duration: not a number"
    elif len(ends) == len(("start", "end")) and abs((ends[1] - ends[0]).total_seconds() - duration) > 1e-3:
        yield f"{path}.duration: not the difference of end and start"
