"""What probes say of the targets of a candidate: the p99 that was measured of each, from one vantage point or several.

A sheet of probes is a `facts.json` (schema: `surefoot.facts`) with facts named

    target.NAME.ttft.p99            seconds to the first content
    target.NAME.end_to_end.p99      seconds to the end of the answer

of 100 samples or more each; what else is in it is passed over. Percentiles are never merged: of several sheets the
newest that tells of a target speaks for it. Must never: take another sheet for one of probes.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.errors import ReplayError
from surefoot.evidence.order import SMALLEST_FOR_P99
from surefoot.facts import Fact, Facts, hash_of, read

SHEET = "facts.json"
_NAME = re.compile(r"target\.(?P<target>.+)\.(?P<measure>ttft|end_to_end)\.p99")
_SECONDS = {"s", "seconds"}


class Probed(Struct, frozen=True, kw_only=True):
    """Of the targets of one candidate."""

    facts: tuple[Fact, ...] = ()
    """Named `probe.TARGET.MEASURE.p99`."""
    said: tuple[str, ...] = ()
    inputs: str = ""


def probed(folder: Path | None, targets: Sequence[str]) -> Probed:
    """Look through a folder, however deep. Raises `ReplayError` for a sheet that is not one of probes, or for none."""
    if folder is None or not folder.is_dir():
        return Probed()
    paths = sorted(folder.rglob(SHEET))
    if not paths:
        raise ReplayError(f"--probes: {folder} holds no {SHEET}; leave the option out to go without probes")
    sheets = sorted((_sheet(path) for path in paths), key=lambda one: one.window[1])
    newest = {fact.name: fact for sheet in sheets for fact in _of_targets(sheet)}
    ours = [fact for name, fact in sorted(newest.items()) if _named(name) in targets]
    without = [name for name in targets if name not in {_named(fact.name) for fact in ours}]
    return Probed(
        facts=tuple(replace(fact, name=fact.name.replace("target.", "probe.", 1)) for fact in ours),
        said=(f"not probed: {', '.join(without)}",) if without else (),
        inputs=hash_of(msgspec.json.encode(ours)),
    )


def _sheet(path: Path) -> Facts:
    try:
        found = read(path.read_bytes())
    except OSError as error:
        raise ReplayError(f"--probes: {path} cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ReplayError(f"--probes: {path} is no sheet of facts ({error}); take it out of the folder") from error
    those = list(_of_targets(found))
    if not those:
        raise ReplayError(
            f"--probes: {path} (by {found.program}) has no fact target.NAME.ttft.p99 or target.NAME.end_to_end.p99:"
            " it is no sheet of probes; take it out of the folder"
        )
    for fact in those:
        if fact.unit not in _SECONDS:
            raise ReplayError(f"--probes: {path}: {fact.name} is in `{fact.unit}`; it has to be in seconds")
        if fact.value is not None and fact.n < SMALLEST_FOR_P99:
            raise ReplayError(f"--probes: {path}: {fact.name} is of {fact.n} samples; a p99 needs {SMALLEST_FOR_P99}")
    return found


def _of_targets(sheet: Facts) -> Iterator[Fact]:
    return (fact for fact in sheet.facts if _NAME.fullmatch(fact.name))


def _named(name: str) -> str:
    found = _NAME.fullmatch(name)
    return found["target"] if found else ""
