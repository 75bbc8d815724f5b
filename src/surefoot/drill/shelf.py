"""The folder in which runs of drills are kept: what lies in it, and whether anything can be put there.

Knows: names of files, and the label of a run. Must never: compare, or import what is dear: it is asked before a drill.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from surefoot.config.folder import make_writable
from surefoot.drill.repetition import Repetition
from surefoot.errors import StartError
from surefoot.facts import Facts, read

COVERAGE = "coverage.json"
JOURNAL = "journal.json"
CHANGES = "changes.json"
REPETITIONS = "repetitions.jsonl"
RUN = "run.json"

VERSION = 2
"""Of `run.json` and of the repetitions beside it; a run of another version is not compared with."""

WHOLE = "completed"
"""Status of a run that is compared."""


class Label(Struct, frozen=True, kw_only=True):
    """What a run was a drill of."""

    version: int = VERSION
    status: str = WHOLE
    """How it ended."""
    modes: tuple[str, ...] = ()
    """What was chosen. A run is compared with an earlier one that had all of them."""
    made: str
    """When: ISO 8601, UTC."""
    subject: str
    """What has to be the same for two runs to be compared: configuration file, route, and where it was drilled."""
    inputs: str
    """Hash of configuration and plan."""
    asked: tuple[str, ...] | None = None
    """The targets of the route that the canary key may ask, as listed; None in runs that did not keep it yet."""
    config: str = ""
    """Version of the configuration. Empty, as the route is, in runs that were kept before it was told."""
    route: str = ""
    forbidden: tuple[str, ...] = ()
    """Modes after which only targets are left that the jurisdiction forbids."""


def ready(out: Path) -> None:
    """See that runs can be kept in `out`, which is made if need be, and that those in it can be read.

    Raises `StartError` with what to do: before a drill, because afterwards its evidence would be lost.
    """
    make_writable(out)
    for path, label in labels(out):
        if (label.version, label.status) == (VERSION, WHOLE):
            calls(path.parent / REPETITIONS)


def labels(out: Path) -> Iterator[tuple[Path, Label]]:
    """Every run's label, with its path. Raises `StartError` for one that cannot be read."""
    for path in sorted(out.glob(f"[!.]*/{RUN}")):
        yield path, label_of(path)


def label_of(path: Path) -> Label:
    """A run's label. Raises `StartError` if it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Label)
    except (OSError, msgspec.DecodeError) as error:
        raise StartError(f"{path}: is not the label of a run ({error}); move its folder away") from error


def last_run(runs: Path) -> tuple[Label, Facts] | None:
    """Label and facts of the newest whole run in a folder of runs; None if there is none. Raises `StartError`."""
    found = [(label, path) for path, label in labels(runs) if (label.version, label.status) == (VERSION, WHOLE)]
    if not found:
        return None
    label, path = max(found, key=lambda one: time_of(one[0].made))
    file = path.parent / COVERAGE
    try:
        return label, read(file.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise StartError(f"{file}: is not the sheet of a run ({error}); move its folder away") from error


def time_of(made: str) -> datetime:
    """When a run was made, from its label."""
    return datetime.fromisoformat(made)


def calls(path: Path) -> list[Repetition]:
    """The drilled calls of a run. Raises `StartError` if they cannot be read."""
    try:
        return [msgspec.json.decode(line, type=Repetition) for line in path.read_bytes().splitlines() if line]
    except (OSError, msgspec.DecodeError) as error:
        raise StartError(f"{path}: are not the calls of a run ({error}); move its folder away") from error
