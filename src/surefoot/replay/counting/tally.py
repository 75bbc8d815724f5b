"""What is kept of a paired replay while calls go by: sums and histograms per calendar week, never a call.

Arms have numbers: 0 is without (or what the configuration is held against), then one for each lag. A lag is no run of
its own: a call that arrives in the first L seconds of its first target's outage takes what the arm without made of it,
as if nobody had noticed yet; with a lag of 0 the policy's own detection is all.

A call belongs to the incident of its first target that it arrived in, of several to the one that began last (so that
calls and minutes, `counting.toll`, are of the same one): also where an open breaker spared it the attempt. If it
arrived in none it belongs to the one that struck its first attempt without. Of an incident in several modes it belongs
to the mode that struck. So the calls of an incident are all that could have met it.

All sums are whole numbers (of calls, attempts, billionths of a dollar), so that they do not depend on the order in
which they were added. Memory grows with weeks, outages and kinds of outage, not with calls.
Must never: look at a configuration, draw, or hold a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from math import inf

import numpy as np
from numpy.typing import NDArray

from surefoot.domain.outcome import Kind
from surefoot.errors import EvidenceError
from surefoot.replay.counting.histogram import BINS, bins_of, counted
from surefoot.replay.outages.outage import Outage
from surefoot.replay.virtual.arriving import NONE, Arriving
from surefoot.replay.virtual.driver import KINDS
from surefoot.replay.virtual.result import Floats, Integers, Results

OK = KINDS.index(Kind.OK)
WITHOUT = 0
"""The arm that the others are compared with."""

WEEK = 7 * 86_400
MONDAY = 4 * 86_400
"""Unix time of the first Monday, 1970-01-05. Weeks are those of ISO 8601, in UTC."""

NANO = 1_000_000_000
"""Of a dollar. A week of nine billion dollars would overflow."""

Pair = tuple[str, str]
"""Provider and failure mode of the outages that calls were in."""

ALL: Pair = ("", "")
"""Every call, in an outage or not."""


class Sum(IntEnum):
    """What is summed over calls, per arm."""

    CALLS = 0
    FAILED = 1
    SAVED = 2
    """Failed in the arm without, and answered in this one."""
    LOST = 3
    """Answered in the arm without, and failed in this one."""
    ATTEMPTS = 4
    COST = 5
    """Billionths of a dollar; of the calls whose price is known."""
    EXTRA = 6
    """Of that, what attempts other than the winner cost."""
    UNPRICED = 7
    """Calls with an attempt at a target without a price."""


class Time(IntEnum):
    """What a histogram is kept of, per arm; TTFT and end to end of answered calls alone, since failing is quick."""

    TTFT = 0
    E2E = 1
    DETECT = 2
    SWITCH = 3
    FALLBACK = 4
    """End to end of the calls whose first target was struck and that another one answered."""


@dataclass(slots=True)
class Counts:
    """Of the calls of one week and pair."""

    sums: Integers
    """Arms by `Sum`."""
    times: NDArray[np.int64]
    """Arms by `Time` by bin."""
    winners: Integers
    """Arms by target: answered calls by who answered."""

    @classmethod
    def empty(cls, arms: int, targets: int) -> "Counts":
        """Nothing yet."""
        return cls(
            np.zeros((arms, len(Sum)), np.int64),
            np.zeros((arms, len(Time), BINS), np.int64),
            np.zeros((arms, targets), np.int64),
        )

    def add(self, other: "Counts") -> None:
        """Those of the other as well."""
        self.sums += other.sums
        self.times += other.times
        self.winners += other.winners


@dataclass(frozen=True, slots=True)
class _Columns:
    """One arm's batch, as it is summed."""

    sums: Integers
    """Calls by `Sum`."""
    bins: Integers
    """`Time` by calls."""
    winner: Integers


def week_of(at: Floats) -> Integers:
    """The number of the calendar week of Unix times, counted from the week of 1970-01-05."""
    return np.floor((at - MONDAY) / WEEK).astype(np.int64)


def name_of(week: int) -> str:
    """As ISO 8601 writes it: `2024-W23`."""
    year, number, _ = datetime.fromtimestamp(MONDAY + week * WEEK, UTC).isocalendar()
    return f"{year}-W{number:02}"


