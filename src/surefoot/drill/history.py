"""Runs of drills, kept in a folder, and the last comparable one to hold a new one against.

A run is a sub-folder named by its UTC time with `coverage.json` (facts), `journal.json` (Chaos Toolkit), `changes.json`
(against the run before, if there was one), `repetitions.jsonl` (every drilled call) and `run.json` (what it was a drill
of). Runs of the same subject are comparable, also when the configuration has changed: that is then said.

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

from surefoot.drill.coverage import COLD, MEASURES, WARM, cold, warm
from surefoot.drill.quantiles import CONFIDENCE, difference
from surefoot.drill.repetition import Repetition
from surefoot.errors import StartError
from surefoot.evidence.intervals import newcombe
from surefoot.facts import Fact, Facts, read, write

COVERAGE = "coverage.json"
JOURNAL = "journal.json"
CHANGES = "changes.json"
REPETITIONS = "repetitions.jsonl"
RUN = "run.json"

VERSION = 1
"""Of `run.json` and of the repetitions beside it; a run of another version is not compared with."""

QUANTILES = (("p50", 0.50), ("p99", 0.99))
TIMES = ("ttft", "end_to_end")


class Label(Struct, frozen=True, kw_only=True):
    """What a run was a drill of."""

    version: int = VERSION
    made: str
    """When: ISO 8601, UTC."""
    subject: str
    """What has to be the same for two runs to be compared: configuration file, route, and where it was drilled."""
    inputs: str
    """Hash of configuration and plan."""


class Changes(Struct, frozen=True, kw_only=True):
    """What is different from the run before."""

    since: str
    """When that run was made."""
    same_inputs: bool
    """Whether its configuration and plan were the same."""
    facts: tuple[Fact, ...]
    """Differences, now less then, named `change.MODE.cold|warm.MEASURE`."""


def changed(fact: Fact) -> bool:
    """Whether the interval of a difference excludes zero."""
    return (fact.low is not None and fact.low > 0) or (fact.high is not None and fact.high < 0)


def keep(
    out: Path, label: Label, repetitions: Sequence[Repetition], sheet: Facts, journal: Mapping[str, Any]
) -> tuple[Path, Changes | None]:
    """Write a run into a new sub-folder of `out`, which is made if need be, with its changes since the one before.

    Returns the sub-folder. Raises `StartError` if there is one already, or if an earlier run cannot be read.
    """
    name = datetime.fromisoformat(label.made).astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    folder, part = out / name, out / f".{name}.part"
    if folder.exists():
        raise StartError(f"{folder}: there is a run already, and runs are not written over; move it away")
    before = _last_comparable(out, label)
    changes = None if before is None else _changes(label, repetitions, *before)
    try:
        part.mkdir(parents=True)
        for file, content in _files(label, repetitions, sheet, journal, changes).items():
            (part / file).write_bytes(content + b"\n")
        part.rename(folder)  # only now it is a run
    except OSError as error:
        raise StartError(f"{part}: cannot be written: {error.strerror}") from error
    return folder, changes


def last_sheet(runs: Path) -> Facts | None:
    """The facts of the newest whole run in a folder of runs; None if there is none. Raises `StartError`."""
    found = [(label.made, path) for path, label in _labels(runs) if label.version == VERSION]
    if not found:
        return None
    file = max(found, key=lambda one: _time(one[0]))[1].parent / COVERAGE
    try:
        return read(file.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise StartError(f"{file}: is not the sheet of a run ({error}); move its folder away") from error


def compare(now: Sequence[Repetition], then: Sequence[Repetition]) -> list[Fact]:
    """The differences of each mode that was drilled in both, now less then: of the mitigated share and of the times."""
    modes = sorted({one.mode for one in now} & {one.mode for one in then})
    return [fact for mode in modes for fact in _of_mode(mode, now, then)]


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
    """The newest run of the same subject that was made before this one."""
    runs = [
        (other.made, path, other)
        for path, other in _labels(out)
        if (other.version, other.subject) == (VERSION, label.subject) and _time(other.made) < _time(label.made)
    ]
    if not runs:
        return None
    _, path, newest = max(runs, key=lambda run: _time(run[0]))
    return newest, _read(path.parent / REPETITIONS)


def _labels(out: Path) -> Iterator[tuple[Path, Label]]:
    for path in sorted(out.glob(f"[!.]*/{RUN}")):
        try:
            yield path, msgspec.json.decode(path.read_bytes(), type=Label)
        except (OSError, msgspec.DecodeError) as error:
            raise StartError(f"{path}: is not the label of a run ({error}); move its folder away") from error


def _read(path: Path) -> list[Repetition]:
    try:
        return [msgspec.json.decode(line, type=Repetition) for line in path.read_bytes().splitlines() if line]
    except (OSError, msgspec.DecodeError) as error:
        raise StartError(f"{path}: are not the calls of a run ({error}); move its folder away") from error


def _time(made: str) -> datetime:
    return datetime.fromisoformat(made)


def _changes(label: Label, now: Sequence[Repetition], before: Label, then: Sequence[Repetition]) -> Changes:
    same = label.inputs == before.inputs
    return Changes(since=before.made, same_inputs=same, facts=tuple(compare(now, then)))


def _of_mode(mode: str, now: Sequence[Repetition], then: Sequence[Repetition]) -> Iterator[Fact]:
    for state, those in ((COLD, cold), (WARM, warm)):
        ours, theirs = ([one for one in those(calls) if one.mode == mode] for calls in (now, then))
        if not (ours and theirs):
            continue
        start = f"change.{mode}.{state}"
        yield _share(f"{start}.mitigated", ours, theirs)
        for measure in TIMES:
            first, second = (
                [value for one in calls if (value := getattr(one, measure)) is not None] for calls in (ours, theirs)
            )
            for suffix, q in QUANTILES:
                how = f"{suffix} {MEASURES[measure]}, now less then"
                yield difference(f"{start}.{measure}.{suffix}", (first, second), q, how)


def _share(name: str, now: Sequence[Repetition], then: Sequence[Repetition]) -> Fact:
    ours, theirs = ((sum(one.mitigated and not one.passed_off for one in calls), len(calls)) for calls in (now, then))
    low, high = newcombe(ours, theirs, CONFIDENCE)
    return Fact(
        name=name,
        value=ours[0] / ours[1] - theirs[0] / theirs[1],
        unit="share",
        n=min(ours[1], theirs[1]),
        low=low,
        high=high,
        confidence=CONFIDENCE,
        method=f"{ours[0]} of {ours[1]} now less {theirs[0]} of {theirs[1]} then; Newcombe's hybrid score interval",
    )
