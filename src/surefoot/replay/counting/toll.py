"""What each incident cost: minutes of outage without and with, its duration times the share of its calls that failed.

An incident is what an outage was made from, at one provider; its outages may be of several targets and several modes.
Where several incidents of a target hold at once a minute is that of the one that began last, as a call is, so that no
minute is counted twice. An incident is cut to the time of the traffic, and counts in the week in which it begins there.
Where no call came that would have asked its target first, nothing is known of it: it is counted apart, and is never
saved. Apart from those again are the incidents of targets that no call at all asks first: of fallbacks alone. They have
no minutes of their own; what they do shows where a fallback was needed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from surefoot.evidence.spans import Span, common, length
from surefoot.replay.counting.tally import WITHOUT, Sum, Tally, week_of
from surefoot.replay.outages.outage import GATEWAY, Outage
from surefoot.replay.virtual.result import Floats, Integers

RECOVERED = 0.5
"""Share of the calls failed without that have to be saved for an incident to be recovered, as of a mode in
`evidence.coverage`."""

MICRO = 1_000_000
"""Of a second: lost time is summed in whole microseconds, in any order alike."""


class Sort(IntEnum):
    """What an incident is to the traffic."""

    SEEN = 0
    """A call came that asks its target first."""
    UNSEEN = 1
    """None came in it, though there are calls that ask its target first."""
    FALLBACK = 2
    """No call of the traffic asks its target first."""


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
    asked: bool
    """Whether any call of the traffic asks one of its targets first; an outage of the gateway is everybody's."""
    calls: int
    failed: Integers
    saved: Integers
    lost: Integers

    @property
    def seen(self) -> bool:
        """Whether a call came."""
        return self.calls > 0

    @property
    def sort(self) -> Sort:
        """What it is to the traffic."""
        if self.seen:
            return Sort.SEEN
        return Sort.UNSEEN if self.asked else Sort.FALLBACK

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
    held = tally.arriving.held(sorted(tally.asked_first))
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
        asked=any(one.target == GATEWAY or _place(tally, one.target) in tally.asked_first for one in outages),
        calls=int(sums[WITHOUT, Sum.CALLS]),
        failed=sums[:, Sum.FAILED],
        saved=sums[:, Sum.SAVED],
        lost=sums[:, Sum.LOST],
    )


def _place(tally: Tally, target: str) -> int | None:
    return tally.targets.index(target) if target in tally.targets else None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Tolls of some kinds of outage by week. All are whole numbers."""

    lasted: Integers
    """Microseconds of the incidents, by week and `Sort`."""
    failed: Integers
    """Microseconds of outage, by week and arm."""
    incidents: Integers
    """By week and `Sort`."""
    recovered: Integers
    """By week and arm."""


def ledger(tally: Tally, found: Sequence[Toll], weeks: range, wanted: Callable[[Outage], bool]) -> Ledger:
    """The tolls of those outages. Of an incident that failed in several modes each has its share, by its calls."""
    failed = np.zeros((len(weeks), tally.arms), np.int64)
    recovered = np.zeros((len(weeks), tally.arms), np.int64)
    lasted, incidents = (np.zeros((len(weeks), len(Sort)), np.int64) for _ in range(2))
    for one, chosen in _chosen(tally, found, wanted):
        week = one.week - weeks.start
        incidents[week, one.sort] += 1
        if not one.seen:
            lasted[week, one.sort] += round(one.seconds * MICRO)
            continue
        sums = tally.struck[:, chosen].sum(axis=1)
        lasted[week, one.sort] += round(one.seconds * MICRO * int(sums[WITHOUT, Sum.CALLS]) / one.calls)
        failed[week] += _micro(one.seconds * sums[:, Sum.FAILED] / one.calls)
        recovered[week] += [one.recovered(arm) for arm in range(tally.arms)]
    return Ledger(lasted, failed, incidents, recovered)


def _chosen(tally: Tally, found: Sequence[Toll], wanted: Callable[[Outage], bool]) -> Iterator[tuple[Toll, list[int]]]:
    for one in found:
        chosen = [number for number in one.outages if wanted(tally.outages[number])]
        if chosen:
            yield one, chosen


def _micro(seconds: Floats) -> Integers:
    return np.rint(seconds * MICRO).astype(np.int64)
