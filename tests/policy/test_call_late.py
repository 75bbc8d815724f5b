"""Late first tokens: hedges, verdicts, grace, and who pays for what.

With nothing learned a streamed call hedges after 1.5 s and gives its verdict after 3 s.
"""

import pytest
from tests.policy.world import SILENT, Play, Step, World, answers, fails, fleet, request, route, speaks_then, target

from surefoot.domain.commands import Cancel, Deliver, Finish, Reason
from surefoot.domain.outcome import Kind
from surefoot.domain.request import Request
from surefoot.domain.route import Limits
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.budget import BudgetOptions
from surefoot.policy.first_token import FirstTokenOptions
from surefoot.policy.options import PolicyOptions


def world_of(
    *, hedge: float = 0.1, options: PolicyOptions | None = None, limits: Limits | None = None, **scripts: list[Play]
) -> World:
    the_route = route(*scripts, limits=limits, hedge=hedge)
    return World(fleet([target(name) for name in scripts], the_route, options), scripts)


def test_past_the_hedge_delay_the_next_target_is_asked_beside_the_first() -> None:
    story = world_of(a=[answers(2.0, 2.5)], b=[SILENT]).call()
    assert story.launches == [(100.0, "a", Reason.FIRST), (101.5, "b", Reason.HEDGE)]
    assert story.delivered == [0]


def test_whoever_speaks_first_wins_and_the_loser_is_cancelled() -> None:
    story = world_of(a=[answers(2.5, 9.0)], b=[answers(0.4, 0.6)]).call()
    assert [(round(at, 6), command) for at, command in story.told[2:]] == [
        (101.9, Deliver(1)),
        (101.9, Cancel(0)),
        (102.1, Finish()),
    ]


def test_the_earlier_loser_was_overtaken_and_that_is_its_fault() -> None:
    world = world_of(a=[SILENT], b=[answers(0.4, 0.6)])
    story = world.call()
    assert story.kinds == [Kind.OVERTAKEN, Kind.OK]
    assert world.fleet.targets["a"].breaker.streak == 1
    assert world.fleet.targets["a"].first_token.samples() == 1  # 1.9 s waited in vain teach as well


def test_the_later_loser_was_cancelled_and_that_is_nobodys_fault() -> None:
    world = world_of(a=[answers(1.8, 2.0)], b=[SILENT])
    story = world.call()
    assert story.kinds == [Kind.OK, Kind.CANCELLED]
    assert world.fleet.targets["b"].breaker.streak == 0
    assert world.fleet.targets["b"].first_token.samples() == 0


def test_a_hedge_that_loses_to_the_late_first_attempt_was_not_overtaken_by_it() -> None:
    """It waited longer than its own hedge delay, but the winner had the head start."""
    story = world_of(a=[answers(3.5, 4.0)], b=[SILENT]).call()
    assert story.delivered == [0]
    assert story.kinds == [Kind.OK, Kind.CANCELLED]


def test_an_earlier_attempt_inside_its_hedge_delay_is_not_overtaken() -> None:
    """A fallback that is the older of two: it was launched 0.2 s before the third one spoke."""
    world = world_of(a=[fails(Kind.RESET, 0.1)], b=[SILENT], c=[answers(0.2, 0.4)])
    delays = world.fleet.targets["b"].first_token
    story = world.opens()
    world.run(lambda: len(story.call.attempts) == 3)
    assert story.reasons == [Reason.FIRST, Reason.FALLBACK, Reason.HEDGE]
    delays.table = [type(delay)(5.0, 9.0) for delay in delays.table]  # meanwhile b was found to be slower by nature
    world.run()
    assert story.kinds == [Kind.RESET, Kind.CANCELLED, Kind.OK]
    assert world.fleet.targets["b"].breaker.streak == 0


def test_a_target_that_is_overtaken_time_and_again_is_no_longer_asked_first() -> None:
    world = world_of(a=[SILENT], b=[answers(0.4, 0.6)])
    stories = world.calls(4)
    assert [story.asked[0] for story in stories] == ["a", "a", "a", "b"]


def test_at_most_one_hedge_is_under_way() -> None:
    story = world_of(a=[answers(2.9, 3.0)], b=[SILENT], c=[SILENT]).call()
    assert story.asked == ["a", "b"]


def test_a_route_whose_share_is_nothing_never_hedges() -> None:
    world = world_of(hedge=0.0, a=[answers(2.9, 3.0)], b=[SILENT])
    assert world.call().asked == ["a"]
    assert world.fleet.stacks["chat"].budget.refused == 0


