"""Quantities that are not known exactly, told as people and counts tell them, and drawn so that their doubt enters.

Knows five: a number as it is, a 90 % interval (lognormal, as `loss` reads one), events counted in years (Gamma), k of n
cases (Beta), and single values that were seen (Dirichlet). Gamma and Beta are under Jeffreys' priors, as coverage draws
them. The generator is given.
"""

from dataclasses import dataclass
from math import exp, log
from statistics import NormalDist, fmean

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainccinv, betaincinv

from surefoot.errors import EvidenceError
from surefoot.evidence.given import not_negative, positive, share, tail_of
from surefoot.evidence.intervals import event_rate
from surefoot.evidence.loss import WIDEST, Z90

Draws = NDArray[np.float64]
Places = NDArray[np.int64]

_HALVINGS = 60
_WORLDS = 4_000
"""Drawn for the interval of a mean: 100 of them lie beyond each end of 95 %."""


@dataclass(frozen=True, slots=True)
class Known:
    """A number that is taken as it is. Raises `EvidenceError` unless it is finite and not negative."""

    value: float

    def __post_init__(self) -> None:
        """Refuses what is no number, or below 0."""
        not_negative("a number", self.value)

    @property
    def mean(self) -> float:
        """Itself."""
        return float(self.value)

    def interval(self, _confidence: float = 0.9) -> None:
        """None: it is taken as it is."""

    def draw(self, _random: np.random.Generator, size: int) -> Draws:
        """The same number so many times."""
        return np.full(size, float(self.value))


@dataclass(frozen=True, slots=True)
class Between:
    """A 90 % interval: 5 % lie below `low`, 5 % above `high`. Lognormal, so never 0 and longer above than below.

    `mu = (ln low + ln high) / 2`, `sigma = (ln high - ln low) / (2 * 1.644854)`.
    Raises `EvidenceError` unless 0 < low <= high, and for a range too wide to be reckoned with.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuses what is no interval."""
        if positive("a low end", self.low) > positive("a high end", self.high):
            raise EvidenceError(f"from {self.low} to {self.high}: low must not exceed high")
        if self._mu + self._sigma**2 > WIDEST:
            raise EvidenceError(f"from {self.low} to {self.high}: the range is too wide to be reckoned with")

    @property
    def _mu(self) -> float:
        return (log(self.low) + log(self.high)) / 2

    @property
    def _sigma(self) -> float:
        return (log(self.high) - log(self.low)) / (2 * Z90)

    @property
    def mean(self) -> float:
        """`exp(mu + sigma^2 / 2)`, above the middle of the interval."""
        return exp(self._mu + self._sigma**2 / 2)

    def interval(self, confidence: float = 0.9) -> tuple[float, float]:
        """Equal tails; `(low, high)` itself at 90 %."""
        reach = -NormalDist().inv_cdf(tail_of(confidence)) * self._sigma
        return exp(self._mu - reach), exp(self._mu + reach)

    def draw(self, random: np.random.Generator, size: int) -> Draws:
        """So many independent draws."""
        return random.lognormal(self._mu, self._sigma, size)


@dataclass(frozen=True, slots=True)
class Events:
    """A yearly rate, known from so many events in so many years: `Gamma(events + 1/2, 1 / years)`, as in `event_rate`.

    Raises `EvidenceError` for a negative count and years not above 0.
    """

    events: float
    years: float

    def __post_init__(self) -> None:
        """Refuses what cannot have been counted."""
        not_negative("events", self.events)
        positive("years", self.years)

    @property
    def mean(self) -> float:
        """Of the posterior, `(events + 1/2) / years`: half an event above what was seen."""
        return (self.events + 0.5) / self.years

    def interval(self, confidence: float = 0.9) -> tuple[float, float]:
        """Of the posterior, equal tails."""
        return event_rate(self.events, self.years, confidence)

    def draw(self, random: np.random.Generator, size: int) -> Draws:
        """So many independent draws of the rate."""
        return random.gamma(self.events + 0.5, 1 / self.years, size)


