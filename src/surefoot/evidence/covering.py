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
from math import isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import EvidenceError

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
    k: int
    """Cases that ended in a valid answer in time,"""
    n: int
    """of so many drilled or observed. 0: the mode is untested."""
    events: float
    """How often it was seen in the years watched."""
    impact: float
    """Mean impact of one event; minutes or dollars, the same for all modes."""
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
    given = list(rows)
    _check_modes([row[0] for row in given])
    for mode, rate, impact, share in given:
        _check_weight(mode, "events per year", rate)
        _check_weight(mode, "impact", impact)
        if not 0 <= share <= 1:
            raise EvidenceError(f"{mode}: a mitigated share of {share} is not between 0 and 1")
    _check_threshold(threshold)
    rates = np.array([row[1] for row in given], dtype=float)
    risks = rates * np.array([row[2] for row in given], dtype=float)
    shares = np.array([row[3] for row in given], dtype=float)
    if not rates.sum() > 0:
        raise EvidenceError("all modes have 0 events per year: there is nothing to weigh them by")
    if not risks.sum() > 0:
        raise EvidenceError("events times impact is 0 for all modes: there is no risk to weigh them by")
    return Coverage(
        modes=float((shares >= threshold).mean()),
        events=_mean(shares, rates),
        risk=_mean(shares, risks),
    )


def coverage_interval(
    rows: Iterable[Counted | tuple[str, int, int, float, float]], *, years: float, seed: int
) -> CoverageInterval:
    """What is known of the three coverages after rows `(mode, k, n, events, impact[, forbidden])`, by Monte Carlo.

    Draws `m_i ~ Beta(k+1/2, n-k+1/2)`, the posterior of a share under Jeffreys' prior (Brown, Cai & DasGupta,
    Statistical Science 16, 2001, pp. 101-133), and `f_i ~ Gamma(events+1/2, 1/years)`, that of a Poisson rate. A mode
    never drilled (n = 0) is so drawn from Beta(1/2, 1/2); a forbidden one is 0. Impacts are taken as given. The mode
    coverage is that of `THRESHOLD`. `years` is the time over which the events were counted.
    Raises `EvidenceError` for no rows, a mode told twice, k of n that is no proportion, a negative or infinite count or
    impact, years that are not above 0, and where all impacts are 0.
    """
    given = [Counted(*row) for row in rows]
    _check_counted(given, years)
    random = np.random.default_rng(seed)
    k, n = (np.array([row[index] for row in given], dtype=float) for index in (1, 2))
    events, impacts = (np.array([row[index] for row in given], dtype=float) for index in (3, 4))
    shape = (DRAWS, len(given))
    shares = random.beta(k + 0.5, n - k + 0.5, shape)
    shares[:, [row.forbidden for row in given]] = 0.0
    rates = random.gamma(events + 0.5, 1 / years, shape)
    risks = rates * impacts
    return CoverageInterval(
        modes=_band((shares >= THRESHOLD).mean(axis=1)),
        events=_band((rates * shares).sum(axis=1) / rates.sum(axis=1)),
        risk=_band((risks * shares).sum(axis=1) / risks.sum(axis=1)),
    )


def _band(draws: NDArray[np.float64]) -> Band:
    return Band(*(float(end) for end in np.quantile(draws, QUANTILES)))


def _check_counted(rows: Sequence[Counted], years: float) -> None:
    _check_modes([row.mode for row in rows])
    for row in rows:
        if not 0 <= row.k <= row.n:
            raise EvidenceError(f"{row.mode}: {row.k} of {row.n} is no proportion")
        _check_weight(row.mode, "count of events", row.events)
        _check_weight(row.mode, "impact", row.impact)
    if not (isfinite(years) and years > 0):
        raise EvidenceError(f"events counted over {years} years: the time has to be above 0")
    if not any(row.impact for row in rows):
        raise EvidenceError("the impact of every mode is 0: there is no risk to weigh them by")


def _check_modes(modes: Sequence[str]) -> None:
    if not modes:
        raise EvidenceError("coverage needs at least one mode")
    twice = sorted({mode for mode in modes if modes.count(mode) > 1})
    if twice:
        raise EvidenceError(f"told twice: {', '.join(twice)}; one row per mode")


def _check_weight(mode: str, name: str, value: float) -> None:
    if not (isfinite(value) and value >= 0):
        raise EvidenceError(f"{mode}: {name} of {value}; it has to be finite and not negative")


def _check_threshold(threshold: float) -> None:
    if not 0 <= threshold <= 1:
        raise EvidenceError(f"a threshold of {threshold} is not between 0 and 1")
