"""Coordinated omission against HdrHistogram and a value-by-value count; time between tokens."""

from math import ceil

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import EvidenceError
from surefoot.evidence import corrected_histogram, inter_token_latency

STALLED = [1.0] * 10_000 + [100_000.0]
"""Milliseconds. Tene's example: a request every 10 ms is answered in 1 ms for 100 s, then one takes 100 s."""


def test_tenes_example_of_a_system_that_stands_still_for_100_of_200_seconds() -> None:
    """The expectations of HdrHistogram's own HistogramDataAccessTest, corrected histogram."""
    found = corrected_histogram(STALLED, 10.0)
    assert found.count == 20_000
    assert found.percentile(30) == 1.0
    assert found.percentile(50) == 1.0
    assert found.percentile(75) == pytest.approx(50_000, rel=1e-3)
    assert found.percentile(90) == pytest.approx(80_000, rel=1e-3)
    assert found.percentile(99) == pytest.approx(98_000, rel=1e-3)
    assert found.percentile(99.999) == 100_000
    assert found.percentile(100) == 100_000


def test_uncorrected_the_same_values_hide_the_stall() -> None:
    found = corrected_histogram(STALLED, 1e9)
    assert found.count == 10_001
    assert found.percentile(99.9) == 1.0


multiples = st.integers(10, 1_000).flatmap(
    lambda interval: st.tuples(
        st.lists(st.integers(0, interval) | st.integers(1, 60).map(lambda k: k * interval), min_size=1, max_size=50),
        st.just(interval),
    )
)


@settings(max_examples=60, deadline=None)
@given(multiples, st.floats(0, 100))
def test_it_is_the_histogram_of_hdrhistogram_without_its_bins(case: tuple[list[int], int], p: float) -> None:
    """In whole intervals: of others its Python port adds one more than the original, below the interval."""
    values, interval = case
    theirs = HdrHistogram(1, 100_000, 5)  # five digits: whole numbers up to here are not rounded
    for value in values:
        theirs.record_corrected_value(value, interval)
    ours = corrected_histogram(values, interval)
    assert ours.count == theirs.get_total_count()
    rank = max(ceil(p / 100 * ours.count - 1e-6), 1)  # we round ranks up, it to the nearest
    assert ours.percentile(p) == pytest.approx(theirs.get_value_at_percentile(100 * rank / ours.count), abs=1e-6)


def added(values: list[float], interval: float) -> list[float]:
    """Value by value, as HdrHistogram's loop does it."""
    found = []
    for value in values:
        found.append(value)
        missing = value - interval
        while missing >= interval * (1 - 1e-9):
            found.append(missing)
            missing -= interval
    return sorted(found)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 50), min_size=1, max_size=40), st.floats(0.3, 60), st.integers(0, 100))
def test_each_percentile_is_a_value_of_the_sample_counted_out(values: list[float], interval: float, p: int) -> None:
    every = added(values, interval)
    found = corrected_histogram(values, interval)
    assert found.count == len(every)
    rank = max(ceil(p * len(every) / 100 - 1e-9), 1)
    assert found.percentile(p) == pytest.approx(every[rank - 1], abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 50), min_size=1, max_size=40), st.floats(0.01, 60))
def test_percentiles_rise_with_p_and_end_at_the_largest_value(values: list[float], interval: float) -> None:
    found = corrected_histogram(values, interval)
    told = [found.percentile(p) for p in (0, 1, 25, 50, 75, 99, 99.9, 100)]
    assert told == sorted(told)
    assert told[-1] == max(values)
    assert found.count >= len(values)
    uncorrected = corrected_histogram(values, 100.0)
    assert uncorrected.count == len(values)
    assert told[0] <= uncorrected.percentile(0)


def test_a_value_of_exactly_three_intervals_stands_for_three_whatever_rounding_says() -> None:
    found = corrected_histogram([0.3], 0.1)
    assert found.count == 3
    assert [found.percentile(p) for p in (1, 50, 100)] == pytest.approx([0.1, 0.2, 0.3])
    assert corrected_histogram([0.19], 0.1).count == 1


def test_an_hours_stall_at_a_microsecond_is_counted_and_not_stored() -> None:
    found = corrected_histogram([0.001] * 1000 + [3600.0], 1e-6)
    assert found.count == pytest.approx(3.6e9 + 1e6, abs=2)
    assert found.percentile(50) == pytest.approx(1800, rel=1e-3)


@pytest.mark.parametrize(
    ("values", "interval"),
    [([], 1.0), ([-1.0], 1.0), ([float("nan")], 1.0), ([1.0], 0.0), ([1.0], float("inf")), ([1e12], 1e-12)],
)
def test_what_cannot_be_corrected_is_refused(values: list[float], interval: float) -> None:
    with pytest.raises(EvidenceError):
        corrected_histogram(values, interval)


@pytest.mark.parametrize("p", [-1, 100.1, float("nan")])
def test_a_percentile_outside_0_to_100_is_refused(p: float) -> None:
    with pytest.raises(EvidenceError):
        corrected_histogram([1.0], 1.0).percentile(p)


def test_the_time_between_tokens_leaves_the_first_one_out() -> None:
    assert inter_token_latency(0.5, 2.5, 101) == pytest.approx(0.02)
    assert inter_token_latency(0.5, 0.5, 2) == 0


@given(st.floats(0, 100), st.floats(0, 1), st.integers(2, 10_000))
def test_the_parts_of_an_answer_sum_to_the_whole(ttft: float, gap: float, tokens: int) -> None:
    end = ttft + (tokens - 1) * gap
    assert inter_token_latency(ttft, end, tokens) == pytest.approx(gap, abs=1e-9)


@pytest.mark.parametrize(("ttft", "e2e", "tokens"), [(0.1, 1.0, 1), (0.1, 1.0, 0), (1.0, 0.9, 5), (-0.1, 1.0, 5)])
def test_a_gap_that_is_not_defined_is_refused(ttft: float, e2e: float, tokens: int) -> None:
    with pytest.raises(EvidenceError):
        inter_token_latency(ttft, e2e, tokens)
