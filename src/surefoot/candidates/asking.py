"""What a comparison is made of, read before any work begins; whatever is wrong with it is told at once."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path

import msgspec
from msgspec import Struct

from surefoot.candidates.drilled import Drilled, drilled
from surefoot.candidates.probed import Probed, probed
from surefoot.config.configuration import Configuration
from surefoot.config.gathering import attempted
from surefoot.config.rates import Rates
from surefoot.errors import ConfigError
from surefoot.facts import hash_of
from surefoot.intake.incident import Reading
from surefoot.replay.arms import read_configuration
from surefoot.replay.files import Files, Opened, opened
from surefoot.replay.posing import Asked, Posed, pose

FEWEST = 2
"""Candidates of a comparison."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be compared, and on what."""

    configs: tuple[Path, ...]
    """The first is what the others are held against."""
    traffic: Path
    incidents: tuple[Path, ...]
    models: Path | None = None
    drills: Path | None = None
    probes: Path | None = None
    rates: Rates
    """What each mode weighs where coverage is that of drills: the same for all candidates."""
    readings: tuple[Reading, ...]
    """The first is that of the matrix."""
    seed: int


class Candidate(Struct, frozen=True, kw_only=True):
    """One whole configuration, with the replays that are to be done of it."""

    name: str
    configuration: Configuration
    opened: Opened
    posed: Posed
    """A task for each reading."""
    routes: tuple[str, ...]
    """That the traffic asks for, the most asked first."""
    drilled: Drilled
    probed: Probed


def candidates_of(wanted: Wanted, environ: Mapping[str, str]) -> list[Candidate]:
    """Read everything. Raises `ConfigError` with every fault."""
    faults = _names(wanted.configs)
    read = [attempted(faults, partial(read_configuration, file, environ)) for file in wanted.configs]
    targets = tuple(target.name for one in read if one is not None for target in one.targets)
    asked = Asked(readings=wanted.readings, lags=(0.0,), vary=False, seed=wanted.seed)
    known = targets, environ
    found = [attempted(faults, partial(_candidate, wanted, file, asked, known)) for file in wanted.configs]
    for folder, option in ((wanted.drills, "--drills"), (wanted.probes, "--probes")):
        if folder is not None and not folder.is_dir():
            faults.append(f"{option}: {folder} is no folder; leave the option out to go by the replay alone")
    candidates = [one for one in found if one is not None]
    if not faults:
        faults += _incomparable(candidates)
    if faults:
        raise ConfigError(list(dict.fromkeys(faults)))
    return candidates


def alike(candidates: Sequence[Candidate]) -> Iterator[str]:
    """Which of them are one configuration under two names: their differences are none, whatever is replayed."""
    for one, other in combinations(candidates, 2):
        if one.configuration.version == other.configuration.version:
            yield f"{one.name} and {other.name} are the same configuration ({one.configuration.version})"


def inputs_of(wanted: Wanted, candidates: Sequence[Candidate]) -> str:
    """Hash of all that goes into a comparison but the seed."""
    return hash_of(
        *(f"{one.name} {one.opened.inputs} {one.drilled.inputs} {one.probed.inputs}".encode() for one in candidates),
        msgspec.json.encode(wanted.rates, order="deterministic"),
    )


def _names(files: Sequence[Path]) -> list[str]:
    stems = [file.stem for file in files]
    faults = [
        f"-c: {stems.count(name)} candidates are called `{name}`; rename a file, candidates are told apart by its name"
        for name in dict.fromkeys(stems)
        if stems.count(name) > 1
    ]
    if len(files) < FEWEST:
        faults.append("-c: one candidate is no comparison; name two or more, or use `surefoot replay`")
    return faults


def _incomparable(candidates: Sequence[Candidate]) -> Iterator[str]:
    """Calls of a route have to mean the same to all, and so has a target's name: both decide what a call meets."""
    having = {
        route: [one.name for one in candidates if route in {other.name for other in one.configuration.routes}]
        for route in sorted({route for one in candidates for route in one.opened.material.demand.routes})
    }
    for route, names in having.items():
        for one in candidates:
            if names and one.name not in names:
                yield (
                    f"-c: {one.name} has no route {route}, which the traffic asks for and {names[0]} has; add it there,"
                    " or its calls would go to another one"
                )
    for one, other in combinations(candidates, 2):
        mine = {target.name: target for target in one.configuration.targets}
        for target in other.configuration.targets:
            same = mine.get(target.name, target)
            if (same.provider, same.model) != (target.provider, target.model):
                yield (
                    f"-c: `{target.name}` is {same.provider} {same.model} in {one.name} and {target.provider}"
                    f" {target.model} in {other.name}; give one of them another name"
                )


def _candidate(wanted: Wanted, file: Path, asked: Asked, known: tuple[tuple[str, ...], Mapping[str, str]]) -> Candidate:
    targets, environ = known
    files = Files(config=file, traffic=wanted.traffic, incidents=wanted.incidents, models=wanted.models, others=targets)
    found = opened(files, asked, environ)
    ours = found.material.ours
    routes = _asked(found)
    return Candidate(
        name=file.stem,
        configuration=ours,
        opened=found,
        posed=pose(found.material, asked),
        routes=tuple(routes),
        drilled=drilled(wanted.drills, ours.version, routes, file.name),
        probed=probed(wanted.probes, [target.name for target in ours.targets]),
    )


def _asked(found: Opened) -> dict[str, float]:
    """The routes that calls are replayed on with their share of the calls, the most asked first.

    What the configuration lacks goes to its first.
    """
    names = found.material.traffic.routes
    calls = dict.fromkeys(names, 0)
    for name, count in found.material.demand.routes.items():
        calls[name if name in calls else names[0]] += count
    total = sum(calls.values())
    return {name: calls[name] / total for name in sorted(names, key=lambda name: (-calls[name], name)) if calls[name]}
