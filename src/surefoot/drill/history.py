"""Runs of drills, kept in a folder, and the last comparable one to hold a new one against.

A run is a sub-folder named by its UTC time with `coverage.json` (facts), `journal.json` (Chaos Toolkit), `changes.json`
(against the run before, if there was one), `repetitions.jsonl` (every drilled call) and `run.json` (what it was a drill
of). Completed runs of the same subject are comparable, also when the configuration has changed: that is then said. A
run that was not completed says so in its folder's name; it is compared with nothing, and nothing with it.

Repetitions are kept because percentiles cannot be compared or joined without their samples.
Must never: write over a run, or call a difference a change whose interval does not exclude zero.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from surefoot.drill.coverage import COLD, MEASURES, WARM, cold, share, warm
from surefoot.drill.quantiles import CONFIDENCE, difference, quantiles
from surefoot.drill.repetition import Repetition
from surefoot.drill.shelf import (
    CHANGES,
    COVERAGE,
    JOURNAL,
    REPETITIONS,
    RUN,
    VERSION,
    WHOLE,
    Label,
    calls,
    labels,
    time_of,
)
from surefoot.errors import StartError
from surefoot.evidence.intervals import newcombe
from surefoot.facts import Fact, Facts, write

QUANTILES = (("p50", 0.50), ("p99", 0.99))
TIMES = ("ttft", "end_to_end")


class Measure(Struct, frozen=True, kw_only=True):
    """One number, then and now. The three facts are named `then|now|change.MODE.cold|warm.MEASURE`."""

    then: Fact
    now: Fact
    change: Fact
    """Now less then."""

    @property
    def changed(self) -> bool:
        """Whether the interval of the difference excludes zero."""
        low, high = self.change.low, self.change.high
        return (low is not None and low > 0) or (high is not None and high < 0)


class Changes(Struct, frozen=True, kw_only=True):
    """What is different from the run before."""

    since: str
    """When that run was made."""
    same_inputs: bool
    """Whether its configuration and plan were the same."""
    measures: tuple[Measure, ...]


def keep(
    out: Path, label: Label, repetitions: Sequence[Repetition], sheet: Facts, journal: Mapping[str, Any]
) -> tuple[Path, Changes | None]:
    """Write a run into a new sub-folder of `out`, which is made if need be, with its changes since the one before.

    Returns the sub-folder. Raises `StartError` if there is one already, or if an earlier run cannot be read.
    """
    name = datetime.fromisoformat(label.made).astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    if label.status != WHOLE:
        name += f"-{label.status}"
    folder, part = out / name, out / f".{name}.part"
    if folder.exists():
        raise StartError(f"{folder}: there is a run already, and runs are not written over; move it away")
    before = _last_comparable(out, label) if label.status == WHOLE else None
    changes = None if before is None else _changes(label, repetitions, *before)
    try:
        part.mkdir(parents=True)
        for file, content in _files(label, repetitions, sheet, journal, changes).items():
            (part / file).write_bytes(content + b"\n")
        part.rename(folder)  # only now it is a run
    except OSError as error:
        raise StartError(f"{part}: cannot be written: {error.strerror}") from error
    return folder, changes


def compare(now: Sequence[Repetition], then: Sequence[Repetition]) -> list[Measure]:
    """What can be compared of each mode that was drilled in both: the mitigated share and the times."""
    modes = sorted({one.mode for one in now} & {one.mode for one in then})
    return [measure for mode in modes for measure in _of_mode(mode, now, then)]


def _files(
    label: Label, repetitions: Sequence[Repetition], sheet: Facts, journal: Mapping[str, Any], changes: Changes | None
) -> dict[str, bytes]:
    found = {
        COVERAGE: write(sheet),
        JOURNAL: json.dumps(journal, indent=2).encode(),
        REPETITIONS: b"\n".join(msgspec.json.encode(one) for one in repetitions),
        RUN: msgspec.json.format(msgspec.json.encode(label), indent=2),
    }
    if changes is not None:
        found[CHANGES] = msgspec.json.format(msgspec.json.encode(changes), indent=2)
    return found


def _last_comparable(out: Path, label: Label) -> tuple[Label, list[Repetition]] | None:
    """The newest whole run of the same subject and at least these modes that was made before this one."""
    runs = [
        (other.made, path, other)
        for path, other in labels(out)
        if (other.version, other.status, other.subject) == (VERSION, WHOLE, label.subject)
        and set(label.modes) <= set(other.modes)
        and time_of(other.made) < time_of(label.made)
    ]
    if not runs:
        return None
    _, path, newest = max(runs, key=lambda run: time_of(run[0]))
    return newest, calls(path.parent / REPETITIONS)


def _changes(label: Label, now: Sequence[Repetition], before: Label, then: Sequence[Repetition]) -> Changes:
    same = label.inputs == before.inputs
    return Changes(since=before.made, same_inputs=same, measures=tuple(compare(now, then)))


def _of_mode(mode: str, now: Sequence[Repetition], then: Sequence[Repetition]) -> Iterator[Measure]:
    for state, those in ((COLD, cold), (WARM, warm)):
        ours, theirs = ([one for one in those(calls) if one.mode == mode] for calls in (now, then))
        if not (ours and theirs):
            continue
        what = f"{mode}.{state}"
        yield _share(f"{what}.mitigated", ours, theirs)
        for measure in TIMES:
            first, second = (
                [value for one in calls if (value := getattr(one, measure)) is not None] for calls in (ours, theirs)
            )
            yield from _times(f"{what}.{measure}", MEASURES[measure], first, second)


def _times(what: str, how: str, now: Sequence[float], then: Sequence[float]) -> Iterator[Measure]:
    pairs = zip(
        quantiles(f"then.{what}", then, how, QUANTILES), quantiles(f"now.{what}", now, how, QUANTILES), strict=True
    )
    for (suffix, q), (before, after) in zip(QUANTILES, pairs, strict=True):
        change = difference(f"change.{what}.{suffix}", (now, then), q, f"{suffix} {how}, now less then")
        yield Measure(then=before, now=after, change=change)


def _share(what: str, now: Sequence[Repetition], then: Sequence[Repetition]) -> Measure:
    ours, theirs = ((sum(one.mitigated and not one.passed_off for one in calls), len(calls)) for calls in (now, then))
    low, high = newcombe(ours, theirs, CONFIDENCE)
    how = "valid, whole answers within the deadline, of all calls that counted"
    change = Fact(
        name=f"change.{what}",
        value=ours[0] / ours[1] - theirs[0] / theirs[1],
        unit="share",
        n=min(ours[1], theirs[1]),
        low=low,
        high=high,
        confidence=CONFIDENCE,
        method=f"{ours[0]} of {ours[1]} now less {theirs[0]} of {theirs[1]} then; Newcombe's hybrid score interval",
    )
    return Measure(then=share(f"then.{what}", *theirs, how), now=share(f"now.{what}", *ours, how), change=change)