def test_without_another_target_there_is_nothing_to_hedge_with() -> None:
    world = world_of(a=[answers(2.9, 3.0)])
    assert world.call().asked == ["a"]
    assert world.fleet.budget.spent == 0


@pytest.mark.parametrize(("route_has", "gateway_has"), [(0.0, 5.0), (5.0, 0.0)])
def test_a_hedge_is_paid_by_the_route_and_by_the_gateway_or_not_launched(route_has: float, gateway_has: float) -> None:
    world = world_of(a=[answers(2.9, 3.0)], b=[SILENT])
    of_route, of_gateway = world.fleet.stacks["chat"].budget, world.fleet.budget
    of_route.saved, of_gateway.saved = route_has, gateway_has
    assert world.call().asked == ["a"]
    assert (of_route.spent, of_gateway.spent, of_route.refused) == (0, 0, 1)


def test_a_hedge_costs_both_budgets_one() -> None:
    world = world_of(a=[answers(2.9, 3.0)], b=[SILENT])
    world.call()
    assert (world.fleet.stacks["chat"].budget.spent, world.fleet.budget.spent) == (1, 1)


def test_when_the_budget_is_spent_slow_calls_wait_for_their_verdict() -> None:
    options = PolicyOptions(budget=BudgetOptions(share=0.1, burst=1))
    world = world_of(options=options, a=[answers(2.0, 2.5)], b=[SILENT])
    assert [len(story.asked) for story in world.calls(3)] == [2, 1, 1]


def test_the_first_token_limit_is_a_verdict_and_its_fallback_is_not_rationed() -> None:
    world = world_of(hedge=0.0, a=[SILENT], b=[answers(0.2, 0.4)])
    story = world.call()
    assert story.launches == [(100.0, "a", Reason.FIRST), (103.0, "b", Reason.FALLBACK)]
    assert story.kinds == [Kind.SILENCE, Kind.OK]
    assert story.call.attempts[0].verdict == 103.0
    assert world.fleet.targets["a"].breaker.streak == 1


def test_an_answer_that_began_without_content_is_slow_not_silent() -> None:
    story = world_of(hedge=0.0, a=[(Step(0.5, "heard"),)], b=[answers()]).call()
    assert story.kinds[0] is Kind.SLOW_FIRST_TOKEN


def test_a_late_attempt_may_still_win_but_that_is_no_sign_of_health() -> None:
    world = world_of(hedge=0.0, a=[answers(3.5, 4.0)], b=[answers(2.0, 2.1)])
    story = world.call()
    assert story.delivered == [0]
    assert story.cancelled == [1]
    assert story.kinds == [Kind.OK, Kind.CANCELLED]
    assert story.call.attempts[0].late
    assert world.fleet.targets["a"].breaker.streak == 1


def test_a_late_attempt_that_loses_keeps_its_verdict() -> None:
    world = world_of(hedge=0.0, a=[answers(9.0, 9.1)], b=[answers(2.0, 2.1)])
    story = world.call()
    assert story.cancelled == [0]
    assert story.kinds == [Kind.SILENCE, Kind.OK]
    assert world.fleet.targets["a"].breaker.streak == 1


def test_a_late_attempt_that_holds_a_slot_is_cancelled_at_its_verdict() -> None:
    targets = [target("a", max_in_flight=1), target("b")]
    world = World(fleet(targets, route("a", "b", hedge=0.0)), {"a": [answers(3.5, 4.0)], "b": [answers(2.0, 2.1)]})
    story = world.opens()
    world.run(lambda: bool(story.cancelled))
    assert world.now == 103.0
    assert world.fleet.targets["a"].in_flight == 0
    world.run()
    assert story.delivered == [1]


def test_the_verdict_launches_nobody_where_a_hedge_is_under_way() -> None:
    world = world_of(a=[SILENT], b=[answers(2.0, 2.1)], c=[answers()])
    story = world.call()
    assert story.asked == ["a", "b"]
    assert story.kinds == [Kind.SILENCE, Kind.OK]


def test_a_late_attempt_that_fails_has_launched_its_successor_already() -> None:
    world = world_of(hedge=0.0, a=[fails(Kind.RESET, 3.5)], b=[answers(1.0, 1.1)], c=[answers()])
    story = world.call()
    assert story.asked == ["a", "b"]
    assert story.kinds == [Kind.SILENCE, Kind.OK]
    assert world.fleet.targets["a"].breaker.streak == 1


