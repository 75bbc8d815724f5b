"""The three coverages, against hand calculation, closed forms and one another."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from surefoot.errors import EvidenceError
from surefoot.evidence import Band, Counted, coverage, coverage_interval

NINE = [
    *((f"small-{number}", 12.0, 1.0, 1.0) for number in range(6)),  # 72 events a year, covered
    ("small-6", 17.0, 1.0, 1.0),
    ("rare", 5.0, 4.0, 0.0),
    ("worst", 6.0, 4.0, 0.0),
]
"""Seven of nine modes are covered: 89 of 100 events, but the other 11 do four times the harm."""


def test_the_same_modes_honestly_give_78_89_and_67_percent() -> None:
    found = coverage(NINE)
    assert [round(100 * share) for share in found] == [78, 89, 67]
    assert found.modes == pytest.approx(7 / 9)
    assert found.events == pytest.approx(89 / 100)
    assert found.risk == pytest.approx(89 / (89 + 44))


def test_a_share_counts_in_part_for_events_and_risk_and_wholly_for_modes() -> None:
    rows = [("a", 3.0, 10.0, 0.5), ("b", 1.0, 50.0, 0.2)]
    found = coverage(rows)
    assert found == pytest.approx((0.5, (1.5 + 0.2) / 4, (15 + 10) / 80))
    assert coverage(rows, threshold=0.51).modes == 0


def test_a_forbidden_fallback_covers_nothing() -> None:
    rows = [("a", 1.0, 1.0, 1.0), ("b", 1.0, 1.0, 0.0)]
    assert coverage(rows) == (0.5, 0.5, 0.5)
    allowed = coverage_interval([("a", 5, 1.0, 50, 50), ("b", 5, 1.0, 50, 50)], years=1, seed=1)
    barred = coverage_interval([("a", 5, 1.0, 50, 50), Counted("b", 5, 1.0, 50, 50, forbidden=True)], years=1, seed=1)
    assert allowed.risk.low > 0.9
    assert barred.modes == Band(0.5, 0.5, 0.5)
    assert barred.risk.high < 0.95


@given(
    st.lists(st.tuples(st.floats(0.1, 50), st.floats(0.1, 50), st.floats(0, 1)), min_size=1, max_size=12),
    st.floats(0.01, 100),
)
def test_coverage_lies_among_the_shares_and_does_not_depend_on_the_units_of_impact(
    parts: list[tuple[float, float, float]], unit: float
) -> None:
    rows = [(str(number), *part) for number, part in enumerate(parts)]
    found = coverage(rows)
    shares = [row[3] for row in rows]
    for share in (found.events, found.risk):
        assert min(shares) - 1e-9 <= share <= max(shares) + 1e-9
    scaled = coverage([(mode, rate, impact * unit, share) for mode, rate, impact, share in rows])
    assert scaled == pytest.approx(found)


@pytest.mark.parametrize(("k", "n"), [(45, 50), (0, 8), (0, 0)])
def test_of_a_single_mode_the_interval_is_that_of_its_share(k: int, n: int) -> None:
    exact = [float(beta.ppf(q, k + 0.5, n - k + 0.5)) for q in (0.025, 0.5, 0.975)]
    found = coverage_interval([("only", 3, 7.0, k, n)], years=2.0, seed=5)
    assert found.events == pytest.approx(exact, abs=0.01)
    assert found.risk == pytest.approx(exact, abs=0.01)


def test_an_untested_mode_is_neither_covered_nor_not() -> None:
    found = coverage_interval([("only", 3, 7.0, 0, 0)], years=2.0, seed=5)
    assert found.risk.low < 0.01
    assert found.risk.high > 0.99
    assert found.modes == Band(0.0, found.modes.median, 1.0)


def test_many_events_and_many_drills_leave_the_point_alone() -> None:
    rows = [("a", 400_000, 2.0, 90_000, 100_000), ("b", 100_000, 10.0, 20_000, 100_000)]
    found = coverage_interval(rows, years=10.0, seed=3)
    point = coverage([("a", 40_000, 2.0, 0.9), ("b", 10_000, 10.0, 0.2)])
    for band, share in ((found.events, point.events), (found.risk, point.risk)):
        assert band.median == pytest.approx(share, abs=0.002)
        assert band.high - band.low < 0.01


def test_a_rate_from_few_events_widens_the_interval() -> None:
    few = coverage_interval([("a", 1, 1.0, 1000, 1000), ("b", 1, 1.0, 0, 1000)], years=1.0, seed=3)
    many = coverage_interval([("a", 400, 1.0, 1000, 1000), ("b", 400, 1.0, 0, 1000)], years=1.0, seed=3)
    # Two rates of Gamma(3/2): their share is Beta(3/2, 3/2), whose outer quantiles are known.
    assert few.events == pytest.approx([float(beta.ppf(q, 1.5, 1.5)) for q in (0.025, 0.5, 0.975)], abs=0.02)
    assert many.events.high - many.events.low < 0.1


def test_the_same_seed_gives_the_same_interval_and_another_one_nearly_so() -> None:
    rows = [("a", 30, 2.0, 40, 50), ("b", 10, 10.0, 5, 50)]
    first = coverage_interval(rows, years=3.8, seed=1)
    assert first == coverage_interval(rows, years=3.8, seed=1)
    other = coverage_interval(rows, years=3.8, seed=2)
    assert other != first
    assert other.risk == pytest.approx(first.risk, abs=0.01)


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([], "at least one row"),
        ([("a", 1.0, 1.0, 1.0), ("a", 1.0, 1.0, 0.0)], "told twice: a"),
        ([("a", -1.0, 1.0, 1.0)], "a: events per year of -1.0"),
        ([("a", 1.0, inf, 1.0)], "a: impact of inf"),
        ([("a", 1.0, 1.0, 1.2)], "a: a mitigated share of 1.2"),
        ([("a", 1.0, 1.0, nan)], "a: a mitigated share of nan"),
        ([("a", 0.0, 1.0, 1.0)], "0 events per year"),
        ([("a", 1.0, 0.0, 1.0)], "no risk"),
    ],
)
def test_rows_that_cannot_be_weighed_are_refused(rows: list[tuple[str, float, float, float]], word: str) -> None:
    with pytest.raises(EvidenceError, match=word):
        coverage(rows)


def test_a_threshold_outside_0_to_1_is_refused() -> None:
    with pytest.raises(EvidenceError, match="threshold"):
        coverage(NINE, threshold=1.5)


@pytest.mark.parametrize(
    ("rows", "years", "word"),
    [
        ([], 1.0, "at least one row"),
        ([("a", 3, 1.0, 1, 2)] * 2, 1.0, "told twice"),
        ([("a", 3, 1.0, 3, 2)], 1.0, "a: 3 of 2"),
        ([("a", -3, 1.0, 1, 2)], 1.0, "count of events of -3"),
        ([("a", 3, nan, 1, 2)], 1.0, "impact of nan"),
        ([("a", 3, 0.0, 1, 2)], 1.0, "no risk"),
        ([("a", 3, 1.0, 1, 2)], 0.0, "years in which events were counted of 0.0"),
    ],
)
def test_counts_that_cannot_be_drawn_from_are_refused(
    rows: list[tuple[str, float, float, int, int]], years: float, word: str
) -> None:
    with pytest.raises(EvidenceError, match=word):
        coverage_interval(rows, years=years, seed=1)


def test_where_all_is_covered_rounding_does_not_take_a_bit_away() -> None:
    rows = [(f"m{n}", 0.1 * n, 0.3 * n, 1.0) for n in range(1, 40)]
    found = coverage(rows)
    assert (found.modes, found.events, found.risk) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(("impact", "years"), [(1e-300, 1e300), (1e300, 1e-300)])
def test_weights_that_a_float_cannot_hold_are_refused_and_never_become_nan(impact: float, years: float) -> None:
    with pytest.raises(EvidenceError, match="too small or too large"):
        coverage_interval([("a", 1, impact, 5, 10), ("b", 1, impact, 0, 0)], years=years, seed=1)
