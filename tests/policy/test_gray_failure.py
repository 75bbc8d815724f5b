"""Gray failure as calls see it: what suspicion, token rates, them-or-us and exercise change in whom a call asks."""

from collections import Counter
from itertools import pairwise

import pytest
from tests.policy.world import SILENT, Play, Step, World, answers, fails, fleet, request, route, target

from surefoot.domain.commands import Reason
from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits, Order, Route, Rung, When
from surefoot.policy.breaker import BreakerOptions
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.options import PolicyOptions
from surefoot.policy.suspicion import Grade
from surefoot.policy.target_state import Closed, Opened

WATCHED = request(stream=False, watched=True)


def world_of(
    *, hedge: float = 0.0, options: PolicyOptions | None = None, limits: Limits | None = None, **scripts: list[Play]
) -> World:
    return World(fleet([target(n) for n in scripts], route(*scripts, hedge=hedge, limits=limits), options), scripts)


def drips(gap: float, events: int) -> Play:
    """A watched answer of so many events, each so long after the one before."""
    more = [Step(0.2 + gap * n, "more") for n in range(1, events)]
    end = 0.2 + gap * events
    return (Step(0.2, "spoke"), *more, Step(end, "content"), Step(end, "finish"))


# ── suspicion ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_target_that_grows_slower_is_left_before_any_limit_rings() -> None:
    world = world_of(a=[*[answers(0.4, 0.5)] * 60, answers(0.55, 0.65)], b=[answers(0.4, 0.5)])
    world.calls(60)
    stories = world.calls(30)
    moved = next(n for n, story in enumerate(stories) if story.asked == ["b"])
    assert moved < 25  # the limit, 1.5 times the usual time, lies at 0.6 s
    assert {kind for story in stories for kind in story.kinds} == {Kind.OK}
    assert world.fleet.targets["a"].breaker.state is BreakerState.CLOSED


def test_a_target_that_grew_far_slower_is_hedged_at_once_where_it_is_asked_first_all_the_same() -> None:
    world = world_of(hedge=1.0, a=[answers(0.2, 0.3)], b=[answers(0.2, 0.3)])
    world.calls(60)
    a, b = world.fleet.targets["a"], world.fleet.targets["b"]
    while not a.hasty:
        world.now += 1.0
        a.first_token.fresh[1](0.45)
        world.fleet.tick(world.now)
    b.suspect, b.tried_at = True, world.now
    a.tried_at = world.now - 60.0
    story = world.opens()
    world.run(lambda: len(story.call.attempts) == 2)
    assert story.reasons == [Reason.FIRST, Reason.HEDGE]
    assert world.now == story.call.began
    assert a.breaker.state is BreakerState.CLOSED


def test_the_gravest_suspicion_opens_the_breaker_and_tells_the_others() -> None:
    world = world_of(a=[answers(0.2, 0.3)], b=[answers(0.2, 0.3)])
    world.calls(60)
    a = world.fleet.targets["a"]
    for _ in range(40):
        world.now += 1.0
        a.first_token.fresh[1](2.9)  # still inside the limit
        world.fleet.tick(world.now)
        if a.breaker.state is BreakerState.OPEN:
            break
    assert a.grade is Grade.OPEN
    assert world.fleet.news == [Opened("a", 10.0)]


def test_a_target_that_nobody_can_stand_in_for_is_never_closed_for_being_slow() -> None:
    world = world_of(a=[answers(0.2, 0.3)])
    world.calls(60)
    for _ in range(60):
        world.now += 1.0
        world.fleet.targets["a"].first_token.fresh[1](2.9)
        world.fleet.tick(world.now)
    assert world.fleet.targets["a"].grade is Grade.OPEN
    assert world.call().call.kind is Kind.OK


def test_when_all_are_slow_at_once_nobody_is_closed_off_and_nobody_is_hedged_at_once() -> None:
    world = world_of(hedge=1.0, a=[answers(0.2, 0.3)], b=[answers(0.2, 0.3)])
    world.calls(60)
    for state in world.fleet.targets.values():
        for _ in range(60):
            state.first_token.fresh[1](0.2)
        world.fleet.tick(world.now)
        world.now += 1.0
    for _ in range(40):
        world.now += 1.0
        for state in world.fleet.targets.values():
            state.first_token.fresh[1](2.9)
        world.fleet.tick(world.now)
    assert {state.grade for state in world.fleet.targets.values()} == {Grade.OPEN}
    assert {state.breaker.state for state in world.fleet.targets.values()} == {BreakerState.CLOSED}
    assert not any(state.hasty for state in world.fleet.targets.values())


