"""Plain calls that are streamed upstream: seen to begin, to stall and to drip before anything is delivered."""

import pytest
from tests.policy.world import SILENT, Play, Step, World, answers, fails, fleet, request, route, target

from surefoot.domain.commands import Cancel, Launch, Reason
from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits
from surefoot.policy.first_token import series_of
from surefoot.policy.target_state import UNWATCHED_FOR

WATCHED = request(stream=False, watched=True)


def world_of(*, hedge: float = 0.0, limits: Limits | None = None, **scripts: list[Play]) -> World:
    return World(fleet([target(n) for n in scripts], route(*scripts, hedge=hedge, limits=limits)), scripts)


def grows(first: float, whole: float, every: float = 0.5) -> Play:
    """An answer that begins, goes on, and is whole."""
    steps = int((whole - first) / every)
    more = [Step(first + every * n, "more") for n in range(1, steps + 1)]
    return (Step(first, "spoke"), *more, Step(whole, "content"), Step(whole, "finish"))


def test_an_answer_that_takes_long_but_grows_is_left_alone() -> None:
    story = world_of(a=[grows(0.5, 40.0)], b=[answers()]).call(WATCHED)
    assert story.asked == ["a"]
    assert story.seconds == 40.0


def test_its_first_content_is_learned_as_that_of_a_stream() -> None:
    world = world_of(a=[grows(0.5, 2.0)])
    assert world.call(WATCHED).call.attempts[0].first == 100.5
    assert world.fleet.targets["a"].first_token.samples() == 1
    assert WATCHED.stream is False
    assert world.stories[0].call.series == series_of(1, stream=True)


def test_silence_is_seen_in_seconds() -> None:
    story = world_of(a=[SILENT], b=[answers()]).call(WATCHED)
    assert story.launches[1] == (103.0, "b", Reason.FALLBACK)


def test_a_stall_before_the_whole_answer_falls_back() -> None:
    story = world_of(a=[(Step(0.5, "spoke"), Step(1.0, "more"))], b=[answers()]).call(WATCHED)
    assert story.told[1:3] == [(116.0, Cancel(0)), (116.0, Launch(1, "b", Reason.FALLBACK))]
    assert story.kinds == [Kind.STALL, Kind.OK]


def test_a_cut_before_the_whole_answer_falls_back() -> None:
    story = world_of(a=[(Step(0.5, "spoke"), Step(1.0, Kind.CUT))], b=[answers()]).call(WATCHED)
    assert story.kinds == [Kind.CUT, Kind.OK]


def test_whoever_begins_first_is_kept_and_the_other_is_cancelled() -> None:
    story = world_of(hedge=1.0, a=[SILENT], b=[grows(0.2, 1.0)]).call(WATCHED)
    assert story.reasons == [Reason.FIRST, Reason.HEDGE]
    assert story.kinds == [Kind.OVERTAKEN, Kind.OK]
    assert story.cancelled == [0]


def test_one_that_began_is_not_late_any_more() -> None:
    story = world_of(hedge=1.0, a=[grows(1.0, 9.0)], b=[answers()]).call(WATCHED)
    assert story.asked == ["a"]


def test_its_beginning_is_heard_once_and_not_of_attempts_that_ended() -> None:
    world = world_of(a=[(Step(0.5, "spoke"), Step(0.7, "spoke"), Step(1.0, Kind.CUT), Step(1.1, "spoke"))])
    story = world.call(WATCHED)
    assert story.call.attempts[0].first == 100.5


def test_the_deadline_does_not_blame_one_that_speaks() -> None:
    world = world_of(a=[grows(0.5, 40.0)], limits=Limits(deadline=10.0))
    assert world.call(WATCHED).failure.kind is Kind.DEADLINE
    assert world.fleet.targets["a"].breaker.streak == 0


def test_a_watched_answer_that_fails_at_the_last_falls_back() -> None:
    story = world_of(a=[(Step(0.5, "spoke"), Step(1.0, Kind.MALFORMED))], b=[fails(Kind.RESET)], c=[answers()])
    assert story.call(WATCHED).asked == ["a", "b", "c"]


@pytest.mark.parametrize("said", [0.5, 14.9])
def test_the_idle_limit_counts_from_the_last_word(said: float) -> None:
    story = world_of(a=[(Step(0.1, "spoke"), Step(said, "more"))], b=[answers()]).call(WATCHED)
    assert story.launches[1][0] == pytest.approx(115.0 + said)


def test_a_target_that_does_not_stream_is_measured_as_a_plain_one_from_then_on() -> None:
    world = world_of(a=[(Step(1.0, "unwatched"), Step(20.0, "content"), Step(20.0, "finish"))], b=[answers()])
    stories = world.calls(2, the_request=WATCHED)
    assert [story.asked for story in stories] == [["a"], ["a"]]
    assert stories[1].call.attempts[0].series == series_of(1, stream=False)


def test_a_target_without_usage_in_its_streams_is_not_watched() -> None:
    world = World(fleet([target("a", usage_in_stream=False)], route("a")), {"a": [SILENT]})
    assert world.opens(WATCHED).call.attempts[0].series == series_of(1, stream=False)


def test_a_stream_is_a_stream_at_any_target() -> None:
    world = World(fleet([target("a", usage_in_stream=False)], route("a")), {"a": [SILENT]})
    assert world.opens(request(stream=True)).call.attempts[0].series == series_of(1, stream=True)


def test_a_target_that_has_declined_is_asked_to_stream_again_after_a_while() -> None:
    world = world_of(a=[(Step(1.0, "unwatched"), Step(2.0, "content"), Step(2.0, "finish")), answers()])
    world.call(WATCHED)
    state = world.fleet.targets["a"]
    assert not state.watches
    world.fleet.tick(world.now + UNWATCHED_FOR)
    assert state.watches
