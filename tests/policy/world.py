"""A small world on virtual time, in which targets answer by script and calls are driven as the gateway drives them.

Knows the public face of Call and Fleet. Must never sleep, read a clock, or look into what it drives to decide a step.
Time leaps to whatever is next: a scripted step of a provider, or the `wake_at` of a call.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from random import Random
from typing import NamedTuple

from surefoot.domain.commands import Cancel, Command, Deliver, Fail, Launch, Reason
from surefoot.domain.events import ClientGone, Connecting, Event, Failed, Heard, Sent, Spoke, Stopping, Unwatched
from surefoot.domain.jurisdiction import Circumstances, Constraints, Jurisdiction
from surefoot.domain.outcome import Kind
from surefoot.domain.place import Place, Zone
from surefoot.domain.request import Request
from surefoot.domain.route import Limits, Route, Rung
from surefoot.domain.target import Endpoint, Target
from surefoot.policy.call import Call
from surefoot.policy.call_state import State
from surefoot.policy.fleet import Fleet
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.options import PolicyOptions
from surefoot.policy.under_way import Commands
from surefoot.policy.zones import Zones

ENDPOINT = Endpoint("127.0.0.1", 1, tls=False, path="/v1")
ENDED = {State.DONE, State.FAILED, State.DROPPED}
TOKENS = (7, 11)
MOST_STEPS = 20_000
"""A world that takes more steps than this is turning in circles."""


SIGNS: dict[str, Callable[[int], Event]] = {
    "connecting": Connecting,
    "sent": Sent,
    "heard": Heard,
    "spoke": Spoke,
    "unwatched": Unwatched,
}


class Step(NamedTuple):
    """What a provider does so many seconds after it was asked."""

    after: float
    what: Kind | str
    retry_after: float | None = None


Play = tuple[Step, ...]
SILENT: Play = ()


def answers(first: float = 0.1, whole: float = 0.2) -> Play:
    """The first content after `first` seconds, all of it after `whole`."""
    return Step(first, "content"), Step(whole, "finish")


def fails(kind: Kind, after: float = 0.05, retry_after: float | None = None) -> Play:
    return (Step(after, kind, retry_after),)


def speaks_then(kind: Kind, first: float = 0.1, after: float = 0.5) -> Play:
    return Step(first, "content"), Step(after, kind)


def zone(*atoms: str) -> Zone:
    return Zone(frozenset(atoms), frozenset(atoms))


ZONES = Zones(
    {
        "EU": zone("DE", "FR"),
        "DE": zone("DE"),
        "FR": zone("FR"),
        "CH": zone("CH"),
        "US": zone("US"),
        "WORLD": zone("DE", "FR", "CH", "US"),
    }
)
JURISDICTIONS = Jurisdictions(
    ZONES,
    [
        Jurisdiction("eu", constraints=Constraints(processes=("EU",))),
        Jurisdiction("eu-ch", constraints=Constraints(("EU", "CH"))),
    ],
)
"""What the routes here may be bound by; zones are matched without regard to case."""


def target(name: str, place: str | Place | None = "eu", model: str = "model", **more: object) -> Target:
    """A place given as text is the zone in which it processes."""
    where = Place() if place is None else Place((place,)) if isinstance(place, str) else place
    return Target(name, "provider", model, "openai-chat", ENDPOINT, where, **more)  # type: ignore[arg-type]


def route(*names: str, limits: Limits | None = None, hedge: float = 0.1, **more: object) -> Route:
    """The route that every request here asks for."""
    rungs = tuple(Rung(name) for name in names)
    return Route("chat", rungs, limits=limits or Limits(), hedge=hedge, **more)  # type: ignore[arg-type]


def request(
    prompt_tokens: int = 300, *, stream: bool = True, max_tokens: int = 0, place: str | None = None, **more: object
) -> Request:
    """Narrowed to a zone, where one is named."""
    narrowed = Circumstances(zones=() if place is None else (place,))
    more.setdefault("jurisdiction", JURISDICTIONS.bind(Route("chat", ()), narrowed))
    return Request("chat", stream, prompt_tokens, max_tokens, **more)  # type: ignore[arg-type]


def fleet(
    targets: Iterable[Target],
    the_route: Route,
    options: PolicyOptions | None = None,
    workers: int = 1,
    seed: int = 1,
    jurisdictions: Jurisdictions = JURISDICTIONS,
) -> Fleet:
    rng = Random(seed)  # noqa: S311 - jitter, not a secret
    return Fleet(targets, [the_route], options or PolicyOptions(), rng, workers, jurisdictions)


class Story:
    """One call, and every command it gave with its time."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.told: list[tuple[float, Command]] = []
        self.failures: list[tuple[int, int, Kind]] = []
        """Failures of live attempts: after how many commands, of which attempt, of what kind."""

    @property
    def launches(self) -> list[tuple[float, str, Reason]]:
        return [(round(at, 6), c.target, c.reason) for at, c in self.told if isinstance(c, Launch)]

    @property
    def asked(self) -> list[str]:
        return [name for _, name, _ in self.launches]

    @property
    def reasons(self) -> list[Reason]:
        return [reason for _, _, reason in self.launches]

    @property
    def cancelled(self) -> list[int]:
        return [c.attempt for _, c in self.told if isinstance(c, Cancel)]

    @property
    def delivered(self) -> list[int]:
        return [c.attempt for _, c in self.told if isinstance(c, Deliver)]

    @property
    def failure(self) -> Fail:
        last = self.told[-1][1]
        assert isinstance(last, Fail), last
        return last

    @property
    def kinds(self) -> list[Kind | None]:
        return [attempt.kind for attempt in self.call.attempts]

    @property
    def seconds(self) -> float:
        assert self.call.ended is not None
        return round(self.call.ended - self.call.began, 6)


