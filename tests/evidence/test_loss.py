"""Annual loss against closed forms, Panjer's recursion and simulation incident by incident."""

import tracemalloc
from itertools import pairwise
from math import exp, inf, log, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import lognorm, poisson

from surefoot.errors import EvidenceError
from surefoot.evidence import Risk, annual_loss, cost_per_recovery, expected_annual_loss, garwood, percentile

ONE = Risk(rate=3.0, low=2_000, high=60_000)
COVERED = Risk(rate=3.0, low=2_000, high=60_000, coverage=0.8, residual=500)

risks = st.builds(
    lambda rate, low, factor, coverage, residual: Risk(rate, low, low * factor, coverage, residual),
    st.floats(0, 40),
    st.floats(1, 1e5),
    st.floats(1.01, 200),
    st.floats(0, 1),
    st.floats(0, 100),
)


def impact_of(risk: Risk) -> tuple[float, float]:
    """Mean and second moment of one incident's impact, by the moments of scipy's distribution."""
    sigma = log(risk.high / risk.low) / (2 * 1.6448536269514722)
    found = lognorm(sigma, scale=sqrt(risk.low * risk.high))
    return float(found.moment(1)), float(found.moment(2))


def test_the_interval_of_the_impact_leaves_five_percent_at_either_end() -> None:
    impact = lognorm(ONE.sigma, scale=exp(ONE.mu))
    assert (impact.cdf(ONE.low), impact.sf(ONE.high)) == pytest.approx((0.05, 0.05))


def test_the_expected_loss_is_rate_times_the_lognormal_mean() -> None:
    mean, _ = impact_of(ONE)
    assert expected_annual_loss(ONE) == pytest.approx(3 * mean)
    assert expected_annual_loss(COVERED) == pytest.approx(3 * (0.2 * mean + 0.8 * 500))


def test_a_range_without_width_is_a_fixed_impact() -> None:
    assert expected_annual_loss(Risk(2, 100, 100)) == pytest.approx(200)
    found = annual_loss(Risk(2, 100, 100), years=20_000, seed=1)
    exact = poisson(2)
    assert [found.median, found.p90, found.p95, found.p99] == pytest.approx(
        [100 * exact.ppf(q) for q in (0.5, 0.9, 0.95, 0.99)]
    )
    assert found.exceedance(300.5) == pytest.approx(exact.sf(3), abs=0.01)


