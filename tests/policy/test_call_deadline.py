"""One deadline: shortened by the client, and shared out among the targets that could still be asked."""

import pytest
from tests.policy.world import SILENT, Play, World, answers, fails, fleet, request, route, target

from surefoot.domain.commands import Reason
from surefoot.domain.outcome import Kind
from surefoot.domain.route import Filtered, Limits
from surefoot.policy.first_token import Delays


def world_of(*, hedge: float = 0.0, limits: Limits | None = None, **scripts: list[Play]) -> World:
    return World(fleet([target(n) for n in scripts], route(*scripts, hedge=hedge, limits=limits)), scripts)


def knows(world: World, name: str, hedge: float, limit: float) -> None:
    state = world.fleet.targets[name]
    state.first_token.table = [Delays(hedge, limit)] * len(state.first_token.table)


def test_the_client_shortens_the_deadline() -> None:
    story = world_of(a=[SILENT]).call(request(deadline=1.5))
    assert story.failure.kind is Kind.DEADLINE
    assert story.seconds == 1.5


def test_the_client_does_not_lengthen_the_deadline() -> None:
    assert world_of(limits=Limits(deadline=2.0), a=[SILENT]).call(request(deadline=60.0)).seconds == 2.0


def test_where_time_is_short_each_target_has_its_share_by_its_own_limit() -> None:
    world = world_of(a=[SILENT], b=[SILENT], c=[answers(0.1, 0.2)])
    knows(world, "a", 1.0, 3.0)
    knows(world, "b", 0.5, 1.0)
    knows(world, "c", 0.5, 2.0)
    story = world.call(request(deadline=3.0))
    assert story.launches == [
        (100.0, "a", Reason.FIRST),
        (101.5, "b", Reason.FALLBACK),
        (102.0, "c", Reason.FALLBACK),
    ]
    assert story.call.kind is Kind.OK


def test_where_there_is_time_enough_nobody_is_hurried() -> None:
    story = world_of(a=[SILENT], b=[answers()]).call(request(deadline=6.5))
    assert story.launches[1] == (103.0, "b", Reason.FALLBACK)


def test_a_hedge_comes_no_later_than_the_shortened_limit() -> None:
    world = world_of(hedge=1.0, a=[SILENT], b=[SILENT])
    knows(world, "a", 2.5, 3.0)
    knows(world, "b", 0.1, 3.0)
    assert world.call(request(deadline=2.0)).launches[1] == (101.0, "b", Reason.FALLBACK)


def test_targets_that_cannot_be_asked_get_no_share() -> None:
    world = world_of(a=[answers(1.8, 1.9)], b=[answers()])
    world.fleet.targets["b"].breaker.open(100.0, 60.0)
    story = world.call(request(deadline=2.0))
    assert story.asked == ["a"]
    assert story.call.kind is Kind.OK


def test_the_attempts_that_are_left_bound_the_shares() -> None:
    world = world_of(limits=Limits(attempts=2), a=[SILENT], b=[answers()], c=[answers()])
    assert world.call(request(deadline=2.0)).launches[1] == (101.0, "b", Reason.FALLBACK)


@pytest.mark.parametrize(("deadline", "streak"), [(2.0, 0), (30.0, 1)])
def test_a_verdict_that_the_deadline_hurried_is_not_the_targets_fault(deadline: float, streak: int) -> None:
    world = world_of(a=[SILENT], b=[answers()])
    assert world.call(request(deadline=deadline)).kinds == [Kind.SILENCE, Kind.OK]
    assert world.fleet.targets["a"].breaker.streak == streak


def test_a_probe_has_its_verdict_even_when_it_was_hurried() -> None:
    world = world_of(a=[SILENT], b=[answers()])
    world.fleet.targets["a"].breaker.open(80.0, 10.0)
    world.call(request(deadline=2.0))
    assert world.fleet.targets["a"].breaker.until > 110.0


# ── fallbacks of a narrower sort ───────────────────────────────────────────────────────────────────────────────


def sorted_world(kind: Kind, filtered: Filtered = Filtered.FAIL) -> World:
    targets = [
        target("small", model="x", window=4_000),
        target("twin", model="x", window=4_000),
        target("unknown", model="y"),
        target("large", model="z", window=32_000),
    ]
    the_route = route(*(t.name for t in targets), hedge=0.0, filtered=filtered, limits=Limits(attempts=8))
    scripts: dict[str, list[Play]] = {t.name: [answers()] for t in targets}
    return World(fleet(targets, the_route), {**scripts, "small": [fails(kind)]})


def test_a_prompt_that_does_not_fit_goes_to_a_larger_window_only() -> None:
    world = sorted_world(Kind.CONTEXT_OVERFLOW)
    assert world.call().asked == ["small", "large"]
    assert world.fleet.targets["small"].breaker.streak == 0


def test_without_a_larger_window_the_overflow_is_the_answer() -> None:
    world = World(fleet([target("a"), target("b")], route("a", "b")), {"a": [fails(Kind.CONTEXT_OVERFLOW)], "b": []})
    assert world.call().failure.kind is Kind.CONTEXT_OVERFLOW


def test_a_filters_refusal_ends_the_call() -> None:
    assert sorted_world(Kind.CONTENT_FILTER).call().failure.kind is Kind.CONTENT_FILTER


def test_where_the_route_allows_it_another_model_is_asked_never_the_same() -> None:
    assert sorted_world(Kind.CONTENT_FILTER, Filtered.FALL_BACK).call().asked == ["small", "unknown"]
