"""Laws that hold for every world: any targets, any faults, any order of events (`tests.policy.laws`).

The driver adds two laws of its own: no command follows an event of an ended attempt, and after a wake `wake_at` lies
ahead.
"""

from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.laws import CANNED, FAULTS, LAW, TARGETS, Setting, commands, crowds, settings_of_the_world, worlds
from tests.policy.world import ENDED, answers, request

from surefoot.domain.commands import Drop, Fail, Finish, Launch, Reason
from surefoot.domain.events import ClientGone, Connecting, Event, Failed, Heard, Sent, Stopping
from surefoot.domain.outcome import Kind
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.call_state import State

HEALTHY = "healthy"


@LAW
@given(worlds)
def test_attempts_never_exceed_the_limit_of_their_call(setting: Setting) -> None:
    for story in setting.told().stories:
        assert len(story.launches) == len(story.call.attempts) <= setting.limits.attempts + setting.static


@LAW
@given(crowds())
def test_hedges_and_repeats_never_exceed_the_budgets(setting: Setting) -> None:
    for hedge, share in ((0.1, 1.0), (1.0, 0.1), (0.0, 1.0), (1.0, 0.0)):
        tight = setting._replace(hedge=hedge, share=share, burst=1, openings=(), slots=dict.fromkeys(setting.slots))
        world = tight.told()
        rationed = sum(reason in {Reason.HEDGE, Reason.RETRY} for story in world.stories for reason in story.reasons)
        least = min(hedge, share)
        assert rationed <= (1 + least * len(world.stories) + 1e-9 if least else 0)


@LAW
@given(worlds)
def test_every_call_ends_once_and_in_time_and_gives_back_what_it_held(setting: Setting) -> None:
    world = setting.told()
    for story in world.stories:
        assert story.call.state in ENDED
        assert story.call.ended is not None
        assert story.call.ended <= setting.last_moment(story)
        launched = [(at, command.target) for at, command in story.told if isinstance(command, Launch)]
        assert all(at < setting.last_moment(story) or name == CANNED for at, name in launched)
        assert story.call.wake_at == float("inf")
        assert not any(attempt.live or attempt.kind is None or attempt.ended is None for attempt in story.call.attempts)
        ends = [command for command in commands(story) if isinstance(command, Finish | Fail | Drop)]
        assert ends == commands(story)[-1:]
        (last,) = ends
        assert isinstance(last, Finish) == (story.call.state is State.DONE)
        assert isinstance(last, Fail) == (story.call.state is State.FAILED)
        assert isinstance(last, Drop) == (story.call.state is State.DROPPED)
    assert {state.in_flight for state in world.fleet.targets.values()} == {0}


@LAW
@given(settings_of_the_world())
def test_every_attempt_is_ended_by_its_provider_or_cancelled_once(setting: Setting) -> None:
    for story in setting.told().stories:
        assert len(set(story.cancelled)) == len(story.cancelled)
        for attempt in story.call.attempts:
            if attempt.kind in {Kind.OVERTAKEN, Kind.CANCELLED, Kind.STALL, Kind.DEADLINE, Kind.CLIENT_GONE}:
                by_us = attempt.number in story.cancelled
                by_script = any(
                    step.what is attempt.kind for play in setting.scripts.get(attempt.state.name, ()) for step in play
                )
                assert by_us or by_script


@LAW
@given(settings_of_the_world(), st.sampled_from([None, "eu", "us"]))
def test_no_forbidden_place_is_ever_named(setting: Setting, place: str | None) -> None:
    world = setting.world()
    for _ in range(3):
        story = world.call(request(place=place))
        for name in story.asked:
            if name != CANNED:  # a text of the configuration: nothing is processed anywhere
                assert setting.permits(name)
                assert place is None or setting.places[name] == place
        following = story.call.next_target(world.now)
        assert following is None or place is None or following.target.place.processes == (place,)


@LAW
@given(crowds())
def test_slots_are_never_overdrawn(setting: Setting) -> None:
    setting.told()


@LAW
@given(settings_of_the_world(), st.integers(1, 5))
def test_an_open_breaker_admits_exactly_its_probe(setting: Setting, number: int) -> None:
    world = setting._replace(static=False).world()
    for state in world.fleet.targets.values():
        state.breaker.open(world.now, 10.0)
    assert [world.opens().launches for _ in range(number)] == [[]] * number
    world.now += 10.0
    begun = [world.opens() for _ in range(len(setting.scripts) + number)]
    asked = [name for story in begun for name in story.asked]
    allowed = [name for name in setting.scripts if setting.permits(name)]
    assert asked == sorted(asked)
    assert asked == allowed
    assert all(world.fleet.targets[name].breaker.state is BreakerState.HALF_OPEN for name in allowed)


