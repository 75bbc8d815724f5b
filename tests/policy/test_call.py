"""The table of a Call: its states, its deadlines, its ends, and what is written down of each attempt."""

import pytest
from tests.policy.world import (
    SILENT,
    TOKENS,
    Play,
    Step,
    Story,
    World,
    answers,
    fails,
    fleet,
    request,
    route,
    speaks_then,
    target,
)

from surefoot.domain.commands import Cancel, Deliver, Drop, Fail, Finish, Launch, Reason
from surefoot.domain.events import ClientGone, Connecting, Failed, Heard, Sent
from surefoot.domain.outcome import OUTCOMES, Fallback, Kind
from surefoot.domain.record import ATTEMPT_FIELDS
from surefoot.domain.route import Limits
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.call import Call
from surefoot.policy.call_state import State

FALLS_BACK = [kind for kind, row in OUTCOMES.items() if row.fall_back is Fallback.ANY]
AFTER_CONTENT = [Kind.CUT, Kind.RESET, Kind.SERVER_ERROR, Kind.MALFORMED, Kind.OVERLOAD]


def world_of(*, hedge: float = 0.0, limits: Limits | None = None, **scripts: list[Play]) -> World:
    """One target per script, listed in that order; hedging is off unless a share is given."""
    the_route = route(*scripts, limits=limits, hedge=hedge)
    return World(fleet([target(name) for name in scripts], the_route), scripts)


def record_of(story: Story, number: int) -> dict[str, object]:
    return dict(zip(ATTEMPT_FIELDS, story.call.attempt_records()[number], strict=True))


# ── plain success ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plain_success_walks_through_the_table() -> None:
    of = fleet([target("a")], route("a"))
    call = Call(of, request(), 100.0)
    states = [call.state]
    assert call.begin(100.0) == (Launch(0, "a", Reason.FIRST),)
    states.append(call.state)
    assert of.targets["a"].in_flight == 1
    assert call.content(0, 100.1) == (Deliver(0),)
    states.append(call.state)
    assert call.finished(0, 100.2, *TOKENS) == (Finish(),)
    states.append(call.state)
    assert states == [State.CHOOSING, State.WAITING, State.SPEAKING, State.DONE]
    assert (call.kind, call.ended, call.wake_at) == (Kind.OK, 100.2, float("inf"))
    assert of.targets["a"].in_flight == 0


def test_the_record_tells_when_what_happened_in_seconds_since_the_call_began() -> None:
    play = (Step(0.0, "connecting"), Step(0.05, "sent"), Step(0.1, "heard"), Step(0.2, "content"), Step(0.3, "finish"))
    story = world_of(a=[play]).call()
    record = record_of(story, 0)
    times = {name: record.pop(name) for name in ("started", "sent", "heard", "first_content", "ended")}
    assert times == pytest.approx({"started": 0, "sent": 0.05, "heard": 0.1, "first_content": 0.2, "ended": 0.3})
    assert record == {
        "number": 0,
        "target": "a",
        "reason": Reason.FIRST,
        "kind": Kind.OK,
        "verdict": None,
        "prompt_tokens": TOKENS[0],
        "completion_tokens": TOKENS[1],
        "won": True,
        "breaker": BreakerState.CLOSED,
        "rules": "",
        "evidence": None,
    }


def test_the_record_of_what_never_happened_is_none() -> None:
    world = world_of(a=[(Step(0.0, "connecting"),)])
    story = world.opens()
    world.run(lambda: story.call.attempts[0].sent is None)
    record = record_of(story, 0)
    assert [record[name] for name in ("sent", "heard", "first_content", "ended", "kind")] == [None] * 5
    assert record["won"] is False


def test_the_record_tells_why_targets_before_the_chosen_one_were_passed_over() -> None:
    world = world_of(a=[SILENT], b=[answers()])
    world.fleet.targets["a"].breaker.open(world.now, 10.0)
    story = world.call()
    assert record_of(story, 0)["rules"] == "a:health"
    assert story.asked == ["b"]


