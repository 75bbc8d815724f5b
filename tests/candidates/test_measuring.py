"""Numbers with their resamples, by hand."""

from math import nan, sqrt

import numpy as np
import pytest

from surefoot.candidates.measuring import difference, effective
from surefoot.evidence import clopper_pearson, quantile_ranks
from surefoot.facts import Fact
from surefoot.replay.counting.histogram import MIDDLES, bins_of, counted
from surefoot.replay.counting.numbers import Measured, Numbers
from surefoot.replay.counting.resampling import interval, weights
from surefoot.replay.virtual.result import Integers

ALONE = Numbers("c.any", None, 1)
WEEKS = 12
MANY_WEIGHTS = weights(WEEKS, 7)
MANY = Numbers("c.any", MANY_WEIGHTS, WEEKS)


def whole(*values: int) -> Integers:
    return np.array(values, np.int64)


def times(*weeks: list[float]) -> Integers:
    return np.array([counted(bins_of(np.array(week, float))) for week in weeks], np.int64)


def fact(value: float | None, low: float | None = None, high: float | None = None) -> Fact:
    return Fact(name="x", value=value, unit="share", n=10, low=low, high=high, note="" if value is not None else "none")


def test_a_ratio_is_the_sum_of_one_over_the_sum_of_the_other() -> None:
    found = MANY.ratio("cost", "dollars", whole(*range(WEEKS)), whole(*[2] * WEEKS), how="by hand").fact
    assert (found.name, found.value, found.n) == ("c.any.cost", 66 / 24, 24)
    again = weights(WEEKS, 7) @ np.arange(WEEKS) / 24
    assert (found.low, found.high) == interval(again)


def test_of_one_week_there_is_no_interval_and_of_no_call_no_number() -> None:
    one = ALONE.ratio("cost", "dollars", whole(3), whole(4), how="by hand").fact
    assert (one.value, one.low, one.high, one.note) == (0.75, None, None, "no interval: one calendar week")
    none = ALONE.ratio("cost", "dollars", whole(0), whole(0), how="by hand").fact
    assert (none.value, none.note) == (None, "no calls")


def test_a_p99_of_99_calls_is_refused_and_of_100_is_the_ninety_ninth() -> None:
    seconds = [float(second) for second in range(1, 101)]
    refused = ALONE.p99("p99", times(seconds[:99]), "of these").fact
    assert (refused.value, refused.n, refused.note) == (None, 99, "99 such calls: a p99 needs 100")
    told = ALONE.p99("p99", times(seconds), "of these").fact
    assert told.value == pytest.approx(99, rel=0.01)
    lower, upper = quantile_ranks(100)
    assert told.low == pytest.approx(lower, rel=0.01)
    assert (upper, told.high, told.note) == (None, None, "too few calls for an upper end")


def test_a_p99s_interval_is_that_of_order_statistics() -> None:
    seconds = [float(second) for second in range(1, 1001)]
    told = ALONE.p99("p99", times(seconds), "of these").fact
    lower, upper = quantile_ranks(1000)
    assert (told.low, told.value, told.high) == pytest.approx((lower, 990, upper), rel=0.01)


def test_where_weeks_differ_more_than_calls_the_interval_of_a_p99_is_theirs() -> None:
    slow_in_one = [[1.0] * 100] * (WEEKS - 1) + [[50.0] * 100]
    told = MANY.p99("p99", times(*slow_in_one), "of these").fact
    middle = MIDDLES[bins_of(np.array([1.0, 50.0]))]
    assert (told.low, told.value, told.high) == (middle[0], middle[1], middle[1])
    assert "widened" in told.method


def test_all_or_none_covered_has_the_interval_of_so_many_incidents() -> None:
    drawn = np.ones(1000)
    every = MANY.of_cases("coverage", (1.0, 500, 3), "by hand", drawn)
    assert (every.fact.low, every.fact.high) == clopper_pearson(3, 3)
    assert every.resampled is None
    none = MANY.of_cases("coverage", (0.0, 500, 3), "by hand", drawn).fact
    assert (none.low, none.high) == clopper_pearson(0, 3)