def test_claude_code_hub_1339_a_slow_target_that_wins_by_its_head_start_earns_no_preference() -> None:
    """It is asked first, hedged, and wins by a hair: ranked by its own times it falls behind all the same."""
    targets = [target("a"), target("b")]
    the_route = route("a", "b", order=Order.LATENCY, hedge=1.0)
    scripts: dict[str, list[Play]] = {"a": [answers(1.9, 2.0)], "b": [answers(0.5, 0.6)]}
    world = World(fleet(targets, the_route), scripts)
    stories = world.calls(60)
    assert stories[0].delivered == [0]  # the hedge at 1.5 s would have spoken at 2.0 s
    assert [story.asked[0] for story in stories[-5:]] == ["b"] * 5


def test_a_target_that_is_well_again_clears_itself_by_the_calls_that_try_it() -> None:
    slow = [answers(0.55, 0.65)] * 40
    world = world_of(a=[*[answers(0.4, 0.5)] * 60, *slow, answers(0.4, 0.5)], b=[answers(0.4, 0.5)])
    world.calls(60)
    while not world.fleet.targets["a"].suspect:
        world.calls(1)
    world._scripts["a"] = [answers(0.4, 0.5)]
    stories = world.calls(200, apart=0.5)
    tried = [story.call.began for story in stories if story.asked[0] == "a"]
    assert all(later - earlier >= 5.0 for earlier, later in pairwise(tried[:5]))
    assert not world.fleet.targets["a"].suspect
    assert [story.asked for story in stories[-10:]] == [["a"]] * 10


def test_a_probe_that_is_answered_clears_suspicion_too_here_and_in_other_workers() -> None:
    for heard in (False, True):
        world = world_of(a=[answers(0.2, 0.3)], b=[answers(0.2, 0.3)])
        a = world.fleet.targets["a"]
        a.suspicion.grade, a.suspect, a.hasty = Grade.OPEN, True, True
        a.breaker.open(world.now - 10.0, 10.0)
        if heard:
            world.fleet.hear(Closed("a"), world.now)
        else:
            assert world.call().asked == ["a"]
        assert (a.grade, a.suspect, a.hasty) == (Grade.CALM, False, False)
        assert a.breaker.state is BreakerState.CLOSED


def test_after_a_silent_outage_the_target_is_used_again_within_fifteen_seconds_of_its_recovery() -> None:
    world = world_of(hedge=0.1, a=[answers(0.2, 0.3)], b=[answers(0.2, 0.3)])
    world.calls(100, apart=0.1)
    world._scripts["a"] = [SILENT]
    world.calls(120, apart=0.5)
    world._scripts["a"] = [answers(0.2, 0.3)]
    recovered = world.now
    stories = world.calls(60, apart=0.5)
    again = next(n for n, story in enumerate(stories) if story.asked == ["a"] and story.call.kind is Kind.OK)
    assert stories[again].call.began - recovered <= 15.0
    assert [story.asked for story in stories[again + 1 : again + 10]] == [["a"]] * 9


# ── slow drip ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_watched_answer_that_drips_is_given_up_for_another_target() -> None:
    world = world_of(a=[*[drips(0.05, 40)] * 25, drips(1.5, 40)], b=[answers()])
    world.calls(25, the_request=WATCHED)
    story = world.call(WATCHED)
    assert story.kinds == [Kind.SLOW_DRIP, Kind.OK]
    assert 5.0 <= story.launches[1][0] - story.call.began <= 8.0
    assert world.fleet.targets["a"].breaker.wrong == 1


def test_where_nobody_else_can_be_asked_a_drip_is_better_than_nothing() -> None:
    world = world_of(a=[*[drips(0.05, 40)] * 25, drips(1.5, 20)])
    world.calls(25, the_request=WATCHED)
    assert world.call(WATCHED).call.kind is Kind.OK


def test_while_no_rate_is_learned_nothing_drips() -> None:
    assert world_of(a=[drips(2.0, 10)], b=[answers()]).call(WATCHED).asked == ["a"]


