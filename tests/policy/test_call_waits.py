"""When nobody may be asked: the call waits for the earliest probe, is given a static answer, or ends in an error."""

import pytest
from tests.policy.world import SILENT, Play, World, answers, fails, fleet, request, route, speaks_then, target

from surefoot.domain.commands import Cancel, Fail, Reason
from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.call_state import State
from surefoot.policy.patience import RECHECK
from surefoot.policy.target_state import Opened


def world_of(*, limits: Limits | None = None, static: str | None = None, **scripts: list[Play]) -> World:
    targets = [target(name) for name in scripts]
    if static:
        targets.append(target("canned", text=static))
    the_route = route(*scripts, limits=limits, hedge=0.0, static="canned" if static else None)
    return World(fleet(targets, the_route), {**scripts, "canned": [answers(0.0, 0.0)]})


def shut(world: World, **seconds: float) -> None:
    for name, until in seconds.items():
        world.fleet.targets[name].breaker.open(world.now, until)


def test_a_call_waits_for_the_earliest_probe_and_is_it() -> None:
    world = world_of(a=[answers()], b=[answers()])
    shut(world, a=8.0, b=3.0)
    story = world.call()
    assert story.launches == [(103.0, "b", Reason.FIRST)]
    assert story.call.kind is Kind.OK
    assert world.fleet.targets["b"].breaker.state is BreakerState.CLOSED


def test_calls_that_wait_beside_the_probe_follow_its_success() -> None:
    world = world_of(a=[answers(0.2, 0.4)])
    shut(world, a=3.0)
    stories = [world.opens() for _ in range(5)]
    world.run()
    assert {story.call.kind for story in stories} == {Kind.OK}
    first, *others = [story.launches[0][0] for story in stories]
    assert first == 103.0
    assert all(103.4 <= at <= 103.4 + RECHECK for at in others)


def test_calls_that_wait_beside_the_probe_end_with_its_failure() -> None:
    world = world_of(a=[fails(Kind.RESET, 0.2)])
    shut(world, a=3.0)
    stories = [world.opens() for _ in range(5)]
    world.run()
    assert [story.failure.kind for story in stories] == [Kind.RESET, *[Kind.NO_TARGET] * 4]
    assert sum(len(story.asked) for story in stories) == 1
    assert stories[1].failure.retry_after == pytest.approx(10.0, abs=0.1)
    assert stories[1].seconds < 3.5


def test_nobody_waits_longer_than_the_probe_may_take() -> None:
    world = world_of(a=[SILENT])
    shut(world, a=3.0)
    _, other = world.opens(), world.opens()
    world.run(lambda: other.call.state is State.FAILED)
    assert other.seconds <= 3.0 + 3.0 + RECHECK


@pytest.mark.parametrize("limits", [Limits(deadline=2.0), Limits(wait=2.0), Limits(wait=0.0)])
def test_without_the_time_it_is_told_at_once_when_to_come_again(limits: Limits) -> None:
    world = world_of(limits=limits, a=[answers()])
    shut(world, a=3.0)
    story = world.call()
    assert story.failure == Fail(Kind.NO_TARGET, None, 3.0)
    assert story.seconds == 0.0


def test_a_full_target_is_not_waited_for() -> None:
    world = World(fleet([target("a", max_in_flight=1)], route("a")), {"a": [SILENT]})
    world.opens()
    assert world.opens().failure.kind is Kind.NO_TARGET


def test_after_a_failure_too_the_call_waits_for_another_targets_probe() -> None:
    world = world_of(a=[fails(Kind.AUTH, 0.5)], b=[answers()])
    shut(world, b=3.0)
    assert world.call().launches == [(100.0, "a", Reason.FIRST), (103.0, "b", Reason.FALLBACK)]


