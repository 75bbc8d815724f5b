"""Statistics of interleaved pairs: medians, their intervals, quantiles.

Knows: numbers. Must never: measure, or report an interval without the confidence it has.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A point with its interval; `confidence` is what the interval has, which few samples keep under 0.95."""

    value: float
    low: float
    high: float
    confidence: float
    n: int
    method: str


def median_estimate(values: Sequence[float]) -> Estimate:
    """Median with the distribution-free interval between two order statistics.

    For n independent values the interval from the k-th smallest to the k-th largest covers the median with
    probability 1 - 2 P[Binomial(n, 1/2) < k] (David and Nagaraja, Order Statistics, 3rd ed., section 7.1).
    The largest k that keeps 95 % is taken; below six values there is none and the whole range is given.
    """
    ordered = sorted(values)
    n = len(ordered)
    k, miss = 1, 2 * 0.5**n
    while True:
        wider_miss = miss + 2 * math.comb(n, k) * 0.5**n
        if wider_miss > 1 - CONFIDENCE:
            break
        k, miss = k + 1, wider_miss
    return Estimate(median(ordered), ordered[k - 1], ordered[n - k], max(0.0, 1 - miss), n, "order statistics")


def paired_ratios(values: Sequence[float], base: Sequence[float]) -> Estimate:
    """Median of value / base, pair by pair."""
    return median_estimate([value / reference for value, reference in zip(values, base, strict=True)])


def paired_differences(values: Sequence[float], base: Sequence[float]) -> Estimate:
    """Median of value - base, pair by pair."""
    return median_estimate([value - reference for value, reference in zip(values, base, strict=True)])


def quantile(values: Sequence[float], share: float) -> float:
    """Nearest-rank quantile: the smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def pooled_difference(
    rounds: Sequence[Sequence[float]], base: Sequence[Sequence[float]], share: float, resamples: int = 1_000
) -> Estimate:
    """Difference of a quantile over all rounds, with a percentile bootstrap that draws whole rounds.

    For rounds too short to have a quantile of their own. A round is drawn together with its base, which
    keeps the pairing (Davison and Hinkley, Bootstrap Methods, 1997, section 3.8: resampling of clusters).
    """
    rng = random.Random(0)  # noqa: S311 - resampling; the seed makes the report repeatable
    n = len(rounds)

    def difference(draw: Sequence[int]) -> float:
        ours = [value for index in draw for value in rounds[index]]
        theirs = [value for index in draw for value in base[index]]
        return quantile(ours, share) - quantile(theirs, share)

    draws = [difference(rng.choices(range(n), k=n)) for _ in range(resamples)]
    edge = (1 - CONFIDENCE) / 2
    return Estimate(
        difference(range(n)),
        quantile(draws, edge),
        quantile(draws, 1 - edge),
        CONFIDENCE,
        n,
        "round bootstrap",
    )
