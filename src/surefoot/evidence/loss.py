"""What incidents cost in a year, with a fallback and without, and what one recovery costs.

Annual loss is a compound Poisson sum: so many incidents, each with an impact drawn for itself (Klugman, Panjer &
Willmot, Loss Models). Impacts are lognormal, told by the ends of a 90 % interval, as people can estimate them (Hubbard
& Seiersen, How to Measure Anything in Cybersecurity Risk).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import exp, inf, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import EvidenceError
from surefoot.evidence.given import not_negative, positive, sample, share, up_to, whole
from surefoot.evidence.intervals import garwood
from surefoot.evidence.means import mean
from surefoot.evidence.order import SMALLEST_FOR_P99, rank_of

MOST_INCIDENTS = 1_000_000
"""A year. More are no incidents but calls, whose sum needs no simulation."""
MOST_YEARS = 10_000_000
"""Of a simulation: 8 bytes each are kept. Its mean is then known to sd / 3,000."""
AT_ONCE = 250_000
"""Incidents that are drawn at once, about; bounds memory for any number of years."""

VAR = 0.95
"""The level of the conditional value at risk."""
BATCHES = 20
"""Of years, for the error of a CVaR."""

Z90 = NormalDist().inv_cdf(0.95)
"""1.644854: a 90 % interval reaches so many standard deviations to either side."""
WIDEST = 300
"""Half the logarithm of the impact's second moment, `mu + sigma^2`; a float ends near 354."""