def test_streamed_and_plain_answers_share_the_table() -> None:
    for stream in (True, False):
        story = world_of(a=[fails(Kind.RESET)], b=[answers(0.1, 0.1)]).call(request(stream=stream))
        assert story.asked == ["a", "b"]
        assert story.call.kind is Kind.OK


# ── definite failures ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", FALLS_BACK)
def test_a_failure_launches_the_next_target_in_the_same_instant(kind: Kind) -> None:
    story = world_of(a=[fails(kind, 0.05)], b=[answers()]).call()
    assert story.launches == [(100.0, "a", Reason.FIRST), (100.05, "b", Reason.FALLBACK)]
    assert story.kinds == [kind, Kind.OK]
    assert story.call.kind is Kind.OK


@pytest.mark.parametrize("kind", [kind for kind in FALLS_BACK if not OUTCOMES[kind].retry])
def test_a_kind_that_deserves_no_repeat_ends_the_call_where_no_target_is_left(kind: Kind) -> None:
    story = world_of(a=[fails(kind)], b=[fails(kind)], hedge=0.1).call()
    assert story.asked == ["a", "b"]
    assert story.failure == Fail(kind, 1, None)
    assert story.call.state is State.FAILED


def test_a_bad_request_is_relayed_and_never_asked_elsewhere() -> None:
    world = world_of(a=[fails(Kind.BAD_REQUEST)], b=[answers()], hedge=0.1)
    story = world.calls(20)[-1]
    assert story.asked == ["a"]
    assert story.failure == Fail(Kind.BAD_REQUEST, 0, None)
    assert world.fleet.targets["a"].breaker.state is BreakerState.CLOSED


def test_a_bad_request_ends_the_others_that_are_under_way_as_cancelled() -> None:
    story = world_of(a=[fails(Kind.BAD_REQUEST, 2.0)], b=[SILENT], hedge=0.1).call()
    assert story.asked == ["a", "b"]
    assert story.cancelled == [1]
    assert story.kinds == [Kind.BAD_REQUEST, Kind.CANCELLED]


def test_the_attempts_of_a_call_are_bounded() -> None:
    plays = {name: [fails(Kind.RESET)] for name in "abcdef"}
    story = world_of(limits=Limits(attempts=3), hedge=0.5, **plays).call()
    assert story.asked == ["a", "b", "c"]
    assert story.failure.kind is Kind.RESET


def test_a_failure_while_another_attempt_lives_and_no_target_is_left_is_waited_out() -> None:
    story = world_of(a=[fails(Kind.RESET, 1.8)], b=[answers(0.9, 1.0)], hedge=0.1).call()
    assert story.reasons == [Reason.FIRST, Reason.HEDGE]
    assert story.call.kind is Kind.OK


# ── after content ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", AFTER_CONTENT)
def test_after_content_a_failure_ends_the_answer_and_asks_nobody_else(kind: Kind) -> None:
    world = world_of(a=[speaks_then(kind)], b=[answers()], hedge=0.1)
    story = world.call()
    assert story.asked == ["a"]
    assert [command for _, command in story.told[1:]] == [Deliver(0), Fail(kind, 0, None)]
    assert story.seconds == 0.5
    assert world.fleet.targets["a"].breaker.streak == 1


def test_an_idle_gap_inside_the_answer_is_a_stall() -> None:
    play = (Step(0.1, "content"), Step(5.0, "more"), Step(12.0, "more"))
    story = world_of(a=[play], b=[answers()], limits=Limits(idle=10.0)).call()
    assert [command for _, command in story.told[2:]] == [Cancel(0), Fail(Kind.STALL, 0, None)]
    assert story.seconds == pytest.approx(22.0)
    assert story.asked == ["a"]


def test_an_answer_whose_gaps_stay_below_the_limit_is_left_alone() -> None:
    play = (Step(0.1, "content"), *(Step(9.0 * n, "more") for n in range(1, 10)), Step(85.0, "finish"))
    assert world_of(a=[play], limits=Limits(idle=10.0)).call().call.kind is Kind.OK


def test_an_answer_that_never_ends_is_ended_by_the_deadline() -> None:
    play = (Step(0.1, "content"), *(Step(float(n), "more") for n in range(1, 40)))
    story = world_of(a=[play], limits=Limits(deadline=30.0, idle=10.0)).call()
    assert story.seconds == pytest.approx(30.0)
    assert story.failure == Fail(Kind.DEADLINE)
    assert story.cancelled == [0]