@dataclass(frozen=True, slots=True)
class Cases:
    """A share, known from k of n cases: `Beta(k + 1/2, n - k + 1/2)`. Of none (n = 0) it is unknown, neither 0 nor 1.

    They need not be whole: `cases_of` makes them of an interval. Raises `EvidenceError` unless 0 <= k <= n.
    """

    k: float
    n: float

    def __post_init__(self) -> None:
        """Refuses what is no proportion."""
        if not_negative("k", self.k) > not_negative("n", self.n):
            raise EvidenceError(f"{self.k} of {self.n} is no proportion: k must not exceed n")

    @property
    def mean(self) -> float:
        """Of the posterior, `(k + 1/2) / (n + 1)`."""
        return (self.k + 0.5) / (self.n + 1)

    def interval(self, confidence: float = 0.9) -> tuple[float, float]:
        """Of the posterior, equal tails."""
        tail = tail_of(confidence)
        shape = self.k + 0.5, self.n - self.k + 0.5
        return float(betaincinv(*shape, tail)), float(betainccinv(*shape, tail))

    def draw(self, random: np.random.Generator, size: int) -> Draws:
        """So many independent draws of the share."""
        return random.beta(self.k + 0.5, self.n - self.k + 0.5, size)


@dataclass(frozen=True, slots=True)
class Sample:
    """What single incidents were like: the next one is like any of these, and how often like which is not known.

    In a world each value has a share, drawn from `Dirichlet(1, …, 1)`: the Bayesian bootstrap (Rubin, Annals of
    Statistics 9, 1981). So single values differ as they did, and their mean is in doubt, with the variance
    `s^2 / (n + 1)`, where `s^2 = sum((x - mean)^2) / n`. What was never seen is never drawn: of few values, or of one,
    the doubt is too small.
    Raises `EvidenceError` for no value, and one that is not finite or negative.
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuses what is no sample."""
        if not self.values:
            raise EvidenceError("a sample without a value tells nothing")
        for value in self.values:
            not_negative("a value of a sample", value)

    @property
    def mean(self) -> float:
        """Of the values; over all worlds that of the draws, too."""
        return fmean(self.values)

    def interval(self, confidence: float = 0.9) -> tuple[float, float] | None:
        """Of the mean, equal tails of 4,000 worlds with a seed of their own; None where all values are alike."""
        tail = tail_of(confidence)
        if len(set(self.values)) == 1:
            return None
        shares = np.diff(_shares(np.random.default_rng(0), _WORLDS, len(self.values)), axis=1, prepend=0.0)
        low, high = np.quantile(shares @ np.array(self.values), [tail, 1 - tail])
        return float(low), float(high)

    def draw(self, random: np.random.Generator, doubt: np.random.Generator, world: Places, worlds: int) -> Draws:
        """A value for each incident, of which `world` tells the world, from 0 on, among so many.

        The shares of the worlds come from `doubt`, the incidents from `random`.
        """
        ends = _shares(doubt, worlds, len(self.values)) + np.arange(worlds)[:, None]
        found = np.searchsorted(ends.ravel(), world + random.random(len(world)), side="right")
        picked: Draws = np.array(self.values)[np.minimum(found - world * len(self.values), len(self.values) - 1)]
        return picked


def _shares(doubt: np.random.Generator, worlds: int, size: int) -> Draws:
    """Of each world (rows) the sums of shares up to each value; `Dirichlet(1, …, 1)`, the last sum is 1."""
    sums = doubt.standard_exponential((worlds, size)).cumsum(axis=1)
    shares: Draws = sums / sums[:, -1:]
    return shares


Amount = Known | Between
"""What one incident, one day, one minute costs or lasts."""
Lasting = Known | Between | Sample
"""How long one incident lasts."""
Rate = Known | Between | Events
"""Incidents a year."""
Part = Known | Cases
"""A share."""


def cases_of(value: float, low: float, high: float, n: float, confidence: float = 0.95) -> Cases:
    """The k of n whose Beta is as wide as the interval of a share that was made in another way (weighted, clustered).

    The effective sample size m (Kish, Survey Sampling, 1965, section 8.2), found by halving: the largest m up to n for
    which the equal-tailed interval of Beta(m value + 1/2, m (1 - value) + 1/2) is at least as wide; k is m value. It
    is never more certain than n cases would be.
    Raises `EvidenceError` unless 0 <= low <= value <= high <= 1, n >= 0 and 0 < confidence < 1.
    """
    middle, most = share("a share", value), not_negative("n", n)
    ends = share("a low end", low), share("a high end", high)
    if not ends[0] <= middle <= ends[1]:
        raise EvidenceError(f"a share of {value} outside its interval {low} to {high}")

    def wide_enough(size: float) -> bool:
        bottom, top = Cases(size * middle, size).interval(confidence)
        return top - bottom >= ends[1] - ends[0]

    if wide_enough(most):
        return Cases(most * middle, most)
    small, large = 0.0, most
    for _ in range(_HALVINGS):
        between = (small + large) / 2
        small, large = (between, large) if wide_enough(between) else (small, between)
    return Cases(small * middle, small)
