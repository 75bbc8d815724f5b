"""Durations counted in logarithmic bins, so that a year of calls takes no more memory than an hour of them.

A bin's width is a fixed share of its value: whatever quantile is read from the counts is off by at most
`RELATIVE_ERROR`. Counts of two samples merge by addition, which loses nothing (Masson, Rim & Lee, "DDSketch", VLDB
2019, here with a fixed range). Knows seconds. Must never: average a quantile.
"""

from collections.abc import Sequence
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import EvidenceError
from surefoot.evidence.order import P99, SMALLEST_FOR_P99, rank_of
from surefoot.replay.virtual.result import Floats, Integers

RELATIVE_ERROR = 0.01
SHORTEST = 0.001
"""Seconds; what is shorter is counted with it."""
LONGEST = 100_000.0
"""Seconds; what is longer is counted with it. A deadline is at most a day."""

_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_OFFSET = ceil(log(SHORTEST) / log(_GAMMA))
BINS = ceil(log(LONGEST) / log(_GAMMA)) - _OFFSET + 1
MIDDLES = np.array([2 * _GAMMA ** (number + _OFFSET) / (_GAMMA + 1) for number in range(BINS)])
"""The duration that stands for each bin, in seconds: at most `RELATIVE_ERROR` off any that is in it."""
NOWHERE = BINS
"""The bin of what did not happen. It is no part of a histogram."""


def bins_of(seconds: Floats) -> Integers:
    """The bin of each duration, `NOWHERE` for NaN. Bin i holds (g^(i-1), g^i], with g = (1 + error) / (1 - error)."""
    missing = np.isnan(seconds)
    inside = np.clip(np.where(missing, SHORTEST, seconds), SHORTEST, LONGEST)
    found: Integers = np.clip(np.ceil(np.log(inside) / log(_GAMMA)) - _OFFSET, 0, BINS - 1).astype(np.int64)
    found[missing] = NOWHERE
    return found


def counted(bins: Integers) -> Integers:
    """How many durations fell into each bin."""
    found: Integers = np.bincount(bins, minlength=BINS + 1)[:BINS]
    return found


def quantile(counts: Integers, q: float) -> float:
    """The smallest duration with at least a share q of them at or below it, within `RELATIVE_ERROR`, in seconds.

    Raises `EvidenceError` for no durations, and for a p99 or above of fewer than 100, as `evidence.percentile` does.
    """
    n = int(counts.sum())
    if n == 0:
        raise EvidenceError("a quantile of nothing")
    if q >= P99 and n < SMALLEST_FOR_P99:
        raise EvidenceError(f"p{100 * q:g} of {n} samples is refused: it needs {SMALLEST_FOR_P99}")
    return float(MIDDLES[np.searchsorted(np.cumsum(counts), rank_of(q, n))])


def quantiles_of_rows(counts: NDArray[np.float64], middles: Floats, shares: Sequence[float]) -> list[Floats]:
    """For each share that quantile of each row, without the refusal; NaN for an empty row.

    Rows are resamples of one sample. Their columns are bins in order, some or all, with the durations of `MIDDLES`.
    """
    upto = np.cumsum(counts, axis=1)
    n = counts.sum(axis=1)
    found = []
    for q in shares:
        ranks = np.maximum(np.ceil(q * n * (1 - 1e-12)), 1)  # as `rank_of`
        at = np.minimum((upto < ranks[:, None]).sum(axis=1), len(middles) - 1)
        found.append(np.where(n > 0, middles[at], np.nan))
    return found