@dataclass(frozen=True, slots=True)
class Risk:
    """Incidents of one kind. Raises `EvidenceError` where a number cannot be what it says."""

    rate: float
    """Incidents a year, without any fallback; at most 1,000,000."""
    low: float
    """The impact of one that only 5 % stay below, above 0; dollars, or any other unit."""
    high: float
    """The impact that only 5 % exceed. Equal to `low`: every incident costs the same."""
    coverage: float = 0.0
    """The share of incidents that the fallback covers."""
    residual: float = 0.0
    """What one covered incident still costs, on the mean; in the unit of `low` and `high`, not a share of them."""

    def __post_init__(self) -> None:
        """Refuses what a risk cannot be."""
        up_to(MOST_INCIDENTS, "incidents a year", self.rate)
        if positive("a low impact", self.low) > positive("a high impact", self.high):
            raise EvidenceError(f"an impact from {self.low} to {self.high}: low must not exceed high")
        share("a coverage", self.coverage)
        not_negative("a residual impact", self.residual)
        if self.mu + self.sigma**2 > WIDEST:
            raise EvidenceError(f"an impact from {self.low} to {self.high}: the range is too wide to be reckoned with")

    @property
    def mu(self) -> float:
        """Of the impact's logarithm, the mean: `(ln low + ln high) / 2`."""
        return (log(self.low) + log(self.high)) / 2

    @property
    def sigma(self) -> float:
        """Of the impact's logarithm, the standard deviation: `(ln high - ln low) / (2 * 1.644854)`."""
        return (log(self.high) - log(self.low)) / (2 * Z90)

    @property
    def mean_impact(self) -> float:
        """Of an incident that is not covered: `exp(mu + sigma^2 / 2)`, above the middle of the interval."""
        return exp(self.mu + self.sigma**2 / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnualLoss:
    """The distribution of a year's loss, as simulated; in the unit of the risk's impact."""

    years: int
    seed: int
    mean: float
    error: float
    """The Monte Carlo error of the mean: one standard error, `sd / sqrt(years)`."""
    sd: float
    median: float
    p90: float
    p95: float
    p99: float
    cvar: float
    """The mean of the worst 5 % of years: conditional value at risk at 95 %."""
    p_zero: float
    """The share of years without any loss."""
    losses: NDArray[np.float64] = field(repr=False, compare=False)
    """Each year's, in the order drawn: year for year those of a risk that differs in coverage or residual alone."""

    def exceedance(self, x: float) -> float:
        """The share of years whose loss exceeds x: a point of the loss exceedance curve.

        Raises `EvidenceError` for an x that is negative or not finite.
        """
        return float((self.losses > not_negative("a loss", x)).mean())


def expected_annual_loss(risk: Risk) -> float:
    """The expected loss of a year, in closed form: `rate * ((1 - coverage) * E[X] + coverage * residual)`.

    By Wald's identity, with `E[X] = exp(mu + sigma^2 / 2)` of the lognormal impact.
    Raises `EvidenceError` for what is no `Risk`.
    """
    _check(risk)
    return risk.rate * ((1 - risk.coverage) * risk.mean_impact + risk.coverage * risk.residual)


def annual_loss(risk: Risk, *, years: int, seed: int) -> AnnualLoss:
    """The loss of a year as a distribution, from so many simulated ones.

    `S` is the sum over `N ~ Poisson(rate)` incidents of `X ~ Lognormal(mu, sigma)`; each incident is covered with
    probability `coverage`, and then costs `residual` instead. So those that are not covered come at `rate * (1 -
    coverage)`: a Poisson process that is thinned. Quantiles are the smallest loss with at least that share of years at
    or below it; the CVaR is `v + E[(S - v)+] / 0.05` with v the 95 % quantile (Rockafellar & Uryasev, Journal of Risk
    2, 2000, p. 21). The same seed gives the same incidents, with any coverage: differences are paired.
    `percentile(loss.losses, 0.99)` gives a quantile with the interval of its Monte Carlo error.
    Raises `EvidenceError` for fewer than 100 years (their p99 is refused) or more than 10,000,000.
    """
    _check(risk)
    years = whole("years", years, least=SMALLEST_FOR_P99)
    up_to(MOST_YEARS, "years", years)
    random = np.random.default_rng(whole("a seed", seed))
    losses = np.concatenate(list(_drawn(risk, years, random)))
    losses.flags.writeable = False
    ranks = [rank_of(q, years) - 1 for q in (0.5, 0.9, VAR, 0.99)]
    median, p90, p95, p99 = (float(loss) for loss in np.partition(losses, ranks)[ranks])
    sd = float(losses.std(ddof=1))
    return AnnualLoss(
        years=years,
        seed=int(seed),
        mean=float(losses.mean()),
        error=sd / sqrt(years),
        sd=sd,
        median=median,
        p90=p90,
        p95=p95,
        p99=p99,
        cvar=_beyond(losses, p95),
        p_zero=float((losses == 0).mean()),
        losses=losses,
    )


def cvar(losses: Iterable[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """The mean of the worst 5 % of independent years, with the interval of its Monte Carlo error: `(value, low, high)`.

    The interval is Student's, of the CVaR of twenty batches of years about their mean (batch means: Law, Simulation
    Modeling and Analysis, 2015, section 9.5.3), laid around the value.
    Raises `EvidenceError` for fewer than 2,000 years, a loss that is not finite, or unless 0 < confidence < 1.
    """
    given = sample("years", losses, least=BATCHES * SMALLEST_FOR_P99)
    batches = np.array_split(given, BATCHES)
    middle, low, high = mean([_beyond(batch, _worst(batch)) for batch in batches], confidence)
    value = _beyond(given, _worst(given))
    return value, value - (middle - low), value + (high - middle)


def _worst(losses: NDArray[np.float64]) -> float:
    """The 95 % quantile."""
    rank = rank_of(VAR, len(losses)) - 1
    return float(np.partition(losses, rank)[rank])


def _beyond(losses: NDArray[np.float64], quantile: float) -> float:
    return quantile + float(np.maximum(losses - quantile, 0).mean()) / (1 - VAR)


def _drawn(risk: Risk, years: int, random: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """The losses of so many years, a block of years at a time."""
    block = max(int(AT_ONCE / max(risk.rate, 1)), 1)
    for start in range(0, years, block):
        counts = random.poisson(risk.rate, min(block, years - start))
        impacts = random.lognormal(risk.mu, risk.sigma, counts.sum())
        impacts[random.random(len(impacts)) < risk.coverage] = risk.residual
        of_year = np.repeat(np.arange(len(counts)), counts)
        yield np.bincount(of_year, weights=impacts, minlength=len(counts)).astype(np.float64, copy=False)


def _check(risk: Risk) -> None:
    if not isinstance(risk, Risk):
        raise EvidenceError(f"{risk!r} is no Risk")


class RecoveryCost(NamedTuple):
    """Of one recovery, in the unit of the spend. Infinite where none was recovered."""

    point: float
    low: float
    high: float


def cost_per_recovery(spend: float, recovered: int) -> RecoveryCost:
    """What one recovered incident (or call) cost: `spend / recovered`, with its 95 % interval.

    The spend is the standing cost of the fallback and the marginal cost of its attempts, losers included. The count is
    Poisson, so the ends are the spend divided by Garwood's: with none recovered the point and the upper end are
    infinite, and the lower end is still known. Raises `EvidenceError` for a negative spend or count.
    """
    spend = not_negative("a spend", spend)
    recovered = whole("recovered", recovered)
    fewest, most = garwood(recovered)
    return RecoveryCost(
        point=spend / recovered if recovered else inf,
        low=spend / most,
        high=spend / fewest if recovered else inf,
    )
