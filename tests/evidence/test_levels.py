"""Service levels against the published tables of others, and against what happens minute by minute."""

from collections.abc import Iterable
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import EvidenceError
from surefoot.evidence import (
    burn_rate,
    detection_seconds,
    reachability_by_vantage,
    service_credit,
    uptime_and_reachability,
)

MONTH = 30 * 24
HOUR = 3600


@pytest.mark.parametrize(("share", "window", "rate"), [(0.02, 1, 14.4), (0.05, 6, 6), (0.10, 72, 1)])
def test_burn_rates_are_those_of_the_site_reliability_workbook_table_5_2(
    share: float, window: float, rate: float
) -> None:
    assert burn_rate(share, MONTH, window) == pytest.approx(rate)


def test_a_budget_burnt_at_one_lasts_its_period() -> None:
    assert burn_rate(1, MONTH, MONTH) == 1
    assert burn_rate(0, MONTH, 1) == 0


def fires_after(slo: float, error_rate: float, window: int, burn: float) -> float:
    """Second by second: when the mean error rate over the window reaches the burn rate times the budget."""
    seen = [0.0] * window
    for second in range(1, 2 * window):
        seen = [*seen[1:], error_rate]
        if sum(seen) / window >= burn * (1 - slo) - 1e-12:
            return second
    return inf


@pytest.mark.parametrize(
    ("slo", "error_rate", "window", "burn"),
    [(0.999, 1.0, 600, 14.4), (0.99, 0.5, 300, 6.0), (0.999, 0.0144, 200, 14.4), (0.99, 0.05, 200, 6.0)],
)
def test_the_alert_fires_when_it_does_second_by_second(slo: float, error_rate: float, window: int, burn: float) -> None:
    expected = fires_after(slo, error_rate, window, burn)
    assert detection_seconds(slo, error_rate, window, burn) == pytest.approx(expected, abs=1)


def test_a_total_outage_is_noticed_by_the_hours_window_in_52_seconds() -> None:
    assert detection_seconds(0.999, 1.0, HOUR, 14.4) == pytest.approx(51.84)


def test_errors_too_few_for_the_burn_rate_never_bring_an_alert() -> None:
    assert detection_seconds(0.999, 0.0144, HOUR, 14.4) == pytest.approx(HOUR)
    assert detection_seconds(0.999, 0.0143, HOUR, 14.4) == inf


@pytest.mark.parametrize(
    ("slo", "error_rate", "window", "burn"),
    [(1.0, 1, 1, 1), (0.0, 1, 1, 1), (99.9, 1, 1, 1), (0.9, 0, 1, 1), (0.9, 1.1, 1, 1), (0.9, 1, 0, 1), (0.9, 1, 1, 0)],
)
def test_what_brings_no_alert_at_all_is_refused(slo: float, error_rate: float, window: float, burn: float) -> None:
    with pytest.raises(EvidenceError):
        detection_seconds(slo, error_rate, window, burn)


@pytest.mark.parametrize(("share", "period", "window"), [(-0.1, 1, 1), (2, 1, 1), (0.1, 0, 1), (0.1, 1, 0)])
def test_what_is_no_share_of_a_budget_is_refused(share: float, period: float, window: float) -> None:
    with pytest.raises(EvidenceError):
        burn_rate(share, period, window)


THREE_STEPS = [(99.9, 10), (99.0, 25), (95.0, 100)]
"""As AWS publishes them for Bedrock."""


@pytest.mark.parametrize(
    ("uptime", "credit"),
    [(100, 0), (99.9, 0), (99.8999, 10), (99.0, 10), (98.99, 25), (95.0, 25), (94.999, 100), (0, 100)],
)
def test_a_step_is_credited_strictly_below_its_bound(uptime: float, credit: float) -> None:
    assert service_credit(THREE_STEPS, uptime) == credit
    assert service_credit(reversed(THREE_STEPS), uptime) == credit


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=8, unique=True),
    st.lists(st.floats(0, 100), min_size=8, max_size=8),
    st.integers(0, 1000),
    st.integers(0, 1000),
)
def test_less_uptime_is_never_credited_less(bounds: list[int], amounts: list[float], one: int, other: int) -> None:
    steps = list(zip(sorted(bounds, reverse=True), sorted(amounts), strict=False))
    told = [(bound / 10, credit) for bound, credit in steps]
    low, high = sorted((one / 10, other / 10))
    assert service_credit(told, low) >= service_credit(told, high)
    assert service_credit(told, low) == max((credit for bound, credit in told if low < bound), default=0)


@pytest.mark.parametrize(
    ("steps", "uptime"),
    [
        ([], 99.0),
        (THREE_STEPS, 100.1),
        (THREE_STEPS, -1),
        ([(99.9, 10), (99.9, 25)], 99.0),
        ([(99.9, 25), (99.0, 10)], 99.0),
        ([(101, 10)], 99.0),
        ([(99.9, 110)], 99.0),
        ([(99.9,)], 99.0),
        ([99.9], 99.0),
        ("99.9", 99.0),
    ],
)
def test_a_table_that_promises_nothing_is_refused(steps: Any, uptime: float) -> None:
    with pytest.raises(EvidenceError):
        service_credit(steps, uptime)


REGIONAL = [(True, True, True, False)] * 96
"""A day in quarters of an hour, seen from four places; the last one is cut off all day."""


def test_uptime_hides_the_regional_outage_that_reachability_shows() -> None:
    found = uptime_and_reachability(REGIONAL)
    assert (found.uptime, found.reachability) == (1.0, 0.75)
    assert reachability_by_vantage(REGIONAL) == (1.0, 1.0, 1.0, 0.0)


def test_what_was_not_executed_is_neither_success_nor_failure() -> None:
    matrix = [(True, None), (None, None), (False, False), (None, True)]
    assert uptime_and_reachability(matrix) == pytest.approx((2 / 3, 2 / 4))
    assert reachability_by_vantage(matrix) == (1 / 2, 1 / 2)
    assert reachability_by_vantage([(True, None)]) == (1.0, None)


@given(st.integers(1, 6).flatmap(lambda width: st.lists(st.lists(st.booleans(), min_size=width, max_size=width))))
def test_uptime_is_never_below_reachability(matrix: list[list[bool]]) -> None:
    if not matrix:
        return
    found = uptime_and_reachability(matrix)
    cells = np.array(matrix)
    assert found == pytest.approx((cells.any(axis=1).mean(), cells.mean()))
    assert found.reachability <= found.uptime + 1e-12
    assert uptime_and_reachability(cells) == found
    assert uptime_and_reachability(cells.astype(int)) == found
    assert reachability_by_vantage(matrix) == pytest.approx(tuple(cells.mean(axis=0)))


@pytest.mark.parametrize(
    "matrix",
    [[], [[]], [[None, None]], [[True], [True, False]], [["yes"]], [[2]], [[float("nan")]], [True], "up", ["up"], 3],
)
def test_what_is_no_matrix_is_refused(matrix: Iterable[Any]) -> None:
    with pytest.raises(EvidenceError):
        uptime_and_reachability(matrix)