# ── them or us ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_when_no_target_can_be_reached_breakers_stay_closed_and_the_fleet_says_so() -> None:
    world = world_of(a=[fails(Kind.CONNECT)], b=[fails(Kind.CONNECT)])
    stories = world.calls(10)
    assert {state.breaker.state for state in world.fleet.targets.values()} == {BreakerState.CLOSED}
    assert world.fleet.ours
    assert sum(len(story.asked) for story in stories) <= 2 * 10 * 1.1 + 10  # both, and what the budget repeats


def test_when_one_of_them_answers_again_the_other_is_to_blame() -> None:
    world = world_of(a=[fails(Kind.CONNECT)], b=[*[fails(Kind.CONNECT)] * 8, answers()])
    world.calls(12)
    assert world.fleet.targets["a"].breaker.state is BreakerState.OPEN
    assert world.fleet.targets["b"].breaker.state is BreakerState.CLOSED
    assert not world.fleet.ours


def test_statuses_are_answers_and_open_breakers_whoever_gives_them() -> None:
    world = world_of(limits=Limits(wait=0.0), a=[fails(Kind.SERVER_ERROR)], b=[fails(Kind.OVERLOAD)])
    world.calls(6)
    assert {state.breaker.state for state in world.fleet.targets.values()} == {BreakerState.OPEN}
    assert not world.fleet.ours


def test_a_reload_keeps_one_jury() -> None:
    old = world_of(a=[SILENT], b=[SILENT]).fleet
    new = world_of(a=[SILENT], b=[SILENT]).fleet
    new.adopt(old)
    assert {id(state.jury) for state in new.targets.values()} == {id(new.jury)}


# ── breakers where attempts are rare ───────────────────────────────────────────────────────────────────────────


def outage(world: World, *, every: float, healthy: int, seconds: float) -> list[float]:
    """Healthy calls, then an outage of `a`; the moments at which it was asked in it."""
    world.calls(healthy, apart=every)
    began = world.now
    world._scripts["a"] = [fails(Kind.SERVER_ERROR)]
    while world.now < began + seconds:
        world.calls(1, apart=every)
    return [at - began for story in world.stories for at, name, _ in story.launches if name == "a" and at >= began]


def test_in_an_outage_at_one_call_in_four_seconds_the_target_is_asked_once_in_ten_seconds_at_most() -> None:
    world = world_of(a=[answers()], b=[answers()])
    asked = outage(world, every=4.0, healthy=10, seconds=60.0)
    assert len(asked) <= 6
    assert all(later - earlier >= 10.0 for earlier, later in pairwise(asked))
    world._scripts["a"] = [answers()]
    recovered = world.now
    story = next(story for story in world.calls(5, apart=4.0) if story.asked == ["a"])
    assert story.call.began - recovered <= 15.0


@pytest.mark.parametrize(("every", "scripts"), [(0.5, ("a", "b")), (4.0, ("a",))])
def test_a_single_failure_opens_nothing_at_ordinary_rates_or_where_nobody_can_stand_in(
    every: float, scripts: tuple[str, ...]
) -> None:
    plays: dict[str, list[Play]] = {name: [answers()] for name in scripts}
    world = World(fleet([target(name) for name in scripts], route(*scripts)), plays)
    world.calls(40, apart=every)
    world._scripts["a"] = [fails(Kind.SERVER_ERROR), answers()]
    world.call()
    assert world.fleet.targets["a"].breaker.state is BreakerState.CLOSED


def test_a_failure_out_of_the_blue_opens_nothing_while_nothing_is_known_of_the_rate() -> None:
    world = world_of(a=[fails(Kind.SERVER_ERROR), answers()], b=[answers()])
    world.call()
    assert world.fleet.targets["a"].breaker.state is BreakerState.CLOSED


def test_at_one_call_a_minute_one_failure_is_enough() -> None:
    world = world_of(a=[answers()], b=[answers()], options=PolicyOptions(breaker=BreakerOptions(open_for=30.0)))
    asked = outage(world, every=60.0, healthy=3, seconds=60.0)
    assert len(asked) == 1
    assert world.fleet.targets["a"].breaker.state is BreakerState.OPEN


