"""Spans and outages against minute grids, hand counts and simulation."""

from collections.abc import Callable
from itertools import pairwise
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import EvidenceError
from surefoot.evidence import (
    availability,
    availability_interval,
    common,
    fallback_worth,
    length,
    lift,
    lift_interval,
    mtbf,
    mttr,
    union,
    without,
)
from surefoot.evidence.spans import Span

MINUTE = 60
DAY = 86_400
WEEK = 7 * DAY
MONDAY = 4 * DAY
GRID = 300

spans_of_minutes = st.lists(
    st.tuples(st.integers(0, GRID), st.integers(0, 60)).map(lambda told: (told[0], min(told[0] + told[1], GRID))),
    max_size=12,
)


def grid(spans: list[tuple[int, int]]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    found = np.zeros(GRID, bool)
    for start, end in spans:
        found[start:end] = True
    return found


@given(spans_of_minutes, spans_of_minutes)
def test_sets_of_spans_are_what_a_grid_of_minutes_says(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    ours, theirs = grid(first), grid(second)
    assert length(first) == ours.sum()
    assert length(common(first, second)) == (ours & theirs).sum()
    assert length(without(first, second)) == (ours & ~theirs).sum()
    for found in (union(first), common(first, second), without(first, second)):
        assert all(end < start for (_, end), (start, _) in pairwise(found))


@given(spans_of_minutes, spans_of_minutes, spans_of_minutes, st.integers(0, 90))
def test_what_a_fallback_avoids_is_what_a_grid_of_minutes_says(
    primary: list[tuple[int, int]], fallback: list[tuple[int, int]], gaps: list[tuple[int, int]], lag: int
) -> None:
    watched = without([(0, GRID)], gaps)
    seen = ~grid(gaps)
    if not seen.any():
        return
    noticed = grid([(start, min(start + lag, end)) for start, end in primary])
    down = grid(primary) & seen
    avoided = down & ~noticed & ~grid(fallback)
    found = fallback_worth(primary, fallback, watched, lag=lag, seed=1)
    assert found.down == down.sum()
    assert found.late == (down & noticed).sum()
    assert found.avoided.value == pytest.approx(avoided.sum())
    assert found.down == pytest.approx(found.late + found.both + found.avoided.value)
    assert found.residual.value == pytest.approx(1 - (down.sum() - avoided.sum()) / seen.sum())


def test_a_second_incident_that_opens_while_the_first_is_open_has_to_be_noticed_by_itself() -> None:
    found = fallback_worth([(0, 100), (50, 120)], [], [(0, 200)], lag=10, seed=1)
    assert (found.down, found.late, found.avoided.value) == (120, 20, 100)


def test_an_incident_from_before_the_window_was_noticed_before_it() -> None:
    found = fallback_worth([(0, 100)], [], [(50, 200)], lag=10, seed=1)
    assert (found.down, found.late) == (50, 0)


def test_lag_and_a_fallback_that_fails_too_take_away_once() -> None:
    found = fallback_worth([(0, 100)], [(5, 30)], [(0, 1000)], lag=10, seed=1)
    assert (found.late, found.both, found.avoided.value) == (10, 20, 70)
    assert (found.availability.value, found.residual.value) == (0.9, 0.97)


def test_lift_is_one_for_independent_outages_and_above_for_common_causes() -> None:
    random = np.random.default_rng(5)
    alone = [(hour * 3600, hour * 3600 + 3600) for hour in np.flatnonzero(random.random(24 * 700) < 0.1).tolist()]
    other = [(hour * 3600, hour * 3600 + 3600) for hour in np.flatnonzero(random.random(24 * 700) < 0.1).tolist()]
    watched = [(0.0, 700.0 * DAY)]
    apart = lift_interval(alone, other, watched, seed=1)
    assert apart is not None
    assert apart.low is not None
    assert apart.high is not None
    assert apart.low < 1 < apart.high
    assert lift(alone, other, watched) == apart.value
    assert lift(alone, alone, watched) == pytest.approx(700 * DAY / length(alone))


def test_the_interval_of_a_lift_holds_its_confidence() -> None:
    """Of 200 pairs of independent targets, each down in a tenth of all hours of a year, 95 % hold 1."""
    random = np.random.default_rng(9)
    watched = [(float(MONDAY), float(MONDAY + 52 * WEEK))]
    held = 0
    for _ in range(200):
        first, second = (
            [(MONDAY + hour * 3600.0, MONDAY + (hour + 1) * 3600.0) for hour in np.flatnonzero(row).tolist()]
            for row in random.random((2, 52 * 7 * 24)) < 0.1
        )
        found = lift_interval(first, second, watched, seed=3)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 1 <= found.high
    assert 180 <= held <= 198


def test_what_never_happened_has_no_interval() -> None:
    watched = [(0.0, 10.0 * WEEK)]
    assert lift([(0, 10)], [], watched) is None
    assert lift_interval([(0, 10)], [], watched, seed=1) is None
    assert availability_interval([], watched, seed=1) == (1, None, None)
    assert availability_interval([(0, 10)], [(0, 100)], seed=1) == (0.9, None, None)


def test_outages_that_never_coincided_may_still_do_so_as_often_as_a_count_of_zero_allows() -> None:
    """Ten outages of 100 s and ten of 300 s: chance makes an overlap 75 s long, and 3.69 of them may go unseen."""
    watched = [(0.0, 10.0 * WEEK)]
    primary = [(n * WEEK, n * WEEK + 100) for n in range(10)]
    fallback = [(n * WEEK + DAY, n * WEEK + DAY + 300) for n in range(10)]
    allowed = -log(0.025) * 75
    found = lift_interval(primary, fallback, watched, seed=1)
    assert found is not None
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(allowed / (1000 * 3000 / (10 * WEEK)))
    worth = fallback_worth(primary, fallback, watched, lag=0, seed=1)
    assert (worth.residual.value, worth.residual.high) == (1, 1)
    assert worth.residual.low == pytest.approx(1 - allowed / (10 * WEEK))


def test_the_bound_of_a_count_of_zero_holds_its_confidence() -> None:
    """Independent targets that overlap four times a year: 1.8 % never do, and only then 1 lies beyond the bound."""
    random = np.random.default_rng(11)
    year = 52.0 * WEEK
    beyond = 0
    for _ in range(400):
        first, second = (
            [(float(start), float(start) + last) for start in random.uniform(0, year - last, count).tolist()]
            for last, count in ((7200, 130), (3600, 90))
        )
        if not common(first, second):
            found = lift_interval(first, second, [(0.0, year)], seed=3)
            assert found is not None
            assert found.high is not None
            beyond += found.high < 1
    assert 0 < beyond <= 18


def test_a_fallback_that_never_failed_says_nothing_of_what_may_go_unseen() -> None:
    worth = fallback_worth([(0, 10), (WEEK, WEEK + 10)], [], [(0.0, 3.0 * WEEK)], lag=0, seed=1)
    assert worth.residual == (1, None, None)


def test_the_blocks_are_weeks_from_monday_and_a_gap_has_none() -> None:
    """Down all of one watched week, and never in the other three: a draw has 0 to 4 such weeks."""
    down = [(MONDAY, MONDAY + WEEK)]
    whole = [(MONDAY, MONDAY + 2 * WEEK), (MONDAY + 20 * WEEK, MONDAY + 22 * WEEK)]
    found = availability_interval(down, whole, seed=1, confidence=0.9)
    assert found.value == 0.75
    assert found.low in {0.25, 0.5}
    assert found.high == 1
    assert availability(down, whole) == 0.75


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    down = [(week * WEEK, week * WEEK + week * 1000) for week in range(1, 30)]
    watched = [(0.0, 30.0 * WEEK)]
    assert availability_interval(down, watched, seed=1) == availability_interval(down, watched, seed=1)
    assert availability_interval(down, watched, seed=1) != availability_interval(down, watched, seed=2)


def test_time_between_failures_needs_no_end_and_knows_how_little_it_knows() -> None:
    assert mtbf(4, 400)[0] == 100
    value, low, high = mtbf(0, 400)
    assert value == float("inf")
    assert low == pytest.approx(400 / 3.689, rel=1e-3)  # Garwood: none seen, up to 3.7 possible
    assert high is None


def test_time_to_repair_is_a_mean_that_is_never_below_zero() -> None:
    value, low, high = mttr([1, 1, 1, 100])
    assert (value, low) == (25.75, 0)
    assert high > 100


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: union([(1, 0)]),
        lambda: union([(0, float("nan"))]),
        lambda: union("spans"),  # type: ignore[arg-type]
        lambda: union([(1, 2, 3)]),  # type: ignore[list-item]
        lambda: availability([], []),
        lambda: mtbf(1, 0),
        lambda: mtbf(-1, 10),
        lambda: mttr([1]),
        lambda: mttr([1, -1]),
        lambda: fallback_worth([], [], [(0, 1)], lag=-1, seed=1),
        lambda: availability_interval([(0, 1)], [(0, 3 * WEEK)], seed=-1),
        lambda: lift([(0, 1)], [(0, 1)], [(5, 5)]),
    ],
)
def test_what_is_no_outage_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(EvidenceError):
        wrong()


def test_spans_may_lie_outside_what_was_watched() -> None:
    spans: list[Span] = [(-100, 50), (90, 400)]
    assert availability(spans, [(0, 100)]) == pytest.approx(0.4)
