"""The resume contract: a text that broke off goes on elsewhere, or ends in one error; never as if it were whole."""

import pytest
from tests.policy.world import SILENT, Play, Step, World, answers, fails, fleet, request, route, speaks_then, target

from surefoot.domain.commands import Cancel, Deliver, Fail, Finish, Launch, Reason
from surefoot.domain.outcome import OUTCOMES, Fallback, Kind
from surefoot.domain.request import Request
from surefoot.domain.route import Filtered, Limits
from surefoot.domain.target import Continues, Target
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.call_state import State

TEXT = request(resumable=True)
BREAKS = [kind for kind, row in OUTCOMES.items() if row.fall_back is Fallback.ANY and kind is not Kind.CONTRADICTED]


def world_of(*targets: Target, limits: Limits | None = None, **scripts: list[Play]) -> World:
    named = {t.name: t for t in targets}
    return World(
        fleet([named.get(n) or target(n) for n in scripts], route(*scripts, limits=limits, hedge=0.0)), scripts
    )


@pytest.mark.parametrize("kind", BREAKS)
def test_a_text_that_broke_off_goes_on_at_the_next_target(kind: Kind) -> None:
    story = world_of(a=[speaks_then(kind, 0.1, 0.5)], b=[answers(0.3, 0.9)]).call(TEXT)
    assert [(round(at, 6), command) for at, command in story.told] == [
        (100.0, Launch(0, "a", Reason.FIRST)),
        (100.1, Deliver(0)),
        (100.5, Launch(1, "b", Reason.RESUME)),
        (100.8, Deliver(1)),
        (101.4, Finish()),
    ]
    assert story.kinds == [kind, Kind.OK]


def test_while_it_is_continued_the_call_is_resuming() -> None:
    world = world_of(a=[speaks_then(Kind.CUT)], b=[SILENT])
    story = world.opens(TEXT)
    world.run(lambda: len(story.call.attempts) == 2)
    assert story.call.state is State.RESUMING
    assert story.call.broken is story.call.attempts[0]


def test_a_stall_is_resumed_too_and_the_silent_connection_is_closed() -> None:
    story = world_of(a=[(Step(0.1, "content"),)], b=[answers()]).call(TEXT)
    assert story.told[2:4] == [(115.1, Cancel(0)), (115.1, Launch(1, "b", Reason.RESUME))]
    assert story.kinds == [Kind.STALL, Kind.OK]


@pytest.mark.parametrize("kind", [Kind.BAD_REQUEST, Kind.CONTENT_FILTER, Kind.CONTEXT_OVERFLOW])
def test_what_another_target_would_not_mend_is_not_resumed(kind: Kind) -> None:
    story = world_of(a=[speaks_then(kind)], b=[answers()]).call(TEXT)
    assert story.asked == ["a"]
    assert story.failure == Fail(kind, 0)


def test_without_leave_a_break_ends_the_answer() -> None:
    assert world_of(a=[speaks_then(Kind.CUT)], b=[answers()]).call(request()).failure == Fail(Kind.CUT, 0)


def test_a_driver_that_finds_a_tool_call_in_what_was_delivered_takes_the_leave_back() -> None:
    world = world_of(a=[speaks_then(Kind.CUT)], b=[answers()])
    story = world.opens(TEXT)
    world.run(lambda: story.call.state is State.SPEAKING)
    story.call.resumable = False
    world.run()
    assert story.failure == Fail(Kind.CUT, 0)


def test_a_target_that_continues_nothing_is_passed_over() -> None:
    world = world_of(target("b", continues=Continues.NEVER), a=[speaks_then(Kind.CUT)], b=[answers()], c=[answers()])
    assert world.call(TEXT).asked == ["a", "c"]


def test_a_rejected_continuation_never_masks_what_broke_the_answer() -> None:
    """litellm#27967: a 400 for the prefill was all that the client was told."""
    story = world_of(a=[speaks_then(Kind.CUT)], b=[fails(Kind.BAD_REQUEST)]).call(TEXT)
    assert story.failure == Fail(Kind.CUT, 0)
    assert story.kinds == [Kind.CUT, Kind.BAD_REQUEST]


def test_a_rejected_continuation_goes_to_the_target_after_it() -> None:
    world = world_of(a=[speaks_then(Kind.CUT)], b=[fails(Kind.BAD_REQUEST)], c=[answers()])
    story = world.call(TEXT)
    assert story.asked == ["a", "b", "c"]
    assert story.reasons[1:] == [Reason.RESUME, Reason.RESUME]
    assert world.fleet.targets["b"].breaker.streak == 0
    assert story.call.kind is Kind.OK


def test_a_second_target_that_dies_too_is_no_normal_end() -> None:
    story = world_of(a=[speaks_then(Kind.CUT)], b=[speaks_then(Kind.RESET)]).call(TEXT)
    assert story.delivered == [0, 1]
    assert story.failure == Fail(Kind.CUT, 0)


