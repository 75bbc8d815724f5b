"""Net promoter scores and cancellations: what a survey says, and the smallest change that it could have shown.

Formulas: Reichheld, Harvard Business Review 81(12), 2003, for the score; an answer is +1, 0 or -1, so that its variance
is `p + d - (p - d)^2`. Sample sizes are those of a two-sided test at 5 % of two arms by the normal approximation.
"""

from collections.abc import Sequence
from math import ceil, sqrt
from statistics import NormalDist

from scipy.special import stdtrit

from surefoot.errors import EvidenceError
from surefoot.evidence.given import number, positive, rows, share, tail_of, whole

LEVEL = 0.05
"""Of the two-sided test."""

_POINTS = 100
_HALVINGS = 60
_ADDED = (0.75, 1.5, 0.75)
"""Promoters, passives and detractors that an interval adds to those that answered (Rocks 2016)."""
_SUM = 1e-6
"""How far the three shares may be off 1: they are told rounded."""


def nps(promoters: int, passives: int, detractors: int) -> float:
    """The net promoter score in points, from -100 to 100: `100 (p - d)`, with p and d the shares of all answers.

    Raises `EvidenceError` for counts that are negative or not whole, and for no answers.
    """
    return _score(_counts(promoters, passives, detractors))


def nps_interval(
    promoters: int, passives: int, detractors: int, confidence: float = 0.95
) -> tuple[float, float, float]:
    """The net promoter score with its interval: `(value, low, high)`, in points.

    As of a mean of answers of +100, 0 and -100, to which three are added: 3/4 promoters, 3/2 passives and 3/4
    detractors (the adjusted Wald interval of Rocks, The American Statistician 70(4), 2016), with Student's quantile for
    the normal one. So answers that are all alike have an interval too, and few answers a wide one; it is wider than its
    confidence asks for below about ten. Raises `EvidenceError` as `nps` does, and unless 0 < confidence < 1.
    """
    tail, counts = tail_of(confidence), _counts(promoters, passives, detractors)
    middle, error = _adjusted(counts)
    reach = -float(stdtrit(_freedom(counts), tail)) * sqrt(error)
    return _around(_score(counts), middle, reach, float(_POINTS))


def nps_difference(first: Sequence[int], second: Sequence[int], confidence: float = 0.95) -> tuple[float, float, float]:
    """The score of the first group less that of the second, `(value, low, high)`, in points.

    Each group is told as `(promoters, passives, detractors)`. Welch's interval (Biometrika 34, 1947, p. 28) of the
    answers of both groups and three added to each, as in `nps_interval`; without them two answers that are alike would
    be as certain as a thousand. Raises `EvidenceError` as `nps_interval` does, for either group.
    """
    tail = tail_of(confidence)
    groups = [_counts(*row) for row in rows("groups", (first, second), "promoters, passives, detractors")]
    (first_middle, first_error), (second_middle, second_error) = map(_adjusted, groups)
    freedom = (first_error + second_error) ** 2 / (
        first_error**2 / _freedom(groups[0]) + second_error**2 / _freedom(groups[1])
    )
    reach = -float(stdtrit(freedom, tail)) * sqrt(first_error + second_error)
    value = _score(groups[0]) - _score(groups[1])
    return _around(value, first_middle - second_middle, reach, 2.0 * _POINTS)


def _counts(promoters: object, passives: object, detractors: object) -> tuple[int, int, int]:
    counts = whole("promoters", promoters), whole("passives", passives), whole("detractors", detractors)
    if not any(counts):
        raise EvidenceError("no answers: there is no score")
    return counts


def _score(counts: tuple[int, int, int]) -> float:
    return _POINTS * (counts[0] - counts[2]) / sum(counts)


def _adjusted(counts: tuple[int, int, int]) -> tuple[float, float]:
    """The mean of the answers and of those added, in points, and the variance of that mean."""
    n = sum(counts) + sum(_ADDED)
    up, down = (counts[0] + _ADDED[0]) / n, (counts[2] + _ADDED[2]) / n
    return _POINTS * (up - down), _POINTS**2 * (up + down - (up - down) ** 2) / n


def _freedom(counts: tuple[int, int, int]) -> float:
    return sum(counts) + sum(_ADDED) - 1


def _around(value: float, middle: float, reach: float, most: float) -> tuple[float, float, float]:
    """The ends, with the value between them and within what a score can be."""
    return value, max(min(middle - reach, value), -most), min(max(middle + reach, value), most)


