"""What users of other gateways complained of, each under the number of its issue: it must not happen here."""

import pytest
from tests.policy.world import (
    SILENT,
    Play,
    Step,
    World,
    answers,
    fails,
    fleet,
    request,
    route,
    speaks_then,
    target,
)

from surefoot.domain.commands import Cancel, Deliver, Fail, Reason
from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits, Order
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.call_state import State


def world_of(
    *, hedge: float = 0.1, limits: Limits | None = None, order: Order = Order.LISTED, **scripts: list[Play]
) -> World:
    the_route = route(*scripts, limits=limits, hedge=hedge, order=order)
    return World(fleet([target(name) for name in scripts], the_route), scripts)


def test_otari_237_the_last_target_gets_grace() -> None:
    """A first-token limit turned valid last attempts into 504s."""
    story = world_of(hedge=0.0, a=[fails(Kind.SERVER_ERROR)], b=[answers(8.0, 9.0)]).call()
    assert story.delivered == [1]
    assert story.call.kind is Kind.OK


def test_hermes_agent_25689_slow_reasoning_is_legitimate_once_it_is_learned() -> None:
    world = world_of(a=[answers(9.0, 12.0)], b=[answers()])
    for _ in range(20):
        world.fleet.targets["a"].first_token.fresh[1](9.0)
    world.fleet.tick(world.now)
    assert all(story.asked == ["a"] for story in world.calls(10))


def test_claude_code_hub_1339_a_slow_primary_does_not_stay_preferred_by_its_head_start() -> None:
    """It answers just after the hedge is out, and so wins every race: its time counts all the same."""
    world = world_of(order=Order.LATENCY, a=[answers(1.7, 1.8)], b=[answers(0.3, 0.4)])
    for _ in range(20):
        world.fleet.targets["b"].first_token.fresh[1](0.3)
    stories = world.calls(40)
    assert stories[0].delivered == [0]
    assert stories[0].asked == ["a", "b"]
    assert [story.asked for story in stories[-10:]] == [["b"]] * 10


def test_claude_code_hub_1281_a_lost_race_does_not_time_out_the_call() -> None:
    play = (Step(2.9, "content"), Step(15.0, "more"), Step(29.0, "more"), Step(30.0, "finish"))
    story = world_of(a=[play], b=[SILENT]).call()
    assert story.cancelled == [1]
    assert story.call.kind is Kind.OK
    assert story.seconds == 30.0


def test_claude_code_hub_pr1254_the_losers_are_booked_under_their_own_target() -> None:
    story = world_of(a=[SILENT], b=[answers(0.2, 0.4)]).call()
    assert [(record[1], record[3], record[12]) for record in story.call.attempt_records()] == [
        ("a", Kind.OVERTAKEN, False),
        ("b", Kind.OK, True),
    ]


def test_litellm_20722_a_retry_after_is_obeyed() -> None:
    world = world_of(a=[fails(Kind.RATE_LIMIT, 0.0, 42.0), answers()], b=[answers()])
    start = world.now
    stories = world.calls(60)
    asked = [story.call.began - start for story in stories if story.asked[0] == "a"]
    assert asked[0] == 0.0
    assert asked[1] >= 42.0
    assert asked[1] < 44.0


def test_litellm_18060_a_call_never_goes_round_in_circles() -> None:
    down = [fails(Kind.RESET)]
    story = world_of(hedge=1.0, limits=Limits(attempts=16), a=down, b=down, c=down).call()
    assert sorted(story.asked) == ["a", "a", "b", "b", "c", "c"]
    assert story.failure.kind is Kind.RESET


def test_litellm_40404_a_cut_stalled_or_malformed_start_falls_back_and_a_later_cut_says_so() -> None:
    for kind in (Kind.CUT, Kind.MALFORMED, Kind.EMPTY, Kind.SERVER_ERROR):
        assert world_of(a=[fails(kind)], b=[answers()]).call().asked == ["a", "b"]
    assert world_of(a=[speaks_then(Kind.CUT)], b=[answers()]).call().failure == Fail(Kind.CUT, 0)


def test_litellm_19909_a_late_first_token_is_noticed_without_waiting_for_it() -> None:
    story = world_of(hedge=0.0, a=[answers(60.0, 61.0)], b=[answers(0.2, 0.4)]).call()
    assert story.seconds == pytest.approx(3.4)


def test_livekit_agents_6171_keep_alives_do_not_reset_the_limit() -> None:
    play = tuple(Step(0.5 * n, "heard") for n in range(1, 20))
    story = world_of(hedge=0.0, a=[play], b=[answers()]).call()
    assert story.launches[1][0] == 103.0


def test_bifrost_7035_nothing_is_launched_after_the_client_has_left() -> None:
    world = world_of(a=[fails(Kind.OVERLOAD, 0.5)], b=[fails(Kind.RESET, 0.5)], c=[answers()])
    story = world.opens()
    world.at(100.2, lambda: world.client_leaves(story))
    world.run()
    assert story.asked == ["a"]


def test_portkey_1289_the_breaker_does_open() -> None:
    world = world_of(a=[fails(Kind.SERVER_ERROR)], b=[answers()])
    assert [story.asked[0] for story in world.calls(6)] == ["a", "a", "a", "b", "b", "b"]
    assert world.fleet.targets["a"].breaker.state is BreakerState.OPEN


def test_portkey_1797_a_truncated_answer_never_ends_like_a_whole_one() -> None:
    story = world_of(a=[speaks_then(Kind.CUT)]).call()
    assert [command for _, command in story.told[1:]] == [Deliver(0), Fail(Kind.CUT, 0)]


def test_litellm_breakers_exempt_neither_connection_errors_nor_single_targets() -> None:
    world = world_of(limits=Limits(wait=0.0), a=[fails(Kind.CONNECT)])
    failures = [story.failure.kind for story in world.calls(4)]
    assert failures[-1] is Kind.NO_TARGET


def test_higress_4179_an_outage_is_not_amplified() -> None:
    """All targets are down: breakers open, repeats are rationed, and a hundred calls make fewer attempts than calls."""
    world = world_of(a=[fails(Kind.SERVER_ERROR)], b=[fails(Kind.SERVER_ERROR)])

    def arrives() -> None:
        world.opens()

    for number in range(100):
        world.at(world.now + 0.1 * number, arrives)
    world.run()
    assert sum(len(story.asked) for story in world.stories) < 50
    assert {story.call.state for story in world.stories} == {State.FAILED}


def test_pydantic_ai_3267_no_hidden_repeat_holds_the_fallback_back() -> None:
    story = world_of(a=[fails(Kind.OVERLOAD, 0.05)], b=[answers()]).call()
    assert story.launches[1] == (100.05, "b", Reason.FALLBACK)


def test_litellm_37140_upstreams_are_cancelled_when_the_client_leaves() -> None:
    world = world_of(a=[SILENT], b=[SILENT])
    story = world.opens()
    world.at(102.0, lambda: world.client_leaves(story))
    world.run()
    assert [command for _, command in story.told[2:4]] == [Cancel(0), Cancel(1)]


def test_vercel_ai_14376_no_attempt_of_any_kind_leaves_the_allowed_places() -> None:
    plays = {"eu": [fails(Kind.RESET), SILENT], "us": [answers()], "unknown": [answers()]}
    targets = [target("eu"), target("us", "us"), target("unknown", None)]
    world = World(fleet(targets, route(*plays, places=("eu",), limits=Limits(deadline=10.0))), plays)
    assert {name for story in world.calls(10) for name in story.asked} == {"eu"}
    assert world.call(request(place="us")).failure.kind is Kind.NOT_ALLOWED
