"""What is spent on recoveries, apart from what hedges cost while all is well; and what each saved call cost."""

from math import inf, nan

import pytest
from tests.replay.paired import failed, ok, outage, saved
from tests.replay.test_summary import ACME, facts, hand, tallied, value

from surefoot.errors import EvidenceError
from surefoot.evidence import garwood
from surefoot.facts import Facts
from surefoot.replay.counting.spending import per_recovery

__all__ = ["hand"]


def test_cost_and_cost_per_recovery_have_the_spend_of_losers_and_garwoods_interval(hand: Facts) -> None:
    assert value(hand, "any.all.cost.without") == pytest.approx(0.04)
    assert value(hand, "any.all.cost.with") == pytest.approx(0.10)
    assert value(hand, "any.all.cost.added") == pytest.approx(0.06)
    per_call = hand.named("any.all.cost.per_recovered_call")
    low, high = garwood(3)
    assert per_call.n == 3
    assert per_call.value == pytest.approx(0.02)
    assert [per_call.low, per_call.high] == pytest.approx([0.06 / high, 0.06 / low])
    assert value(hand, "any.all.cost.per_recovered_incident") == pytest.approx(0.03)


def test_a_cost_without_any_recovery_is_infinite_and_one_without_a_price_is_unknown() -> None:
    none = facts(tallied([outage(1, 2)], [(1.0, failed(outage=0), failed(cost=0.5)), (3.0, ok(), ok())]))
    fact = none.named("any.all.cost.per_recovered_call")
    assert (fact.value, fact.high) == (None, None)
    assert "infinite" in fact.note
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
    assert fact.low == pytest.approx(0.07 / (garwood(4)[1] - garwood(1)[0]))
    assert fact.high is None


def test_where_more_were_lost_than_saved_a_recovery_has_no_price() -> None:
    rows = [(1.0, failed(outage=0), saved() | {"cost": 0.5}), (1.1, ok(), failed()), (1.2, ok(), failed())]
    fact = facts(tallied(ACME[:1], [(0.0, ok(), ok()), *rows])).named("any.all.cost.per_recovered_call")
    assert (fact.value, fact.note) == (None, "infinite: 1 saved, 2 lost")


def test_without_any_lost_a_recovery_costs_what_the_public_function_says_and_lost_ones_only_widen_it() -> None:
    plain, less = per_recovery(10.0, 100, 0), per_recovery(10.0, 100, 10)
    assert plain == pytest.approx((0.1, 10 / garwood(100)[1], 10 / garwood(100)[0]))
    assert less[0] == pytest.approx(10 / 90)
    assert less[1] < 10 / 90 < less[2] < inf
    assert less[2] / less[1] > plain[2] / plain[1]
    with pytest.raises(EvidenceError):
        per_recovery(-1.0, 1, 0)


def test_a_price_that_is_unknown_outside_of_outages_leaves_the_cost_of_a_recovery_known() -> None:
    rows = [(0.0, ok(), ok(cost=nan)), (1.5, failed(outage=0), saved()), (9.0, ok(), ok())]
    found = facts(tallied(ACME[:1], rows))
    assert value(found, "any.all.cost.per_recovered_call") == pytest.approx(0.02)
    assert found.named("any.all.cost.per_recovered_call.all_in").note.startswith("unknown: 1 of 3 calls")


def test_under_a_lag_a_recovery_is_dearer_by_the_calls_that_were_not_saved(hand: Facts) -> None:
    assert value(hand, "any.all.cost.per_recovered_call.lag.10m") == pytest.approx(0.02)
    assert hand.named("any.all.cost.per_recovered_call.lag.10m").n == 2
    assert value(hand, "any.all.cost.per_recovered_call.all_in.lag.10m") == pytest.approx(0.02)