def nps_sample(change: float, shares: Sequence[float], power: float = 0.8) -> int:
    """Answers needed in each of two arms to find a change of so many points with this power.

    `2 (z_0.975 + z_power)^2 * variance / (change / 100)^2`, rounded up. `shares` are those of promoters, passives and
    detractors, which sum to 1, or of promoters and detractors alone: the passives are the rest.
    Raises `EvidenceError` for a change not above 0 or beyond 200 points, shares that are none or all in one group, and
    unless 0.05 < power < 1.
    """
    points = positive("a change in points", change)
    if points > 2 * _POINTS:
        raise EvidenceError(f"a change of {change} points: scores lie between -100 and 100")
    exact = 2 * _quantiles(power) ** 2 * _variance(shares) / (points / _POINTS) ** 2
    return max(ceil(exact * (1 - 1e-12)), 1)


def nps_detectable(n_per_arm: int, shares: Sequence[float], power: float = 0.8) -> float:
    """The smallest change in points that n answers in each arm find with this power: the inverse of `nps_sample`.

    `100 (z_0.975 + z_power) * sqrt(2 variance / n)`. A difference below it is *not detectable with this n*.
    Raises `EvidenceError` for n below 1, and for shares and power as `nps_sample`.
    """
    n = whole("answers per arm", n_per_arm, least=1)
    return _POINTS * _quantiles(power) * sqrt(2 * _variance(shares) / n)


def share_sample(base: float, change: float, power: float = 0.8) -> int:
    """Cases needed in each of two arms to find that a share is not `base` but `base + change`, with this power.

    With p and r the two shares and m their mean, rounded up:
    `(z_0.975 sqrt(2 m (1-m)) + z_power sqrt(p (1-p) + r (1-r)))^2 / change^2`
    (Fleiss, Levin & Paik, Statistical Methods for Rates and Proportions, 2003, formula 4.14, without correction for
    continuity). Raises `EvidenceError` for shares outside 0 to 1, a change of 0, and unless 0.05 < power < 1.
    """
    first, moved = share("a share", base), number("a change", change)
    second = share("a share after the change", first + moved)
    if not moved:
        raise EvidenceError("a change of 0: no number of cases finds it")
    return max(ceil(_cases(first, second, power) * (1 - 1e-12)), 1)


def share_detectable(n_per_arm: int, base: float, power: float = 0.8) -> float | None:
    """The smallest rise of a share above `base` that n cases in each arm find with this power; None if none is found.

    The inverse of `share_sample`, by halving. The smallest fall below `base` is the rise above `1 - base`.
    Raises `EvidenceError` as that does, and for n below 1.
    """
    n, first = whole("cases per arm", n_per_arm, least=1), share("a share", base)
    if first == 1 or _cases(first, 1.0, power) > n:
        _quantile(power)
        return None
    small, large = 0.0, 1 - first
    for _ in range(_HALVINGS):
        between = (small + large) / 2
        enough = between > 0 and _cases(first, first + between, power) <= n
        small, large = (small, between) if enough else (between, large)
    return large


def _cases(first: float, second: float, power: float) -> float:
    middle = (first + second) / 2
    level = NormalDist().inv_cdf(1 - LEVEL / 2)
    each = first * (1 - first) + second * (1 - second)
    return (level * sqrt(2 * middle * (1 - middle)) + _quantile(power) * sqrt(each)) ** 2 / (second - first) ** 2


def _quantiles(power: float) -> float:
    """z_0.975 + z_power."""
    return NormalDist().inv_cdf(1 - LEVEL / 2) + _quantile(power)


def _quantile(power: float) -> float:
    """z_power."""
    if not LEVEL < number("a power", power) < 1:
        raise EvidenceError(f"a power of {power}: it has to be above {LEVEL:g}, the level of the test, and below 1")
    return NormalDist().inv_cdf(power)


def _variance(shares: Sequence[float]) -> float:
    """Of one answer."""
    (row,) = rows("shares", [shares], "promoters[, passives], detractors")
    parts = [share("a share of the answers", part) for part in row]
    promoters, detractors = parts[0], parts[-1]
    passives = parts[1] if len(parts) > 2 else 1 - promoters - detractors  # noqa: PLR2004 - all three are told
    if passives < -_SUM or abs(promoters + passives + detractors - 1) > _SUM:
        raise EvidenceError(f"shares of {', '.join(map(str, row))} do not sum to 1")
    if max(promoters, passives, detractors) > 1 - _SUM:
        raise EvidenceError("all answers are in one group: without variance no sample size follows")
    return promoters + detractors - (promoters - detractors) ** 2
