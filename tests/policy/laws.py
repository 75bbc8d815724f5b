"""Random worlds for the laws: any targets, any faults, any order of events, drawn as data.

A world is drawn as a `Setting`, so that one world can be told twice, or with one target more. Knows the public face of
the policy. Must never state a law.
"""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from tests.policy.world import (
    JURISDICTIONS,
    SILENT,
    Play,
    Step,
    Story,
    World,
    answers,
    fails,
    fleet,
    request,
    route,
    target,
)

from surefoot.domain.commands import Command
from surefoot.domain.outcome import OUTCOMES, Fallback, Kind
from surefoot.domain.place import Place
from surefoot.domain.request import Request
from surefoot.domain.route import Filtered, Limits, Order
from surefoot.domain.target import Continues, Target
from surefoot.policy.budget import BudgetOptions
from surefoot.policy.exercise import ExerciseOptions
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.options import PolicyOptions
from surefoot.policy.target_state import Opened

LONG = os.environ.get("SUREFOOT_LAWS") == "long"
SHARDS = int(os.environ.get("SUREFOOT_SHARDS", "1"))
"""Processes that do the long profile together, each its share of it, with examples of its own."""


def share_of(examples: int) -> int:
    """Of so many examples those that fall to this process."""
    return -(-examples // SHARDS)


LAW = settings(
    derandomize=not LONG,
    max_examples=share_of(2_000) if LONG else 80,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
"""The same short examples every time, or many fresh ones with SUREFOOT_LAWS=long in the environment."""

FAULTS = [kind for kind, row in OUTCOMES.items() if row.fall_back is Fallback.ANY]
OF_THE_REQUEST = [Kind.BAD_REQUEST, Kind.CONTENT_FILTER, Kind.CONTEXT_OVERFLOW]
"""Kinds that are about the request, so that not any other target may be asked."""

TARGETS = "abcd"
CANNED = "canned"


class Setting(NamedTuple):
    """A whole world before its first call. What is named by target and left out is as usual."""

    scripts: dict[str, list[Play]]
    places: Mapping[str, str | Place | None]
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
    continues: Mapping[str, Continues] = MappingProxyType({})
    windows: Mapping[str, int | None] = MappingProxyType({})
    models: Mapping[str, str] = MappingProxyType({})
    filtered: Filtered = Filtered.FAIL
    exercise: float = 0.0
    static: bool = False
    """Whether the route has a text to give rather than an error."""
    requests: tuple[Request, ...] = (request(),)
    """What the calls ask, by turns."""
    jurisdictions: Jurisdictions = JURISDICTIONS
    bound: str | None = None
    """The route's jurisdiction, where it is not that of `allowed`."""

    def world(self) -> World:
        targets = [self.target(name) for name in self.scripts]
        scripts = dict(self.scripts)
        if self.static:
            targets.append(target(CANNED, None, text="Back in a minute."))
            scripts[CANNED] = [answers(0.0, 0.0)]
        options = PolicyOptions(budget=BudgetOptions(self.share, self.burst), exercise=ExerciseOptions(deadline=1.0))
        the_route = route(
            *self.scripts,
            limits=self.limits,
            hedge=self.hedge,
            order=self.order,
            jurisdiction="eu" if self.allowed else self.bound,
            filtered=self.filtered,
            exercise=self.exercise,
            static=CANNED if self.static else None,
        )
        return World(fleet(targets, the_route, options, seed=self.seed, jurisdictions=self.jurisdictions), scripts)

    def target(self, name: str) -> Target:
        return target(
            name,
            self.places[name],
            self.models.get(name, "model"),
            max_in_flight=self.slots[name],
            window=self.windows.get(name),
            continues=self.continues.get(name, Continues.PROMPT),
        )

    def told(self) -> World:
        """The same world, lived to its end."""
        world = self.world()
        for number, (arrival, leaving) in enumerate(zip(self.arrivals, self.leavings, strict=True)):
            asked = self.requests[number % len(self.requests)]
            world.at(100.0 + arrival, lambda asked=asked, leaving=leaving: self._opens(world, asked, leaving))  # type: ignore[misc]
        for when, news in self.openings:
            world.at(100.0 + when, lambda news=news: world.fleet.hear(news, world.now))  # type: ignore[misc]
        world.run(lambda: self.overdrawn(world))
        assert not self.overdrawn(world)
        return world

    @staticmethod
    def overdrawn(world: World) -> bool:
        """Whether any target has more attempts under way than it has slots."""
        return any(state.in_flight > state.slots for state in world.fleet.targets.values())

    def _opens(self, world: World, asked: Request, leaving: float | None) -> None:
        story = world.opens(asked)
        if leaving is not None:
            world.at(world.now + leaving, lambda: world.client_leaves(story))

    def permits(self, name: str) -> bool:
        """Whether the route's places allow this target."""
        return self.allowed is None or self.places[name] in self.allowed

    def last_moment(self, story: Story) -> float:
        """The deadline of a call: the route's, or the client's where that is sooner."""
        own = story.call.request.deadline
        return story.call.began + min(self.limits.deadline, self.limits.deadline if own is None else own)


moments = st.floats(0.0, 40.0).map(lambda seconds: round(seconds, 3))
short = st.floats(0.0, 4.0).map(lambda seconds: round(seconds, 3))
faults = st.builds(Step, short, st.sampled_from(FAULTS), st.sampled_from([None, None, 0.0, 2.0, 400.0]))
verdicts = st.builds(Step, short, st.sampled_from(OF_THE_REQUEST))
signs = st.builds(Step, short, st.sampled_from(["connecting", "sent", "heard", "more", "spoke", "unwatched"]))
contents = st.builds(Step, short, st.just("content"))
finishes = st.builds(Step, moments, st.just("finish"))
plays = st.lists(st.one_of(faults, verdicts, signs, contents, contents, finishes), max_size=5).map(tuple)
requests = st.builds(
    lambda prompt, shape, deadline: request(prompt, **shape, deadline=deadline),
    st.sampled_from([300, 300, 3_000]),
    st.sampled_from(
        [{}, {"resumable": True}, {"resumable": True}, {"stream": False}, {"stream": False, "watched": True}]
    ),
    st.sampled_from([None, None, 0.5, 3.0, 20.0]),
)


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
            wait=draw(st.sampled_from([0.0, 2.0, 15.0])),
            attempts=draw(st.integers(1, 6)),
        ),
        hedge=draw(st.sampled_from([0.0, 0.1, 1.0])),
        share=draw(st.sampled_from([0.0, 0.1, 1.0])),
        burst=draw(st.integers(1, 4)),
        seed=draw(st.integers(0, 3)),
        arrivals=sorted(draw(st.lists(moments, min_size=number, max_size=number))),
        leavings=draw(st.lists(st.one_of(st.none(), st.none(), moments), min_size=number, max_size=number)),
        openings=tuple(
            draw(st.lists(st.tuples(moments, st.builds(Opened, st.sampled_from(names), short)), max_size=2))
        ),
        continues={name: draw(st.sampled_from([*Continues, Continues.PROMPT])) for name in names},
        windows={name: draw(st.sampled_from([None, None, 1_000, 4_000, 16_000])) for name in names},
        models={name: draw(st.sampled_from(["large", "small"])) for name in names},
        filtered=draw(st.sampled_from(list(Filtered))),
        exercise=draw(st.sampled_from([0.0, 0.1])),
        static=draw(st.booleans()),
        requests=tuple(draw(st.lists(requests, min_size=1, max_size=3))),
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
        exercise=draw(st.sampled_from([0.0, 0.1])),
    )


breaks = st.builds(
    lambda first, kind, more: (Step(first, "content"), Step(first + more, kind)),
    short,
    st.sampled_from([*FAULTS, *OF_THE_REQUEST]),
    short,
)


@st.composite
def broken_texts(draw: st.DrawFn) -> Setting:
    """Texts that break off after they have begun, and targets of which some refuse to go on with them."""
    setting = draw(settings_of_the_world())
    after = st.one_of(breaks, breaks, plays)
    return setting._replace(
        scripts={name: draw(st.lists(after, min_size=1, max_size=3)) for name in setting.scripts},
        limits=Limits(attempts=6),
        requests=(request(resumable=True),),
        leavings=[None] * len(setting.leavings),
        hedge=0.0,
    )


worlds = st.one_of(settings_of_the_world(), crowds())


def commands(story: Story) -> list[Command]:
    return [command for _, command in story.told]