# ── exercise ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_small_share_of_calls_begins_at_a_fallback() -> None:
    the_route = route("a", "b", exercise=0.05)
    scripts: dict[str, list[Play]] = {"a": [answers()], "b": [answers()]}
    world = World(fleet([target("a"), target("b")], the_route), scripts)
    stories = world.calls(400, apart=0.1)
    reasons = Counter(story.reasons[0] for story in stories)
    assert 10 <= reasons[Reason.EXERCISE] <= 400 * 0.05 + 2
    assert {story.asked[0] for story in stories if story.reasons[0] is Reason.EXERCISE} == {"b"}


def test_an_exercise_that_fails_falls_back_to_the_usual_target() -> None:
    the_route = route("a", "b", exercise=0.1)
    scripts: dict[str, list[Play]] = {"a": [answers()], "b": [fails(Kind.AUTH)]}
    world = World(fleet([target("a"), target("b")], the_route), scripts)
    story = next(s for s in world.calls(60) if s.reasons[0] is Reason.EXERCISE)
    assert story.asked == ["b", "a"]
    assert story.call.kind is Kind.OK


def test_a_route_that_asks_for_none_is_not_exercised() -> None:
    world = world_of(a=[answers()], b=[answers()])
    assert world.fleet.stacks["chat"].exercise is None
    assert world.fleet.stacks["chat"].exercised(request(), 0.0, 300.0) is None


def test_an_exercise_that_is_refused_as_a_wrong_request_is_not_the_callers_fault_yet() -> None:
    the_route = route("a", "b", exercise=0.1)
    scripts: dict[str, list[Play]] = {"a": [answers()], "b": [fails(Kind.BAD_REQUEST)]}
    world = World(fleet([target("a"), target("b")], the_route), scripts)
    assert {story.call.kind for story in world.calls(100)} == {Kind.OK}


# ── who can stand in ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("whens", "other", "eager"),
    [
        (((0, None), (0, None)), "eu", True),
        (((0, 1000), (1001, None)), "eu", False),
        (((0, 1000), (0, None)), "eu", True),
        (((0, None), (0, 1000)), "eu", False),
        (((0, None), (0, None)), "us", False),
    ],
)
def test_only_who_could_take_every_request_stands_in(
    whens: tuple[tuple[int, int | None], ...], other: str, *, eager: bool
) -> None:
    rungs = tuple(Rung(name, When(*when)) for name, when in zip("ab", whens, strict=True))
    of = fleet([target("a", "eu"), target("b", other)], Route("chat", rungs))
    assert of.targets["a"].breaker.eager is eager  # a request may be bound to where only one of them is


def test_a_canned_answer_proves_nothing_of_the_line() -> None:
    targets = [target("a"), target("b"), target("canned", text="Sorry.")]
    scripts: dict[str, list[Play]] = {"a": [fails(Kind.CONNECT)], "b": [fails(Kind.CONNECT)], "canned": [answers(0, 0)]}
    world = World(fleet(targets, route("a", "b", static="canned")), scripts)
    world.calls(10)
    assert world.fleet.ours
    assert {state.breaker.state for state in world.fleet.targets.values()} == {BreakerState.CLOSED}


def test_where_no_attempt_is_left_a_drip_is_let_go_on() -> None:
    world = world_of(limits=Limits(attempts=1), a=[*[drips(0.05, 40)] * 25, drips(1.5, 20)], b=[answers()])
    world.calls(25, the_request=WATCHED)
    assert world.call(WATCHED).call.kind is Kind.OK


def test_a_drip_that_was_given_up_is_learned_too() -> None:
    world = world_of(a=[*[drips(0.05, 40)] * 25, drips(1.5, 40)], b=[answers()])
    world.calls(25, the_request=WATCHED)
    before = len(world.fleet.targets["a"].rate._kept)
    world.call(WATCHED)
    assert len(world.fleet.targets["a"].rate._kept) == before + 1


def test_after_a_reload_one_fleet_alone_judges_what_both_know() -> None:
    old = world_of(a=[SILENT], b=[SILENT]).fleet
    new = world_of(a=[SILENT], b=[SILENT]).fleet
    new.adopt(old)
    for state in new.targets.values():
        state.suspicion.grade = Grade.HEDGE_AT_ONCE
        state.jury.suspected(state.name, 100.0)
    new.tick(100.0)
    old.tick(100.1)
    assert not any(state.hasty for state in new.targets.values())
