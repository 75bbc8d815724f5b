"""Intervals against values that others have published or that the definition gives by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from surefoot.errors import EvidenceError
from surefoot.evidence import percentile, quantile_ranks, wilson


def test_wilson_agrees_with_a_published_example() -> None:
    # Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263 gives 0.2553 to 0.3662.
    low, high = wilson(81, 263)

    assert low == pytest.approx(0.2553, abs=5e-5)
    assert high == pytest.approx(0.3662, abs=5e-5)


def test_wilson_of_none_starts_at_zero_and_of_all_ends_at_one() -> None:
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0
    assert wilson(0, 20)[1] == pytest.approx(0.1611, abs=5e-5)  # Newcombe, likewise: 0 of 20


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors_itself(case: tuple[int, int]) -> None:
    k, n = case

    low, high = wilson(k, n)
    mirrored = wilson(n - k, n)

    assert 0 <= low <= k / n <= high <= 1
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-12)


@pytest.mark.parametrize(
    ("k", "n", "confidence"), [(3, 2, 0.95), (-1, 2, 0.95), (0, 0, 0.95), (1, 2, 1.0), (1, 2, 0.0)]
)
def test_wilson_refuses_what_is_no_proportion(k: int, n: int, confidence: float) -> None:
    with pytest.raises(EvidenceError):
        wilson(k, n, confidence)


@pytest.mark.parametrize("n", [100, 368, 369, 473, 1000, 5000])
def test_quantile_ranks_are_the_tightest_with_equal_tails(n: int) -> None:
    lower, upper = quantile_ranks(n)

    assert binom.cdf(lower - 1, n, 0.99) <= 0.025 or lower == 1
    assert binom.cdf(lower, n, 0.99) > 0.025
    if upper is None:
        assert binom.cdf(n - 1, n, 0.99) < 0.975
    else:
        assert binom.cdf(upper - 1, n, 0.99) >= 0.975
        assert binom.cdf(upper - 2, n, 0.99) < 0.975


def test_a_small_sample_has_no_upper_bound_of_its_p99() -> None:
    assert quantile_ranks(100)[1] is None


def test_the_percentile_is_the_smallest_sample_that_enough_are_below() -> None:
    value, low, high = percentile([float(n) for n in range(1, 1001)], 0.99)

    assert value == 990.0
    assert (low, high) == tuple(float(rank or math.nan) for rank in quantile_ranks(1000))


def test_a_p99_of_too_few_samples_is_refused() -> None:
    with pytest.raises(EvidenceError, match="100"):
        percentile([1.0] * 99, 0.99)


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf]])
def test_a_percentile_refuses_what_is_no_sample(values: list[float]) -> None:
    with pytest.raises(EvidenceError):
        percentile(values, 0.5)
