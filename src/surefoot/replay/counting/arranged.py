"""A tally laid out by week, for one group of outage at a time: what a summary reads its numbers and resamples from.

Weeks without any call between the first and the last are weeks as well: the bootstrap may draw them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import ReplayError
from surefoot.replay.counting.histogram import BINS
from surefoot.replay.counting.resampling import FEWEST_WEEKS, weights
from surefoot.replay.counting.tally import ALL, Counts, Pair, Sum, Tally, Time, week_of
from surefoot.replay.counting.toll import Ledger, Toll, ledger, tolls
from surefoot.replay.virtual.result import Integers


@dataclass(frozen=True, slots=True)
class Group:
    """Which calls: all of them, those in an outage, or those in an outage of a provider, of a mode, or of both."""

    name: str
    provider: str = ""
    mode: str = ""
    everything: bool = False

    def holds(self, pair: Pair) -> bool:
        """Whether the calls of a pair are among them."""
        if self.everything:
            return pair == ALL
        return pair != ALL and self.provider in {"", pair[0]} and self.mode in {"", pair[1]}


EVERYTHING = Group("all", everything=True)
OUTAGES = Group("outages")


def groups_of(tally: Tally) -> list[Group]:
    """All, in outages, each provider, each mode, and each mode of each provider, as far as there were outages."""
    pairs = sorted({(one.provider, one.mode) for one in tally.outages})
    if not pairs:
        return [EVERYTHING]
    providers = [Group(f"provider.{name}", provider=name) for name in sorted({pair[0] for pair in pairs}) if name]
    modes = [Group(f"mode.{name}", mode=name) for name in sorted({pair[1] for pair in pairs})]
    both = [Group(f"provider.{one}.mode.{mode}", provider=one, mode=mode) for one, mode in pairs if one]
    return [EVERYTHING, OUTAGES, *providers, *modes, *both]


@dataclass(slots=True)
class Arranged:
    """One tally by week. Raises `ReplayError` for one without a call."""

    tally: Tally
    seed: int
    weeks: range = field(init=False)
    tolls: list[Toll] = field(init=False)
    weights: Integers | None = field(init=False)
    """Resamples by week; None if there are too few weeks for an interval."""

    def __post_init__(self) -> None:
        """Find the weeks."""
        if self.tally.last < self.tally.first:
            raise ReplayError("no call was replayed: there is nothing to say")
        first, last = week_of(np.array([self.tally.first, self.tally.last])).tolist()
        self.weeks = range(first, last + 1)
        self.tolls = tolls(self.tally)
        self.weights = weights(len(self.weeks), self.seed) if len(self.weeks) >= FEWEST_WEEKS else None

    def view(self, group: Group) -> "View":
        """What was counted of some calls."""
        held = ledger(
            self.tally, self.tolls, self.weeks, lambda one: group.everything or group.holds((one.provider, one.mode))
        )
        return View(self, held, [list(self._counts(week, group)) for week in self.weeks])

    def _counts(self, week: int, group: Group) -> Iterator[Counts]:
        pairs: Sequence[Pair] = [ALL] if group.everything else self.tally.pairs
        for pair in pairs:
            counts = self.tally.weeks.get((week, pair))
            if counts is not None and group.holds(pair):
                yield counts


@dataclass(frozen=True, slots=True)
class View:
    """The counts of one group of calls, by week."""

    of: Arranged
    tolls: Ledger
    counts: list[list[Counts]]

    def sums(self, arm: int, what: Sum) -> Integers:
        """By week."""
        return np.array([sum(int(one.sums[arm, what]) for one in week) for week in self.counts], np.int64)

    def times(self, arm: int, what: Time) -> NDArray[np.int64]:
        """Weeks by bin."""
        found = np.zeros((len(self.counts), BINS), np.int64)
        for number, week in enumerate(self.counts):
            for one in week:
                found[number] += one.times[arm, what]
        return found

    def winners(self, arm: int) -> NDArray[np.int64]:
        """Weeks by target."""
        found = np.zeros((len(self.counts), len(self.of.tally.targets)), np.int64)
        for number, week in enumerate(self.counts):
            for one in week:
                found[number] += one.winners[arm]
        return found
