"""A total outage, at fifty calls a second: it is not amplified, and every call ends with what it held given back.

At most one attempt per target and call, and what the budgets allow: a tenth of the calls, and what was saved.
"""

import pytest
from tests.policy.world import SILENT, Play, World, answers, fails, fleet, request, route, target

from surefoot.domain.outcome import Kind
from surefoot.domain.request import Request
from surefoot.domain.route import Limits
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.budget import BudgetOptions
from surefoot.policy.call_state import State

CALLS = 1_000
EVERY = 0.02
TICK = 0.25
SAVED = BudgetOptions().burst + CALLS * EVERY / BudgetOptions().trickle
"""What a budget begins with, and what time alone brings it meanwhile."""

NAMES = ("a", "b", "c")
DOWN: dict[str, list[Play]] = {
    "every target answers 500": [fails(Kind.SERVER_ERROR)],
    "every target is silent": [SILENT],
    "every target refuses connections": [fails(Kind.CONNECT, 0.001)],
    "every target has too much to do": [fails(Kind.OVERLOAD)],
}
ASKED = {
    "streams": request(),
    "watched": request(stream=False, watched=True),
}


def outage(plays: list[Play], asked: Request, *, hedge: float = 0.1, wait: float = 15.0) -> World:
    """All calls, at their times, while the Fleet learns four times a second."""
    limits = Limits(deadline=10.0, wait=wait)
    the_route = route(*NAMES, hedge=hedge, limits=limits)
    world = World(fleet([target(name) for name in NAMES], the_route), dict.fromkeys(NAMES, plays))
    for number in range(CALLS):
        world.at(100.0 + EVERY * number, lambda: opens(world, asked))
    for number in range(int((CALLS * EVERY + 20.0) / TICK)):
        world.at(100.0 + TICK * number, lambda: world.fleet.tick(world.now))
    world.run(most=200_000)
    return world


def opens(world: World, asked: Request) -> None:
    world.opens(asked)


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
@pytest.mark.parametrize("plays", DOWN.values(), ids=DOWN.keys())
def test_attempts_are_at_most_one_per_target_and_call_and_a_tenth_more(plays: list[Play], asked: Request) -> None:
    world = outage(plays, asked)
    attempts = sum(len(story.asked) for story in world.stories)
    assert 0 < attempts <= CALLS * len(NAMES) + CALLS / 10 + SAVED
    assert len(world.stories) == CALLS
    assert {story.call.state for story in world.stories} == {State.FAILED}
    assert {state.in_flight for state in world.fleet.targets.values()} == {0}


def test_a_dead_target_that_others_could_stand_in_for_is_hardly_asked_at_all() -> None:
    world = outage(DOWN["every target answers 500"], request(), wait=0.0)
    assert sum(len(story.asked) for story in world.stories) < CALLS / 10
    assert {state.breaker.state for state in world.fleet.targets.values()} <= {
        BreakerState.OPEN,
        BreakerState.HALF_OPEN,
    }


def test_when_the_outage_is_over_the_next_calls_are_answered() -> None:
    world = outage(DOWN["every target refuses connections"], request())
    for name in NAMES:
        world.answer(name, [answers()])
    world.now += 15.0
    assert [story.call.kind for story in world.calls(3)] == [Kind.OK] * 3
