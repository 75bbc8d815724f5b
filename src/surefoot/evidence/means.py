"""Means and their differences, with intervals."""

from collections.abc import Iterable
from math import sqrt
from statistics import fmean, variance

import numpy as np
from scipy.special import stdtrit

from surefoot.errors import EvidenceError
from surefoot.evidence.given import sample, tail_of, whole


def mean(values: Iterable[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """The mean with the interval of Student's t (Biometrika 6, 1908, p. 1): `(value, low, high)`.

    Exact for normal samples, good for large ones. Where all values are equal the interval has no width.
    Raises `EvidenceError` for fewer than two values, one that is not finite, or unless 0 < confidence < 1.
    """
    tail = tail_of(confidence)
    given = _at_least_two(values)
    middle = fmean(given)
    spread = -float(stdtrit(len(given) - 1, tail)) * sqrt(variance(given) / len(given))
    return middle, middle - spread, middle + spread


def mean_difference(
    first: Iterable[float], second: Iterable[float], confidence: float = 0.95
) -> tuple[float, float, float]:
    """The mean of the first less that of the second, with Welch's interval (Biometrika 34, 1947, p. 28).

    With s the variance of each mean: the t quantile has (s1 + s2)^2 / (s1^2/(n1-1) + s2^2/(n2-1)) degrees of freedom.
    Raises `EvidenceError` as `mean` does, for either sample.
    """
    tail = tail_of(confidence)
    samples = _at_least_two(first), _at_least_two(second)
    middle = fmean(samples[0]) - fmean(samples[1])
    errors = [variance(values) / len(values) for values in samples]
    if not any(errors):
        return middle, middle, middle
    freedom = sum(errors) ** 2 / sum(
        error**2 / (len(values) - 1) for error, values in zip(errors, samples, strict=True)
    )
    spread = -float(stdtrit(freedom, tail)) * sqrt(sum(errors))
    return middle, middle - spread, middle + spread


def mean_over_worlds(values: Iterable[float], each: int, confidence: float = 0.95) -> tuple[float, float, float]:
    """The mean of simulated years, and how far what is not known moves it: `(value, low, high)`.

    The values are those of worlds with `each` years, the years of one world together. With m the means of the worlds
    and B their variance, of which the years' own chance makes up W = mean variance within a world / each: the ends are
    quantiles of `m' = mean + (m - mean) sqrt(max(0, 1 - W / B))`, whose variance is that between the worlds alone
    (Louis, JASA 79, 1984, p. 393). Where nothing is unknown it has no width but what chance leaves.
    Raises `EvidenceError` for fewer than two worlds or two years in each, values that do not fill them, or unless
    0 < confidence < 1.
    """
    tail, years = tail_of(confidence), whole("years in each world", each, least=2)
    given = sample("worlds", values, least=2 * years)
    if len(given) % years:
        raise EvidenceError(f"{len(given)} values do not fill worlds of {years} years each")
    worlds = given.reshape(-1, years)
    means = worlds.mean(axis=1)
    middle, spread = float(means.mean()), float(means.var(ddof=1))
    by_chance = float(worlds.var(axis=1, ddof=1).mean()) / years
    shrink = sqrt(max(0.0, 1 - by_chance / spread)) if spread else 0.0
    low, high = (float(end) for end in np.quantile(middle + (means - middle) * shrink, (tail, 1 - tail)))
    return middle, low, high


def _at_least_two(values: Iterable[float]) -> list[float]:
    """One value has no variance."""
    found: list[float] = sample("a mean", values, least=2).tolist()
    return found
