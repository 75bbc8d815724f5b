"""The files that a replay is made of, read before any work begins; whatever is wrong with them is told at once.

Must never: begin with a file that has a fault, or leave a line that could not be read unmentioned.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from surefoot.config.configuration import Configuration, Credentials
from surefoot.config.gathering import attempted
from surefoot.errors import ConfigError
from surefoot.facts import hash_of
from surefoot.intake.incidents.reading import Gathered, How, gather
from surefoot.replay.arms import read_configuration
from surefoot.replay.demand import Demand, demand_of
from surefoot.replay.modelling import models_of
from surefoot.replay.models.models_file import Given, read_models
from surefoot.replay.posing import Asked, Material
from surefoot.replay.task import TrafficFile, content_of
from surefoot.replay.traffic import TYPICAL_TOKENS, Traffic


class Files(Struct, frozen=True, kw_only=True):
    """What a replay was given."""

    config: Path
    traffic: Path
    incidents: tuple[Path, ...]
    against: Path | None = None
    """None: the same configuration without fallback."""
    models: Path | None = None
    others: tuple[str, ...] = ()
    """Targets of other configurations that the file of models may tell of as well."""


class Opened(Struct, frozen=True, kw_only=True):
    """All of it, read."""

    material: Material
    unreadable: tuple[str, ...]
    """Sentences about entries of lists of incidents that gave none."""
    inputs: str
    """Hash of all that goes into a replay but the seed."""


_TWICE = {
    "false": "the traffic does not tell which attempts belong to one call",
    "partly": "of some attempts the traffic does not tell to which call they belong",
}
"""Where attempts could not be joined the page has to say so (survivorship, and calls that count twice)."""


def opened(files: Files, asked: Asked, environ: Mapping[str, str]) -> Opened:
    """Read the files. Raises `ConfigError` with the faults of all of them."""
    faults: list[str] = []
    ours = attempted(faults, lambda: _configuration(files.config, environ))
    other = files.against
    against = None if other is None else attempted(faults, lambda: _configuration(other, environ))
    demand = attempted(faults, lambda: demand_of(files.traffic))
    found = attempted(faults, lambda: gather(map(str, files.incidents), How()))
    both = [one for one in (ours, against) if one is not None]
    given = _given(files, both, faults)
    if faults or ours is None or demand is None or found is None:
        raise ConfigError(list(dict.fromkeys(faults)))
    material = _material(files, ours, against, (demand, found), given)
    models = [msgspec.json.encode(one.of) for one in (material.of_ours, material.of_against) if one is not None]
    return Opened(
        material=material,
        unreadable=tuple(_unreadable(found)),
        inputs=hash_of(
            *(one.version.encode() for one in both),
            material.traffic.content.encode(),
            msgspec.json.encode(material.incidents),
            *models,
            msgspec.json.encode(msgspec.structs.replace(asked, seed=0)),
        ),
    )


def _material(
    files: Files,
    ours: Configuration,
    against: Configuration | None,
    read: tuple[Demand, Gathered],
    given: Mapping[str, Given],
) -> Material:
    demand, found = read
    faults: list[str] = []
    routes = tuple(route.name for route in ours.routes)
    traffic = attempted(faults, lambda: Traffic(files.traffic, routes, otherwise=routes[0]))
    of_ours = attempted(faults, lambda: models_of(ours, files.traffic, demand, given))
    of_against = (
        None if against is None else attempted(faults, lambda: models_of(against, files.traffic, demand, given))
    )
    if traffic is None or of_ours is None or faults:
        raise ConfigError(faults)
    return Material(
        ours=ours,
        against=against,
        traffic=TrafficFile(
            path=str(files.traffic.absolute()), content=content_of(files.traffic), calls=traffic.calls, routes=routes
        ),
        filled=tuple(_filled(traffic, routes[0])),
        asked=frozenset(demand.routes) & frozenset(routes) | ({routes[0]} if traffic.otherwise else set()),
        demand=demand,
        incidents=tuple(one.incident for one in found.incidents),
        of_ours=of_ours,
        of_against=of_against,
    )


def _configuration(path: Path, environ: Mapping[str, str]) -> Configuration:
    """Without its secrets: it goes to other processes, and perhaps to other machines."""
    return msgspec.structs.replace(read_configuration(path, environ), credentials=Credentials())


def _given(files: Files, configurations: Sequence[Configuration], faults: list[str]) -> Mapping[str, Given]:
    names = [target.name for one in configurations for target in one.targets]
    path = files.models
    if path is None or not names:
        return {}
    return attempted(faults, lambda: read_models(path, list(dict.fromkeys((*names, *files.others))))) or {}


_WITHOUT_ANY = {
    "stream": "all are taken to be streamed",
    "prompt_tokens": f"{TYPICAL_TOKENS} is taken for each",
    "completion_tokens": f"{TYPICAL_TOKENS} is taken for each",
}


def _filled(traffic: Traffic, route: str) -> Iterator[str]:
    for name, calls in traffic.otherwise.items():
        yield f'{_calls(calls)} for {name} {"is" if calls == 1 else "are"} taken to ask for the route "{route}"'
    if traffic.joined in _TWICE:
        yield f"{_TWICE[traffic.joined]}; a failed one and its repeat are two calls here"
    if traffic.failed:
        when = "when it was made" if traffic.failed == 1 else "when they were made"
        yield f"{_calls(traffic.failed)} failed {when}; why is not played again: only incidents fail here"
    for column, calls in traffic.filled.items():
        if calls == traffic.calls:
            yield f"no call tells its {column}; {_WITHOUT_ANY[column]}"
        elif calls:
            tell = "does not tell its" if calls == 1 else "do not tell their"
            yield f"{_calls(calls)} {tell} {column}; it is taken to be as most have it, or their median"


def _calls(count: int) -> str:
    return f"{count:,} call{'' if count == 1 else 's'}"


def _unreadable(found: Gathered) -> Iterator[str]:
    for file in found.files:
        if file.unreadable:
            first = file.unreadable[0]
            yield (
                f"{len(file.unreadable)} of {file.entries} entries of {Path(file.name).name} could not be read,"
                f" the first in line {first.line}: {first.why}; `surefoot incidents` lists them"
            )
