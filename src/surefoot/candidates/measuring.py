"""A number of one candidate with its resamples, so that the same number of two candidates can be held together.

All candidates have the same traffic and so the same weeks, which are resampled alike: what two of them have in common
cancels in the difference. Knows nothing of what is measured.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.evidence.intervals import garwood, korn_graubard
from surefoot.evidence.order import P99, SMALLEST_FOR_P99, quantile_ranks
from surefoot.facts import Fact
from surefoot.replay.counting.histogram import MIDDLES, RELATIVE_ERROR, quantile, quantiles_of_rows
from surefoot.replay.counting.resampling import CONFIDENCE, RESAMPLES, ROUGH, interval
from surefoot.replay.virtual.result import Floats, Integers

Ends = tuple[float | None, float | None]
OPEN: Ends = (None, None)


class Measured(NamedTuple):
    """A fact, and what it was in each resample of the weeks; None where resamples say nothing of it."""

    fact: Fact
    resampled: Floats | None = None


class Meter(Struct, frozen=True):
    """Makes the numbers of one candidate under one reading."""

    prefix: str
    weights: Integers | None
    """Resamples by week; None for a single week."""
    weeks: int

    def missing(self, name: str, unit: str, n: int, why: str) -> Measured:
        """A number that this sample does not have."""
        return Measured(Fact(name=f"{self.prefix}.{name}", value=None, unit=unit, n=n, note=why))

    def ratio(self, name: str, unit: str, parts: tuple[Integers, Integers], how: str, scale: float = 1.0) -> Measured:
        """The sum of the first part over that of the second, by week; n is the latter. A share is of so many calls."""
        top, bottom = parts
        n = int(bottom.sum())
        if not n:
            return self.missing(name, unit, 0, "no calls")
        resampled = None
        if self.weights is not None:
            over, under = self.weights @ top, self.weights @ bottom
            with np.errstate(divide="ignore", invalid="ignore"):
                resampled = np.where(under > 0, over / scale / under, np.nan)
        value = int(top.sum()) / scale / n
        if unit == "share" and value in {0, 1}:
            return self.share(name, (value, n, n), how, None, "calls")
        return self.made(name, unit, (value, n), how, resampled)

    def total(self, name: str, unit: str, by_week: Integers, n: int, told: tuple[str, float]) -> Measured:
        """A sum divided by a scale; `told` is how it was made, and the scale."""
        how, scale = told
        resampled = None if self.weights is None else (self.weights @ by_week) / scale
        return self.made(name, unit, (int(by_week.sum()) / scale, n), how, resampled)

    def count(self, name: str, unit: str, found: int, how: str) -> Measured:
        """A count of what happens now and then."""
        low, high = garwood(found, CONFIDENCE)
        fact = Fact(
            name=f"{self.prefix}.{name}", value=found, unit=unit, n=found, low=low, high=high, confidence=CONFIDENCE,
            method=f"{how}; Garwood's interval of a count",
        )  # fmt: skip
        return Measured(fact)

    def p99(self, name: str, times: NDArray[np.int64], how: str) -> Measured:
        """The p99 of durations, weeks by bin, in seconds. Refused below 100 of them.

        Order statistics hold for calls that do not depend on one another, resampled weeks for calls that do; each end
        is the wider of the two.
        """
        counts = times.sum(axis=0)
        n = int(counts.sum())
        if n < SMALLEST_FOR_P99:
            return self.missing(name, "seconds", n, f"{n} such calls: a p99 needs {SMALLEST_FOR_P99}")
        lower, upper = quantile_ranks(n, P99, CONFIDENCE)
        upto = np.cumsum(counts)
        low = float(MIDDLES[np.searchsorted(upto, lower)])
        high = None if upper is None else float(MIDDLES[np.searchsorted(upto, upper)])
        resampled = None
        if self.weights is not None:
            used = np.flatnonzero(counts)
            merged = self.weights.astype(np.float64) @ times[:, used].astype(np.float64)
            resampled = quantiles_of_rows(merged, MIDDLES[used], [P99])[0]
        by_weeks = None if resampled is None else interval(resampled)
        method = (
            f"p99 {how}: the smallest with 99 % at or below it, from merged histograms, within"
            f" {100 * RELATIVE_ERROR:g} %; interval by order statistics, equal tails"
        )
        if by_weeks is not None:
            low, high = min(low, by_weeks[0]), None if high is None else max(high, by_weeks[1])
            method += f", widened to the middle 95 % of {RESAMPLES} resamples of {self.weeks} calendar weeks"
        fact = Fact(
            name=f"{self.prefix}.{name}", value=quantile(counts, P99), unit="seconds", n=n, low=low, high=high,
            confidence=CONFIDENCE, method=method, note="" if high is not None else "too few calls for an upper end",
        )  # fmt: skip
        return Measured(fact, resampled)

    def share(
        self, name: str, sample: tuple[float, int, float], how: str, resampled: Floats | None, what: str = "incidents"
    ) -> Measured:
        """A share of which `sample` is value, size, and of how many cases that do not hang together it is.

        Resampled weeks say too little where nearly all or nearly none is covered: what was hardly seen is hardly drawn.
        Clopper and Pearson's interval of so many cases says too little where weeks differ. Each end is the wider of
        the two. Where it is all or none every resample says the same, and nothing is paired by them.
        """
        value, n, cases = sample
        low, high = korn_graubard(value, cases, CONFIDENCE)
        kept = resampled if 0 < value < 1 else None
        by_weeks = None if kept is None else interval(kept)
        method = f"{how}; Clopper and Pearson's interval for {value:.4g} of {cases:.4g} {what}"
        if by_weeks is not None:
            low, high = min(low, by_weeks[0]), max(high, by_weeks[1])
            method += f", widened to the middle 95 % of {RESAMPLES} resamples of {self.weeks} calendar weeks"
        fact = Fact(
            name=f"{self.prefix}.{name}", value=value, unit="share", n=n, low=low, high=high, confidence=CONFIDENCE,
            method=method, note=_rough(self.weeks) if by_weeks is not None else "",
        )  # fmt: skip
        return Measured(fact, kept)

    def made(self, name: str, unit: str, value: tuple[float, int], how: str, resampled: Floats | None) -> Measured:
        """A fact with the interval of its resamples, or why there is none; `value` with the size of its sample."""
        ends, method, note = _of_weeks(how, resampled, self.weeks)
        fact = Fact(
            name=f"{self.prefix}.{name}", value=value[0], unit=unit, n=value[1], low=ends[0], high=ends[1],
            confidence=None if ends == OPEN else CONFIDENCE, method=method, note=note,
        )  # fmt: skip
        return Measured(fact, resampled)


def difference(name: str, ours: Measured, base: Measured, weeks: int) -> Fact:
    """What the first is more than the second. Paired by week where both were resampled; else by square and add.

    With (l, u) the interval of each: from d - sqrt((a-l_a)^2 + (u_b-b)^2) to d + sqrt((u_a-a)^2 + (b-l_b)^2), for two
    estimates that do not depend on one another (Zou & Donner, Statistics in Medicine 27, 2008, p. 1693); wider than
    need be where they do.
    """
    one, other = ours.fact, base.fact
    n = min(one.n, other.n)
    if one.value is None or other.value is None:
        why = one.note if one.value is None else other.note
        return Fact(name=name, value=None, unit=one.unit, n=n, note=why)
    value = one.value - other.value
    if ours.resampled is not None and base.resampled is not None:
        ends, method, note = _of_weeks("a difference, paired by week", ours.resampled - base.resampled, weeks)
    else:
        ends, method, note = _added(one, other), "a difference; intervals joined by square and add", ""
        if ends == OPEN:
            method, note = "a difference", "no interval: one of the two has none"
    return Fact(
        name=name, value=value, unit=one.unit, n=n, low=ends[0], high=ends[1],
        confidence=None if ends == OPEN else CONFIDENCE, method=method, note=note,
    )  # fmt: skip


def _added(one: Fact, other: Fact) -> Ends:
    ends = (one.value, one.low, one.high, other.value, other.low, other.high)
    if None in ends:
        return OPEN
    a, low_a, high_a, b, low_b, high_b = (float(end or 0.0) for end in ends)
    below = sqrt((a - low_a) ** 2 + (high_b - b) ** 2)
    above = sqrt((high_a - a) ** 2 + (b - low_b) ** 2)
    return a - b - below, a - b + above


def _of_weeks(how: str, resampled: Floats | None, weeks: int) -> tuple[Ends, str, str]:
    """Interval, method and note."""
    if resampled is None:
        return OPEN, how, "no interval: one calendar week"
    ends = interval(resampled)
    if ends is None:
        return OPEN, how, "no interval: too few weeks have any"
    method = f"{how}; middle 95 % of {RESAMPLES} resamples of {weeks} calendar weeks"
    return ends, method, _rough(weeks)


def _rough(weeks: int) -> str:
    return f"rough: {weeks} weeks" if weeks < ROUGH else ""


def effective(weights: Floats | Integers) -> float:
    """How many cases of equal weight say as much as these: (sum w)^2 / sum w^2 (Kish, Survey Sampling, 1965, 11.7)."""
    given = np.asarray(weights, np.float64)
    return float(given.sum() ** 2 / (given**2).sum())
