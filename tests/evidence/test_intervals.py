"""Shares, differences and counts with intervals, against published figures and exact counting."""

from collections.abc import Callable
from fractions import Fraction
from math import comb, exp, factorial, inf, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import EvidenceError
from surefoot.evidence import clopper_pearson, event_rate, garwood, newcombe, wilson
from surefoot.evidence.intervals import korn_graubard


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_score_interval_is_that_of_newcombe_1998_table_1(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_mirrors_with_it(case: tuple[int, int]) -> None:
    k, n = case
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    mirrored = wilson(n - k, n)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)


def test_eight_of_ten_by_hand() -> None:
    assert wilson(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=5e-7)


@pytest.mark.parametrize("of", [wilson, clopper_pearson])
@pytest.mark.parametrize(
    ("k", "n", "confidence"), [(2, 1, 0.95), (-1, 5, 0.95), (0, 0, 0.95), (1, 2, 1.0), (1, 2, 0.0)]
)
def test_what_is_no_share_is_refused(of: Callable[..., tuple[float, float]], k: int, n: int, confidence: float) -> None:
    with pytest.raises(EvidenceError):
        of(k, n, confidence)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_the_exact_interval_is_that_of_newcombe_1998_table_1(k: int, n: int, low: float, high: float) -> None:
    assert clopper_pearson(k, n) == pytest.approx((low, high), abs=5e-5)


def test_none_of_ten_leaves_thirty_one_percent_possible() -> None:
    low, high = clopper_pearson(0, 10)
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 10), abs=1e-12)
    assert high == pytest.approx(0.3085, abs=5e-5)


def at_least(k: int, n: int, share: Fraction) -> Fraction:
    terms = (comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k, n + 1))
    return sum(terms, Fraction(0))


@pytest.mark.parametrize(("k", "n"), [(1, 7), (8, 10), (19, 20), (33, 60)])
def test_at_the_ends_of_the_exact_interval_the_tails_hold_two_and_a_half_percent_each(k: int, n: int) -> None:
    low, high = clopper_pearson(k, n)
    assert float(at_least(k, n, Fraction(low))) == pytest.approx(0.025, abs=1e-9)
    assert float(1 - at_least(k + 1, n, Fraction(high))) == pytest.approx(0.025, abs=1e-9)


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390)]
)
def test_the_interval_of_a_count_is_that_of_garwoods_table(count: int, low: float, high: float) -> None:
    assert garwood(count) == pytest.approx((low, high), abs=1e-3)


@pytest.mark.parametrize(("count", "confidence"), [(1, 0.9), (7, 0.95), (40, 0.99)])
def test_at_the_ends_of_a_counts_interval_the_tails_are_equal(count: int, confidence: float) -> None:
    def up_to(most: int, mean: float) -> float:
        return sum(exp(-mean + i * log(mean)) / factorial(i) for i in range(most + 1))

    low, high = garwood(count, confidence)
    assert 1 - up_to(count - 1, low) == pytest.approx((1 - confidence) / 2, abs=1e-9)
    assert up_to(count, high) == pytest.approx((1 - confidence) / 2, abs=1e-9)


@pytest.mark.parametrize(("count", "confidence"), [(-1, 0.95), (3, 1.0), (3, 0.0)])
def test_what_is_no_count_is_refused(count: int, confidence: float) -> None:
    with pytest.raises(EvidenceError):
        garwood(count, confidence)


def test_the_interval_of_a_rate_has_the_coverage_of_its_gamma() -> None:
    # Gamma(1/2) is half a squared normal variable.
    assert event_rate(0, 2.0) == pytest.approx((0.0313380**2 / 4, 2.2414027**2 / 4), rel=1e-5)
    low, high = garwood(7)
    assert low < event_rate(7, 1.0)[0] < event_rate(7, 1.0)[1] < high


@pytest.mark.parametrize(
    ("events", "years", "confidence"), [(-1, 1, 0.95), (1, 0, 0.95), (float("inf"), 1, 0.95), (1, 1, 1)]
)
def test_what_is_no_rate_is_refused(events: float, years: float, confidence: float) -> None:
    with pytest.raises(EvidenceError):
        event_rate(events, years, confidence)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_method_10_of_newcombe_1998_table_2(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    assert newcombe(first, second) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("first", "second"), [((1, 0), (1, 2)), ((1, 2), (3, 2)), ((-1, 2), (1, 2))])
def test_a_difference_of_what_is_no_share_is_refused(first: tuple[int, int], second: tuple[int, int]) -> None:
    with pytest.raises(EvidenceError):
        newcombe(first, second)


def test_a_share_of_whole_cases_has_clopper_and_pearsons_interval() -> None:
    for k, n in ((0, 5), (1, 5), (5, 5), (40, 100)):
        assert korn_graubard(k / n, n) == pytest.approx(clopper_pearson(k, n))


def test_a_share_of_fewer_cases_has_a_wider_interval_and_the_value_is_in_it() -> None:
    widths = []
    for cases in (30.0, 8.8, 2.5, 1.0):
        low, high = korn_graubard(0.98, cases)
        assert 0 <= low <= 0.98 <= high <= 1
        widths.append(high - low)
    assert widths == sorted(widths)


@pytest.mark.parametrize(("value", "cases"), [(-0.1, 5), (1.1, 5), (0.5, 0), (nan, 5), (0.5, inf)])
def test_a_share_of_no_cases_or_outside_of_0_to_1_is_refused(value: float, cases: float) -> None:
    with pytest.raises(EvidenceError):
        korn_graubard(value, cases)
