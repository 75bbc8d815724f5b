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


def test_litellm_5859_a_late_first_token_moves_the_call_long_before_any_total_time_has_passed() -> None:
    """Limits are on the first content, learned per target; the whole answer may take as long as it likes."""
    world = world_of(hedge=0.0, a=[*[answers(0.5, 12.0)] * 30, answers(60.0, 61.0)], b=[answers(0.2, 0.4)])
    assert {story.asked[0] for story in world.calls(30)} == {"a"}
    late = world.call()
    assert late.kinds == [Kind.SILENCE, Kind.OK]
    assert late.seconds < 2.0


def test_bifrost_7034_a_provider_that_accepts_and_says_nothing_costs_seconds_and_the_fallback_is_asked() -> None:
    for asked in (request(), request(stream=False, watched=True)):
        story = world_of(hedge=0.0, a=[SILENT], b=[answers()]).call(asked)
        assert story.launches[1] == (103.0, "b", Reason.FALLBACK)
        assert story.call.kind is Kind.OK


def test_bifrost_6472_a_drip_that_keeps_inside_the_idle_limit_is_given_up_all_the_same() -> None:
    drip = (Step(0.2, "spoke"), *(Step(0.2 + 1.5 * n, "more") for n in range(1, 60)))
    lively = (Step(0.2, "spoke"), *(Step(0.2 + 0.05 * n, "more") for n in range(1, 40)))
    whole = (*lively, Step(2.2, "content"), Step(2.2, "finish"))
    world = world_of(hedge=0.0, a=[*[whole] * 25, drip], b=[answers()])
    asked = request(stream=False, watched=True)
    world.calls(25, the_request=asked)
    story = world.call(asked)
    assert story.kinds == [Kind.SLOW_DRIP, Kind.OK]
    assert story.seconds < 10.0


def test_bifrost_6472_a_stream_that_drips_for_ever_ends_with_its_deadline() -> None:
    drip = (Step(0.2, "content"), *(Step(0.2 + 10.0 * n, "more") for n in range(1, 60)))
    story = world_of(hedge=0.0, limits=Limits(deadline=60.0), a=[drip]).call()
    assert (story.failure.kind, story.seconds) == (Kind.DEADLINE, 60.0)


def test_tensorzero_6328_a_stall_after_the_first_token_is_ended_by_the_idle_limit() -> None:
    story = world_of(hedge=0.0, a=[(Step(0.2, "content"), Step(1.0, "more"))], b=[answers()]).call()
    assert [command for _, command in story.told[2:]] == [Cancel(0), Fail(Kind.STALL, 0)]
    assert story.seconds == 16.0


def test_litellm_40130_a_second_longer_rest_is_not_lost_to_the_first_shorter_one() -> None:
    """Two calls are under way: one is told to come back in a second, the later one in forty."""
    world = world_of(a=[fails(Kind.RATE_LIMIT, 0.1, 1.0), fails(Kind.RATE_LIMIT, 0.4, 40.0), answers()], b=[answers()])
    for _ in range(2):
        world.opens()
    world.run()
    start = world.now
    again = next(story.call.began for story in world.calls(60) if story.asked[0] == "a")
    assert again - start >= 39.0


def test_litellm_40130_a_shorter_rest_does_not_cut_a_longer_one_short() -> None:
    world = world_of(a=[fails(Kind.RATE_LIMIT, 0.1, 40.0), fails(Kind.RATE_LIMIT, 0.4, 1.0), answers()], b=[answers()])
    for _ in range(2):
        world.opens()
    world.run()
    assert {story.asked[0] for story in world.calls(30)} == {"b"}


def test_litellm_31876_a_target_that_asked_for_rest_is_not_asked_even_as_the_last_resort() -> None:
    """Every other target fails: the one that asked to be left alone is left alone, and the caller is told how long."""
    world = world_of(limits=Limits(wait=0.0), a=[fails(Kind.RATE_LIMIT, 0.0, 42.0)], b=[fails(Kind.BAD_REQUEST)])
    world.fleet.targets["b"].breaker.open(world.now, 60.0)
    assert world.call().asked == ["a"]
    story = world.call()
    assert story.asked == []
    assert story.failure.kind is Kind.NO_TARGET
    assert story.failure.retry_after == pytest.approx(42.0, abs=0.1)


def test_litellm_pr36148_a_target_that_is_listed_twice_is_not_walked_round_to_again() -> None:
    plays = {"a": [fails(Kind.SERVER_ERROR)], "b": [fails(Kind.SERVER_ERROR)]}
    the_route = route("a", "b", "a", "b", "a", limits=Limits(attempts=16), hedge=0.0)
    story = World(fleet([target("a"), target("b")], the_route), plays).call()
    assert story.asked == ["a", "b"]


def test_apisix_pr13495_attempts_are_bounded_however_many_targets_there_are() -> None:
    down = [fails(Kind.SERVER_ERROR)]
    story = world_of(hedge=0.0, a=down, b=down, c=down, d=down, e=down, f=down).call()
    assert story.asked == ["a", "b", "c", "d"]


def test_apisix_pr13495_slow_failures_do_not_multiply_the_wait() -> None:
    """Each target would fail after minutes: each is left at its limit, and the deadline is the client's."""
    slow = [fails(Kind.SERVER_ERROR, 120.0)]
    story = world_of(hedge=0.0, limits=Limits(deadline=30.0), a=slow, b=slow, c=slow).call()
    assert [at for at, _, _ in story.launches] == [100.0, 103.0, 106.0]
    assert story.seconds == 30.0


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
    world = World(fleet(targets, route(*plays, jurisdiction="eu", limits=Limits(deadline=10.0))), plays)
    assert {name for story in world.calls(10) for name in story.asked} == {"eu"}
    assert world.call(request(place="us")).failure.kind is Kind.NOT_ALLOWED
