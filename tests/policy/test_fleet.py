"""The Fleet: what outlives a reload, what the workers tell one another, and who may probe."""

from random import Random

import pytest
from tests.policy.world import SILENT, World, answers, fails, fleet, request, route, speaks_then, target

from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits
from surefoot.domain.target import Target
from surefoot.policy.breaker import BreakerOptions, State
from surefoot.policy.call import Call
from surefoot.policy.fleet import Fleet
from surefoot.policy.options import PolicyOptions
from surefoot.policy.target_state import ASK_AGAIN, Closed, Opened, ProbePermit, ProbeWanted, SlotShare

AT_ONCE = Limits(wait=0.0)
"""Nobody waits for a probe."""


def breaker_of(of: Fleet, name: str = "a") -> State:
    return of.targets[name].breaker.state


def reloaded(old: Fleet, targets: list[Target], options: PolicyOptions | None = None) -> Fleet:
    new = fleet(targets, route(*(t.name for t in targets)), options)
    new.adopt(old)
    return new


def test_a_target_that_is_unchanged_keeps_its_state_across_a_reload() -> None:
    old = fleet([target("a"), target("b")], route("a", "b"))
    old.targets["a"].breaker.open(100.0, 60.0)
    new = reloaded(old, [target("a"), target("c")])
    assert new.targets["a"] is old.targets["a"]
    assert new.stacks["chat"].choose(request(), 101.0) is new.targets["c"]


def test_the_stack_of_the_new_fleet_keeps_its_own_budget() -> None:
    old = fleet([target("a")], route("a"))
    new = fleet([target("a")], route("a", hedge=0.5))
    budget = new.stacks["chat"].budget
    new.adopt(old)
    assert new.stacks["chat"].budget is budget


def test_a_target_that_changed_begins_anew() -> None:
    old = fleet([target("a")], route("a"))
    old.targets["a"].breaker.open(100.0, 60.0)
    assert breaker_of(reloaded(old, [target("a", "ch")])) is State.CLOSED


def test_a_target_that_is_gone_stays_gone() -> None:
    old = fleet([target("a"), target("b")], route("a", "b"))
    assert list(reloaded(old, [target("b")]).targets) == ["b"]


def test_other_options_begin_anew() -> None:
    old = fleet([target("a")], route("a"))
    old.targets["a"].breaker.open(100.0, 60.0)
    assert breaker_of(reloaded(old, [target("a")], PolicyOptions(breaker=BreakerOptions(streak=5)))) is State.CLOSED


def test_after_a_reload_news_goes_to_the_new_fleet() -> None:
    old = fleet([target("a")], route("a"))
    new = reloaded(old, [target("a")])
    new.targets["a"].failed(Kind.RATE_LIMIT, 100.0, 30.0)
    assert new.news == [Opened("a", 30.0)]
    assert old.news == []


def test_a_call_in_flight_ends_on_the_configuration_it_began_with_and_gives_its_slot_back() -> None:
    world = World(fleet([target("a", max_in_flight=1)], route("a")), {"a": [answers(0.1, 5.0)]})
    story = world.opens()
    new = reloaded(world.fleet, [target("a", max_in_flight=1)])
    assert new.targets["a"].in_flight == 1
    world.run()
    assert story.call.kind is Kind.OK
    assert new.targets["a"].in_flight == 0


def test_news_of_an_unknown_target_says_nothing() -> None:
    of = fleet([target("a")], route("a"))
    of.hear(Opened("z", 10.0), 100.0)
    assert breaker_of(of) is State.CLOSED


def test_an_opening_elsewhere_opens_here_and_is_not_told_on() -> None:
    of = fleet([target("a")], route("a"), workers=2)
    of.hear(Opened("a", 10.0), 100.0)
    assert breaker_of(of) is State.OPEN
    assert not of.targets["a"].breaker.admits(109.9)
    assert of.news == []


def test_a_closing_elsewhere_closes_here_and_is_not_told_on() -> None:
    of = fleet([target("a")], route("a"), workers=2)
    of.hear(Opened("a", 10.0), 100.0)
    of.hear(Closed("a"), 101.0)
    assert breaker_of(of) is State.CLOSED
    assert of.news == []


