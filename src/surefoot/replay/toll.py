"""What each incident cost: minutes of outage without and with, its duration times the share of its calls that failed.

An incident is what an outage was made from, at one provider; its outages may be of several targets and several modes.
Where several incidents of a target hold at once a minute is that of the one that began last, as a call is, so that no
minute is counted twice. An incident is cut to the time of the traffic, and counts in the week in which it begins there.
Where no call came that would have asked its target first, nothing is known of it: it is counted apart, and is never
saved.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.evidence.spans import Span, common, length
from surefoot.replay.outage import Outage
from surefoot.replay.result import Floats, Integers
from surefoot.replay.tally import WITHOUT, Sum, Tally, week_of

RECOVERED = 0.5
"""Share of the calls failed without that have to be saved for an incident to be recovered, as of a mode in
`evidence.coverage`."""

MICRO = 1_000_000
"""Of a second: lost time is summed in whole microseconds, in any order alike."""


@dataclass(frozen=True, slots=True)
class Toll:
    """One incident at one provider. Arrays go by arm."""

    incident: str
    provider: str
    modes: tuple[str, ...]
    start: float
    end: float
    seconds: float
    """How long it was the one that calls were in, within the time of the traffic."""
    week: int
    outages: tuple[int, ...]
    """Positions in the tally."""
    calls: int
    failed: Integers
    saved: Integers
    lost: Integers

    @property
    def seen(self) -> bool:
        """Whether a call came."""
        return self.calls > 0

    def minutes(self, arm: int) -> float:
        """Of outage, in one arm; 0 where no call came."""
        return self.seconds / 60 * int(self.failed[arm]) / self.calls if self.calls else 0.0

    def recovered(self, arm: int) -> bool:
        """Whether calls failed without, and at least half of them did not fail in this arm."""
        failed = int(self.failed[WITHOUT])
        return failed > 0 and int(self.saved[arm]) >= RECOVERED * failed


def tolls(tally: Tally) -> list[Toll]:
    """Of every incident that lies in the time of the traffic, in order of their begin."""
    together: dict[tuple[str, str], list[int]] = {}
    for number, one in enumerate(tally.outages):
        if one.start <= tally.last and one.end > tally.first:
            together.setdefault((one.incident, one.provider), []).append(number)
    held = tally.arriving.held()
    found = [_toll(tally, key, numbers, held) for key, numbers in together.items()]
    return sorted(found, key=lambda one: (one.start, one.incident, one.provider))


def _toll(tally: Tally, key: tuple[str, str], numbers: list[int], held: list[list[Span]]) -> Toll:
    outages = [tally.outages[number] for number in numbers]
    sums = tally.struck[:, numbers].sum(axis=1)
    met = [number for number in numbers if tally.struck[WITHOUT, number, Sum.CALLS]]
    spans = [span for number in met or numbers for span in held[number]]
    start = max(min(one.start for one in outages), tally.first)
    return Toll(
        incident=key[0],
        provider=key[1],
        modes=tuple(sorted({one.mode for one in outages})),
        start=start,
        end=min(max(one.end for one in outages), tally.last),
        seconds=length(common(spans, [(tally.first, tally.last)])),
        week=int(week_of(np.array([start]))[0]),
        outages=tuple(numbers),
        calls=int(sums[WITHOUT, Sum.CALLS]),
        failed=sums[:, Sum.FAILED],
        saved=sums[:, Sum.SAVED],
        lost=sums[:, Sum.LOST],
    )


@dataclass(frozen=True, slots=True)
class Ledger:
    """Tolls of some kinds of outage by week. All are whole numbers."""

    outage: Integers
    """Microseconds of the incidents in which calls came, by week."""
    failed: Integers
    """Microseconds of outage, by week and arm."""
    unseen: Integers
    """Microseconds of the incidents in which none came."""
    incidents: Integers
    """By week: with calls, and without any."""
    recovered: Integers
    """By week and arm."""


def ledger(tally: Tally, found: Sequence[Toll], weeks: range, wanted: Callable[[Outage], bool]) -> Ledger:
    """The tolls of those outages. Of an incident that failed in several modes each has its share, by its calls."""
    outage, unseen = np.zeros(len(weeks), np.int64), np.zeros(len(weeks), np.int64)
    failed = np.zeros((len(weeks), tally.arms), np.int64)
    recovered = np.zeros((len(weeks), tally.arms), np.int64)
    incidents = np.zeros((len(weeks), 2), np.int64)
    for one, chosen in _chosen(tally, found, wanted):
        week = one.week - weeks.start
        incidents[week, 0 if one.seen else 1] += 1
        if not one.seen:
            unseen[week] += round(one.seconds * MICRO)
            continue
        sums = tally.struck[:, chosen].sum(axis=1)
        outage[week] += round(one.seconds * MICRO * int(sums[WITHOUT, Sum.CALLS]) / one.calls)
        failed[week] += _micro(one.seconds * sums[:, Sum.FAILED] / one.calls)
        recovered[week] += [one.recovered(arm) for arm in range(tally.arms)]
    return Ledger(outage, failed, unseen, incidents, recovered)


def _chosen(tally: Tally, found: Sequence[Toll], wanted: Callable[[Outage], bool]) -> Iterator[tuple[Toll, list[int]]]:
    for one in found:
        chosen = [number for number in one.outages if wanted(tally.outages[number])]
        if chosen:
            yield one, chosen


def _micro(seconds: Floats) -> Integers:
    return np.rint(seconds * MICRO).astype(np.int64)
