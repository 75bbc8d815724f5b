"""A Fleet says when time alone changes nothing, so that nobody need tick through a quiet night."""

import pytest
from tests.policy.world import World, answers, fleet, route, target

from surefoot.policy.suspicion import Grade


def test_it_is_settled_once_what_was_learned_is_folded() -> None:
    the_fleet = fleet([target("a"), target("b")], route("a", "b"))
    world = World(the_fleet, {"a": [answers()], "b": [answers()]})
    assert not the_fleet.unsettled

    world.opens()
    world.run()
    the_fleet.tick(world.now)
    world.opens()
    world.run()
    the_fleet.tick(world.now)  # too soon after the last step of suspicion to be judged

    assert the_fleet.unsettled
    the_fleet.tick(world.now + 1.0)
    assert not the_fleet.unsettled


def test_it_is_unsettled_while_a_target_is_suspected() -> None:
    the_fleet = fleet([target("a"), target("b")], route("a", "b"))
    state = the_fleet.targets["a"]
    now = 100.0
    for seconds in [0.2] * 60 + [2.0] * 20:
        now += 1.0
        state.spoke(0, seconds, now)
        the_fleet.tick(now)

    assert state.grade > Grade.CALM
    assert the_fleet.unsettled
    the_fleet.tick(now + 3_600.0)
    while the_fleet.unsettled:
        now += 600.0
        the_fleet.tick(now)
    assert state.grade is Grade.CALM


@pytest.mark.parametrize("stream", [True, False])
def test_where_every_length_is_learned_a_sample_moves_its_own_delays_alone(*, stream: bool) -> None:
    the_fleet = fleet([target("a")], route("a"))
    first_token = the_fleet.targets["a"].first_token
    half = slice(0, 5) if stream else slice(5, 10)
    for series in range(*half.indices(10)):
        for _ in range(20):
            first_token.fresh[series](1.0 + series)
    the_fleet.tick(100.0)
    before = list(first_token.table)

    for _ in range(20):
        first_token.fresh[half.start + 1](9.0)
    the_fleet.tick(101.0)

    changed = [series for series in range(10) if first_token.table[series] != before[series]]
    assert changed == [half.start + 1]
    assert first_token.table[half.start + 1].hedge == 9.0