def test_what_another_worker_wants_changes_nothing_here() -> None:
    of = fleet([target("a")], route("a"), workers=2)
    of.hear(Opened("a", 10.0), 100.0)
    of.hear(ProbeWanted("a"), 120.0)
    assert breaker_of(of) is State.OPEN
    assert of.news == []


def test_an_opening_is_told_once_with_the_seconds_that_are_left() -> None:
    world = World(fleet([target("a"), target("b")], route("a", "b")), {"a": [fails(Kind.RESET)], "b": [answers()]})
    world.calls(5)
    assert world.fleet.news == [Opened("a", pytest.approx(10.0))]  # type: ignore[arg-type]


def test_a_successful_probe_is_told() -> None:
    world = World(fleet([target("a")], route("a")), {"a": [answers()]})
    world.fleet.targets["a"].breaker.open(world.now - 10.0, 10.0)
    assert world.call().call.kind is Kind.OK
    assert world.fleet.news == [Closed("a")]
    assert breaker_of(world.fleet) is State.CLOSED


def test_one_of_several_workers_probes_only_with_a_permit() -> None:
    of = fleet([target("a")], route("a"), workers=2)
    of.hear(Opened("a", 10.0), 100.0)
    stack = of.stacks["chat"]
    assert stack.choose(request(), 110.0) is None
    assert of.news == [ProbeWanted("a")]
    of.hear(ProbePermit("a", 5.0), 110.1)
    assert stack.choose(request(), 110.2) is of.targets["a"]


def test_a_permit_runs_out() -> None:
    of = fleet([target("a")], route("a"), workers=2)
    of.hear(Opened("a", 10.0), 100.0)
    of.hear(ProbePermit("a", 5.0), 111.0)
    assert of.stacks["chat"].choose(request(), 115.9) is not None
    assert of.stacks["chat"].choose(request(), 116.0) is None


def test_a_permit_is_good_for_one_probe() -> None:
    of = fleet([target("a")], route("a"), workers=2)
    of.hear(Opened("a", 10.0), 100.0)
    of.hear(ProbePermit("a", 500.0), 110.0)
    Call(of, request(), 110.0).begin(110.0)
    assert breaker_of(of) is State.HALF_OPEN
    of.targets["a"].failed(Kind.RESET, 111.0, None)
    assert of.stacks["chat"].choose(request(), 122.0) is None


def test_a_permit_is_asked_for_again_but_not_at_every_call() -> None:
    of = fleet([target("a")], route("a"), workers=2)
    of.hear(Opened("a", 10.0), 100.0)
    for moment in (110.0, 110.1, 110.9, 110.0 + ASK_AGAIN):
        of.stacks["chat"].choose(request(), moment)
    assert of.news == [ProbeWanted("a")] * 2


def test_a_single_worker_asks_nobody() -> None:
    of = fleet([target("a")], route("a"), workers=1)
    of.hear(Opened("a", 10.0), 100.0)
    assert of.stacks["chat"].choose(request(), 110.0) is of.targets["a"]
    assert of.news == []


def test_a_share_of_slots_bounds_this_worker() -> None:
    world = World(fleet([target("a", max_in_flight=10)], route("a"), workers=5), {"a": [answers(0.1, 5.0)]})
    world.fleet.hear(SlotShare("a", 2), world.now)
    stories = [world.opens() for _ in range(3)]
    assert [story.call.kind for story in stories] == [None, None, Kind.NO_TARGET]
    world.run()
    assert world.call().call.kind is Kind.OK


def test_the_budget_is_shared_out_among_the_workers() -> None:
    of = fleet([target("a")], route("a"), workers=4)
    assert of.budget.saved == 2.5
    assert of.stacks["chat"].budget.saved == 2.5


def test_a_tick_folds_what_every_target_was_seen_to_take() -> None:
    of = fleet([target("a"), target("b")], route("a", "b"))
    for state in of.targets.values():
        state.first_token.fresh[0](0.5)
    of.tick(0.0)
    assert [state.first_token.samples() for state in of.targets.values()] == [1, 1]


def test_any_source_of_chance_will_do() -> None:
    assert Fleet([target("a")], [route("a")], PolicyOptions(), Random(7)).rng.uniform(1.0, 1.0) == 1.0  # noqa: S311


