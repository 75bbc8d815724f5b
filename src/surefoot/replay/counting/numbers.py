"""Numbers of some calls: totals, shares, quantiles, each with its interval over resampled weeks, or why not.

Knows how a number and its interval are made from what was counted by week, for a replay and for a comparison alike.
Nothing of which numbers are wanted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from surefoot.errors import EvidenceError
from surefoot.evidence.intervals import clopper_pearson, garwood, korn_graubard
from surefoot.evidence.order import P99, SMALLEST_FOR_P99, quantile_ranks
from surefoot.facts import Fact
from surefoot.replay.counting.histogram import MIDDLES, RELATIVE_ERROR, quantile, quantiles_of_rows
from surefoot.replay.counting.resampling import CONFIDENCE, RESAMPLES, ROUGH, interval
from surefoot.replay.virtual.result import Floats, Integers

OF_CALLS_ALONE = "of calls alone"
"""Begins the note of an interval that knows of no weeks."""

_MEAN = "a mean over calls"

QUANTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))


Ends = tuple[float | None, float | None]
OPEN: Ends = (None, None)


class Measured(NamedTuple):
    """A fact, and what it was in each resample of the weeks; None where resamples say nothing of it."""

    fact: Fact
    resampled: Floats | None = None


@dataclass(frozen=True, slots=True)
class Numbers:
    """Makes numbers whose names begin with `prefix`."""

    prefix: str
    weights: Integers | None
    """Resamples by week; None for a single week."""
    weeks: int

    def total(
        self, name: str, unit: str, by_week: Integers, n: int, scale: float = 1.0, how: str = "a sum"
    ) -> Measured:
        """A sum over all weeks, divided by `scale`; its interval is that of a time as long."""
        return self.made(name, unit, (int(by_week.sum()) / scale, n), how, self._resampled(by_week, scale))

    def ratio(
        self, name: str, unit: str, top: Integers, bottom: Integers, scale: float = 1.0, how: str = _MEAN
    ) -> Measured:
        """The sum of one over the sum of the other; n is the latter."""
        n = int(bottom.sum())
        if not n:
            return self.missing(name, unit, 0, "no calls")
        over, under = self._resampled(top, scale), self._resampled(bottom)
        with np.errstate(divide="ignore", invalid="ignore"):
            resampled = None if over is None or under is None else np.where(under > 0, over / under, np.nan)
        return self.made(name, unit, (int(top.sum()) / scale / n, n), how, resampled)

    def share(self, name: str, top: Integers, bottom: Integers, how: str = _MEAN) -> Measured:
        """A share of calls. Where weeks give no interval it is Clopper and Pearson's of the calls alone, and says so.

        That takes calls for independent. Those of one outage are not, so that it is too narrow; without it a share of
        all calls of a quiet week would look certain. Nothing is paired by weeks that say nothing.
        """
        measured = self.ratio(name, "share", top, bottom, how=how)
        found = measured.fact
        if found.value is None or found.low is not None:
            return measured
        low, high = clopper_pearson(int(top.sum()), found.n)
        why = found.note.removeprefix("no interval: ")
        fact = replace(
            found,
            low=low,
            high=high,
            confidence=CONFIDENCE,
            method=f"{found.method}; Clopper and Pearson's interval",
            note=f"{OF_CALLS_ALONE}: no interval of weeks ({why}), and too narrow where an outage strikes many at once",
        )
        return Measured(fact)

    def quantiles(self, name: str, ends: str, times: NDArray[np.int64]) -> Iterator[Measured]:
        """`QUANTILES` of durations, in seconds; `times` are weeks by bin. Refused where the sample is too small.

        A fact's name is `name`, the quantile's, and `ends`.
        """
        counts = times.sum(axis=0)
        n = int(counts.sum())
        for (called, q), resampled in zip(QUANTILES, self._resampled_times(times), strict=True):
            full = f"{name}.{called}.{ends}"
            try:
                found = quantile(counts, q)
            except EvidenceError as error:
                yield self.missing(full, "seconds", n, str(error) if n else "no samples")
                continue
            how = f"smallest with that share at or below it, from merged histograms, within {100 * RELATIVE_ERROR:g} %"
            yield self.made(full, "seconds", (found, n), how, resampled)

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

    def of_cases(
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

    def missing(self, name: str, unit: str, n: int, why: str) -> Measured:
        """A number that this sample does not have."""
        return Measured(Fact(name=f"{self.prefix}.{name}", value=None, unit=unit, n=n, note=why))

    def plain(
        self, name: str, unit: str, value: float, n: int, ends: tuple[float, float], words: tuple[str, str]
    ) -> Measured:
        """A number whose interval is made elsewhere. An end that is infinite is none.

        `words`: how it is made, and why there is none where it is infinite.
        """
        how, why = words
        low, high = (end if np.isfinite(end) else None for end in ends)
        known = value if np.isfinite(value) else None
        fact = Fact(
            name=f"{self.prefix}.{name}", value=known, unit=unit, n=n, low=low, high=high,
            confidence=CONFIDENCE, method=how, note="" if known is not None else why,
        )  # fmt: skip
        return Measured(fact)

    def _resampled(self, by_week: Integers, scale: float = 1.0) -> Floats | None:
        return None if self.weights is None else (self.weights @ by_week) / scale

    def _resampled_times(self, times: NDArray[np.int64]) -> Sequence[Floats | None]:
        weights = self.weights
        used = np.flatnonzero(times.any(axis=0))
        if weights is None or not len(used):
            return [None] * len(QUANTILES)
        # counts are whole and below 2^53: their products are exact in whatever order they are added
        merged = weights.astype(np.float64) @ times[:, used].astype(np.float64)
        return quantiles_of_rows(merged, MIDDLES[used], [q for _, q in QUANTILES])

    def made(
        self, name: str, unit: str, value: tuple[float | None, int], how: str, resampled: Floats | None, why: str = ""
    ) -> Measured:
        """A number with the interval of its resamples; `value` with the size of its sample, and `why` if it has none.

        An end that is infinite is none.
        """
        found, n = value
        ends, method, note = of_weeks(how, resampled, self.weeks)
        open_end = "no upper end: infinite in too many resamples" if ends[0] is not None and ends[1] is None else ""
        notes = (open_end, note) if found is not None else (why, "" if ends == OPEN else note)
        fact = Fact(
            name=f"{self.prefix}.{name}", value=found, unit=unit, n=n, low=ends[0], high=ends[1],
            confidence=None if ends == OPEN else CONFIDENCE, method=method,
            note="; ".join(one for one in notes if one),
        )  # fmt: skip
        return Measured(fact, resampled)


def of_weeks(how: str, resampled: Floats | None, weeks: int) -> tuple[Ends, str, str]:
    """Interval of a number from its resamples, how it was made, and a note: how rough it is, or why there is none."""
    ends = None if resampled is None else interval(resampled)
    if ends is None:
        return OPEN, how, why_none(resampled)
    low, high = (end if np.isfinite(end) else None for end in ends)
    if low is None:
        return OPEN, how, "no interval: infinite in nearly all resamples"
    method = f"{how}; middle {100 * CONFIDENCE:g} % of {RESAMPLES} resamples of {weeks} calendar weeks"
    return (low, high), method, _rough(weeks)


def why_none(resampled: Floats | None) -> str:
    """Why these resamples, or none, have no interval."""
    if resampled is None:
        return "no interval: one calendar week"
    known = resampled[~np.isnan(resampled)]
    same = len(known) > 0 and known.min() == known.max()
    return f"no interval: {'the same in every resample of weeks' if same else 'too few weeks have any'}"


def _rough(weeks: int) -> str:
    return f"rough: {weeks} calendar weeks" if weeks < ROUGH else ""