def test_two_breaks_are_mended_by_a_third_target() -> None:
    world = world_of(a=[speaks_then(Kind.CUT)], b=[speaks_then(Kind.STALL)], c=[answers()])
    story = world.call(TEXT)
    assert story.delivered == [0, 1, 2]
    assert story.kinds == [Kind.CUT, Kind.STALL, Kind.OK]


def test_a_continuation_that_says_something_else_goes_on_and_is_nobodys_fault() -> None:
    world = world_of(a=[speaks_then(Kind.CUT)], b=[fails(Kind.DIVERGED)], c=[answers()])
    assert world.call(TEXT).call.kind is Kind.OK
    assert world.fleet.targets["b"].breaker.streak == 0


def test_a_continuation_that_does_not_fit_goes_to_a_larger_window_only() -> None:
    small, large = target("c", window=4_000), target("d", window=16_000)
    scripts = {
        "a": [speaks_then(Kind.CUT)],
        "b": [fails(Kind.CONTEXT_OVERFLOW)],
        "c": [answers()],
        "d": [answers()],
    }
    world = World(fleet([target("a"), target("b", window=4_000), small, large], route(*scripts, hedge=0.0)), scripts)
    assert world.call(TEXT).asked == ["a", "b", "d"]


@pytest.mark.parametrize(("filtered", "asked"), [(Filtered.FAIL, ["a", "b"]), (Filtered.FALL_BACK, ["a", "b", "d"])])
def test_a_continuation_that_a_filter_refuses_goes_to_another_model_only_by_leave(
    filtered: Filtered, asked: list[str]
) -> None:
    scripts = {
        "a": [speaks_then(Kind.CUT)],
        "b": [fails(Kind.CONTENT_FILTER)],
        "c": [answers()],
        "d": [answers()],
    }
    targets = [*(target(name) for name in "abc"), target("d", model="other")]
    story = World(fleet(targets, route(*scripts, hedge=0.0, filtered=filtered)), scripts).call(TEXT)
    assert story.asked == asked
    assert story.call.kind is (Kind.OK if "d" in asked else Kind.CUT)


def test_a_late_continuation_has_its_verdict_like_any_other() -> None:
    story = world_of(a=[speaks_then(Kind.CUT)], b=[SILENT], c=[answers()]).call(TEXT)
    assert story.launches[1:] == [(100.5, "b", Reason.RESUME), (103.5, "c", Reason.RESUME)]
    assert story.kinds == [Kind.CUT, Kind.SILENCE, Kind.OK]


def test_the_same_target_is_not_asked_to_go_on() -> None:
    story = world_of(a=[speaks_then(Kind.RESET)]).call(TEXT)
    assert story.failure.kind is Kind.RESET


def test_attempts_bound_the_resumes() -> None:
    limits = Limits(attempts=1)
    assert world_of(a=[speaks_then(Kind.CUT)], b=[answers()], limits=limits).call(TEXT).asked == ["a"]


def test_the_deadline_ends_a_resumed_answer_as_itself() -> None:
    story = world_of(a=[speaks_then(Kind.CUT)], b=[SILENT], limits=Limits(deadline=2.0)).call(TEXT)
    assert story.failure == Fail(Kind.DEADLINE)


def test_a_client_that_leaves_while_it_is_continued_is_forgotten() -> None:
    world = world_of(a=[speaks_then(Kind.CUT)], b=[SILENT])
    story = world.opens(TEXT)
    world.at(101.0, lambda: world.client_leaves(story))
    world.run()
    assert story.cancelled == [1]
    assert story.call.state is State.DROPPED


def test_a_text_that_breaks_does_not_wait_for_a_probe_of_the_only_other_target() -> None:
    world = world_of(a=[speaks_then(Kind.CUT)], b=[answers()])
    world.fleet.targets["b"].breaker.open(100.0, 3.0)
    story = world.call(TEXT)
    assert story.asked == ["a"]  # nobody can go on now: the client is not left without a word in mid-sentence
    assert world.fleet.targets["b"].breaker.state is BreakerState.OPEN


def test_a_resume_that_failed_may_wait_for_the_probe_of_another() -> None:
    world = world_of(a=[speaks_then(Kind.CUT)], b=[fails(Kind.RESET)], c=[answers()])
    world.fleet.targets["c"].breaker.open(100.0, 3.0)
    story = world.call(TEXT)
    assert story.launches[2] == (103.0, "c", Reason.RESUME)
    assert story.call.kind is Kind.OK


def test_a_plain_call_is_never_resumed() -> None:
    plain = Request("chat", stream=False, prompt_tokens=300)
    assert world_of(a=[speaks_then(Kind.CUT)], b=[answers()]).call(plain).failure.kind is Kind.CUT


def test_the_wording_is_the_routes() -> None:
    world = World(fleet([target("a")], route("a", resume_prompt="Weiter!")), {"a": [SILENT]})
    assert world.opens(TEXT).call.resume_prompt == "Weiter!"
