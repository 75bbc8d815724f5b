"""A drill as what is kept of it: for each route its facts, its Chaos Toolkit journal and its label.

Knows: which part of a run belongs where. Must never: compute a number of its own.
"""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import msgspec

from surefoot.config.rates import Rates
from surefoot.drill import chaos
from surefoot.drill.catalogue import MODES
from surefoot.drill.coverage import Drill, cold, facts_of
from surefoot.drill.guard import Steady
from surefoot.drill.history import Changes, keep
from surefoot.drill.plan import DrillOptions, Untested
from surefoot.drill.runner import DrillRun, Played
from surefoot.drill.shelf import WHOLE, Label
from surefoot.facts import Facts, hash_of

_MODULE = "surefoot.drill"


def label(run: DrillRun, told: DrillOptions, file: Path, route: str, admin: str | None) -> Label:
    """What the run was a drill of. Where it was drilled has to be the same for two runs to be compared."""
    where = "its own gateway" if admin is None else f"the gateway at {admin}"
    against = "in front of the targets" if told.in_front else "in place of the targets"
    how = f"{where}, twins {against}, {'nothing learned' if told.fresh else 'learned'}"
    subject = f"{file.name}, route {route}, {how}"
    return Label(
        made=_made(run),
        subject=subject,
        inputs=_inputs(run, told),
        status=run.status,
        modes=run.modes,
        asked=run.asked.get(route),
        config=run.config,
        route=route,
        forbidden=forbidden(run, route),
    )


def sheet(run: DrillRun, told: DrillOptions, route: str, rates: Rates) -> Facts:
    """The facts of one route. Raises `EvidenceError` where they cannot be made."""
    return facts_of(
        Drill(
            repetitions=[one for one in run.repetitions if one.route == route],
            baseline=[one for one in run.baseline if one.route == route],
            modes=run.modes,
            catalogue=[mode.name for mode in MODES],
            partial="" if run.status == WHOLE else f"{run.status}, {run.why}",
            why_untested={one.mode: one.why for one in untested(run) if one.route == route},
            struck={played.mode: played.struck for played in run.played.values() if played.route == route},
            targets=run.targets[route],
            forbidden=frozenset(forbidden(run, route)),
            repeat=told.repeat,
            rates=rates,
            seed=told.seed,
            made=_made(run),
            window=(run.start, run.end),
            inputs=_inputs(run, told),
        )
    )


def forbidden(run: DrillRun, route: str) -> tuple[str, ...]:
    """Modes that struck all who may serve, while others of the route were well: by law nobody was left to answer.

    None of them is a mode that the struck target's own answer survived, or one that nobody else has to answer.
    """
    asked = set(run.asked.get(route, ()))
    told = {mode.name for mode in MODES if not mode.answer}
    calls = [one for one in cold(run.repetitions) if one.route == route]
    covered = {one.mode for one in calls if one.mitigated and not one.passed_off}
    failed = {one.mode for one in calls} - covered - told
    return tuple(
        played.mode
        for played in run.played.values()
        if played.route == route and played.mode in failed and asked
        and asked <= set(played.struck) and len(set(played.struck)) < run.targets[route]
    )  # fmt: skip


def untested(run: DrillRun) -> list[Untested]:
    """Every mode that was chosen and has no cold repetition on a route, and why: what `coverage.json` says, too."""
    tested = {(one.route, one.mode) for one in cold(run.repetitions)}
    known = {(one.route, one.mode): one for one in run.untested}
    cells = [(route, mode) for route in run.routes for mode in run.modes if (route, mode) not in tested]
    return [known.get(cell, Untested(*cell, f"the drill was {run.status} before that")) for cell in cells]


class Kept(NamedTuple):
    """What is kept of one route, and where."""

    facts: Facts
    folder: Path
    changes: Changes | None


def keep_all(
    run: DrillRun, told: DrillOptions, rates: Rates, file: Path, out: Path, admin: str | None
) -> dict[str, Kept]:
    """Keep a run, each route in a folder of its own below `out`. Raises `StartError` where that cannot be done."""
    kept: dict[str, Kept] = {}
    for route in run.routes:
        facts = sheet(run, told, route, rates)
        calls = [one for one in run.repetitions if one.route == route]
        named = label(run, told, file, route, admin)
        kept[route] = Kept(facts, *keep(out / route, named, calls, facts, journal(run, told, route)))
    return kept


def journal(run: DrillRun, told: DrillOptions, route: str) -> dict[str, Any]:
    """The Chaos Toolkit journal of one route."""
    meanings = {mode.name: mode.meaning for mode in MODES}
    cells = [played for key, played in run.played.items() if key[0] == route]
    skipped = {one.mode for one in run.untested if one.route == route}
    planned = [mode for mode in run.modes if mode not in skipped or (route, mode) in run.played]
    actions = {mode: _inject(route, mode, meanings[mode]) for mode in planned}
    look = _probe(route, told)
    heal = chaos.action("heal every twin and end the drill", chaos.python_provider(_MODULE, "runner"))
    kept = chaos.Journal.start(
        chaos.experiment(
            f"{route}: every way in which its first target fails",
            "Each mode strikes in many small worlds of the live configuration, each with breakers of its own.",
            chaos.hypothesis("Healthy calls are answered", [look]),
            list(actions.values()) or [_inject(route, "nothing", "no mode can be drilled here")],
            [heal],
        ),
        at=run.start,
        platform=platform.platform(),
        node=os.uname().nodename,
    )
    _steady(kept, "before", look, run.before)
    for played in cells:
        kept.ran(actions[played.mode], played.start, played.end, _status(run, played), _output(run, played))
    _steady(kept, "after", look, run.after)
    if run.healed is not None and run.status != "interrupted":
        kept.rolled_back(heal, *run.healed, "succeeded")
    return kept.close(cast("chaos.Status", run.status), run.end)


def _probe(route: str, told: DrillOptions) -> chaos.Activity:
    provider = chaos.python_provider(_MODULE, "runner", {"route": route, "within": told.steady})
    return chaos.probe(f"share of healthy calls answered within {told.steady:g} s", provider, tolerance=1.0)


def _inject(route: str, mode: str, meaning: str) -> chaos.Activity:
    return chaos.action(f"{mode}: {meaning}", chaos.python_provider(_MODULE, "wave", {"route": route, "mode": mode}))


def _steady(kept: chaos.Journal, when: Literal["before", "after"], look: chaos.Activity, seen: Steady | None) -> None:
    if seen is None:
        return
    share = seen.answered / seen.asked if seen.asked else 0.0
    kept.steady(when, seen.met, [chaos.probe_result(look, seen.start, seen.end, share, met=seen.met)])


def _counted(run: DrillRun, played: Played) -> Sequence[Any]:
    return [one for one in run.repetitions if (one.route, one.mode) == (played.route, played.mode)]


def _status(run: DrillRun, played: Played) -> chaos.ActivityStatus:
    return "succeeded" if any(one.delivered for one in _counted(run, played)) else "failed"


def _output(run: DrillRun, played: Played) -> Mapping[str, Any]:
    calls = _counted(run, played)
    return {
        "struck": played.struck,
        "worlds": played.worlds,
        "calls": len(calls),
        "delivered": sum(one.delivered for one in calls),
        "mitigated": sum(one.mitigated for one in calls),
    }


def _made(run: DrillRun) -> str:
    return datetime.fromtimestamp(run.start, UTC).isoformat(timespec="seconds")


def _inputs(run: DrillRun, told: DrillOptions) -> str:
    return hash_of(run.config.encode(), msgspec.json.encode(told, order="deterministic"))
