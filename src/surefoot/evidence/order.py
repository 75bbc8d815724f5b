"""Quantiles with distribution-free intervals from order statistics."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from math import ceil

import numpy as np
from scipy.special import bdtr, bdtrc

from surefoot.errors import EvidenceError
from surefoot.evidence.given import inside, sample, tail_of, whole

P99 = 0.99
SMALLEST_FOR_P99 = 100
"""Below this many samples a 99th percentile is refused: it would be the largest sample, whatever it is."""


def quantile_ranks(n: int, q: float = P99, confidence: float = 0.95) -> tuple[int, int | None]:
    """The ranks, from 1, of the order statistics that enclose the quantile q (Hahn & Meeker, 1991).

    Equal tails: with F the binomial distribution function for n and q and a = 1 - confidence, the lower rank is the
    largest r with F(r-1) <= a/2, the upper one the smallest r <= n with F(r-1) >= 1 - a/2, or None where n is too small
    for one. Where no rank is low enough (q small for this n) the lower rank is 1 all the same: the smallest sample,
    which then is a bound with less than its confidence.
    Raises `EvidenceError` for n < 1, a p99 or above of fewer than 100 samples, or shares that are not between 0 and 1.
    """
    n, q, tail = whole("samples", n, least=1), inside("a quantile", q), tail_of(confidence)
    if q >= P99 and n < SMALLEST_FOR_P99:
        raise EvidenceError(f"p{100 * q:g} of {n} samples is refused: it needs {SMALLEST_FOR_P99}")
    ranks = range(1, n + 1)
    lower = bisect_right(ranks, tail, key=lambda rank: float(bdtr(rank - 1, n, q)))
    upper = bisect_left(ranks, -tail, key=lambda rank: -float(bdtrc(rank - 1, n, q))) + 1
    return max(lower, 1), upper if upper <= n else None


def rank_of(q: float, n: int) -> int:
    """The rank, from 1, of the smallest of n samples with at least a share q at or below it.

    It is the smallest whole number not below q n; what rounding adds to that product (0.55 * 100 > 55) does not count.
    """
    return max(ceil(q * n * (1 - 1e-12)), 1)


def percentile(values: Iterable[float], q: float, confidence: float = 0.95) -> tuple[float, float, float | None]:
    """The quantile q of a sample with its interval: `(value, low, high or None)`.

    The value is the smallest sample with at least a share q at or below it (inverse of the empirical distribution).
    Raises `EvidenceError` for an empty sample, a value that is not finite, or q >= 0.99 on fewer than 100 samples.
    """
    ordered = np.sort(sample("a quantile", values))
    n = len(ordered)
    lower, upper = quantile_ranks(n, q, confidence)
    high = None if upper is None else float(ordered[upper - 1])
    return float(ordered[rank_of(q, n) - 1]), float(ordered[lower - 1]), high
