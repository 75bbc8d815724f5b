"""Means and their differences, with intervals."""

from collections.abc import Sequence
from math import isfinite, sqrt
from statistics import fmean, variance

from scipy.stats import t

from surefoot.errors import EvidenceError


def mean(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """The mean with the interval of Student's t (Biometrika 6, 1908, p. 1): `(value, low, high)`.

    Exact for normal samples, good for large ones. Where all values are equal the interval has no width.
    Raises `EvidenceError` for fewer than two values, one that is not finite, or unless 0 < confidence < 1.
    """
    _check(values, confidence)
    middle = fmean(values)
    error = sqrt(variance(values) / len(values))
    spread = float(t.ppf((1 + confidence) / 2, len(values) - 1)) * error
    return middle, middle - spread, middle + spread


def mean_difference(
    first: Sequence[float], second: Sequence[float], confidence: float = 0.95
) -> tuple[float, float, float]:
    """The mean of the first less that of the second, with Welch's interval (Biometrika 34, 1947, p. 28).

    With s the variance of each mean: the t quantile has (s1 + s2)^2 / (s1^2/(n1-1) + s2^2/(n2-1)) degrees of freedom.
    Raises `EvidenceError` as `mean` does, for either sample.
    """
    _check(first, confidence)
    _check(second, confidence)
    middle = fmean(first) - fmean(second)
    errors = [variance(values) / len(values) for values in (first, second)]
    if not any(errors):
        return middle, middle, middle
    freedom = sum(errors) ** 2 / sum(
        error**2 / (len(values) - 1) for error, values in zip(errors, (first, second), strict=True)
    )
    spread = float(t.ppf((1 + confidence) / 2, freedom)) * sqrt(sum(errors))
    return middle, middle - spread, middle + spread


def _check(values: Sequence[float], confidence: float) -> None:
    if len(values) < 2 or not all(isfinite(value) for value in values):  # noqa: PLR2004 - one value has no variance
        raise EvidenceError("the interval of a mean needs at least two finite values")
    if not 0 < confidence < 1:
        raise EvidenceError(f"a confidence of {confidence} is not between 0 and 1")
