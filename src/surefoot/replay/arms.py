"""The two sides of a comparison: a configuration, and what stands against it.

Against it stands another configuration, or the same one without fallback: an application that asks its provider and
nobody else. There each route is cut, for each length of prompt, to the first target that its jurisdiction admits, as
listed, whatever the route's order. There is one attempt: no fallback, hedge, retry, resume, static answer or exercise;
no breaker, suspicion or limit of the gateway's own holds a call back, and nobody watches a plain call.

A replay needs no credentials: environment variables that are not set are taken as if they were.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from surefoot.config.configuration import Configuration
from surefoot.config.credentials import Placeholders
from surefoot.config.faults import Faults
from surefoot.config.loading import SALT_BYTES, load
from surefoot.config.routes import less
from surefoot.config.served import Served
from surefoot.domain.front import ANYONE
from surefoot.domain.jurisdiction import Jurisdiction
from surefoot.domain.route import Filtered, Order, Resume, Route, Rung, Watch
from surefoot.policy.breaker import BreakerOptions
from surefoot.policy.jurisdictions import Jurisdictions, met_by
from surefoot.policy.zones import Zones
from surefoot.replay.models.model import TargetModel
from surefoot.replay.virtual.arm import Arm

NO_FALLBACK = "no-fallback"
"""What `--against` is called with for the arm that is cut."""

_NEVER = 2**62
"""More failures, spreads or seconds than any replay has."""

Modelled = Callable[[Configuration], Mapping[str, TargetModel]]


def read_configuration(path: Path, environ: Mapping[str, str]) -> Configuration:
    """A configuration as a replay reads it. Raises `ConfigError` for any fault but an environment that is not set."""
    return load(path, Placeholders(environ), bytes(SALT_BYTES))


def arms(configuration: Configuration, against: Configuration | None, modelled: Modelled) -> tuple[Arm, Arm]:
    """The configuration, and what stands against it: another one, or itself without fallback (None)."""
    one = Arm(name="with", configuration=configuration, models=dict(modelled(configuration)))
    if against is not None:
        return one, Arm(name="against", configuration=against, models=dict(modelled(against)))
    cut = without_fallback(configuration)
    return one, Arm(name="without", configuration=cut, models=one.models, direct=True)


def without_fallback(configuration: Configuration) -> Configuration:
    """The same configuration, cut to what an application does that asks one target and nobody else."""
    served = _served(configuration)
    options = replace(
        configuration.options,
        breaker=BreakerOptions(streak=_NEVER, share=1.0, certain=_NEVER, window=_NEVER),
        suspicion=replace(configuration.options.suspicion, threshold=_NEVER),
    )
    return replace(
        configuration,
        targets=tuple(replace(target, max_in_flight=None) for target in configuration.targets),
        routes=tuple(_cut(route, configuration, served) for route in configuration.routes),
        options=options,
    )


def primaries(configuration: Configuration) -> dict[str, tuple[str, ...]]:
    """By route, the targets that are asked first for any call of it."""
    served = _served(configuration)
    return {
        route.name: tuple(dict.fromkeys(rung.target for rung in _firsts(route, configuration, served)))
        for route in configuration.routes
    }


def first_two(configuration: Configuration, route: Route) -> tuple[str, str] | None:
    """The first two targets that a route's own jurisdiction admits, as listed; None if there are not two."""
    served = _served(configuration)
    admitted = list(dict.fromkeys(rung.target for rung in route.rungs if served.forbidden(route, rung) is None))
    return (admitted[0], admitted[1]) if len(admitted) > 1 else None


def _cut(route: Route, configuration: Configuration, served: Served) -> Route:
    return replace(
        route,
        rungs=tuple(_firsts(route, configuration, served)) or route.rungs[:1],  # where nobody is admitted, both refuse
        order=Order.LISTED,
        limits=replace(route.limits, attempts=1, wait=0.0),
        hedge=0.0,
        resume=Resume.OFF,
        watch=Watch.OFF,
        filtered=Filtered.FAIL,
        exercise=0.0,
        static=None,
    )


def _firsts(route: Route, configuration: Configuration, served: Served) -> list[Rung]:
    """The rungs that come first for somebody: for each length, under the route's jurisdiction and under each key's."""
    found: dict[Rung, int] = {}
    for parts in _bindings(route, configuration, served.jurisdictions):
        taken: list[Rung] = []
        for place, rung in enumerate(route.rungs):
            if served.forbidden(route, rung, parts) is None:
                fresh = _rest(rung, taken)
                taken += fresh
                found |= dict.fromkeys(fresh, place)
    return sorted(found, key=lambda rung: found[rung])


def _rest(rung: Rung, taken: list[Rung]) -> list[Rung]:
    """A rung for those lengths for which no other one was taken."""
    pieces = [rung.when]
    for other in taken:
        pieces = [rest for piece in pieces for rest in less(piece, other.when)]
    return [Rung(rung.target, piece, rung.jurisdictions) for piece in pieces]


def _bindings(
    route: Route, configuration: Configuration, jurisdictions: Jurisdictions
) -> Iterator[tuple[Jurisdiction, ...]]:
    """All that binds a call of a route by its key: without one, and under each that may ask for the route."""
    keys = [
        key
        for key in (*configuration.door.keys, *configuration.ring.keys)
        if key.routes is None or route.name in key.routes
    ]
    bound = (jurisdictions.bind(route, met_by(key)) for key in (ANYONE, *keys))
    yield from {one.name: one.parts for one in bound}.values()


def _served(configuration: Configuration) -> Served:
    jurisdictions = Jurisdictions(Zones(configuration.zones), configuration.jurisdictions)
    return Served(jurisdictions, {target.name: target for target in configuration.targets}, Faults())
