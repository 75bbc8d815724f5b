"""Laws that hold for every world: any targets, any faults, any order of events.

A world is drawn as data (`Setting`), so that one world can be told twice, or with one target more.
The driver adds two laws of its own: no command follows an event of an ended attempt, and after a wake `wake_at` lies
ahead.
"""

import os
from itertools import pairwise
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.policy.world import ENDED, SILENT, Play, Step, Story, World, answers, fails, fleet, request, route, target

from surefoot.domain.commands import Command, Deliver, Fail, Finish, Launch, Reason
from surefoot.domain.events import ClientGone, Connecting, Event, Failed, Heard, Sent, Stopping
from surefoot.domain.outcome import OUTCOMES, Fallback, Kind
from surefoot.domain.route import Limits, Order
from surefoot.domain.target import Target
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.budget import BudgetOptions
from surefoot.policy.call_state import State
from surefoot.policy.options import PolicyOptions
from surefoot.policy.target_state import Opened

LONG = os.environ.get("SUREFOOT_LAWS") == "long"
LAW = settings(
    derandomize=not LONG,
    max_examples=2_000 if LONG else 80,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
"""The same short examples every time, or many fresh ones with SUREFOOT_LAWS=long in the environment."""

FAULTS = [kind for kind, row in OUTCOMES.items() if row.fall_back is Fallback.ANY] + [Kind.BAD_REQUEST]
TARGETS = "abcd"
HEALTHY = "healthy"


class Setting(NamedTuple):
    """A whole world before its first call."""

    scripts: dict[str, list[Play]]
    places: dict[str, str | None]
    slots: dict[str, int | None]
    allowed: tuple[str, ...] | None
    order: Order
    limits: Limits
    hedge: float
    share: float
    burst: int
    seed: int
    arrivals: list[float]
    leavings: list[float | None]
    openings: tuple[tuple[float, Opened], ...] = ()
    """Word of other workers, and when it comes."""

    def world(self) -> World:
        targets = [self.target(name) for name in self.scripts]
        options = PolicyOptions(budget=BudgetOptions(self.share, self.burst))
        the_route = route(*self.scripts, limits=self.limits, hedge=self.hedge, order=self.order, places=self.allowed)
        return World(fleet(targets, the_route, options, seed=self.seed), self.scripts)

    def target(self, name: str) -> Target:
        return target(name, self.places[name], max_in_flight=self.slots[name])

    def told(self) -> World:
        """The same world, lived to its end."""
        world = self.world()
        for arrival, leaving in zip(self.arrivals, self.leavings, strict=True):
            world.at(100.0 + arrival, lambda leaving=leaving: self._opens(world, leaving))  # type: ignore[misc]
        for when, news in self.openings:
            world.at(100.0 + when, lambda news=news: world.fleet.hear(news, world.now))  # type: ignore[misc]
        world.run(lambda: self.overdrawn(world))
        assert not self.overdrawn(world)
        return world

    @staticmethod
    def overdrawn(world: World) -> bool:
        """Whether any target has more attempts under way than it has slots."""
        return any(state.in_flight > state.slots for state in world.fleet.targets.values())

    def _opens(self, world: World, leaving: float | None) -> None:
        story = world.opens()
        if leaving is not None:
            world.at(world.now + leaving, lambda: world.client_leaves(story))


moments = st.floats(0.0, 40.0).map(lambda seconds: round(seconds, 3))
short = st.floats(0.0, 4.0).map(lambda seconds: round(seconds, 3))
faults = st.builds(Step, short, st.sampled_from(FAULTS), st.sampled_from([None, None, 0.0, 2.0, 400.0]))
signs = st.builds(Step, short, st.sampled_from(["connecting", "sent", "heard", "more"]))
contents = st.builds(Step, short, st.just("content"))
finishes = st.builds(Step, moments, st.just("finish"))
plays = st.lists(st.one_of(faults, signs, contents, contents, finishes), max_size=5).map(tuple)


@st.composite
def settings_of_the_world(draw: st.DrawFn) -> Setting:
    names = TARGETS[: draw(st.integers(1, len(TARGETS)))]
    number = draw(st.integers(1, 6))
    return Setting(
        scripts={name: draw(st.lists(plays, min_size=1, max_size=3)) for name in names},
        places={name: draw(st.sampled_from(["eu", "eu", "us", None])) for name in names},
        slots={name: draw(st.sampled_from([None, None, 1, 2])) for name in names},
        allowed=draw(st.sampled_from([None, None, ("eu",)])),
        order=draw(st.sampled_from([Order.LISTED, Order.LATENCY])),
        limits=Limits(
            deadline=draw(st.sampled_from([1.0, 5.0, 30.0])),
            connect=draw(st.sampled_from([0.5, 5.0])),
            idle=draw(st.sampled_from([2.0, 15.0])),
            attempts=draw(st.integers(1, 6)),
        ),
        hedge=draw(st.sampled_from([0.0, 0.1, 1.0])),
        share=draw(st.sampled_from([0.0, 0.1, 1.0])),
        burst=draw(st.integers(1, 4)),
        seed=draw(st.integers(0, 3)),
        arrivals=sorted(draw(st.lists(moments, min_size=number, max_size=number))),
        leavings=draw(st.lists(st.one_of(st.none(), st.none(), moments), min_size=number, max_size=number)),
    )


troubles = st.one_of(
    st.builds(fails, st.sampled_from([Kind.OVERLOAD, Kind.RESET, Kind.RATE_LIMIT]), short),
    st.builds(lambda first, more: answers(first, first + more), short, short),
    st.just(SILENT),
)


@st.composite
def crowds(draw: st.DrawFn) -> Setting:
    """Many calls at once on few targets in trouble: where budgets run out, slots fill up and breakers are probed."""
    names = TARGETS[: draw(st.integers(1, 3))]
    number = draw(st.integers(5, 25))
    return Setting(
        scripts={name: draw(st.lists(troubles, min_size=1, max_size=8)) for name in names},
        places=dict.fromkeys(names, "eu"),
        slots={name: draw(st.sampled_from([None, 1, 2])) for name in names},
        allowed=None,
        order=Order.LISTED,
        limits=Limits(deadline=draw(st.sampled_from([3.0, 20.0])), attempts=6),
        hedge=draw(st.sampled_from([0.0, 0.1, 1.0])),
        share=draw(st.sampled_from([0.0, 0.1, 1.0])),
        burst=draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 3)),
        arrivals=sorted(draw(st.lists(short, min_size=number, max_size=number))),
        leavings=draw(st.lists(st.one_of(st.none(), short), min_size=number, max_size=number)),
        openings=tuple(draw(st.lists(st.tuples(short, st.builds(Opened, st.sampled_from(names), short)), max_size=4))),
    )


