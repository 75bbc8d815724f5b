"""Repeats on the same target: only when no other is left, only for kinds that deserve it, and within the budget."""

import pytest
from tests.policy.world import Play, Story, World, answers, fails, fleet, route, target

from surefoot.domain.commands import Fail, Reason
from surefoot.domain.outcome import OUTCOMES, Kind
from surefoot.domain.route import Filtered, Limits
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.call import BACKOFF
from surefoot.policy.target_state import Opened

DESERVING = [kind for kind, row in OUTCOMES.items() if row.retry]
AT_ONCE = [kind for kind in DESERVING if kind is not Kind.OVERLOAD]


def world_of(*, hedge: float = 0.1, limits: Limits | None = None, seed: int = 1, **scripts: list[Play]) -> World:
    the_route = route(*scripts, limits=limits, hedge=hedge)
    return World(fleet([target(name) for name in scripts], the_route, seed=seed), scripts)


@pytest.mark.parametrize("kind", AT_ONCE)
def test_a_single_target_is_asked_once_more_at_once(kind: Kind) -> None:
    story = world_of(a=[fails(kind, 0.05), answers()]).call()
    assert story.launches == [(100.0, "a", Reason.FIRST), (100.05, "a", Reason.RETRY)]
    assert story.call.kind is Kind.OK


@pytest.mark.parametrize("kind", DESERVING)
def test_a_repeat_that_fails_as_well_ends_the_call_there_and_then(kind: Kind) -> None:
    story = world_of(a=[fails(kind, 0.05)]).call()
    assert story.asked == ["a", "a"]
    assert story.failure.kind is kind
    assert story.failure.attempt == 1
    assert story.seconds < 0.5


def test_other_targets_come_before_a_repeat() -> None:
    story = world_of(a=[fails(Kind.RESET), answers()], b=[fails(Kind.RESET)]).call()
    assert story.asked == ["a", "b", "a"]
    assert story.reasons == [Reason.FIRST, Reason.FALLBACK, Reason.RETRY]


def test_each_target_is_repeated_once_at_most() -> None:
    story = world_of(a=[fails(Kind.RESET)], b=[fails(Kind.RESET)]).call()
    assert story.asked == ["a", "b", "a", "b"]
    assert story.failure.kind is Kind.RESET


def test_only_the_target_whose_failure_deserves_it_is_repeated() -> None:
    story = world_of(a=[fails(Kind.AUTH)], b=[fails(Kind.RESET), answers()]).call()
    assert story.asked == ["a", "b", "b"]


def test_a_repeat_counts_as_an_attempt() -> None:
    story = world_of(limits=Limits(attempts=1), a=[fails(Kind.RESET), answers()]).call()
    assert story.asked == ["a"]
    assert story.failure == Fail(Kind.RESET, 0, None)


def test_a_repeat_is_paid_from_the_budget() -> None:
    world = world_of(a=[fails(Kind.RESET), answers()])
    world.call()
    assert world.fleet.budget.spent == world.fleet.stacks["chat"].budget.spent == 1


@pytest.mark.parametrize("hedge", [0.0, 0.1])
def test_without_budget_there_is_no_repeat(hedge: float) -> None:
    world = world_of(hedge=hedge, a=[fails(Kind.RESET), answers()])
    world.fleet.stacks["chat"].budget.saved = 0.0
    story = world.call()
    assert story.asked == ["a"]
    assert story.failure.kind is Kind.RESET


def test_a_target_whose_breaker_has_opened_is_not_repeated() -> None:
    story = world_of(a=[fails(Kind.OVERLOAD, retry_after=7.0), answers()]).call()
    assert story.asked == ["a"]
    assert story.failure == Fail(Kind.OVERLOAD, 0, 7.0)


def test_a_failure_without_a_hint_tells_when_the_first_breaker_lets_a_probe_through() -> None:
    world = world_of(a=[fails(Kind.RATE_LIMIT, 0.0, 7.0)], b=[fails(Kind.AUTH, 0.0)])
    assert world.call().failure == Fail(Kind.AUTH, 1, pytest.approx(7.0))  # type: ignore[arg-type]


def test_an_overloaded_target_is_repeated_after_a_jittered_backoff() -> None:
    waits = set()
    for seed in range(20):
        story = world_of(seed=seed, a=[fails(Kind.OVERLOAD, 0.0), answers()]).call()
        assert story.reasons == [Reason.FIRST, Reason.RETRY]
        waits.add(story.launches[1][0] - 100.0)
    assert all(BACKOFF[0] <= wait <= BACKOFF[1] for wait in waits)
    assert len(waits) == 20


def test_a_backoff_beyond_the_deadline_ends_with_the_deadline() -> None:
    story = world_of(limits=Limits(deadline=0.04), a=[fails(Kind.OVERLOAD, 0.0), answers()]).call()
    assert story.asked == ["a"]
    assert story.failure.kind is Kind.DEADLINE
    assert story.seconds == pytest.approx(0.04)


def test_a_target_that_fell_ill_during_the_backoff_is_not_asked_again() -> None:
    world = world_of(a=[fails(Kind.OVERLOAD, 0.0), answers()])
    story = world.opens()
    world.at(100.01, lambda: world.fleet.hear(Opened("a", 30.0), world.now))
    world.run()
    assert story.asked == ["a"]
    assert story.failure.kind is Kind.OVERLOAD
    assert story.failure.attempt == 0
    assert world.fleet.targets["a"].breaker.state is BreakerState.OPEN


def test_a_target_that_filled_up_during_the_backoff_is_not_asked_beyond_its_bound() -> None:
    plays = [fails(Kind.OVERLOAD, 0.0), answers(1.0, 2.0)]
    world = World(fleet([target("a", max_in_flight=1)], route("a")), {"a": plays})
    story = world.opens()
    others: list[Story] = []
    world.at(100.01, lambda: others.append(world.opens()))
    world.run(lambda: story.call.ended is not None)
    assert story.asked == ["a"]
    assert story.failure.kind is Kind.OVERLOAD
    assert world.fleet.targets["a"].in_flight == 1


def test_a_client_that_leaves_during_the_backoff_is_repeated_for_nobody() -> None:
    world = world_of(a=[fails(Kind.OVERLOAD, 0.0), answers()])
    story = world.opens()
    world.at(100.01, lambda: world.client_leaves(story))
    world.run()
    assert story.asked == ["a"]


@pytest.mark.parametrize("kind", [Kind.CONTEXT_OVERFLOW, Kind.CONTENT_FILTER])
def test_what_did_not_fit_or_was_filtered_elsewhere_is_not_repeated_where_it_would_be_again(kind: Kind) -> None:
    """The same model, and no larger window: that it was overloaded before does not mend it."""
    scripts = {"a": [fails(Kind.OVERLOAD), answers()], "b": [fails(kind)]}
    targets = [target("a", window=4_000), target("b", window=4_000)]
    story = World(fleet(targets, route(*scripts, hedge=1.0, filtered=Filtered.FALL_BACK)), scripts).call()
    assert story.asked == ["a", "b"]
    assert story.failure.kind is kind
