"""Facts of one group of calls: totals, shares, quantiles, each with its interval over resampled weeks, or why not.

Knows how a number and its interval are made from what was counted by week. Nothing of which numbers are wanted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from surefoot.errors import EvidenceError
from surefoot.evidence.intervals import clopper_pearson
from surefoot.facts import Fact
from surefoot.replay.counting.arranged import View
from surefoot.replay.counting.histogram import MIDDLES, RELATIVE_ERROR, quantile, quantiles_of_rows
from surefoot.replay.counting.resampling import CONFIDENCE, RESAMPLES, ROUGH, interval
from surefoot.replay.virtual.result import Floats, Integers

OF_CALLS_ALONE = "of calls alone"
"""Begins the note of an interval that knows of no weeks."""

QUANTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Makes facts whose names begin with `prefix`."""

    view: View
    prefix: str

    def total(self, name: str, unit: str, by_week: Integers, n: int, scale: float = 1.0) -> Fact:
        """A sum over all weeks, divided by `scale`; its interval is that of a time as long."""
        return self.made(name, unit, (int(by_week.sum()) / scale, n), "a sum", self._resampled(by_week, scale))

    def ratio(self, name: str, unit: str, top: Integers, bottom: Integers, scale: float = 1.0) -> Fact:
        """The sum of one over the sum of the other; n is the latter."""
        n = int(bottom.sum())
        if not n:
            return self.missing(name, unit, 0, "no calls")
        over, under = self._resampled(top, scale), self._resampled(bottom)
        with np.errstate(divide="ignore", invalid="ignore"):
            resampled = None if over is None or under is None else np.where(under > 0, over / under, np.nan)
        return self.made(name, unit, (int(top.sum()) / scale / n, n), "a mean over calls", resampled)

    def share(self, name: str, top: Integers, bottom: Integers) -> Fact:
        """A share of calls. Where weeks give no interval it is Clopper and Pearson's of the calls alone, and says so.

        That takes calls for independent. Those of one outage are not, so that it is too narrow; without it a share of
        all calls of a quiet week would look certain.
        """
        found = self.ratio(name, "share", top, bottom)
        if found.value is None or found.low is not None:
            return found
        low, high = clopper_pearson(int(top.sum()), found.n)
        why = found.note.removeprefix("no interval: ")
        return replace(
            found,
            low=low,
            high=high,
            confidence=CONFIDENCE,
            method=f"{found.method}; Clopper and Pearson's interval",
            note=f"{OF_CALLS_ALONE}: no interval of weeks ({why}), and too narrow where an outage strikes many at once",
        )

    def quantiles(self, name: str, ends: str, times: NDArray[np.int64]) -> Iterator[Fact]:
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

    def missing(self, name: str, unit: str, n: int, why: str) -> Fact:
        """A number that this sample does not have."""
        return Fact(name=f"{self.prefix}.{name}", value=None, unit=unit, n=n, note=why)

    def plain(
        self, name: str, unit: str, value: float, n: int, ends: tuple[float, float], words: tuple[str, str]
    ) -> Fact:
        """A number whose interval is made elsewhere. An end that is infinite is none.

        `words`: how it is made, and why there is none where it is infinite.
        """
        how, why = words
        low, high = (end if np.isfinite(end) else None for end in ends)
        known = value if np.isfinite(value) else None
        return Fact(
            name=f"{self.prefix}.{name}", value=known, unit=unit, n=n, low=low, high=high,
            confidence=CONFIDENCE, method=how, note="" if known is not None else why,
        )  # fmt: skip

    def _resampled(self, by_week: Integers, scale: float = 1.0) -> Floats | None:
        weights = self.view.of.weights
        return None if weights is None else (weights @ by_week) / scale

    def _resampled_times(self, times: NDArray[np.int64]) -> Sequence[Floats | None]:
        weights = self.view.of.weights
        used = np.flatnonzero(times.any(axis=0))
        if weights is None or not len(used):
            return [None] * len(QUANTILES)
        # counts are whole and below 2^53: their products are exact in whatever order they are added
        merged = weights.astype(np.float64) @ times[:, used].astype(np.float64)
        return quantiles_of_rows(merged, MIDDLES[used], [q for _, q in QUANTILES])

    def made(
        self, name: str, unit: str, value: tuple[float | None, int], how: str, resampled: Floats | None, why: str = ""
    ) -> Fact:
        """A number with the interval of its resamples; `value` with the size of its sample, and `why` if it has none.

        An end that is infinite is none.
        """
        weeks = len(self.view.of.weeks)
        found, n = value
        ends = None if resampled is None else interval(resampled)
        if ends is None:
            note = why_none(resampled) if found is not None else why
            return Fact(name=f"{self.prefix}.{name}", value=found, unit=unit, n=n, method=how, note=note)
        low, high = (end if np.isfinite(end) else None for end in ends)
        notes = [
            why if found is None else "",
            "no upper end: infinite in too many resamples" if high is None and found is not None else "",
            f"rough: {weeks} calendar weeks" if weeks < ROUGH else "",
        ]
        return Fact(
            name=f"{self.prefix}.{name}",
            value=found,
            unit=unit,
            n=n,
            low=low,
            high=high,
            confidence=CONFIDENCE,
            method=f"{how}; middle {100 * CONFIDENCE:g} % of {RESAMPLES} resamples of {weeks} calendar weeks",
            note="; ".join(note for note in notes if note),
        )


def why_none(resampled: Floats | None) -> str:
    """Why these resamples, or none, have no interval."""
    if resampled is None:
        return "no interval: one calendar week"
    known = resampled[~np.isnan(resampled)]
    same = len(known) > 0 and known.min() == known.max()
    return f"no interval: {'the same in every resample of weeks' if same else 'too few weeks have any'}"