# ── deadlines ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_deadline_ends_a_call_that_nobody_answers_and_blames_who_used_up_its_grace() -> None:
    world = world_of(a=[SILENT], limits=Limits(deadline=20.0))
    story = world.call()
    assert story.seconds == pytest.approx(20.0)
    assert story.failure == Fail(Kind.DEADLINE)
    assert story.cancelled == [0]
    assert world.fleet.targets["a"].breaker.streak == 1
    assert world.fleet.targets["a"].in_flight == 0


def test_a_deadline_shorter_than_the_first_token_limit_blames_nobody() -> None:
    world = world_of(a=[SILENT], limits=Limits(deadline=2.0))
    assert world.call().failure.kind is Kind.DEADLINE
    assert world.fleet.targets["a"].breaker.streak == 0


def test_nothing_is_launched_once_the_deadline_has_passed() -> None:
    """The failure is told before the waking that is due at the same moment."""
    alone = {"a": [fails(Kind.RESET, 2.0)]}
    halves = {"a": [SILENT], "b": [fails(Kind.RESET, 1.0)], "c": [answers()]}
    for scripts, kind in ((alone, Kind.RESET), (halves, Kind.DEADLINE)):  # a is late, but might still have answered
        story = world_of(limits=Limits(deadline=2.0, attempts=2), hedge=0.0, **scripts).call()
        assert story.asked == list(scripts)[:2]
        assert story.failure.kind is kind
    repeatable = world_of(limits=Limits(deadline=2.0), hedge=0.5, a=[fails(Kind.RESET, 2.0), answers()]).call()
    assert repeatable.asked == ["a"]


def test_a_connection_that_does_not_open_in_time_is_a_failure_to_connect() -> None:
    world = world_of(a=[(Step(0.0, "connecting"),)], b=[answers()], limits=Limits(connect=0.5))
    story = world.call()
    assert story.launches[1] == (100.5, "b", Reason.FALLBACK)
    assert story.cancelled == [0]
    assert story.kinds == [Kind.CONNECT, Kind.OK]


def test_a_connection_that_opens_in_time_is_not_given_up() -> None:
    play = (Step(0.0, "connecting"), Step(0.4, "sent"), Step(0.8, "content"), Step(0.9, "finish"))
    story = world_of(a=[play], b=[answers()], limits=Limits(connect=0.5)).call()
    assert story.asked == ["a"]
    assert story.call.kind is Kind.OK


# ── refusals ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_where_every_target_is_out_of_order_the_call_fails_at_once_and_says_when_to_come_back() -> None:
    world = world_of(a=[answers()], b=[answers()])
    world.fleet.targets["a"].breaker.open(100.0, 60.0)
    world.fleet.targets["b"].breaker.open(100.0, 20.0)
    story = world.call()
    assert story.failure == Fail(Kind.NO_TARGET, None, pytest.approx(20.0))  # type: ignore[arg-type]
    assert story.seconds == 0
    assert story.call.attempt_records() == ()


def test_where_every_target_is_full_nobody_knows_when_to_come_back() -> None:
    world = World(fleet([target("a", max_in_flight=1)], route("a")), {"a": [SILENT]})
    world.opens()
    assert world.opens().failure == Fail(Kind.NO_TARGET)


def test_a_place_that_no_target_is_in_is_not_allowed() -> None:
    assert world_of(a=[answers()]).call(request(place="us")).failure == Fail(Kind.NOT_ALLOWED)


def test_a_prompt_that_fits_no_window_is_too_long() -> None:
    world = World(fleet([target("a", window=1000)], route("a")), {"a": [answers()]})
    assert world.call(request(1001)).failure == Fail(Kind.TOO_LONG)