def test_a_single_incident_says_hardly_anything_however_many_calls_it_had() -> None:
    found = MANY.of_cases("coverage", (0.5, 500, 1), "by hand", np.full(1000, 0.5)).fact
    assert found.value == 0.5
    assert (found.low, found.high) == pytest.approx((0.0, 1.0), abs=0.001)


def test_who_covers_nearly_all_is_not_surer_than_who_covers_all() -> None:
    weekly = [1.0] * (WEEKS - 1) + [0.99]
    nearly = MANY.of_cases("coverage", (0.999, 500, 12), "by hand", MANY_WEIGHTS @ np.array(weekly) / WEEKS).fact
    every = MANY.of_cases("coverage", (1.0, 500, 12), "by hand", np.ones(1000)).fact
    assert nearly.low is not None
    assert every.low is not None
    assert nearly.low == pytest.approx(every.low, abs=0.005)
    assert (nearly.low, nearly.high) == pytest.approx((clopper_pearson(12, 12)[0], 1.0), abs=0.005)


def test_where_weeks_differ_more_than_cases_the_interval_of_a_share_is_theirs() -> None:
    resampled = np.linspace(0.01, 0.99, 1000)
    found = MANY.of_cases("coverage", (0.5, 500, 400), "by hand", resampled).fact
    assert (found.low, found.high) == interval(resampled)
    assert "widened to the middle 95 %" in found.method


def test_cases_of_equal_weight_are_all_counted_and_one_that_outweighs_them_is_nearly_one() -> None:
    assert effective(whole(5, 5, 5, 5)) == 4
    assert effective(whole(1000, 1, 1, 1)) == pytest.approx(1.006, abs=0.001)


def test_a_difference_is_paired_by_week() -> None:
    ours, base = np.linspace(10, 20, 1000), np.linspace(9, 19, 1000)
    found = difference("d", Measured(fact(15.0), ours), Measured(fact(14.0), base), WEEKS)
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))


def test_what_was_not_resampled_is_joined_by_square_and_add() -> None:
    found = difference("d", Measured(fact(0.9, 0.8, 0.95)), Measured(fact(0.6, 0.5, 0.7)), WEEKS)
    assert found.value == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3 - sqrt(0.1**2 + 0.1**2))
    assert found.high == pytest.approx(0.3 + sqrt(0.05**2 + 0.1**2))


def test_a_difference_of_what_is_not_known_says_why() -> None:
    missing = difference("d", Measured(fact(None)), Measured(fact(0.6)), WEEKS)
    assert (missing.value, missing.note) == (None, "none")
    bare = difference("d", Measured(fact(0.9, 0.8, 0.95)), Measured(fact(0.6)), WEEKS)
    assert (bare.low, bare.note) == (None, "no interval: one of the two has none")
    rare = difference("d", Measured(fact(0.9), np.full(10, nan)), Measured(fact(0.6), np.full(10, nan)), WEEKS)
    assert rare.note == "no interval: too few weeks have any"


def test_a_share_of_all_calls_has_the_interval_of_calls_alone_says_so_and_is_paired_with_nothing() -> None:
    calls = whole(*[10] * WEEKS)
    every, most = (MANY.share("availability", calls - lost, calls) for lost in (0, np.arange(WEEKS) % 3))
    assert (every.fact.low, every.fact.high) == clopper_pearson(120, 120)
    assert every.fact.note.startswith("of calls alone: no interval of weeks (the same in every resample")
    assert every.resampled is None
    assert "of calls alone" not in most.fact.note
    assert most.resampled is not None
    found = difference("d", most, every, WEEKS)
    assert "square and add" in found.method
    assert found.note == every.fact.note


def test_weeks_that_are_all_equal_are_not_said_to_be_too_few() -> None:
    found = MANY.ratio("cost", "dollars", whole(*[3] * WEEKS), whole(*[4] * WEEKS))
    assert (found.fact.low, found.fact.note) == (None, "no interval: the same in every resample of weeks")
    assert difference("d", found, found, WEEKS).note == "no interval: the same in every resample of weeks"
