"""What drills say of a candidate: k of n cold calls of each mode that got a valid answer, and the coverage from them.

A run counts if it was of this very configuration (by its version), on the route that the traffic asks for most, and
was completed. Runs of the newest run's plan are put together; all others are left out, each with its reason.
All candidates are weighed by the same rates. Must never: take a drill of another version for one of this.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from surefoot.candidates.measuring import Measured
from surefoot.config.rates import Rate, Rates
from surefoot.drill.catalogue import MODES
from surefoot.drill.coverage import cold
from surefoot.drill.repetition import Repetition
from surefoot.drill.shelf import REPETITIONS, RUN, VERSION, WHOLE, Label, calls, label_of, time_of
from surefoot.drill.weights import coverages
from surefoot.evidence.covering import Counted
from surefoot.facts import Fact, hash_of

ENDLESS = 1_000_000
"""Times as many repetitions: what is left of the interval then is what the rates leave open."""


class Drilled(Struct, frozen=True, kw_only=True):
    """What was found of one candidate; without runs there is no coverage by drills."""

    repetitions: tuple[Repetition, ...] = ()
    modes: tuple[str, ...] = ()
    runs: int = 0
    weekly: int = 0
    """Calendar weeks in which one was made."""
    said: tuple[str, ...] = ()
    """What was counted and what was not, a sentence each."""
    inputs: str = ""
    """Hash of what was counted."""


def drilled(folder: Path | None, version: str, route: str, file: str) -> Drilled:
    """Look through a folder of drills, however deep. Raises `StartError` for a run that cannot be read."""
    if folder is None or not folder.is_dir():
        return Drilled()
    found = [(path, label_of(path)) for path in sorted(folder.rglob(RUN)) if not path.parent.name.startswith(".")]
    ours = [(path, one) for path, one in found if _counts(one, version, route)]
    said = list(_left_out([one for _, one in found], version, route, file))
    if not ours:
        return Drilled(
            said=(*said, f"{file}: no drill of this version ({version}) on its route {route} in {folder.name}")
        )
    newest = max((one for _, one in ours), key=lambda one: time_of(one.made))
    same = [(path, one) for path, one in ours if (one.subject, one.inputs, one.modes) == _plan(newest)]
    if len(same) < len(ours):
        said.append(f"{file}: {len(ours) - len(same)} drills with another plan than the newest are left out")
    repetitions = [one for path, _ in same for one in calls(path.parent / REPETITIONS)]
    weeks = {tuple(time_of(one.made).isocalendar()[:2]) for _, one in same}
    said.append(f"{file}: {len(same)} drills of its route {route}, the last of {newest.made}")
    return Drilled(
        repetitions=tuple(repetitions),
        modes=newest.modes,
        runs=len(same),
        weekly=len(weeks),
        said=tuple(said),
        inputs=hash_of(*((path.parent / REPETITIONS).read_bytes() for path, _ in same)),
    )


def coverages_of(found: Drilled, rates: Rates, prefix: str, seed: int) -> dict[str, Measured]:
    """The three coverages by name; empty without a run."""
    return {fact.name.rpartition(".")[2]: Measured(fact) for fact in _facts(found, rates, prefix, seed, 1)}


def endless(found: Drilled, rates: Rates, prefix: str, seed: int) -> Fact:
    """Risk-weighted coverage with the same shares after drills without end."""
    return next(fact for fact in _facts(found, rates, prefix, seed, ENDLESS) if fact.name.endswith(".risk"))


def _facts(found: Drilled, rates: Rates, prefix: str, seed: int, times: int) -> Iterator[Fact]:
    weighed = [rates.of[mode] for mode in found.modes if mode in rates.of]
    if not found.runs:
        return
    rows = [_counted(rate, found.repetitions, times) for rate in weighed]
    scope = (
        "" if len(found.modes) == len(MODES) else f"of the {len(weighed)} weighed modes of {len(found.modes)} chosen"
    )
    for fact in coverages(rows, weighed, seed, scope, ""):
        yield replace(fact, name=f"{prefix}.{fact.name}")


def _counted(rate: Rate, repetitions: Sequence[Repetition], times: int) -> Counted:
    those = [one for one in cold(repetitions) if one.mode == rate.mode]
    k = sum(one.mitigated and not one.passed_off for one in those)
    return Counted(rate.mode, rate.events, rate.impact, k * times, len(those) * times)


def _counts(label: Label, version: str, route: str) -> bool:
    return (label.version, label.status, label.config, label.route) == (VERSION, WHOLE, version, route)


def _plan(label: Label) -> tuple[str, str, tuple[str, ...]]:
    return label.subject, label.inputs, label.modes


def _left_out(labels: Sequence[Label], version: str, route: str, file: str) -> Iterator[str]:
    """Runs that are of this file and do not count."""
    ours = [one for one in labels if one.subject.startswith(f"{file}, ")]
    reasons = {
        "of another version of it": [one for one in ours if one.config not in {"", version}],
        "that do not say of which version they are": [one for one in ours if not one.config],
        "that were not completed": [one for one in ours if one.config == version and one.status != WHOLE],
        f"of other routes than {route}, which the traffic asks for most": [
            one for one in ours if one.config == version and one.status == WHOLE and one.route != route
        ],
    }
    for why, those in reasons.items():
        if those:
            yield f"{file}: {len(those)} drills {why} are left out"