class World:
    """Targets that play by script: one play per attempt they get, the last one for ever."""

    def __init__(self, the_fleet: Fleet, scripts: Mapping[str, Iterable[Play]], now: float = 100.0) -> None:
        self.fleet = the_fleet
        self.now = now
        self.stories: list[Story] = []
        self._scripts = {name: list(plays) for name, plays in scripts.items()}
        self._order = count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something at a time of this world."""
        heapq.heappush(self._agenda, (when, next(self._order), action))

    def opens(self, the_request: Request | None = None) -> Story:
        """A client's request arrives now; it is not yet run to its end."""
        story = Story(Call(self.fleet, the_request or request(), self.now))
        self.stories.append(story)
        self._carry_out(story, story.call.begin(self.now))
        return story

    def call(self, the_request: Request | None = None) -> Story:
        """One request from its arrival to its end, alone; then the fleet learns."""
        story = self.opens(the_request)
        self.run(lambda: story.call.state in ENDED)
        self.fleet.tick(self.now)
        return story

    def calls(self, number: int, apart: float = 1.0, the_request: Request | None = None) -> list[Story]:
        """Requests one after another."""
        stories = []
        for _ in range(number):
            stories.append(self.call(the_request))
            self.now += apart
        return stories

    def client_leaves(self, story: Story) -> None:
        self._carry_out(story, story.call.handle(ClientGone(), self.now))

    def gateway_stops(self, story: Story) -> None:
        self._carry_out(story, story.call.handle(Stopping(), self.now))

    def answer(self, name: str, plays: Iterable[Play]) -> None:
        """From now on a target plays otherwise."""
        self._scripts[name] = list(plays)

    def run(self, enough: Callable[[], bool] = lambda: False, most: int = MOST_STEPS) -> None:
        """Leap from one thing to the next until enough was seen or nothing is left."""
        for _ in range(most):
            awake = [story for story in self.stories if story.call.state not in ENDED]
            sleeper = min(awake, key=lambda story: story.call.wake_at, default=None)
            if enough() or (sleeper is None and not self._agenda):
                return
            if self._agenda and (sleeper is None or self._agenda[0][0] <= sleeper.call.wake_at):
                when, _, action = heapq.heappop(self._agenda)
                self.now = max(self.now, when)
                action()
            elif sleeper is not None:
                self.now = max(self.now, sleeper.call.wake_at)
                self.wakes(sleeper)
        raise AssertionError("the world turns in circles")

    def wakes(self, story: Story) -> None:
        """Wake a call now. However late that is, the next waking lies ahead."""
        self._carry_out(story, story.call.wake(self.now))
        assert story.call.state in ENDED or story.call.wake_at > self.now

    def _carry_out(self, story: Story, commands: Commands) -> None:
        for command in commands:
            story.told.append((self.now, command))
            if isinstance(command, Launch):
                self._play(story, command)

    def _play(self, story: Story, launch: Launch) -> None:
        plays = self._scripts[launch.target]
        play = plays.pop(0) if len(plays) > 1 else plays[0]
        for step in play:
            self.at(self.now + step.after, lambda step=step: self._step(story, launch.attempt, step))  # type: ignore[misc]

    def _step(self, story: Story, number: int, step: Step) -> None:
        """Tell the Call, even of attempts that it has ended: those it must ignore."""
        call, attempt = story.call, story.call.attempts[number]
        was_live = attempt.live
        match step.what:
            case "content":
                commands = call.content(number, self.now)
            case "finish":
                commands = call.finished(number, self.now, *TOKENS)
            case "more":
                if call.winner is attempt:
                    call.marked = self.now
                elif was_live and attempt.first is not None:  # a watched answer grows
                    attempt.marked = self.now
                    attempt.said += 1
                return
            case Kind() as kind:
                if was_live:
                    story.failures.append((len(story.told), number, kind))
                commands = call.handle(Failed(number, kind, step.retry_after), self.now)
            case _:
                commands = call.handle(SIGNS[step.what](number), self.now)
        assert was_live or commands == ()
        self._carry_out(story, commands)