def test_it_waits_once_only() -> None:
    world = world_of(a=[fails(Kind.AUTH, 0.5)], b=[fails(Kind.AUTH, 0.5)], c=[answers()])
    shut(world, b=3.0, c=6.0)
    story = world.call()
    assert story.asked == ["a", "b"]
    assert story.failure.kind is Kind.AUTH


def test_a_probe_that_moves_away_ends_the_waiting_with_what_failed_before() -> None:
    world = world_of(a=[fails(Kind.AUTH, 0.5)], b=[answers()])
    shut(world, b=3.0)
    world.at(101.0, lambda: world.fleet.hear(Opened("b", 60.0), world.now))
    story = world.call()
    assert story.failure == Fail(Kind.AUTH, 0, pytest.approx(58.0, abs=RECHECK))  # type: ignore[arg-type]


def test_a_client_that_leaves_while_it_waits_is_forgotten() -> None:
    world = world_of(a=[answers()])
    shut(world, a=3.0)
    story = world.opens()
    world.client_leaves(story)
    assert story.call.state is State.DROPPED
    assert world.opens().asked == []


def test_attempts_bound_the_waiting() -> None:
    world = world_of(limits=Limits(attempts=1), a=[fails(Kind.AUTH)], b=[answers()])
    shut(world, b=3.0)
    assert world.call().failure.kind is Kind.AUTH


# ── static answers ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_static_answer_stands_in_for_an_error() -> None:
    story = world_of(static="Sorry.", a=[fails(Kind.RESET)], b=[fails(Kind.AUTH)]).call()
    assert story.asked == ["a", "b", "canned"]
    assert story.call.kind is Kind.OK


def test_a_static_answer_is_never_a_hedge_and_waits_for_those_that_may_still_answer() -> None:
    story = world_of(static="Sorry.", a=[answers(20.0, 21.0)]).call()
    assert story.asked == ["a"]


def test_at_the_deadline_the_static_answer_is_given_and_what_ran_is_cancelled() -> None:
    story = world_of(static="Sorry.", limits=Limits(deadline=5.0), a=[SILENT]).call()
    assert story.told[1][1] == Cancel(0)
    assert story.asked == ["a", "canned"]
    assert story.seconds == 5.0


def test_when_every_breaker_is_open_beyond_reach_the_static_answer_is_given() -> None:
    world = world_of(static="Sorry.", limits=Limits(wait=0.0), a=[answers()])
    shut(world, a=60.0)
    assert world.call().asked == ["canned"]


@pytest.mark.parametrize("kind", [Kind.BAD_REQUEST, Kind.CONTENT_FILTER])
def test_what_is_the_callers_is_told_to_the_caller(kind: Kind) -> None:
    assert world_of(static="Sorry.", a=[fails(kind)]).call().failure.kind is kind


def test_an_answer_that_has_begun_is_not_followed_by_a_static_one() -> None:
    assert world_of(static="Sorry.", a=[speaks_then(Kind.CUT)]).call().failure.kind is Kind.CUT


def test_a_static_answer_that_cannot_be_given_is_not_tried_twice() -> None:
    world = world_of(static="Sorry.", a=[fails(Kind.RESET)])
    world._scripts["canned"] = [fails(Kind.RESET)]
    assert world.call().failure.kind is Kind.RESET


def test_an_explanation_does_not_list_it_among_the_targets() -> None:
    world = world_of(static="Sorry.", a=[answers()])
    assert [verdict.target for verdict in world.fleet.stacks["chat"].explain(request(), 100.0)] == ["a"]


def test_who_waits_beside_a_probe_waits_as_long_as_that_target_may_take() -> None:
    """A target that is not watched has the limits of a plain call."""
    targets = [target("a", usage_in_stream=False)]
    world = World(fleet(targets, route("a", hedge=0.0)), {"a": [answers(8.0, 8.0)]})
    shut(world, a=2.0)
    stories = [world.opens(request(stream=False, watched=True)) for _ in range(3)]
    world.run()
    assert {story.call.kind for story in stories} == {Kind.OK}