worlds = st.one_of(settings_of_the_world(), crowds())


def commands(story: Story) -> list[Command]:
    return [command for _, command in story.told]


@LAW
@given(worlds)
def test_attempts_never_exceed_the_limit_of_their_call(setting: Setting) -> None:
    for story in setting.told().stories:
        assert len(story.launches) == len(story.call.attempts) <= setting.limits.attempts


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
def test_after_content_no_other_target_is_launched(setting: Setting) -> None:
    for story in setting.told().stories:
        said = commands(story)
        if any(isinstance(command, Deliver) for command in said):
            after = said[[isinstance(command, Deliver) for command in said].index(True) + 1 :]
            assert not any(isinstance(command, Launch | Deliver) for command in after)


@LAW
@given(worlds)
def test_every_call_ends_once_and_in_time_and_gives_back_what_it_held(setting: Setting) -> None:
    world = setting.told()
    for story in world.stories:
        assert story.call.state in ENDED
        assert story.call.ended is not None
        assert story.call.ended <= story.call.deadline
        assert all(at < story.call.deadline for at, command in story.told if isinstance(command, Launch))
        assert story.call.wake_at == float("inf")
        assert not any(attempt.live or attempt.kind is None or attempt.ended is None for attempt in story.call.attempts)
        last = commands(story)[-1]
        assert isinstance(last, Finish) == (story.call.state is State.DONE)
        assert isinstance(last, Fail) == (story.call.state is State.FAILED)
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
                    step.what is attempt.kind for play in setting.scripts[attempt.state.name] for step in play
                )
                assert by_us or by_script


@LAW
@given(settings_of_the_world(), st.sampled_from([None, "eu", "us"]))
def test_no_forbidden_place_is_ever_named(setting: Setting, place: str | None) -> None:
    world = setting.world()
    for _ in range(3):
        story = world.call(request(place=place))
        for name in story.asked:
            where = setting.places[name]
            assert setting.allowed is None or where in setting.allowed
            assert place is None or where == place
        following = story.call.next_target(world.now)
        assert following is None or place is None or following.target.place == place


@LAW
@given(crowds())
def test_slots_are_never_overdrawn(setting: Setting) -> None:
    setting.told()


@LAW
@given(settings_of_the_world(), st.integers(1, 5))
def test_an_open_breaker_admits_exactly_its_probe(setting: Setting, number: int) -> None:
    world = setting.world()
    for state in world.fleet.targets.values():
        state.breaker.open(world.now, 10.0)
    assert [world.opens().launches for _ in range(number)] == [[]] * number
    world.now += 10.0
    begun = [world.opens() for _ in range(len(setting.scripts) + number)]
    asked = [name for story in begun for name in story.asked]
    allowed = [name for name in setting.scripts if setting.allowed is None or setting.places[name] in setting.allowed]
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
    names = list(setting.scripts)
    names.insert(where, HEALTHY)
    scripts = setting.scripts | {HEALTHY: [answers(0.01, 0.02)]}
    richer = setting._replace(
        scripts={name: scripts[name] for name in names},
        places=setting.places | {HEALTHY: "eu"},
        slots=setting.slots | {HEALTHY: None},
    )
    without, added = setting.world().call(), richer.world().call()
    if without.call.kind is Kind.OK:
        assert added.call.kind is Kind.OK


@LAW
@given(worlds)
def test_same_seed_and_same_events_same_commands(setting: Setting) -> None:
    first, second = setting.told(), setting.told()
    assert [story.told for story in first.stories] == [story.told for story in second.stories]
    assert first.fleet.news == second.fleet.news