def test_a_late_attempt_that_fails_last_of_all_sends_the_call_on() -> None:
    world = world_of(hedge=0.0, a=[fails(Kind.RESET, 3.5)], b=[fails(Kind.AUTH, 0.1)], c=[answers()])
    world.fleet.targets["c"].breaker.open(100.0, 3.3)  # not yet well when b fails, but when a does
    assert world.call().launches == [
        (100.0, "a", Reason.FIRST),
        (103.0, "b", Reason.FALLBACK),
        (103.5, "c", Reason.FALLBACK),
    ]


def test_the_last_target_gets_grace_again_and_again() -> None:
    story = world_of(a=[answers(25.0, 26.0)]).call()
    assert story.delivered == [0]
    assert story.call.attempts[0].verdict is None
    assert story.call.kind is Kind.OK


def test_grace_ends_when_another_target_has_recovered() -> None:
    world = world_of(hedge=0.0, a=[SILENT], b=[answers()])
    world.fleet.targets["b"].breaker.open(100.0, 4.0)
    story = world.call()
    assert story.launches == [(100.0, "a", Reason.FIRST), (106.0, "b", Reason.FALLBACK)]


def test_the_last_attempt_that_the_limits_allow_gets_grace() -> None:
    story = world_of(hedge=0.0, limits=Limits(attempts=1), a=[answers(20.0, 21.0)], b=[answers()]).call()
    assert story.asked == ["a"]
    assert story.call.kind is Kind.OK


def test_a_last_probe_has_its_verdict_and_its_grace() -> None:
    world = World(fleet([target("a", max_in_flight=1)], route("a")), {"a": [answers(25.0, 26.0)]})
    world.fleet.targets["a"].breaker.open(world.now - 10.0, 10.0)
    story = world.call()
    assert story.call.kind is Kind.OK
    assert story.call.attempts[0].verdict == 103.0
    assert world.fleet.targets["a"].breaker.state is BreakerState.OPEN


def test_a_gateway_that_wakes_long_after_the_limit_still_looks_ahead() -> None:
    world = world_of(a=[SILENT])
    story = world.opens()
    world.now = 110.0
    world.wakes(story)
    assert story.call.wake_at == 113.0


def test_where_the_limit_is_configured_before_the_hedge_delay_it_is_kept() -> None:
    options = PolicyOptions(first_token=FirstTokenOptions(hedge=1.5, limit=0.8))
    story = world_of(options=options, a=[SILENT], b=[answers()]).call()
    assert story.launches[1] == (100.8, "b", Reason.FALLBACK)


def test_hedging_and_the_verdict_use_what_was_learned() -> None:
    world = world_of(hedge=0.0, a=[*[answers(0.3, 0.4)] * 20, SILENT], b=[answers()])
    story = world.calls(21)[-1]
    launched = [round(at - story.call.began, 6) for at, _, _ in story.launches]
    assert launched == [0.0, 0.5]  # 1.5 times 0.3 s is below the floor


def test_a_plain_call_waits_longer_than_a_streamed_one() -> None:
    world = world_of(a=[answers(14.0, 14.0)], b=[SILENT])
    assert world.call(Request("chat", stream=False, prompt_tokens=300)).asked == ["a"]


def test_a_hedge_that_fails_leaves_the_first_alone_where_no_target_is_left() -> None:
    story = world_of(a=[answers(2.9, 3.1)], b=[fails(Kind.RESET, 0.1)]).call(request())
    assert story.asked == ["a", "b"]
    assert story.delivered == [0]
    assert story.kinds == [Kind.OK, Kind.RESET]


def test_a_hedge_that_stalls_after_it_won_ends_the_answer() -> None:
    story = world_of(a=[answers(2.9, 3.1)], b=[speaks_then(Kind.CUT, 0.1, 0.3)]).call()
    assert story.kinds == [Kind.OVERTAKEN, Kind.CUT]
    assert story.failure.kind is Kind.CUT


@pytest.mark.parametrize("kind", [Kind.BAD_REQUEST, Kind.CONTENT_FILTER])
def test_a_hedge_that_is_refused_does_not_end_the_attempt_that_is_under_way(kind: Kind) -> None:
    story = world_of(a=[answers(2.5, 2.6)], b=[fails(kind)]).call()
    assert story.kinds == [Kind.OK, kind]


def test_after_a_hedge_was_refused_nobody_else_is_asked_and_the_refusal_is_what_is_told() -> None:
    story = world_of(a=[fails(Kind.RESET, 2.5)], b=[fails(Kind.BAD_REQUEST)], c=[answers()]).call()
    assert story.asked == ["a", "b"]
    assert story.failure.kind is Kind.BAD_REQUEST
    assert story.failure.attempt == 1