# ── the client, the gateway ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("when", [100.05, 100.3])
def test_when_the_client_leaves_the_attempt_is_cancelled_at_once_and_nobody_is_blamed(when: float) -> None:
    world = world_of(a=[answers(0.2, 5.0)], b=[answers()])
    story = world.opens()
    world.at(when, lambda: world.client_leaves(story))
    world.run()
    assert story.told[-2:] == [(when, Cancel(0)), (when, Drop())]
    assert story.call.state is State.DROPPED
    assert story.kinds == [Kind.CLIENT_GONE]
    assert world.fleet.targets["a"].breaker.streak == 0
    assert world.fleet.targets["a"].in_flight == 0


def test_when_the_gateway_stops_the_client_is_told() -> None:
    world = world_of(a=[SILENT], b=[answers()])
    story = world.opens()
    world.gateway_stops(story)
    assert [c for _, c in story.told[1:]] == [Cancel(0), Fail(Kind.SHUTDOWN)]
    assert story.kinds == [Kind.SHUTDOWN]


# ── what means nothing ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_head_of_an_answer_is_heard_once_and_resets_nothing() -> None:
    play = (Step(1.0, "heard"), Step(2.0, "heard"))
    story = world_of(a=[play], b=[answers()]).call()
    assert story.launches[1] == (103.0, "b", Reason.FALLBACK)
    assert record_of(story, 0)["heard"] == pytest.approx(1.0)
    assert story.kinds[0] is Kind.SLOW_FIRST_TOKEN


def test_what_is_said_of_the_connection_after_content_changes_nothing() -> None:
    play = (Step(0.1, "content"), Step(0.2, "connecting"), Step(0.3, "sent"), Step(0.4, "heard"), Step(0.5, "finish"))
    record = record_of(world_of(a=[play]).call(), 0)
    assert (record["sent"], record["heard"]) == (0.0, None)


def test_an_attempt_that_was_never_launched_cannot_fail() -> None:
    world = world_of(a=[SILENT])
    story = world.opens()
    assert story.call.handle(Failed(3, Kind.RESET), 100.1) == ()
    assert story.call.state is State.WAITING


def test_before_its_beginning_and_after_its_end_a_call_hears_nothing() -> None:
    call = Call(fleet([target("a")], route("a")), request(), 100.0)
    for _ in range(2):
        for event in (ClientGone(), Failed(0, Kind.RESET), Connecting(0), Sent(0), Heard(0)):
            assert call.handle(event, 100.3) == ()
        assert call.content(0, 100.3) == ()
        assert call.finished(0, 100.3, None, None) == ()
        assert call.wake(500.0) == ()
        if call.state is State.CHOOSING:
            call.begin(100.0)
            call.content(0, 100.1)
            call.finished(0, 100.2, None, None)
    assert call.state is State.DONE


def test_only_the_winner_can_finish() -> None:
    story = world_of(a=[(Step(1.9, "finish"),)], b=[answers(0.1, 5.0)], hedge=0.1).call()
    assert story.delivered == [1]
    assert story.seconds == pytest.approx(6.5)


def test_waking_too_early_changes_nothing() -> None:
    world = world_of(a=[SILENT], b=[SILENT], hedge=0.1)
    story = world.opens()
    before = story.call.wake_at
    assert story.call.wake(before - 0.001) == ()
    assert story.call.wake_at == before


# ── the warm standby ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_next_target_is_the_one_that_a_failure_would_launch() -> None:
    world = world_of(a=[SILENT], b=[SILENT], c=[SILENT])
    story = world.opens()
    assert story.call.next_target(world.now) is world.fleet.targets["b"]
    world.fleet.targets["b"].breaker.open(world.now, 10.0)
    assert story.call.next_target(world.now) is world.fleet.targets["c"]


def test_after_the_last_there_is_no_next_target() -> None:
    world = world_of(a=[SILENT])
    assert world.opens().call.next_target(world.now) is None


# ── given up by its driver ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_that_is_given_up_gives_back_its_slot_and_sets_the_probe_free() -> None:
    world = world_of(a=[SILENT, answers()])
    state = world.fleet.targets["a"]
    state.breaker.open(world.now - 10.0, 10.0)
    story = world.opens()
    assert not state.breaker.admits(world.now)  # its one probe is under way
    story.call.let_go(world.now)
    assert state.in_flight == 0
    assert world.call().asked == ["a"]
