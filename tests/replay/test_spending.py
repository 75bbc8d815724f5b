"""What is spent on recoveries, apart from what hedges cost while all is well; and what each saved call cost."""

from math import inf, nan

import numpy as np
import pytest
from tests.replay.paired import HOUR, WEEK, failed, ok, outage, saved
from tests.replay.test_summary import ACME, facts, hand, tallied, value

from surefoot.evidence import garwood
from surefoot.facts import Fact, Facts
from surefoot.replay.counting.resampling import interval, weights
from surefoot.replay.counting.spending import per_recovery

__all__ = ["hand"]


def test_cost_has_the_spend_of_losers_and_garwoods_interval_is_that_of_incidents_alone(hand: Facts) -> None:
    assert value(hand, "any.all.cost.without") == pytest.approx(0.04)
    assert value(hand, "any.all.cost.with") == pytest.approx(0.10)
    assert value(hand, "any.all.cost.added") == pytest.approx(0.06)
    per_call = hand.named("any.all.cost.per_recovered_call")
    assert per_call.n == 3
    assert per_call.value == pytest.approx(0.02)
    assert (per_call.low, per_call.high, per_call.note) == (None, None, "no interval: one calendar week")
    per_incident = hand.named("any.all.cost.per_recovered_incident")
    low, high = garwood(2)
    assert per_incident.value == pytest.approx(0.03)
    assert [per_incident.low, per_incident.high] == pytest.approx([0.06 / high, 0.06 / low])


def test_a_cost_without_any_recovery_is_infinite_and_one_without_a_price_is_unknown() -> None:
    none = facts(tallied([outage(1, 2)], [(1.0, failed(outage=0), failed(cost=0.5)), (3.0, ok(), ok())]))
    fact = none.named("any.all.cost.per_recovered_call")
    assert (fact.value, fact.low, fact.high) == (None, None, None)
    assert fact.note == "infinite: none was recovered"
    fact = none.named("any.all.cost.per_recovered_incident")
    assert (fact.value, fact.high, fact.note) == (None, None, "infinite: none was recovered")
    assert fact.low == pytest.approx(0.5 / garwood(0)[1])
    unpriced = facts(tallied([outage(1, 2)], [(1.0, failed(outage=0), saved() | {"cost": nan}), (3.0, ok(), ok())]))
    for name in ("cost.with", "cost.added", "cost.per_recovered_call"):
        fact = unpriced.named(f"any.all.{name}")
        assert (fact.value, fact.note) == (None, "unknown: 1 of 2 calls asked a target without a price")


HEDGED = ok(cost=0.03, extra=0.02, attempts=2)
"""A call that was well, and at which a loser was asked beside."""


def test_hedges_on_calls_in_no_outage_are_steady_cost_and_no_part_of_a_recovery() -> None:
    found = facts(tallied(ACME[:1], [(0.0, ok(), HEDGED), (1.5, failed(outage=0), saved()), (9.0, ok(), HEDGED)]))
    assert value(found, "any.all.cost.added") == pytest.approx(0.06)
    assert value(found, "any.all.cost.recovery") == pytest.approx(0.02)
    assert value(found, "any.all.cost.steady") == pytest.approx(0.04)
    for what in ("call", "incident"):
        assert value(found, f"any.all.cost.per_recovered_{what}") == pytest.approx(0.02)
        assert value(found, f"any.all.cost.per_recovered_{what}.all_in") == pytest.approx(0.06)
    assert value(found, "any.outages.cost.per_recovered_call") == pytest.approx(0.02)
    with pytest.raises(KeyError):
        found.named("any.outages.cost.steady")


def test_calls_that_were_lost_make_those_that_were_saved_dearer_and_not_cheaper() -> None:
    struck = [(1.0 + step / 10, failed(outage=0), saved()) for step in range(4)]
    lost = (1.8, ok(), failed())
    found = facts(tallied(ACME[:1], [(0.0, ok(), ok()), *struck, lost]))
    assert value(found, "any.all.cost.recovery") == pytest.approx(4 * 0.02 - 0.01)
    fact = found.named("any.all.cost.per_recovered_call")
    assert fact.value == pytest.approx((4 * 0.02 - 0.01) / (4 - 1))
    assert "less the 1 lost" in fact.method


