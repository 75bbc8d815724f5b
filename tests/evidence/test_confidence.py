"""Whether intervals hold what they say: their coverage probability, counted out over all that can be seen."""

from collections.abc import Callable
from math import exp, factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom, chi2, gamma
from scipy.stats import binomtest as binomial_test

from surefoot.evidence import clopper_pearson, event_rate, garwood, wilson

Interval = Callable[..., tuple[float, float]]

SHARES = [number / 200 for number in range(1, 200)]


def held(interval: Interval, n: int, share: float, confidence: float) -> float:
    """The probability that the interval of what is seen of n encloses the share."""
    ends = [interval(k, n, confidence) for k in range(n + 1)]
    return sum(float(binom.pmf(k, n, share)) for k, (low, high) in enumerate(ends) if low <= share <= high)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("n", [1, 5, 20, 50])
def test_the_exact_interval_never_holds_less_than_its_confidence(n: int, confidence: float) -> None:
    assert min(held(clopper_pearson, n, share, confidence) for share in SHARES[::4]) >= confidence - 1e-12


@pytest.mark.parametrize("n", [10, 30, 50])
def test_wilsons_interval_holds_its_confidence_on_average(n: int) -> None:
    found = [held(wilson, n, share, 0.95) for share in SHARES[::2]]
    assert sum(found) / len(found) == pytest.approx(0.95, abs=0.01)
    assert min(found) > 0.83  # Brown, Cai & DasGupta 2001: low only next to 0 and 1


@pytest.mark.parametrize("mean", [0.05, 0.5, 1.0, 3.7, 12.0])
def test_the_interval_of_a_count_never_holds_less_than_its_confidence(mean: float) -> None:
    probability = 0.0
    for count in range(80):
        low, high = garwood(count)
        if low <= mean <= high:
            probability += exp(-mean) * mean**count / factorial(count)
    assert probability >= 0.95


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 0.999))
def test_shares_are_enclosed_as_scipy_encloses_them(case: tuple[int, int], confidence: float) -> None:
    k, n = case
    for of, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        exact = binomial_test(k, n).proportion_ci(confidence, method)
        assert of(k, n, confidence) == pytest.approx((exact.low, exact.high), abs=1e-8)


@pytest.mark.parametrize("confidence", [1e-9, 0.5, 0.999, 1 - 1e-12])
@pytest.mark.parametrize("count", [0, 1, 17, 4000])
def test_counts_and_rates_are_enclosed_by_the_quantiles_of_chi_squared_and_gamma(count: int, confidence: float) -> None:
    tail = (1 - confidence) / 2
    low = float(chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    assert garwood(count, confidence) == pytest.approx((low, float(chi2.isf(tail, 2 * count + 2)) / 2), rel=1e-6)
    jeffreys = gamma(count + 0.5, scale=1 / 3)
    assert event_rate(count, 3, confidence) == pytest.approx((jeffreys.ppf(tail), jeffreys.isf(tail)), rel=1e-6)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
@settings(max_examples=60, deadline=None)
@given(case=st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_the_more_succeed_the_higher_both_ends(interval: Interval, case: tuple[int, int]) -> None:
    k, n = case
    (low, high), (low_of_more, high_of_more) = interval(k, n), interval(k + 1, n)
    assert low < low_of_more
    assert high < high_of_more or high == high_of_more == 1


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 50), (50, 50), (25, 50)])
def test_the_surer_the_wider(interval: Interval, k: int, n: int) -> None:
    ends = [interval(k, n, confidence) for confidence in (1e-12, 0.1, 0.5, 0.95, 0.999999, 1 - 2**-53)]
    assert all(0 <= low <= k / n <= high <= 1 for low, high in ends)
    widths = [high - low for low, high in ends]
    assert widths == sorted(widths)
    assert widths[-2] < widths[-1] < 1 + 1e-12  # the last digits of a confidence still count


def test_none_and_all_have_one_end_that_is_certain() -> None:
    for interval in (wilson, clopper_pearson):
        assert interval(0, 40)[0] == 0
        assert interval(40, 40)[1] == 1
    assert garwood(0)[0] == 0


def test_the_exact_interval_of_none_is_near_three_over_n() -> None:
    """Hanley & Lippman-Hand, JAMA 249, 1983, p. 1743: if nothing goes wrong, is everything all right?"""
    assert clopper_pearson(0, 3000, 0.9)[1] == pytest.approx(3 / 3000, rel=0.01)
    assert garwood(0, 0.9)[1] == pytest.approx(3, rel=0.01)


def test_the_exact_interval_is_that_of_the_beta_quantiles() -> None:
    assert clopper_pearson(7, 9) == pytest.approx((beta.ppf(0.025, 7, 3), beta.ppf(0.975, 8, 2)))
