"""Means with intervals, against scipy and a published example."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import ttest_1samp, ttest_ind

from surefoot.errors import EvidenceError
from surefoot.evidence import mean, mean_difference

STUDENT_1908 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
"""Additional hours of sleep by the second drug, table I of Student's paper: mean 2.33, s.d. 2.002 with n - 1."""

varied = st.lists(st.floats(-100, 100), min_size=2, max_size=30).filter(lambda values: max(values) - min(values) > 0.1)


def test_the_interval_of_students_own_example() -> None:
    spread = float(student.ppf(0.975, 9)) * 2.002249 / 10**0.5
    assert mean(STUDENT_1908) == pytest.approx((2.33, 2.33 - spread, 2.33 + spread), abs=1e-5)


@given(varied, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_of_a_mean_is_scipys(values: list[float], confidence: float) -> None:
    exact = ttest_1samp(values, 0).confidence_interval(confidence)
    assert mean(values, confidence)[1:] == pytest.approx((exact.low, exact.high), abs=1e-6)


@given(varied, varied, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_of_a_difference_is_scipys(first: list[float], second: list[float], confidence: float) -> None:
    exact = ttest_ind(first, second, equal_var=False).confidence_interval(confidence)
    assert mean_difference(first, second, confidence)[1:] == pytest.approx((exact.low, exact.high), abs=1e-6)


def test_equal_values_leave_no_doubt() -> None:
    assert mean([2.0, 2.0]) == (2.0, 2.0, 2.0)
    assert mean_difference([3.0, 3.0], [2.0, 2.0, 2.0]) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, float("nan")]])
def test_a_mean_without_a_variance_is_refused(values: list[float]) -> None:
    with pytest.raises(EvidenceError):
        mean(values)
    with pytest.raises(EvidenceError):
        mean_difference(values, [1.0, 2.0])
    with pytest.raises(EvidenceError):
        mean_difference([1.0, 2.0], values)


def test_a_confidence_of_all_is_refused() -> None:
    with pytest.raises(EvidenceError):
        mean([1.0, 2.0], 1.0)
