"""A drill as a Chaos Toolkit experiment, and what became of it as a Chaos Toolkit journal.

Written from the open specification: chaostoolkit.org, reference/api/experiment and reference/api/journal, as of
2025-06. What it asks for and is easily got wrong:

- `completed` says that everything was run, not that it went well; a failed activity or probe makes it `failed`;
- `deviated` says whether the steady state was no longer met after the method;
- where the steady state is not met before, the method is not applied: `failed`, and nothing was run;
- an `interrupted` experiment has no rollbacks. What is ended then all the same is not told as one.

Times come in as Unix seconds and go out as RFC 3339 in UTC.
Must never: run anything, read the clock, or tell of a success that was not.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from surefoot import __version__

Activity = dict[str, Any]
"""A probe or an action, as the specification spells them."""

Status = Literal["completed", "failed", "aborted", "interrupted"]
"""Of an experiment: run fully, a condition failed, broke for an unforeseen reason, ended by a person or signal."""

ActivityStatus = Literal["succeeded", "failed"]


def python_provider(module: str, func: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Says that a Python function carries an activity out. Arguments have to be JSON."""
    return {"type": "python", "module": module, "func": func, "arguments": dict(arguments or {})}


def probe(name: str, provider: Mapping[str, Any], tolerance: Any = None) -> Activity:
    """What asks the system something. One of the steady state needs a `tolerance`: a scalar, a list or an object.

    A number alone has to be whole, so 1.0 becomes 1. Raises `ValueError` for another: a list of two is a range.
    """
    found: Activity = {"type": "probe", "name": name, "provider": dict(provider)}
    if isinstance(tolerance, float):
        if not tolerance.is_integer():
            raise ValueError(f"the tolerance of {name!r} is {tolerance:g}; write a range, such as [{tolerance:g}, 1]")
        tolerance = int(tolerance)
    return found if tolerance is None else found | {"tolerance": tolerance}


def action(name: str, provider: Mapping[str, Any]) -> Activity:
    """What does something to the system."""
    return {"type": "action", "name": name, "provider": dict(provider)}


def hypothesis(title: str, probes: Sequence[Activity]) -> dict[str, Any]:
    """What normal looks like. Raises `ValueError` for a probe without a tolerance."""
    for one in probes:
        if "tolerance" not in one:
            raise ValueError(f"the probe {one['name']!r} of the steady state needs a tolerance")
    return {"title": title, "probes": list(probes)}


def experiment(
    title: str,
    description: str,
    steady_state: Mapping[str, Any],
    method: Sequence[Activity],
    rollbacks: Sequence[Activity] = (),
) -> dict[str, Any]:
    """The plan of a drill. Raises `ValueError` for a method without any activity."""
    if not method:
        raise ValueError("the method of an experiment has at least one activity")
    return {
        "version": "1.0.0",
        "title": title,
        "description": description,
        "contributions": {"reliability": "high", "availability": "high"},
        "steady-state-hypothesis": dict(steady_state),
        "method": list(method),
        "rollbacks": list(rollbacks),
    }


def result(activity: Activity, start: float, end: float, status: ActivityStatus, output: Any = None) -> dict[str, Any]:
    """What became of one activity. An output that is no text is told as JSON, because a text or null is asked for.

    Raises `ValueError` for an end before the start or an unknown status.
    """
    if end < start:
        raise ValueError(f"the activity {activity.get('name')!r} ended {start - end:g} s before it began")
    if status not in {"succeeded", "failed"}:
        raise ValueError(f"an activity is succeeded or failed, not {status!r}")
    return {
        "activity": dict(activity),
        "output": output if output is None or isinstance(output, str) else json.dumps(output, sort_keys=True),
        "start": _time(start),
        "status": status,
        "end": _time(end),
        "duration": end - start,
    }


def probe_result(activity: Activity, start: float, end: float, output: Any, *, met: bool) -> dict[str, Any]:
    """What a probe of the steady state saw, and whether that was within its tolerance."""
    return result(activity, start, end, "succeeded", output) | {"tolerance_met": met}


class Journal:
    """Fed while the drill runs, in order; `close` gives it back whole."""

    def __init__(self, plan: Mapping[str, Any], at: float, platform: str, node: str) -> None:
        self._began = at
        self._before: bool | None = None
        self._after: bool | None = None
        self._steady_states: dict[str, Any] = {}
        self._run: list[dict[str, Any]] = []
        self._rollbacks: list[dict[str, Any]] = []
        self._head = {
            "chaoslib-version": f"surefoot {__version__}",  # who wrote it: the Chaos Toolkit did not
            "platform": platform,
            "node": node,
            "experiment": json.loads(json.dumps(plan)),  # as it was run, whatever becomes of the original
            "start": _time(at),
        }

    @classmethod
    def start(cls, plan: Mapping[str, Any], *, at: float, platform: str = "", node: str = "") -> "Journal":
        """Begin. `platform` is what the machine is, as `uname` tells, and `node` its name."""
        return cls(plan, at, platform, node)

    def steady(self, when: Literal["before", "after"], met: bool, results: Sequence[dict[str, Any]]) -> None:  # noqa: FBT001 - the journal's own word
        """The steady state, looked at. Raises `ValueError` if `met` is not what the probes say, or out of order."""
        if met != all(one["tolerance_met"] for one in results):
            raise ValueError("a steady state is met when every probe was within its tolerance, and only then")
        if when in self._steady_states:
            raise ValueError(f"the steady state {when} the method was told already")
        if when == "before":
            if self._run:
                raise ValueError("the steady state before the method is looked at before anything is run")
            self._before = met
        else:
            self._after = met
        self._steady_states[when] = {"steady_state_met": met, "probes": list(results)}

    def ran(self, activity: Activity, start: float, end: float, status: ActivityStatus, output: Any = None) -> None:
        """An activity of the method was run. Raises `ValueError` where the steady state was not met before."""
        if self._before is False:
            raise ValueError("the steady state was not met: nothing may be injected")
        self._run.append(result(activity, start, end, status, output))

    def rolled_back(
        self, activity: Activity, start: float, end: float, status: ActivityStatus, output: Any = None
    ) -> None:
        """A rollback was run. Not to be told of an interrupted drill."""
        self._rollbacks.append(result(activity, start, end, status, output))

    def close(self, status: Status, at: float) -> dict[str, Any]:
        """The journal.

        What is told as `completed` becomes `failed` where a steady state was not met or an activity failed, and
        `aborted` where an activity of the method was never run. Raises `ValueError` for an unknown status, an end
        before the start, or an interrupted drill with rollbacks.
        """
        if status not in {"completed", "failed", "aborted", "interrupted"}:
            raise ValueError(f"an experiment has no status {status!r}")
        if at < self._began:
            raise ValueError(f"the experiment ended {self._began - at:g} s before it began")
        if status == "interrupted" and self._rollbacks:
            raise ValueError("an interrupted experiment has no rollbacks; what was ended then is not one")
        return self._head | {
            "status": self._became() if status == "completed" else status,
            "deviated": self._after is False,
            "steady_states": self._steady_states,
            "run": self._run,
            "rollbacks": self._rollbacks,
            "end": _time(at),
            "duration": at - self._began,
        }

    def _became(self) -> Status:
        if self._before is False or self._after is False or any(one["status"] == "failed" for one in self._run):
            return "failed"
        planned = [activity["name"] for activity in self._head["experiment"]["method"]]
        return "completed" if [one["activity"]["name"] for one in self._run] == planned else "aborted"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
