"""The matrix at its edges: what meets, misses and crosses a limit, and what would decide it."""

from math import log

import pytest

from surefoot.candidates.placing import FEWEST_BOUNDED, Limits, Placed, Side, placed
from surefoot.evidence import quantile_ranks
from surefoot.facts import Fact

LIMITS = Limits(2.0, 0.95)


def fact(
    value: float | None, low: float | None = None, high: float | None = None, n: int = 400, note: str = ""
) -> Fact:
    return Fact(name="x", value=value, unit="", n=n, low=low, high=high, note=note)


FAST, COVERS = fact(1.0, 0.9, 1.2), fact(0.98, 0.96, 0.99)


def put(p99: Fact = FAST, coverage: Fact = COVERS, weekly: int = 12, rest: Fact | None = None) -> Placed:
    return placed("c", (p99, coverage), LIMITS, (weekly, 12), rest)


@pytest.mark.parametrize(
    ("p99", "side"),
    [
        (fact(1.9, 1.8, 2.0), Side.MEETS),
        (fact(1.9, 1.8, 2.001), Side.CROSSES),
        (fact(2.2, 2.0, 2.4), Side.CROSSES),
        (fact(2.2, 2.001, 2.4), Side.MISSES),
        (fact(2.2, 2.001, None), Side.MISSES),
        (fact(1.0, 0.9, None), Side.CROSSES),
        (fact(1.0), Side.CROSSES),
        (fact(None, note="too few"), Side.UNKNOWN),
    ],
)
def test_a_p99_meets_its_limit_with_its_whole_interval_the_limit_included(p99: Fact, side: Side) -> None:
    assert put(p99).p99_side is side


@pytest.mark.parametrize(
    ("coverage", "side"),
    [
        (fact(0.97, 0.95, 1.0), Side.MEETS),
        (fact(0.97, 0.949, 1.0), Side.CROSSES),
        (fact(0.9, 0.8, 0.95), Side.CROSSES),
        (fact(0.9, 0.8, 0.949), Side.MISSES),
        (fact(1.0), Side.CROSSES),
    ],
)
def test_coverage_meets_its_limit_with_its_whole_interval_the_limit_included(coverage: Fact, side: Side) -> None:
    assert put(coverage=coverage).coverage_side is side


def test_each_quadrant_has_its_words_and_a_box_on_a_line_is_undecided() -> None:
    slow, bare = fact(3.0, 2.5, 3.5), fact(0.5, 0.4, 0.6)
    assert put().verdict == "meets both limits"
    assert put(slow).verdict == "covers enough, too slow"
    assert put(coverage=bare).verdict == "fast enough, covers too little"
    assert put(slow, bare).verdict == "meets neither limit"
    assert put(fact(1.9, 1.5, 2.5)).verdict == "undecided"
    assert put(fact(None, note="too few")).verdict == "not placed"


def test_fewer_than_three_weekly_runs_are_provisional() -> None:
    assert put(weekly=2).provisional
    assert not put(weekly=3).provisional


def test_what_would_decide_a_coverage_goes_with_the_square_of_the_interval() -> None:
    need = put(coverage=fact(0.97, 0.93, 0.99, n=100)).coverage_need
    assert need is not None
    assert need.more == 300  # twice as wide as it may be: four times the samples
    assert need.share == 3.0
    below = put(coverage=fact(0.93, 0.9, 0.96, n=100)).coverage_need
    assert below is not None
    assert below.more == 125  # (0.03 / 0.02)^2 - 1


def test_what_would_decide_a_p99_is_reckoned_in_logarithms() -> None:
    need = put(fact(1.0, 0.8, 4.0, n=500)).p99_need
    assert need is not None
    assert need.more == pytest.approx(500 * ((log(4) / log(2)) ** 2 - 1))


def test_what_is_decided_needs_nothing() -> None:
    assert put().p99_need is None
    assert put().coverage_need is None


def test_a_value_on_the_limit_is_decided_by_no_number_of_samples() -> None:
    need = put(coverage=fact(0.95, 0.9, 0.97)).coverage_need
    assert need is not None
    assert (need.more, need.why) == (None, "the value is the limit itself")


def test_of_drills_only_the_part_of_the_width_counts_that_more_calls_take_away() -> None:
    wide = fact(0.97, 0.92, 0.99, n=100)
    need = put(coverage=wide, rest=fact(0.97, 0.96, 0.98)).coverage_need
    assert need is not None
    assert need.more == pytest.approx(100 * ((0.05**2 - 0.01**2) / (0.02**2 - 0.01**2) - 1), abs=1)
    never = put(coverage=wide, rest=fact(0.97, 0.94, 0.98)).coverage_need
    assert never is not None
    assert never.more is None
    assert "too uncertain" in never.why


def test_a_p99_without_an_upper_end_needs_as_many_calls_as_have_one() -> None:
    assert quantile_ranks(FEWEST_BOUNDED)[1] == FEWEST_BOUNDED
    assert quantile_ranks(FEWEST_BOUNDED - 1)[1] is None
    need = put(fact(1.0, 0.9, None, n=150)).p99_need
    assert need is not None
    assert (need.more, need.at_least) == (FEWEST_BOUNDED - 150, True)


def test_a_number_without_an_interval_says_why_nothing_would_decide_it() -> None:
    need = put(coverage=fact(0.97, note="no interval: one calendar week")).coverage_need
    assert need is not None
    assert (need.more, need.why) == (None, "no interval: one calendar week")
