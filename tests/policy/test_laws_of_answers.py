"""Laws of what is delivered, and of whom a call may still ask after what was said: they hold for every world."""

from hypothesis import given
from hypothesis import strategies as st
from tests.policy.laws import CANNED, LAW, Setting, broken_texts, commands, crowds, settings_of_the_world, worlds
from tests.policy.world import Story

from surefoot.domain.commands import Command, Deliver, Launch, Reason
from surefoot.domain.outcome import OUTCOMES, Fallback, Kind
from surefoot.domain.route import Filtered
from surefoot.domain.target import Continues
from surefoot.policy.call_state import State


def after_content(story: Story) -> list[Command]:
    """What was said from the first delivery on, itself left out."""
    said = commands(story)
    first = next((n for n, command in enumerate(said) if isinstance(command, Deliver)), len(said))
    return said[first + 1 :]


def asked_after(story: Story, said: int) -> list[str]:
    """The targets that were launched after so many commands, the static one left out."""
    later = commands(story)[said:]
    return [command.target for command in later if isinstance(command, Launch) and command.target != CANNED]


@LAW
@given(worlds)
def test_after_content_of_a_call_that_is_not_resumable_nobody_else_is_asked(setting: Setting) -> None:
    for story in setting.told().stories:
        if not story.call.request.resumable:
            assert not any(isinstance(command, Launch | Deliver) for command in after_content(story))


@LAW
@given(broken_texts())
def test_a_resumed_answer_never_goes_to_a_target_that_continues_nothing(setting: Setting) -> None:
    for story in setting.told().stories:
        for command in after_content(story):
            if isinstance(command, Launch):
                assert setting.continues[command.target] is not Continues.NEVER


@LAW
@given(broken_texts())
def test_only_what_another_target_may_mend_is_resumed(setting: Setting) -> None:
    for story in setting.told().stories:
        broken = story.call.broken
        if any(isinstance(command, Launch) for command in after_content(story)):
            assert broken is not None
            assert broken.kind is not None
            assert OUTCOMES[broken.kind].fall_back is Fallback.ANY


@LAW
@given(settings_of_the_world())
def test_a_static_target_is_asked_at_most_once_and_last_and_only_if_nothing_was_delivered(setting: Setting) -> None:
    for story in setting.told().stories:
        if CANNED in story.asked:
            assert setting.static
            assert story.asked.index(CANNED) == len(story.asked) - 1
            gone = story.call.state is State.DROPPED
            assert story.delivered == ([] if gone else [story.call.attempts[-1].number])
            assert gone or story.call.kind is Kind.OK


@LAW
@given(st.one_of(settings_of_the_world(), broken_texts()))
def test_a_prompt_that_was_too_long_goes_to_larger_known_windows_alone(setting: Setting) -> None:
    for story in setting.told().stories:
        for said, number, kind in story.failures:
            if kind is Kind.CONTEXT_OVERFLOW:
                least = setting.windows[story.asked[number]] or story.call.request.prompt_tokens
                assert all((setting.windows[name] or 0) > least for name in asked_after(story, said))


@LAW
@given(st.one_of(settings_of_the_world(), broken_texts()))
def test_what_a_filter_refused_never_goes_to_the_same_model_and_to_nobody_without_the_routes_leave(
    setting: Setting,
) -> None:
    for story in setting.told().stories:
        for said, number, kind in story.failures:
            if kind is Kind.CONTENT_FILTER:
                models = {setting.models[name] for name in asked_after(story, said)}
                assert setting.models[story.asked[number]] not in models
                exercised = story.reasons[number] is Reason.EXERCISE  # the route's first target has not been asked yet
                assert setting.filtered is Filtered.FALL_BACK or exercised or not models


@LAW
@given(settings_of_the_world())
def test_what_is_wrong_with_the_request_itself_ends_the_call_unless_it_was_the_continuation_that_was_refused(
    setting: Setting,
) -> None:
    for story in setting.told().stories:
        for said, number, kind in story.failures:
            delivered = any(isinstance(command, Deliver) for command in commands(story)[:said])
            exercised = story.reasons[number] is Reason.EXERCISE  # the route's first target has the last word
            if kind is Kind.BAD_REQUEST and not delivered and not exercised:
                assert asked_after(story, said) == []


@LAW
@given(crowds(), st.sampled_from([0.05, 0.1]))
def test_exercise_is_never_more_than_its_share_of_the_calls_and_what_was_saved(setting: Setting, share: float) -> None:
    number = 60
    busy = setting._replace(
        exercise=share, arrivals=[0.5 * n for n in range(number)], leavings=[None] * number, openings=()
    )
    stories = busy.told().stories
    exercised = [story for story in stories if Reason.EXERCISE in story.reasons]
    assert len(exercised) <= share * number + 2
    assert all(story.reasons.index(Reason.EXERCISE) == 0 for story in exercised)
    assert all(story.asked[0] != next(iter(setting.scripts)) for story in exercised)
