"""Quantiles by order statistics, against the definition counted out in exact fractions."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import EvidenceError
from surefoot.evidence import percentile, quantile_ranks


def below(n: int, q: Fraction, rank: int) -> Fraction:
    """F(rank - 1), counted out."""
    terms = (comb(n, i) * q**i * (1 - q) ** (n - i) for i in range(rank))
    return sum(terms, Fraction(0))


@pytest.mark.parametrize("q", [Fraction(1, 2), Fraction(9, 10), Fraction(99, 100)])
@pytest.mark.parametrize("n", [6, 20, 59, 130])
def test_the_ranks_are_those_of_the_definition(n: int, q: Fraction) -> None:
    tail = Fraction(25, 1000)
    lowest = max([rank for rank in range(1, n + 1) if below(n, q, rank) <= tail], default=1)
    highest = next((rank for rank in range(1, n + 1) if below(n, q, rank) >= 1 - tail), None)
    assert quantile_ranks(n, float(q)) == (lowest, highest)


def test_a_p99_has_an_upper_bound_from_368_samples_on() -> None:
    assert quantile_ranks(367)[1] is None
    assert quantile_ranks(368)[1] == 368


def test_a_p99_of_too_few_samples_is_refused() -> None:
    with pytest.raises(EvidenceError):
        percentile([0.1] * 99, 0.99)
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
