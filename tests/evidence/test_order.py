"""Quantiles by order statistics, against the definition counted out in exact fractions."""

from fractions import Fraction
from itertools import accumulate
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from surefoot.errors import EvidenceError
from surefoot.evidence import percentile, quantile_ranks


def cumulative(n: int, q: Fraction) -> list[Fraction]:
    """F(rank - 1) for ranks from 1 to n, counted out in whole numbers."""
    good, all_ = q.numerator, q.denominator
    terms = accumulate(comb(n, i) * good**i * (all_ - good) ** (n - i) for i in range(n))
    return [Fraction(term, all_**n) for term in terms]


@pytest.mark.parametrize(
    ("n", "q"),
    [
        *((n, Fraction(q, 100)) for n in (1, 6, 20, 59, 130) for q in (1, 50, 90, 98)),
        *((n, Fraction(99, 100)) for n in (100, 130, 299, 367, 368, 600)),
        (130, Fraction(999, 1000)),
    ],
)
def test_the_ranks_are_those_of_the_definition(n: int, q: Fraction) -> None:
    tail = Fraction(25, 1000)
    below = cumulative(n, q)
    lowest = max([rank for rank in range(1, n + 1) if below[rank - 1] <= tail], default=1)
    highest = next((rank for rank in range(1, n + 1) if below[rank - 1] >= 1 - tail), None)
    assert quantile_ranks(n, float(q)) == (lowest, highest)


def test_a_p99_has_an_upper_bound_from_368_samples_on() -> None:
    assert quantile_ranks(367)[1] is None
    assert quantile_ranks(368)[1] == 368


def test_the_ranks_of_a_thousand_samples_are_those_found_in_the_binomial_distribution() -> None:
    below = binom.cdf(np.arange(1000), 1000, 0.99)  # F(r - 1) for r = 1 ... 1000
    by_scipy = int(np.flatnonzero(below <= 0.025)[-1]) + 1, int(np.argmax(below >= 0.975)) + 1
    assert quantile_ranks(1000) == by_scipy
    assert quantile_ranks(1000) == (983, 997)


@settings(max_examples=40, deadline=None)
@given(st.integers(6, 400), st.floats(0.1, 0.9), st.sampled_from([0.5, 0.9, 0.99]))
def test_the_ranks_enclose_the_quantile_with_their_confidence(n: int, q: float, confidence: float) -> None:
    lower, upper = quantile_ranks(n, q, confidence)
    if upper is None or (1 - q) ** n > (1 - confidence) / 2:
        return  # one of the two ends is open
    # The quantile lies between the two order statistics if from `lower` to `upper` - 1 samples fall below it.
    held = float(binom.cdf(upper - 1, n, q) - binom.cdf(lower - 1, n, q))
    assert held >= confidence - 1e-12
    assert float(binom.cdf(upper - 2, n, q)) < (1 + confidence) / 2  # one rank less would not do
    assert float(binom.cdf(lower, n, q)) > (1 - confidence) / 2


def test_millions_of_samples_are_no_harder() -> None:
    n = 50_000_000
    lower, upper = quantile_ranks(n)
    spread = 1.959964 * (n * 0.99 * 0.01) ** 0.5
    assert [lower, upper] == pytest.approx([0.99 * n - spread, 0.99 * n + spread], abs=2)


def test_the_last_digits_of_confidence_move_the_upper_rank() -> None:
    """1 - a/2 itself would be rounded to 1, which F reaches in floats far below the rank that is right."""
    below = cumulative(100, Fraction(1, 2))
    tail = Fraction(1, 2**54)
    exact = next(rank for rank in range(1, 101) if below[rank - 1] >= 1 - tail)
    assert quantile_ranks(100, 0.5, 1 - 2**-53) == (101 - exact, exact)


def test_a_quantile_that_falls_on_a_sample_is_that_sample() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, q / 100)[0] for q in range(1, 100)] == values[:99]


@pytest.mark.parametrize("q", [0.99, 0.995, 0.9999])
def test_a_p99_of_too_few_samples_is_refused(q: float) -> None:
    with pytest.raises(EvidenceError, match="of 99 samples is refused"):
        quantile_ranks(99, q)
    with pytest.raises(EvidenceError, match="of 99 samples is refused"):
        percentile([0.1] * 99, q)
    assert quantile_ranks(100, q)[1] is None
    assert quantile_ranks(99, 0.98)
    assert percentile([0.1] * 100, 0.99)[0] == pytest.approx(0.1)


@settings(max_examples=50)
@given(st.lists(st.floats(0, 10), min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.95]))
def test_the_quantile_is_the_first_sample_with_that_share_at_or_below_it(values: list[float], q: float) -> None:
    value, low, high = percentile(values, q)
    assert sum(one <= value for one in values) >= q * len(values) - 1e-9
    assert sum(one < value for one in values) < q * len(values)
    assert low <= value
    assert high is None or value <= high


@pytest.mark.parametrize(("n", "q", "confidence"), [(0, 0.5, 0.95), (10, 0.0, 0.95), (10, 1.0, 0.95), (10, 0.5, 1.0)])
def test_ranks_of_nothing_are_refused(n: int, q: float, confidence: float) -> None:
    with pytest.raises(EvidenceError):
        quantile_ranks(n, q, confidence)


@pytest.mark.parametrize("values", [[], [float("nan")], [1.0, float("inf")]])
def test_a_quantile_of_no_numbers_is_refused(values: list[float]) -> None:
    with pytest.raises(EvidenceError):
        percentile(values, 0.5)