class Tally:
    """Counts of one paired replay. Feed it with `add`, batch by batch in the order of arrival."""

    def __init__(self, outages: Sequence[Outage], targets: Sequence[str], lags: Sequence[float]) -> None:
        """`targets`: names by the positions that both arms' results use. `lags` in seconds."""
        self.outages = tuple(outages)
        self.targets = tuple(targets)
        self.lags = tuple(lags)
        self.arms = 1 + len(lags)
        self.first, self.last = inf, -inf
        """Unix times of the first and the last call."""
        self.weeks: dict[tuple[int, Pair], Counts] = {}
        self.struck = np.zeros((self.arms, len(self.outages), len(Sum)), np.int64)
        """Arms by outage by `Sum`: of the calls that belong to the outage."""
        self.arriving = Arriving(self.outages, self.targets)
        self.asked_first: set[int] = set()
        """Positions of the targets that calls ask first; -1 for calls that have none."""
        self.pairs: list[Pair] = sorted({(one.provider, one.mode) for one in self.outages})
        place = {pair: number for number, pair in enumerate(self.pairs)}
        told = {(one.incident, one.provider): None for one in self.outages}
        number = {incident: n for n, incident in enumerate(told)}
        self._incident_of = np.array([number[one.incident, one.provider] for one in self.outages] + [NONE], np.int64)
        self._pair_of = np.array([place[one.provider, one.mode] for one in self.outages] + [NONE], np.int64)

    @property
    def calls(self) -> int:
        """How many were counted."""
        return int(sum(one.sums[WITHOUT, Sum.CALLS] for (_, pair), one in self.weeks.items() if pair == ALL))

    def add(self, first: Integers, without: Results, ours: Results) -> None:
        """A batch of both arms. `first`: position of each call's first target, -1 if it has none.

        Raises `EvidenceError` if the arms do not have the same calls.
        """
        if not np.array_equal(without.at, ours.at):
            raise EvidenceError("two arms of a replay with different calls cannot be compared")
        if not len(ours.at):
            return
        self.first = min(self.first, float(ours.at.min()))
        self.last = max(self.last, float(ours.at.max()))
        self.asked_first |= set(np.unique(first).tolist())
        met, after = self.arriving.find(first, ours.at)
        outage = self._whose(met, without.outage)
        bare, with_it = _columns(without, without), _columns(ours, without)
        columns = [bare] + [_late(with_it, bare, after < lag) if lag else with_it for lag in self.lags]
        self._count_outages(outage, columns)
        weeks = week_of(ours.at)
        pairs = self._pair_of[outage]
        for week in np.unique(weeks).tolist():
            inside = weeks == week
            self._count(week, ALL, inside, columns)
            for number in np.unique(pairs[inside & (pairs != NONE)]).tolist():
                self._count(week, self.pairs[number], inside & (pairs == number), columns)

    def _whose(self, met: Integers, struck: Integers) -> Integers:
        """The outage that each call belongs to: the one that it met, or one that struck it of the same incident."""
        incident = self._incident_of
        by_strike = (struck != NONE) & ((met == NONE) | (incident[struck] == incident[met]))
        return np.where(by_strike, struck, met)

    def _count_outages(self, outage: Integers, columns: Sequence[_Columns]) -> None:
        hit = np.flatnonzero(outage != NONE)
        for arm, one in enumerate(columns):
            np.add.at(self.struck[arm], outage[hit], one.sums[hit])

    def _count(self, week: int, pair: Pair, chosen: NDArray[np.bool_], columns: Sequence[_Columns]) -> None:
        counts = self.weeks.get((week, pair))
        if counts is None:
            counts = self.weeks[week, pair] = Counts.empty(self.arms, len(self.targets))
        for arm, one in enumerate(columns):
            counts.sums[arm] += one.sums[chosen].sum(axis=0)
            winner = one.winner[chosen]
            counts.winners[arm] += np.bincount(winner[winner != NONE], minlength=len(self.targets))
            for time in Time:
                counts.times[arm, time] += counted(one.bins[time, chosen])

    def merge(self, other: "Tally") -> None:
        """The other's calls as well. Raises `EvidenceError` if it counted other outages, targets or lags."""
        if (self.outages, self.targets, self.lags) != (other.outages, other.targets, other.lags):
            raise EvidenceError("tallies of different outages, targets or lags cannot be merged")
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.struck += other.struck
        self.asked_first |= other.asked_first
        for key, counts in other.weeks.items():
            mine = self.weeks.setdefault(key, Counts.empty(self.arms, len(self.targets)))
            mine.add(counts)


def _columns(arm: Results, without: Results) -> _Columns:
    failed, failed_without = arm.kind != OK, without.kind != OK
    unpriced = np.isnan(arm.cost)
    sums = np.empty((len(arm.at), len(Sum)), np.int64)
    sums[:, Sum.CALLS] = 1
    sums[:, Sum.FAILED] = failed
    sums[:, Sum.SAVED] = failed_without & ~failed
    sums[:, Sum.LOST] = failed & ~failed_without
    sums[:, Sum.ATTEMPTS] = arm.attempts
    sums[:, Sum.COST] = _nano(arm.cost)
    sums[:, Sum.EXTRA] = _nano(arm.extra)
    sums[:, Sum.UNPRICED] = unpriced
    answered = [np.where(failed, np.nan, seconds) for seconds in (arm.ttft, arm.e2e)]
    fell_back = (arm.outage != NONE) & (arm.winner != NONE) & (arm.winner != arm.first)
    fallback = np.where(fell_back, answered[Time.E2E], np.nan)
    bins = np.stack([bins_of(seconds) for seconds in (*answered, arm.detect, arm.switch, fallback)])
    return _Columns(sums, bins, np.where(failed, NONE, arm.winner))


def _nano(dollars: Floats) -> Integers:
    return np.rint(np.nan_to_num(dollars) * NANO).astype(np.int64)


def _late(ours: _Columns, without: _Columns, unnoticed: NDArray[np.bool_]) -> _Columns:
    """The arm with, but for calls of which nobody had noticed yet that their target was out."""
    return _Columns(
        np.where(unnoticed[:, None], without.sums, ours.sums),
        np.where(unnoticed, without.bins, ours.bins),
        np.where(unnoticed, without.winner, ours.winner),
    )
