"""What a drill is told, and the trials that follow from it.

Knows: routes, modes, what fails together, and how many worlds a number of repetitions needs.
Must never: touch a clock or a socket.
"""

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from surefoot.config.configuration import Configuration
from surefoot.config.faults import Faults
from surefoot.config.served import Served
from surefoot.domain.front import ANYONE, ClientKey
from surefoot.domain.route import Route
from surefoot.drill.catalogue import ALONE, Mode
from surefoot.errors import DrillError
from surefoot.load import CallResult
from surefoot.policy.jurisdictions import Jurisdictions, met_by
from surefoot.policy.zones import Zones
from surefoot.twin import Distribution

GREETINGS = 2
"""Healthy calls of a new world before its fault, so that its connections are warm and its target is known to answer."""

BURST = 5
"""Calls of a world under its fault, evenly spaced: the first ones meet a closed breaker."""

SPACING = 0.1
"""Seconds between them."""

AFTERWARDS = 2
"""Calls once all of those have ended: they meet a breaker that has had time to open."""

PATIENCE = 30.0
"""Seconds that a client waits for its whole answer, unless the route's deadline is shorter or the user says so."""


class DrillOptions(Struct, frozen=True, kw_only=True):
    """All that a drill is told. Times in seconds, money in US dollars."""

    routes: tuple[str, ...] = ()
    """Empty: all of them."""
    modes: tuple[str, ...] = ()
    """Empty: the whole catalogue."""
    repeat: int = 20
    """Repetitions per route and mode that meet a closed breaker and count: so many, neither more nor less."""
    rate: float = 300.0
    """Calls per second, over all worlds."""
    patience: float = PATIENCE
    in_front: bool = False
    """Twins stand in front of the real targets instead of in their place."""
    spend_cap: float | None = None
    """Most that the real targets may charge."""
    time_cap: float = 900.0
    reach: str | None = None
    """What fails together, in place of what the catalogue says: `target`, or a failure domain's name."""
    fresh: bool = False
    """Nothing is learned before the fault, as in a gateway that has just started."""
    steady: float = 5.0
    """A healthy call is answered within it: what must hold before, after and beside the drill."""
    abort_share: float = 0.2
    """Share of the healthy calls beside the drill that may go unanswered within `steady`."""
    worlds: int = 250
    """Most worlds at a time."""
    ttft: Distribution | None = None
    """Time to first token of every twin; without, 50 ms and 10 ms more for each further target."""
    seed: int = 7


class Trial(Struct):
    """One world in which one mode strikes one route."""

    number: int
    route: str
    mode: Mode
    target: str
    """The target that the route asks first when all is well."""
    struck: tuple[str, ...]
    """It, and what fails with it."""
    results: list[CallResult] = field(default_factory=list)
    """What the client saw of the calls under the fault."""
    began: float = 0.0
    """Unix time of the fault."""


class Untested(Struct, frozen=True):
    """A mode that was not drilled on a route, and why."""

    route: str
    mode: str
    why: str


def routes_of(configuration: Configuration, names: Sequence[str]) -> list[Route]:
    """The routes of those names; all if none is named. Raises `DrillError` for an unknown one."""
    known = {route.name: route for route in configuration.routes}
    for name in names:
        if name not in known:
            raise DrillError(f"there is no route {name!r}; known: {', '.join(known)}")
    return [known[name] for name in names] if names else list(configuration.routes)


def canary_of(configuration: Configuration) -> ClientKey:
    """The configuration's own canary key; without one, a key that nothing binds."""
    return next((key for key in (*configuration.door.keys, *configuration.ring.keys) if key.drill), ANYONE)


def asked_by(configuration: Configuration, route: Route) -> tuple[str, ...]:
    """The targets of a route that drilled calls may ask: those that the canary key's jurisdictions allow, as listed."""
    jurisdictions = Jurisdictions(Zones(configuration.zones), configuration.jurisdictions)
    applied = jurisdictions.bind(route, met_by(canary_of(configuration)))
    served = Served(jurisdictions, {target.name: target for target in configuration.targets}, Faults())
    return tuple(target.name for target in served.allowed(route, applied.parts))


def check_reach(configuration: Configuration, reach: str | None) -> None:
    """Raises `DrillError` for a word that is no failure domain of any target."""
    known = sorted({ALONE, *(name for target in configuration.targets for name in target.domains)})
    if reach is not None and reach not in known:
        raise DrillError(f"no target has a failure domain {reach!r}; known: {', '.join(known)}")


def undeclared(configuration: Configuration, route: Route, reach: str) -> tuple[str, ...]:
    """The targets of the route that do not say which `reach` they are in, so that they fail alone."""
    silent = {one.name for one in configuration.targets if one.text is None and reach not in one.domains}
    return tuple(dict.fromkeys(rung.target for rung in route.rungs if rung.target in silent))


def patience_of(route: Route, told: DrillOptions) -> float:
    """Seconds that a client of this route waits for its whole answer."""
    return min(route.limits.deadline, told.patience)


def struck_with(configuration: Configuration, route: Route, target: str, reach: str) -> tuple[str, ...]:
    """The target and those of its route that share the failure domain `reach` with it."""
    if reach == ALONE:
        return (target,)
    domains = {one.name: one.domains.get(reach) for one in configuration.targets}
    shared = domains[target]
    names = dict.fromkeys(rung.target for rung in route.rungs)
    others = (name for name in names if name != target and shared is not None and domains[name] == shared)
    return (target, *others)


def worlds_for(repetitions: int, each: float) -> int:
    """Worlds that give so many repetitions if each of them gives `each`."""
    return math.ceil(repetitions / each)


def waves(trials: Sequence[Trial], most: int) -> Iterator[Sequence[Trial]]:
    """The trials in groups that are run side by side. Those of one mode stay together: they take equally long."""
    for first in range(0, len(trials), most):
        yield trials[first : first + most]
