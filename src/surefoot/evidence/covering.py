"""Coverage: what share of failures the fallback covers. One question, three honest answers.

For failure mode i: f_i events per year, I_i mean impact of one, m_i the share of cases that ended in a valid answer in
time, t the threshold from which a mode counts as covered.

    by modes   #{m_i >= t} / N           each mode counts the same
    by events  sum f_i m_i / sum f_i     each event counts the same
    by risk    sum f_i I_i m_i / sum f_i I_i    each minute or dollar counts the same: the headline

The same modes can give 78, 89 and 67 %, so the three are always shown together. A mode that was never drilled is not
0 and not 1 but unknown: only the interval can say so.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import EvidenceError
from surefoot.evidence.given import not_negative, positive, proportion, whole
from surefoot.evidence.given import rows as rows_of
from surefoot.evidence.given import share as share_of

THRESHOLD = 0.5
"""From this share on a mode counts as covered."""

DRAWS = 20_000
"""Of each interval. The ends of an interval that is ten points wide then move by about 0.1 point from seed to seed."""

QUANTILES = (0.025, 0.5, 0.975)


class Coverage(NamedTuple):
    """Shares, from 0 to 1."""

    modes: float
    events: float
    risk: float


class Band(NamedTuple):
    """The 2.5, 50 and 97.5 % quantiles of a share."""

    low: float
    median: float
    high: float


class CoverageInterval(NamedTuple):
    """What is known of the three coverages."""

    modes: Band
    events: Band
    risk: Band


class Counted(NamedTuple):
    """What was counted of one mode."""

    mode: str
    events: float
    """How often it was seen in the years watched. Not whole where a count was shared out among modes."""
    impact: float
    """Mean impact of one event; minutes or dollars, the same for all modes."""
    k: int
    """Cases that ended in a valid answer in time,"""
    n: int
    """of so many drilled or observed. 0: the mode is untested."""
    forbidden: bool = False
    """Whether the jurisdiction forbids the fallback: then it covers nothing, whatever was drilled."""


def _mean(shares: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """A weighted mean of shares, which rounding does not take out of their range: all covered is covered."""
    mean = float(weights @ shares / weights.sum())
    weighed = shares[weights > 0]
    return min(max(mean, float(weighed.min())), float(weighed.max()))


def coverage(rows: Iterable[tuple[str, float, float, float]], threshold: float = THRESHOLD) -> Coverage:
    """The three coverages of rows `(mode, events_per_year, impact, mitigated_share)`; the formulas are above.

    A mode that the jurisdiction forbids is told with a share of 0.
    Raises `EvidenceError` for no rows, a mode told twice, a share or threshold outside 0 to 1, a negative or infinite
    rate or impact, and where all weights are 0.
    """
    share_of("a threshold", threshold)
    given = rows_of("coverage", rows, "mode, events_per_year, impact, mitigated_share")
    _check_modes([row[0] for row in given])
    rates = np.array([not_negative(f"{mode}: events per year", rate) for mode, rate, _, _ in given])
    risks = rates * np.array([not_negative(f"{mode}: impact", impact) for mode, _, impact, _ in given])
    shares = np.array([share_of(f"{mode}: a mitigated share", share) for mode, _, _, share in given])
    if not 0 < rates.sum() < np.inf:
        raise EvidenceError(f"all modes have {rates.sum():g} events per year: there is nothing to weigh them by")
    if not 0 < risks.sum() < np.inf:
        raise EvidenceError(f"events times impact is {risks.sum():g} for all modes: there is no risk to weigh them by")
    return Coverage(
        modes=float((shares >= threshold).mean()),
        events=_mean(shares, rates),
        risk=_mean(shares, risks),
    )


def coverage_interval(
    rows: Iterable[Counted | tuple[str, float, float, int, int]], *, years: float, seed: int
) -> CoverageInterval:
    """What is known of the three coverages after rows `(mode, events, impact, k, n[, forbidden])`, by Monte Carlo.

    They are the rows of `coverage` with counts: events in all the years, and k of n in place of the mitigated share.
    Draws `m_i ~ Beta(k+1/2, n-k+1/2)`, the posterior of a share under Jeffreys' prior (Brown, Cai & DasGupta,
    Statistical Science 16, 2001, pp. 101-133), and `f_i ~ Gamma(events+1/2, 1/years)`, that of a Poisson rate. A mode
    never drilled (n = 0) is so drawn from Beta(1/2, 1/2); a forbidden one is 0. Impacts are taken as given. The mode
    coverage is that of `THRESHOLD`. `years` is the time over which the events were counted.
    Raises `EvidenceError` for no rows, a mode told twice, k of n that is no proportion, a negative or infinite count or
    impact, years that are not above 0, where all impacts are 0, and where a float cannot hold their product.
    """
    given = [Counted(*row) for row in rows_of("coverage", rows, "mode, events, impact, k, n[, forbidden]")]
    _check_modes([row.mode for row in given])
    events = np.array([not_negative(f"{row.mode}: count of events", row.events) for row in given])
    impacts = np.array([not_negative(f"{row.mode}: impact", row.impact) for row in given])
    told = [proportion(f"{row.mode}: ", row.k, row.n, least=0) for row in given]
    k, n = np.array(told, dtype=float).T
    if not any(impacts):
        raise EvidenceError("the impact of every mode is 0: there is no risk to weigh them by")
    scale = 1 / positive("the years in which events were counted", years)
    random = np.random.default_rng(whole("a seed", seed))
    shape = (DRAWS, len(given))
    shares = random.beta(k + 0.5, n - k + 0.5, shape)
    shares[:, [bool(row.forbidden) for row in given]] = 0.0
    rates = random.gamma(events + 0.5, scale, shape)
    with np.errstate(over="ignore"):  # which is refused below
        risks = rates * impacts
        weighed = risks.sum(axis=1)
    if not (weighed > 0).all() or not np.isfinite(weighed).all():
        raise EvidenceError("impacts or years are too small or too large to be reckoned with")
    return CoverageInterval(
        modes=_band((shares >= THRESHOLD).mean(axis=1)),
        events=_band((rates * shares).sum(axis=1) / rates.sum(axis=1)),
        risk=_band((risks * shares).sum(axis=1) / weighed),
    )


def _band(draws: NDArray[np.float64]) -> Band:
    return Band(*(float(end) for end in np.quantile(draws, QUANTILES)))


def _check_modes(modes: Sequence[str]) -> None:
    nameless = [mode for mode in modes if not isinstance(mode, str)]
    if nameless:
        raise EvidenceError(f"{nameless[0]!r} names no mode: it has to be text")
    twice = sorted({mode for mode in modes if modes.count(mode) > 1})
    if twice:
        raise EvidenceError(f"told twice: {', '.join(twice)}; one row per mode")
