"""Net promoter scores and cancellations: what a survey says, and the smallest change that it could have shown.

Formulas: Reichheld, Harvard Business Review 81(12), 2003, for the score; an answer is +1, 0 or -1, so that its variance
is `p + d - (p - d)^2`. Sample sizes are those of a two-sided test at 5 % of two arms by the normal approximation.
"""

from collections.abc import Sequence
from math import ceil, sqrt
from statistics import NormalDist

from surefoot.errors import EvidenceError
from surefoot.evidence.given import number, positive, rows, share, whole

LEVEL = 0.05
"""Of the two-sided test."""

_POINTS = 100
_HALVINGS = 60
_SUM = 1e-6
"""How far the three shares may be off 1: they are told rounded."""


def nps(promoters: int, passives: int, detractors: int) -> float:
    """The net promoter score in points, from -100 to 100: `100 (p - d)`, with p and d the shares of all answers.

    Raises `EvidenceError` for counts that are negative or not whole, and for no answers.
    """
    counts = whole("promoters", promoters), whole("passives", passives), whole("detractors", detractors)
    if not any(counts):
        raise EvidenceError("no answers: there is no score")
    return _POINTS * (counts[0] - counts[2]) / sum(counts)


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

    The inverse of `share_sample`, by halving. Raises `EvidenceError` as that does, and for n below 1.
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