@LAW
@given(crowds())
def test_while_a_probe_is_under_way_nobody_else_asks_its_target(setting: Setting) -> None:
    """Each opening lets at most one attempt through. A client that leaves or a race that is lost opens nothing anew."""
    world = setting.told()
    for name in setting.scripts:
        attempts = [a for story in world.stories for a in story.call.attempts if a.state.name == name]
        openings = [100.0 + when for when, news in setting.openings if news.target == name]
        openings += [a.verdict for a in attempts if a.verdict is not None]
        openings += [a.ended for a in attempts if a.ended is not None and a.kind in {Kind.OVERTAKEN, Kind.DEADLINE}]
        probes = sorted((a for a in attempts if a.breaker is not BreakerState.CLOSED), key=lambda a: a.started)
        assert all(probe.breaker is BreakerState.OPEN for probe in probes)
        for earlier, later in pairwise(probes):
            ended = earlier.ended is not None and earlier.ended <= later.started
            assert ended or any(earlier.started <= moment <= later.started for moment in openings)


irrelevant = st.lists(
    st.one_of(
        st.builds(Failed, st.integers(7, 99), st.sampled_from(FAULTS)),
        st.builds(Connecting, st.integers(7, 99)),
        st.builds(Sent, st.integers(0, 2)),
        st.builds(Heard, st.integers(7, 99)),
    ),
    max_size=8,
)


@LAW
@given(settings_of_the_world(), irrelevant, st.floats(0.0, 10.0))
def test_irrelevant_events_change_nothing(setting: Setting, noise: list[Event], moment: float) -> None:
    """Attempts that never were, a second `Sent`, waking too early: the call goes on as if it had heard nothing."""
    world, quiet = setting.world(), setting.world()
    story = world.opens()

    def disturb() -> None:
        attempts = story.call.attempts
        for event in noise:
            if isinstance(event, Sent) and event.attempt < len(attempts) and attempts[event.attempt].sent is None:
                continue  # that one is news
            assert story.call.handle(event, world.now) == ()
        if world.now < story.call.wake_at:
            assert story.call.wake(world.now) == ()

    world.at(100.0 + moment, disturb)
    world.run()
    calm = quiet.opens()
    quiet.run()
    assert story.told == calm.told
    assert story.call.attempt_records() == calm.call.attempt_records()


@LAW
@given(settings_of_the_world(), st.permutations([ClientGone(), Stopping(), Failed(0, Kind.CUT), Heard(0), Sent(0)]))
def test_a_call_that_has_ended_hears_nothing_in_any_order(setting: Setting, noise: list[Event]) -> None:
    world = setting.world()
    story = world.call()
    record, known = story.call.attempt_records(), [state.in_flight for state in world.fleet.targets.values()]
    for event in noise:
        assert story.call.handle(event, world.now) == ()
        assert story.call.wake(world.now + 1_000.0) == ()
        assert story.call.content(0, world.now) == ()
        assert story.call.finished(0, world.now, 1, 1) == ()
    assert story.call.attempt_records() == record
    assert [state.in_flight for state in world.fleet.targets.values()] == known


@LAW
@given(settings_of_the_world(), st.integers(0, len(TARGETS)))
def test_a_healthy_allowed_target_more_never_makes_a_call_fail(setting: Setting, where: int) -> None:
    """Provided that time is not short, so that nobody has less of it because of the new one.

    Nor is any said of the others' verdicts on the request: those end a call wherever they fall.
    """
    names = list(setting.scripts)
    names.insert(where, HEALTHY)
    scripts = setting.scripts | {HEALTHY: [answers(0.01, 0.02)]}
    setting = setting._replace(limits=msgspec.structs.replace(setting.limits, deadline=300.0))
    richer = setting._replace(
        scripts={name: scripts[name] for name in names},
        places={**setting.places, HEALTHY: "eu"},
        slots=setting.slots | {HEALTHY: None},
    )
    for asked in setting.requests:
        patient = msgspec.structs.replace(asked, deadline=None)
        without, added = setting.world().call(patient), richer.world().call(patient)
        if without.call.kind is Kind.OK:
            assert added.call.kind is Kind.OK


@LAW
@given(worlds)
def test_same_seed_and_same_events_same_commands(setting: Setting) -> None:
    first, second = setting.told(), setting.told()
    assert [story.told for story in first.stories] == [story.told for story in second.stories]
    assert first.fleet.news == second.fleet.news