def test_where_more_were_lost_than_saved_a_recovery_has_no_price() -> None:
    rows = [(1.0, failed(outage=0), saved() | {"cost": 0.5}), (1.1, ok(), failed()), (1.2, ok(), failed())]
    fact = facts(tallied(ACME[:1], [(0.0, ok(), ok()), *rows])).named("any.all.cost.per_recovered_call")
    assert (fact.value, fact.note) == (None, "infinite: 1 saved, 2 lost")


def of_weeks(*weeks: tuple[int, float]) -> Fact:
    """So many calls saved in an outage each week, at so many dollars each; and one call that is well."""
    rows = []
    for week, (many, dollars) in enumerate(weeks):
        start = week * WEEK / HOUR
        rows.append((start, ok(), ok()))
        rows += [(start + 1 + step / 100, failed(outage=week), saved() | {"cost": dollars}) for step in range(many)]
    outages = [outage(week * WEEK / HOUR + 1, week * WEEK / HOUR + 5) for week in range(len(weeks))]
    return facts(tallied(outages, rows)).named("any.all.cost.per_recovered_call")


def test_the_interval_of_a_saved_calls_cost_is_that_of_weeks_however_many_calls_an_outage_had() -> None:
    few, many = (of_weeks(*((times * calls, cost) for calls, cost in ODD)) for times in (1, 20))
    drawn = weights(len(ODD), 7)
    calls = np.array([calls for calls, _ in ODD])
    dollars = np.array([cost for _, cost in ODD])
    with np.errstate(invalid="ignore"):
        ends = interval((drawn @ (calls * dollars)) / (drawn @ calls))
    assert ends is not None
    for fact in (few, many):
        assert (fact.low, fact.high) == pytest.approx(ends)
        assert f"resamples of {len(ODD)} calendar weeks" in fact.method
    low, high = garwood(many.n)
    assert many.value is not None
    assert ends[1] - ends[0] > 3 * many.value * (many.n / low - many.n / high)


ODD = ((3, 0.02), (9, 0.05), (0, 0.0), (2, 0.4), (5, 0.01), (4, 0.02), (8, 0.03), (1, 0.02), (6, 0.02))
"""Calls and dollars of nine weeks of which one is dear."""


def test_where_too_many_resamples_recover_none_a_saved_calls_cost_has_no_upper_end() -> None:
    lost = (WEEK / HOUR + 1, ok(), failed(outage=1))
    rows = [(1.0, failed(outage=0), saved() | {"cost": 0.5}), (2.0, failed(outage=0), failed(cost=0.5))]
    late = (WEEK / HOUR + 2, failed(outage=1), failed(cost=0.5))
    outages = [outage(1, 5), outage(WEEK / HOUR + 1, WEEK / HOUR + 5)]
    fact = facts(tallied(outages, [*rows, late])).named("any.all.cost.per_recovered_call")
    assert (fact.value, fact.low, fact.high) == (1.5, 1.0, None)
    assert fact.note == "no upper end: infinite in too many resamples; rough: 2 calendar weeks"
    fact = facts(tallied(outages, [*rows, late, lost])).named("any.all.cost.per_recovered_call")
    assert (fact.value, fact.low, fact.high) == (None, 1.0, None)
    assert fact.note == "infinite: 1 saved, 1 lost; rough: 2 calendar weeks"


def test_draw_by_draw_what_is_left_of_none_is_infinite_if_money_was_spent_and_unknown_if_not() -> None:
    found = per_recovery(np.array([6.0, 6.0, 6.0, 0.0, -1.0, -1.0]), np.array([3, 0, -1, 0, 2, -1]))
    assert found.tolist() == pytest.approx([2.0, inf, inf, nan, -0.5, nan], nan_ok=True)


def test_a_price_that_is_unknown_outside_of_outages_leaves_the_cost_of_a_recovery_known() -> None:
    rows = [(0.0, ok(), ok(cost=nan)), (1.5, failed(outage=0), saved()), (9.0, ok(), ok())]
    found = facts(tallied(ACME[:1], rows))
    assert value(found, "any.all.cost.per_recovered_call") == pytest.approx(0.02)
    assert found.named("any.all.cost.per_recovered_call.all_in").note.startswith("unknown: 1 of 3 calls")


def test_under_a_lag_a_recovery_is_dearer_by_the_calls_that_were_not_saved(hand: Facts) -> None:
    assert value(hand, "any.all.cost.per_recovered_call.lag.10m") == pytest.approx(0.02)
    assert hand.named("any.all.cost.per_recovered_call.lag.10m").n == 2
    assert value(hand, "any.all.cost.per_recovered_call.all_in.lag.10m") == pytest.approx(0.02)
