"""Intervals of a proportion."""

from math import sqrt
from statistics import NormalDist

from surefoot.errors import EvidenceError


def wilson(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion of which k of n were seen (Wilson, JASA 22, 1927, pp. 209-212).

    Holds its confidence well for small n and for proportions near 0 or 1, where the normal approximation does not.
    Raises `EvidenceError` unless 0 <= k <= n, n > 0 and 0 < confidence < 1.
    """
    if not (0 <= k <= n and n > 0):
        raise EvidenceError(f"{k} of {n} is no proportion")
    if not 0 < confidence < 1:
        raise EvidenceError(f"a confidence of {confidence} is not between 0 and 1")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = k / n
    middle = share + z * z / (2 * n)
    spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if k == 0 else (middle - spread) / scale
    high = 1.0 if k == n else (middle + spread) / scale
    return low, high
