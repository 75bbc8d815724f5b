"""Quantiles with distribution-free intervals from order statistics."""

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil, isfinite

from scipy.stats import binom

from surefoot.errors import EvidenceError

SMALLEST_FOR_P99 = 100
"""Below this many samples a 99th percentile is refused: it would be the largest sample, whatever it is."""


def quantile_ranks(n: int, q: float = 0.99, confidence: float = 0.95) -> tuple[int, int | None]:
    """The ranks, from 1, of the order statistics that enclose the quantile q (Hahn & Meeker, 1991).

    Equal tails: with F the binomial distribution function for n and q and a = 1 - confidence, the lower rank is the
    largest r with F(r-1) <= a/2, the upper one the smallest r <= n with F(r-1) >= 1 - a/2, or None where n is too small
    for one. The lower rank is at least 1. Raises `EvidenceError` for n < 1 or shares that are not between 0 and 1.
    """
    if n < 1:
        raise EvidenceError("a quantile needs at least one sample")
    if not (0 < q < 1 and 0 < confidence < 1):
        raise EvidenceError("a quantile and a confidence lie between 0 and 1")
    tail = (1 - confidence) / 2
    cumulative = binom.cdf(range(n), n, q)  # F(r-1) for r = 1 ... n
    lower = sum(1 for value in cumulative if value <= tail)
    upper = bisect_left(cumulative, 1 - tail) + 1
    return max(lower, 1), upper if upper <= n else None


def percentile(values: Sequence[float], q: float, confidence: float = 0.95) -> tuple[float, float, float | None]:
    """The quantile q of a sample with its interval: `(value, low, high or None)`.

    The value is the smallest sample with at least a share q at or below it (inverse of the empirical distribution).
    Raises `EvidenceError` for an empty sample, a value that is not finite, or q >= 0.99 on fewer than 100 samples.
    """
    if not values or not all(isfinite(value) for value in values):
        raise EvidenceError("a quantile needs a sample of finite numbers")
    n = len(values)
    if q >= 0.99 and n < SMALLEST_FOR_P99:  # noqa: PLR2004 - the percentile that the bound is for
        raise EvidenceError(f"p99 of {n} samples is refused: it needs {SMALLEST_FOR_P99}")
    ordered = sorted(values)
    lower, upper = quantile_ranks(n, q, confidence)
    return ordered[max(ceil(q * n), 1) - 1], ordered[lower - 1], None if upper is None else ordered[upper - 1]