def test_an_attempt_from_before_the_opening_that_is_cancelled_sets_no_second_probe_free() -> None:
    world = World(fleet([target("a")], route("a", limits=AT_ONCE)), {"a": [SILENT]})
    old = world.opens()
    world.fleet.targets["a"].breaker.open(world.now - 10.0, 10.0)
    probe = world.opens()
    world.client_leaves(old)
    assert probe.asked == ["a"]
    assert breaker_of(world.fleet) is State.HALF_OPEN
    assert world.opens().failure.kind is Kind.NO_TARGET


def test_a_probe_whose_client_leaves_lets_the_next_call_probe() -> None:
    world = World(fleet([target("a")], route("a")), {"a": [SILENT, answers()]})
    world.fleet.targets["a"].breaker.open(world.now - 10.0, 10.0)
    world.client_leaves(world.opens())
    assert world.call().call.kind is Kind.OK
    assert breaker_of(world.fleet) is State.CLOSED


def test_a_long_answer_from_before_the_opening_does_not_close_the_breaker() -> None:
    world = World(fleet([target("a")], route("a")), {"a": [answers(0.1, 12.0), SILENT]})
    long = world.opens()
    world.at(101.0, lambda: world.fleet.hear(Opened("a", 10.0), world.now))
    world.at(111.5, lambda: None if world.opens().call.attempts else pytest.fail("no probe was launched"))
    world.run(lambda: long.call.kind is not None)
    assert long.call.kind is Kind.OK
    assert breaker_of(world.fleet) is State.HALF_OPEN


def test_a_probe_that_stays_silent_does_not_keep_the_target_from_the_next_one() -> None:
    world = World(fleet([target("a")], route("a")), {"a": [SILENT, answers()]})
    world.fleet.targets["a"].breaker.open(world.now - 10.0, 10.0)
    silent = world.opens()
    world.run(lambda: world.now >= 103.0)
    assert silent.call.kind is None  # it has its grace
    assert breaker_of(world.fleet) is State.OPEN  # but its verdict stands
    world.now = 113.0
    assert world.call().call.kind is Kind.OK
    assert breaker_of(world.fleet) is State.CLOSED


def test_a_late_probe_that_ends_does_not_free_the_place_of_the_next_one() -> None:
    world = World(fleet([target("a")], route("a", limits=AT_ONCE)), {"a": [SILENT]})
    world.fleet.targets["a"].breaker.open(world.now - 10.0, 10.0)
    late = world.opens()
    world.run(lambda: world.now >= 103.0)
    world.now = 113.0
    assert world.opens().asked == ["a"]
    world.client_leaves(late)
    assert world.opens().failure.kind is Kind.NO_TARGET


def test_a_probe_that_breaks_off_opens_the_breaker_anew() -> None:
    world = World(fleet([target("a")], route("a")), {"a": [speaks_then(Kind.CUT)]})
    world.fleet.targets["a"].breaker.open(world.now - 10.0, 10.0)
    world.call()
    assert breaker_of(world.fleet) is State.OPEN
    assert world.fleet.news == [Opened("a", pytest.approx(10.0))]  # type: ignore[arg-type]


def test_a_probe_that_fails_before_it_has_spoken_opens_the_breaker_anew() -> None:
    world = World(fleet([target("a")], route("a")), {"a": [fails(Kind.RESET)]})
    world.fleet.targets["a"].breaker.open(world.now - 10.0, 10.0)
    world.call()
    assert breaker_of(world.fleet) is State.OPEN
    assert world.fleet.news == [Opened("a", pytest.approx(10.0))]  # type: ignore[arg-type]


def test_a_look_at_the_next_target_asks_for_no_permit() -> None:
    two = fleet([target("a"), target("b")], route("a", "b"))
    two.targets["b"].alone = False
    two.targets["b"].breaker.open(0.0, 1.0)
    call = Call(two, request(), 100.0)
    call.begin(100.0)
    assert call.next_target(100.0) is None
    assert two.news == []


def test_a_worker_that_has_lost_its_supervisor_probes_without_a_permit() -> None:
    two = Fleet([target("a")], [route("a")], PolicyOptions(), Random(1), workers=2)  # noqa: S311 - not drawn from
    state = two.targets["a"]
    assert not state.may_probe(0.0)

    two.leave_alone()

    assert state.may_probe(0.0)