@settings(max_examples=30, deadline=None)
@given(risks)
def test_coverage_lowers_the_expected_loss_by_what_it_covers(risk: Risk) -> None:
    without = Risk(risk.rate, risk.low, risk.high)
    mean, _ = impact_of(risk)
    saved = risk.rate * risk.coverage * (mean - risk.residual)
    assert expected_annual_loss(without) - expected_annual_loss(risk) == pytest.approx(saved, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("risk", [ONE, COVERED, Risk(0.1, 10, 1000), Risk(40, 1, 2, 0.5, 1)])
def test_simulated_moments_are_those_of_the_compound_poisson_sum(risk: Risk) -> None:
    mean, second = impact_of(risk)
    of_one = (1 - risk.coverage) * mean + risk.coverage * risk.residual
    squared = (1 - risk.coverage) * second + risk.coverage * risk.residual**2
    found = annual_loss(risk, years=400_000, seed=11)
    assert found.mean == pytest.approx(risk.rate * of_one, abs=5 * found.error)
    assert found.mean == pytest.approx(expected_annual_loss(risk), abs=5 * found.error)
    assert found.sd == pytest.approx(sqrt(risk.rate * squared), rel=0.05)
    assert found.error == pytest.approx(found.sd / sqrt(400_000))
    causes = risk.rate * (1 if risk.residual else 1 - risk.coverage)
    assert found.p_zero == pytest.approx(exp(-causes), abs=0.005)


def panjer(risk: Risk, step: float, cells: int) -> list[float]:
    """The distribution of the sum on a grid (Panjer, ASTIN Bulletin 12, 1981): f_s = rate/s * sum j p_j f_(s-j)."""
    edges = (np.arange(cells + 1) - 0.5) * step
    impact = lognorm(risk.sigma, scale=exp(risk.mu))
    weights = np.diff(impact.cdf(np.maximum(edges, 0))) * np.arange(cells)
    found = np.zeros(cells)
    found[0] = exp(-risk.rate * (1 - impact.cdf(edges[1])))
    for total in range(1, cells):
        found[total] = risk.rate / total * weights[1 : total + 1] @ found[total - 1 :: -1][:total]
    return [float(share) for share in np.cumsum(found)]


def test_quantiles_and_exceedance_are_those_of_panjers_recursion() -> None:
    step = 250.0
    below = panjer(ONE, step, 2400)
    found = annual_loss(ONE, years=400_000, seed=5)
    for told, q in ((found.median, 0.5), (found.p90, 0.9), (found.p95, 0.95), (found.p99, 0.99)):
        exact = step * next(cell for cell, share in enumerate(below) if share >= q)
        assert told == pytest.approx(exact, rel=0.02)
    for x in (10_000.0, 50_000.0, 200_000.0):
        assert found.exceedance(x) == pytest.approx(1 - below[int(x / step)], abs=0.004)
    tail = [max(share, 0.95) for share in below]
    worst = step * sum(cell * (high - low) for cell, (low, high) in enumerate(pairwise(tail), 1))
    assert found.cvar == pytest.approx(worst / 0.05, rel=0.03)


def test_the_cvar_is_the_mean_of_the_worst_twentieth_of_years() -> None:
    found = annual_loss(COVERED, years=20_000, seed=2)
    assert found.cvar == pytest.approx(np.sort(found.losses)[-1000:].mean())
    assert found.median <= found.p90 <= found.p95 <= found.p99
    assert found.cvar >= found.p95


def test_every_number_is_that_of_the_losses_it_keeps() -> None:
    found = annual_loss(COVERED, years=5_001, seed=3)
    assert (found.mean, found.sd) == pytest.approx((found.losses.mean(), found.losses.std(ddof=1)))
    for told, q in ((found.median, 0.5), (found.p90, 0.9), (found.p95, 0.95), (found.p99, 0.99)):
        assert told == percentile(found.losses, q)[0]
    assert found.exceedance(0) == pytest.approx(1 - found.p_zero)
    assert found.exceedance(found.p95) <= 0.05
    assert found.exceedance(float(found.losses.max())) == 0


@settings(max_examples=30, deadline=None)
@given(risks, st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_years_and_more_coverage_never_a_dearer_one(risk: Risk, seed: int) -> None:
    first, again = (annual_loss(risk, years=200, seed=seed) for _ in range(2))
    assert first == again
    assert first.losses.tobytes() == again.losses.tobytes()
    bare = annual_loss(Risk(risk.rate, risk.low, risk.high), years=200, seed=seed)
    full = annual_loss(Risk(risk.rate, risk.low, risk.high, risk.coverage), years=200, seed=seed)
    assert (full.losses <= bare.losses * (1 + 1e-12)).all()
    assert full.exceedance(risk.high) <= bare.exceedance(risk.high)


def test_another_seed_gives_other_years() -> None:
    assert annual_loss(ONE, years=200, seed=1) != annual_loss(ONE, years=200, seed=2)


def test_simulated_incident_by_incident_the_loss_is_distributed_the_same() -> None:
    random = np.random.default_rng(77)
    years = []
    for _ in range(20_000):
        left = sum(random.random() >= 0.8 for _ in range(random.poisson(3)))
        covered = random.poisson(2.4)
        impacts = np.exp(random.normal(log(2_000 * 60_000) / 2, log(30) / 2 / NormalDist().inv_cdf(0.95), left))
        years.append(float(impacts.sum()) + 500 * covered)
    slow = np.array(years)
    found = annual_loss(COVERED, years=100_000, seed=4)
    for x in (0, 250, 1_250, 2_250, 5_250, 20_000, 60_000):
        assert found.exceedance(x) == pytest.approx((slow > x).mean(), abs=0.015)


def test_blocks_of_years_are_drawn_apart_and_every_year_is_there() -> None:
    often = Risk(rate=200_000, low=1, high=1)
    found = annual_loss(often, years=100, seed=1)  # a block is one year
    assert found.losses == pytest.approx(np.full(100, 200_000), rel=0.02)
    seldom = annual_loss(Risk(0.001, 1, 1), years=600_000, seed=1)  # a block is 250,000 years
    assert seldom.losses.sum() == pytest.approx(600, abs=150)
    assert seldom.losses[-100_000:].sum() > 0


def test_memory_is_that_of_the_years_however_many_incidents_they_have() -> None:
    tracemalloc.start()
    try:
        annual_loss(Risk(40, 1, 10), years=200_000, seed=1)  # 8 million incidents: 192 MB if drawn at once
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40e6


def test_without_incidents_nothing_is_lost() -> None:
    for risk in (Risk(0, 1, 10), Risk(5, 1, 10, coverage=1.0)):
        found = annual_loss(risk, years=100, seed=1)
        assert (found.mean, found.p99, found.cvar, found.p_zero, found.exceedance(0)) == (0, 0, 0, 1, 0)
        assert expected_annual_loss(risk) == 0


def test_what_covered_incidents_still_cost_remains() -> None:
    found = annual_loss(Risk(5, 1_000, 9_000, coverage=1.0, residual=40), years=50_000, seed=9)
    assert found.mean == pytest.approx(200, abs=5 * found.error)
    assert set(found.losses % 40) == {0}
    assert found.p_zero == pytest.approx(exp(-5), abs=0.002)


@pytest.mark.parametrize(
    "numbers",
    [
        (-1, 1, 2),
        (2e6, 1, 2),
        (1, 0, 2),
        (1, -1, 2),
        (1, 3, 2),
        (1, 1e-200, 1e200),
        (1, 1, inf),
        (1, 1, 2, 1.1),
        (1, 1, 2, -0.1),
        (1, 1, 2, 0.5, -1),
        (float("nan"), 1, 2),
    ],
)
def test_what_is_no_risk_is_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(EvidenceError):
        Risk(*numbers)


@pytest.mark.parametrize(("years", "seed"), [(0, 1), (99, 1), (10_000_001, 1), (100, -1)])
def test_too_few_years_for_a_p99_and_too_many_to_keep_are_refused(years: int, seed: int) -> None:
    with pytest.raises(EvidenceError):
        annual_loss(ONE, years=years, seed=seed)


@pytest.mark.parametrize("x", [-1.0, inf, float("nan")])
def test_the_loss_that_is_to_be_exceeded_is_a_number(x: float) -> None:
    with pytest.raises(EvidenceError):
        annual_loss(ONE, years=100, seed=1).exceedance(x)


def test_a_recovery_costs_the_spend_divided_by_garwoods_count() -> None:
    found = cost_per_recovery(1200.0, 12)
    assert found.point == 100
    assert (found.low, found.high) == pytest.approx((1200 / 20.962, 1200 / 6.2006), rel=1e-4)  # Garwood: 6.2006, 20.962
    assert cost_per_recovery(0, 3) == (0, 0, 0)


def test_where_none_was_recovered_the_cost_is_infinite_but_not_below_a_bound() -> None:
    found = cost_per_recovery(1000.0, 0)
    assert (found.point, found.high) == (inf, inf)
    assert found.low == pytest.approx(1000 / -log(0.025))


@given(st.floats(0.01, 1e9), st.integers(1, 10_000))
def test_the_interval_of_a_recoverys_cost_holds_it_and_narrows_with_the_count(spend: float, recovered: int) -> None:
    found = cost_per_recovery(spend, recovered)
    assert found.low < found.point < found.high
    more = cost_per_recovery(2 * spend, 2 * recovered)
    assert more.point == pytest.approx(found.point)
    assert more.high / more.low < found.high / found.low
    assert spend / found.low == pytest.approx(garwood(recovered)[1])


@pytest.mark.parametrize(("spend", "recovered"), [(-1, 1), (1, -1), (inf, 1), (float("nan"), 1)])
def test_what_cannot_have_been_spent_or_recovered_is_refused(spend: float, recovered: int) -> None:
    with pytest.raises(EvidenceError):
        cost_per_recovery(spend, recovered)


def test_thinning_and_summing_are_the_same_by_hand() -> None:
    """P(no loss) over N incidents, each left with probability 1 - c: sum of P(N = n) c^n is exp(-rate (1 - c))."""
    rate, c = 3.0, 0.8
    by_hand = sum(float(poisson.pmf(n, rate)) * c**n for n in range(40))
    assert by_hand == pytest.approx(exp(-rate * (1 - c)))
    found = annual_loss(Risk(rate, 1, 10, coverage=c), years=200_000, seed=8)
    assert found.p_zero == pytest.approx(by_hand, abs=0.005)
