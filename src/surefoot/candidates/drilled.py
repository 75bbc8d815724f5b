"""What drills say of a candidate: k of n cold calls of each mode that got a valid answer, and the coverage from them.

A run counts if it was of this very configuration (by its version), on a route that the traffic asks for, and was
completed. Of each route the runs of the newest one's plan are put together; all others are left out, each with its
reason. Routes are weighed by the calls that ask for them (`weighing`).
Must never: take a drill of another version for one of this.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from surefoot.drill.repetition import Repetition
from surefoot.drill.shelf import REPETITIONS, RUN, VERSION, WHOLE, Label, calls, label_of, time_of
from surefoot.facts import hash_of


class OfRoute(Struct, frozen=True, kw_only=True):
    """What was found of one route."""

    route: str
    share: float
    """Of the calls, those that ask for it."""
    repetitions: tuple[Repetition, ...] = ()
    modes: tuple[str, ...] = ()
    forbidden: frozenset[str] = frozenset()
    """Modes after which only targets were left that the jurisdiction forbids."""
    runs: int = 0
    weekly: int = 0
    """Calendar weeks in which one was made."""


class Drilled(Struct, frozen=True, kw_only=True):
    """What was found of one candidate; without runs there is no coverage by drills."""

    routes: tuple[OfRoute, ...] = ()
    """All that the traffic asks for, drilled or not."""
    said: tuple[str, ...] = ()
    """What was counted and what was not, a sentence each."""
    inputs: str = ""
    """Hash of what was counted."""

    @property
    def counted(self) -> list[OfRoute]:
        """The routes that were drilled."""
        return [one for one in self.routes if one.runs]

    @property
    def weekly(self) -> int:
        """Weekly runs of the route that has fewest of those that were drilled."""
        return min((one.weekly for one in self.counted), default=0)


def drilled(folder: Path | None, version: str, routes: Mapping[str, float], file: str) -> Drilled:
    """Look through a folder of drills, however deep. `routes`: the share of the calls that ask for each.

    Raises `StartError` for a run that cannot be read.
    """
    if folder is None or not folder.is_dir():
        return Drilled()
    runs = [(path, label_of(path)) for path in sorted(folder.rglob(RUN)) if not path.parent.name.startswith(".")]
    said = list(_left_out([one for _, one in runs], version, routes, file))
    found, hashes = [], []
    for route, share in routes.items():
        ours = [(path, one) for path, one in runs if _counts(one, version, route)]
        newest = max((one for _, one in ours), key=lambda one: time_of(one.made), default=None)
        same = [(path, one) for path, one in ours if newest is not None and _plan(one) == _plan(newest)]
        if len(same) < len(ours):
            said.append(
                f"{file}: {_drills(len(ours) - len(same))} of its route {route} with another plan than the newest:"
                " left out"
            )
        said.append(_counted(file, version, (route, share), [one for _, one in same], folder))
        found.append(_of_route(route, share, same))
        hashes += [(path.parent / REPETITIONS).read_bytes() for path, _ in same]
    return Drilled(routes=tuple(found), said=tuple(said), inputs=hash_of(*hashes) if hashes else "")


def _of_route(route: str, share: float, runs: Sequence[tuple[Path, Label]]) -> OfRoute:
    labels = [one for _, one in runs]
    if not labels:
        return OfRoute(route=route, share=share)
    return OfRoute(
        route=route,
        share=share,
        repetitions=tuple(one for path, _ in runs for one in calls(path.parent / REPETITIONS)),
        modes=labels[0].modes,
        forbidden=frozenset.intersection(*(frozenset(one.forbidden) for one in labels)),
        runs=len(labels),
        weekly=len({tuple(time_of(one.made).isocalendar()[:2]) for one in labels}),
    )


def _counted(file: str, version: str, route: tuple[str, float], labels: Sequence[Label], folder: Path) -> str:
    name, share = route
    part = f", which {share:.1%} of the calls ask for" if share < 1 else ""
    if not labels:
        return f"{file}: no drill of this version ({version}) on its route {name}{part} in {folder.name}"
    last = max((one.made for one in labels), key=time_of)
    return f"{file}: {_drills(len(labels))} of its route {name}{part}, the last of {last}"


def _counts(label: Label, version: str, route: str) -> bool:
    return (label.version, label.status, label.config, label.route) == (VERSION, WHOLE, version, route)


def _plan(label: Label) -> tuple[str, str, tuple[str, ...]]:
    return label.subject, label.inputs, label.modes


def _left_out(labels: Sequence[Label], version: str, routes: Mapping[str, float], file: str) -> Iterator[str]:
    """Runs that are of this file and do not count."""
    ours = [one for one in labels if one.subject.startswith(f"{file}, ")]
    of_this = [one for one in ours if one.config == version]
    reasons = {
        "of another version of it": [one for one in ours if one.config not in {"", version}],
        "of an unknown version": [one for one in ours if not one.config],
        "not completed": [one for one in of_this if one.status != WHOLE],
        "of routes that the traffic does not ask for": [
            one for one in of_this if one.status == WHOLE and one.route not in routes
        ],
        "kept by another version of surefoot": [
            one for one in of_this if one.status == WHOLE and one.route in routes and one.version != VERSION
        ],
    }
    for why, those in reasons.items():
        if those:
            yield f"{file}: {_drills(len(those))} {why}: left out"


def _drills(count: int) -> str:
    return f"{count} drill{'' if count == 1 else 's'}"
