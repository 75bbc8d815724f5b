"""Coverage of one candidate as the replay saw it: what share of its first targets' failures its fallbacks mitigated.

For each failure mode, over the incidents in which a call failed without fallback:

    events    how many there were             impact    minutes of outage of one, without fallback
    n         calls that failed without       k         of those, calls that were answered with

and the three coverages of `evidence.coverage` from these rows. An incident counts in the week in which it begins.
Must never: count what failed in no outage, or an incident that nobody met.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from surefoot.candidates.measuring import effective
from surefoot.evidence.covering import THRESHOLD, Coverage, coverage
from surefoot.replay.counting.arranged import Arranged
from surefoot.replay.counting.numbers import Measured, Numbers
from surefoot.replay.counting.tally import WITHOUT, Sum
from surefoot.replay.counting.toll import MICRO, Toll
from surefoot.replay.virtual.result import Floats, Integers

YEAR = 365.25 * 86_400
_WITH = 1
_MINUTE = 60 * MICRO
MODE, MICROS, CALLS = range(3)
"""Columns of `Modes.each`."""

HOW = {
    "risk": "calls answered of those that failed without, by mode, weighed by minutes of outage without",
    "events": "calls answered of those that failed without, by mode, weighed by incidents",
    "modes": f"modes of which at least {THRESHOLD:.0%} of the calls that failed without were answered",
}
"""The headline first."""


@dataclass(frozen=True, slots=True)
class Modes:
    """Weeks by mode."""

    names: tuple[str, ...]
    events: Integers
    micro: Integers
    """Microseconds of outage without."""
    failed: Integers
    saved: Integers
    each: Integers
    """A row for each incident and mode of it: mode, microseconds, calls that failed without."""

    @property
    def weekly(self) -> int:
        """Weeks with an incident that counts."""
        return int(self.events.any(axis=1).sum())


def modes_of(arranged: Arranged) -> Modes:
    """What became of each mode."""
    found = [
        (toll, mode, *one) for toll in arranged.tolls for mode in toll.modes for one in _share(arranged, toll, mode)
    ]
    names = sorted({mode for _, mode, *_ in found})
    shape = len(arranged.weeks), len(names)
    each = np.zeros((len(found), 3), np.int64)
    events, micros, broken, kept = (np.zeros(shape, np.int64) for _ in range(4))
    made = Modes(tuple(names), events, micros, broken, kept, each)
    for row, (toll, mode, failed, saved) in enumerate(found):
        cell = toll.week - arranged.weeks.start, names.index(mode)
        micro = round(toll.seconds * MICRO * failed / toll.calls)
        each[row] = cell[1], micro, failed
        made.events[cell] += 1
        made.micro[cell] += micro
        made.failed[cell] += failed
        made.saved[cell] += saved
    return made


def coverages(modes: Modes, meter: Numbers, seconds: float) -> dict[str, Measured]:
    """The three coverages by name, over so many seconds of traffic."""
    n = int(modes.failed.sum())
    if not n:
        return {
            name: meter.missing(f"coverage.{name}", "share", 0, "no call met an outage that it did not survive alone")
            for name in HOW
        }
    point, drawn = _point(modes, seconds / YEAR), _drawn(modes, meter.weights)
    cases = {
        "risk": (effective(modes.each[:, MICROS]), "incidents"),
        "events": (float(modes.events.sum()), "incidents"),
        "modes": (float(len(modes.names)), "modes"),
    }
    found = {}
    for name, how in HOW.items():
        count, what = cases[name]
        sample = getattr(point, name), n, count
        found[name] = meter.of_cases(f"coverage.{name}", sample, how, drawn.get(name), what)
    return found


def by_mode(modes: Modes, meter: Numbers) -> Iterator[Measured]:
    """The share of each mode, and its minutes."""
    for number, name in enumerate(modes.names):
        failed, saved = modes.failed[:, number], modes.saved[:, number]
        calls, incidents = int(failed.sum()), int(modes.events[:, number].sum())
        cases = effective(modes.each[modes.each[:, MODE] == number, CALLS])
        sample = int(saved.sum()) / calls, calls, cases
        with np.errstate(invalid="ignore"):
            drawn = None if meter.weights is None else (meter.weights @ saved) / (meter.weights @ failed)
        yield meter.of_cases(f"mode.{name}.mitigated", sample, "calls answered of those that failed without", drawn)
        how = "minutes of outage without fallback"
        yield meter.total(f"mode.{name}.minutes", "minutes", modes.micro[:, number], incidents, _MINUTE, how)


def _share(arranged: Arranged, toll: Toll, mode: str) -> Iterator[tuple[int, int]]:
    """Calls of an incident that failed without in one of its modes, and those of them that were saved."""
    tally = arranged.tally
    chosen = [number for number in toll.outages if tally.outages[number].mode == mode]
    sums = tally.struck[:, chosen].sum(axis=1)
    failed = int(sums[WITHOUT, Sum.FAILED])
    if failed and toll.seconds:
        yield failed, int(sums[_WITH, Sum.SAVED])


def _point(modes: Modes, years: float) -> Coverage:
    events, micro, failed, saved = (part.sum(axis=0) for part in (modes.events, modes.micro, modes.failed, modes.saved))
    rows = zip(modes.names, events / years, micro / _MINUTE / events, saved / failed, strict=True)
    return coverage([(name, float(rate), float(impact), float(share)) for name, rate, impact, share in rows])


def _drawn(modes: Modes, weights: Integers | None) -> dict[str, Floats]:
    """The three in each resample; NaN where it has no incident."""
    if weights is None:
        return {}
    events, micro, failed, saved = (weights @ part for part in (modes.events, modes.micro, modes.failed, modes.saved))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(failed > 0, saved / failed, 0.0)
        there = failed > 0
        return {
            "risk": (micro * shares).sum(axis=1) / micro.sum(axis=1),
            "events": (events * shares).sum(axis=1) / events.sum(axis=1),
            "modes": ((shares >= THRESHOLD) & there).sum(axis=1) / there.sum(axis=1),
        }
