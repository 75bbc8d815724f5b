"""Intervals of a proportion, of the difference of two, and of a count.

Quantiles come from `scipy.special`: the package of whole distributions takes a second longer to import. Upper ends are
taken from the upper tail, so that a confidence close to 1 loses no digits.
"""

from math import sqrt
from statistics import NormalDist

from scipy.special import betainccinv, betaincinv, gammainccinv, gammaincinv

from surefoot.evidence.given import not_negative, positive, proportion, rows, share, tail_of, whole


def wilson(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval `(low, high)` of a proportion of which k of n were seen (Wilson, JASA 22, 1927, pp. 209-212).

    With p = k/n and z the normal quantile: `(p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`.
    Holds its confidence on average for small n and for proportions near 0 or 1, where the normal approximation does
    not; for a single proportion it may hold somewhat less (Brown, Cai & DasGupta, Statistical Science 16, 2001).
    Raises `EvidenceError` unless 0 <= k <= n, n > 0 and 0 < confidence < 1.
    """
    k, n = proportion("", k, n)
    z = -NormalDist().inv_cdf(tail_of(confidence))
    value = k / n
    middle = value + z * z / (2 * n)
    spread = z * sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if k == 0 else (middle - spread) / scale
    high = 1.0 if k == n else (middle + spread) / scale
    return min(low, value), max(high, value)  # which rounding may have passed by a bit


def clopper_pearson(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a proportion of which k of n were seen (Clopper & Pearson, Biometrika 26, 1934, p. 404).

    With a = 1 - confidence: the a/2 quantile of Beta(k, n-k+1) and the 1 - a/2 quantile of Beta(k+1, n-k), 0 at k = 0
    and 1 at k = n. It never holds less than its confidence, so it is wider than Wilson's.
    Raises `EvidenceError` unless 0 <= k <= n, n > 0 and 0 < confidence < 1.
    """
    k, n = proportion("", k, n)
    tail = tail_of(confidence)
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betainccinv(k + 1, n - k, tail))
    return low, high


def korn_graubard(value: float, cases: float, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share of so many cases, neither of which need be whole.

    With k = value cases in place of the count (Korn & Graubard, Survey Methodology 24, 1998, pp. 193-201), for a
    weighted share whose weights leave fewer cases than there are. Where a case may be covered in part it is wider than
    need be: a share between none and all scatters less than a yes or no of the same mean.
    Raises `EvidenceError` unless 0 <= value <= 1, cases > 0 and 0 < confidence < 1.
    """
    n = positive("cases", cases)
    k = share("a share", value) * n
    tail = tail_of(confidence)
    low = 0.0 if value == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if value == 1 else float(betainccinv(k + 1, n - k, tail))
    return min(low, value), max(high, value)  # which rounding may have passed by a bit


def garwood(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a Poisson mean of which `count` events were seen (Garwood, Biometrika 28, 1936, p. 437).

    With a = 1 - confidence: half the a/2 quantile of chi-squared with 2 count degrees of freedom (0 at count = 0), and
    half the 1 - a/2 quantile of that with 2 count + 2; halved chi-squared is a gamma. Divide by the time watched for a
    rate. Raises `EvidenceError` for a negative count, one that is not whole, or unless 0 < confidence < 1.
    """
    seen = whole("a count", count)
    tail = tail_of(confidence)
    low = 0.0 if seen == 0 else float(gammaincinv(seen, tail))
    return low, float(gammainccinv(seen + 1, tail))


def event_rate(events: float, years: float, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a Poisson rate per year under Jeffreys' prior: quantiles of Gamma(events + 1/2, 1/years).

    As in Box & Tiao, Bayesian Inference in Statistical Analysis, 1973, section 1.3; it is what coverage draws from. The
    count need not be whole, since a count that was told of several modes together is shared out among them.
    Raises `EvidenceError` for a negative or infinite count, years not above 0, or unless 0 < confidence < 1.
    """
    shape = not_negative("events", events) + 0.5
    watched = positive("years", years)
    tail = tail_of(confidence)
    return float(gammaincinv(shape, tail)) / watched, float(gammainccinv(shape, tail)) / watched


def newcombe(first: tuple[int, int], second: tuple[int, int], confidence: float = 0.95) -> tuple[float, float]:
    """The hybrid score interval of p1 - p2, two independent proportions, each told as (k, n).

    Method 10 of Newcombe, Statistics in Medicine 17, 1998, pp. 873-890. With (l, u) the Wilson interval of each:
    from d - sqrt((p1-l1)^2 + (u2-p2)^2) to d + sqrt((u1-p1)^2 + (p2-l2)^2), where d = p1 - p2.
    Raises `EvidenceError` unless 0 <= k <= n and n > 0 for both, and 0 < confidence < 1.
    """
    (k_1, n_1), (k_2, n_2) = (proportion("", *row) for row in rows("a difference", (first, second), "k, n"))
    low_1, high_1 = wilson(k_1, n_1, confidence)
    low_2, high_2 = wilson(k_2, n_2, confidence)
    share_1, share_2 = k_1 / n_1, k_2 / n_2
    difference = share_1 - share_2
    below = sqrt((share_1 - low_1) ** 2 + (high_2 - share_2) ** 2)
    above = sqrt((high_1 - share_1) ** 2 + (share_2 - low_2) ** 2)
    return difference - below, difference + above
