"""Stresses: what has not happened, and is replayed to see what it would do. `--stress NAME=VALUE[,for=...][,mode=...]`.

    busiest-hour=1h        the primaries of all routes fail from the beginning of the traffic's busiest hour
    shared-cloud=azure     every target in that failure domain fails; for an hour from then on, unless `for` says else
    correlated=6           the fallback's outages become such as come with the primary's (`outages.correlation`)
    tool-falls=DPF         targets that declare this transfer tool declare none: nobody who asks for one may use them
    gateway-down=10m       calls through the gateway find nobody; an application that asks directly does not notice

A stress changes the case that is replayed, its outages or its arms, and says what it did. Stresses are replayed one by
one. Must never: strike in silence.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from surefoot.config.compliance import fallen_of
from surefoot.config.configuration import Configuration
from surefoot.config.faults import did_you_mean
from surefoot.config.quantities import read_duration, show_duration
from surefoot.domain.place import Transfer
from surefoot.domain.route import Route
from surefoot.errors import ReplayError
from surefoot.evidence.spans import Span, common, length
from surefoot.replay.arms import first_two, primaries
from surefoot.replay.demand import Demand
from surefoot.replay.models.naming import plain
from surefoot.replay.outages.correlation import correlated
from surefoot.replay.outages.modes import MODES
from surefoot.replay.outages.outage import GATEWAY, Outage
from surefoot.replay.virtual.arm import Arm

USUAL_MODE = "server_error"
"""How a target fails unless it is said: most public incidents are told as elevated errors (`config/rates.toml`)."""

NOBODY_THERE = "refuse"
"""How the gateway fails: a call that comes finds nobody."""

OF_THE_GATEWAY = "gateway"
"""In place of the provider of its outages."""

AN_HOUR = 3_600.0


class Case(Struct, frozen=True, kw_only=True):
    """What is replayed."""

    arms: tuple[Arm, ...]
    """The first is the configuration in question: its routes say who is primary."""
    outages: tuple[Outage, ...]
    demand: Demand
    seed: int
    said: tuple[str, ...] = ()
    """What stresses did, a sentence each."""

    @property
    def configuration(self) -> Configuration:
        """That of the first arm."""
        return self.arms[0].configuration


class Stress(Struct, frozen=True, kw_only=True):
    """One stress as it was asked for."""

    name: str
    value: str
    duration: float = AN_HOUR
    mode: str = USUAL_MODE
    route: str | None = None
    """Whose primary and fallback; of the busiest route unless said."""
    domain: str = ""
    lift: float = 0.0
    tool: Transfer = Transfer.NONE

    def apply(self, case: Case) -> Case:
        """The case under this stress. Raises `ReplayError` if it has nothing to strike."""
        return _STRESSES[self.name].apply(self, case)

    @property
    def label(self) -> str:
        """As it was asked for."""
        return f"{self.name}={self.value}"


Reads = Callable[[Stress, str], Stress]


class _Sort(Struct, frozen=True):
    """One sort of stress: an example, how its value is read, what it may be told besides, and what it does."""

    example: str
    read: Reads
    takes: tuple[str, ...]
    apply: Callable[[Stress, Case], Case]


def read_stress(text: str) -> Stress:
    """A stress from its words. Raises `ReplayError` with what it could be."""
    first, *rest = (part.strip() for part in text.split(","))
    name, _, value = first.partition("=")
    sort = _STRESSES.get(name)
    if sort is None:
        raise ReplayError(f"--stress {text}: write NAME=VALUE; {did_you_mean(name, _STRESSES)}")
    if not value:
        raise ReplayError(f"--stress {text}: the value is missing; write {sort.example}")
    try:
        stress = sort.read(Stress(name=name, value=",".join([value, *rest])), value)
        for part in rest:
            key, _, word = part.partition("=")
            stress = _besides(sort, name, key)(stress, word)
    except ValueError as error:
        raise ReplayError(f"--stress {text}: {error}") from None
    return stress


def _besides(sort: _Sort, name: str, key: str) -> Reads:
    if key not in sort.takes:
        raise ValueError(f"{name} takes no `{key}`; {did_you_mean(key, sort.takes)}")
    return _BESIDES[key]


def _duration(stress: Stress, word: str) -> Stress:
    seconds = read_duration(word)
    if seconds <= 0:
        raise ValueError("an outage of no length strikes nobody")
    return replace(stress, duration=seconds)


def _mode(stress: Stress, word: str) -> Stress:
    if word not in MODES:
        raise ValueError(f"there is no failure mode `{word}`; {did_you_mean(word, MODES)}")
    return replace(stress, mode=word)


def _lift(stress: Stress, word: str) -> Stress:
    try:
        return replace(stress, lift=float(word))
    except ValueError:
        raise ValueError(f"a lift is a number such as 6, not `{word}`") from None


def _tool(stress: Stress, word: str) -> Stress:
    known = {one.value.casefold(): one for one in Transfer if one is not Transfer.NONE}
    if word.casefold() not in known:
        raise ValueError(f"there is no transfer tool `{word}`; there are: {', '.join(known.values())}")
    return replace(stress, tool=known[word.casefold()])


def _domain(stress: Stress, word: str) -> Stress:
    return replace(stress, domain=word)


def _of_route(stress: Stress, word: str) -> Stress:
    return replace(stress, route=word)


def _busiest_hour(stress: Stress, case: Case) -> Case:
    struck = dict.fromkeys(target for targets in primaries(case.configuration).values() for target in targets)
    return _fail(stress, case, list(struck))


def _shared_cloud(stress: Stress, case: Case) -> Case:
    named, targets = stress.domain, case.configuration.targets
    struck = [t.name for t in targets if plain(named) in map(plain, t.domains.values())]
    if not struck:
        known = sorted({domain for target in targets for domain in target.domains.values()})
        raise ReplayError(f'no target declares the failure domain "{named}"; {did_you_mean(named, known)}')
    return _fail(stress, case, struck)


def _fail(stress: Stress, case: Case, targets: list[str]) -> Case:
    """All of these, from the busiest hour on."""
    start = case.demand.busiest_hour
    outages = tuple(_outage(stress, target, (start, start + stress.duration)) for target in targets)
    fail = f"{'fails' if len(targets) == 1 else 'fail'} for {show_duration(stress.duration)} by {stress.mode}"
    return _changed(case, f"{stress.label}: {', '.join(targets)} {fail}", outages)


def _correlated(stress: Stress, case: Case) -> Case:
    """The fallback is down as long as it was, or if it never was as long as the primary."""
    pair = first_two(case.configuration, _route(stress, case))
    if pair is None:
        raise ReplayError(f"{stress.label}: the route has no second target that its jurisdiction admits")
    primary, fallback = pair
    span = case.demand.span
    down = {name: common([span], _spans(case.outages, name)) for name in pair}
    seconds = length(down[fallback]) or length(down[primary])
    made = correlated(down[primary], seconds, span, stress.lift, case.seed)
    others = tuple(one for one in case.outages if one.target != fallback)
    share = seconds / (span[1] - span[0])
    why = "as long as the list says" if down[fallback] else f"as long as {primary}: the list has no outage of it"
    said = (
        f"{stress.label}: {fallback} is down {share:.3%} of the time ({why}),"
        f" and together with {primary} {stress.lift:g} times as often as by chance"
    )
    return _changed(replace(case, outages=others), said, tuple(_outage(stress, fallback, one) for one in made))


def _tool_falls(stress: Stress, case: Case) -> Case:
    leaning = [target.name for target in case.configuration.targets if target.place.transfer is stress.tool]
    if not leaning:
        raise ReplayError(f"{stress.label}: no target declares {stress.tool}, so nothing would change")
    arms = tuple(replace(arm, configuration=fallen_of(arm.configuration, stress.tool)) for arm in case.arms)
    said = f"{stress.label}: {', '.join(leaning)} may not be asked where a jurisdiction asks for a transfer tool"
    return _changed(replace(case, arms=arms), said)


def _gateway_down(stress: Stress, case: Case) -> Case:
    start = case.demand.busiest_hour
    said = (
        f"{stress.label}: nobody answers at the gateway for {show_duration(stress.duration)} from the busiest hour on"
    )
    down = _outage(stress, GATEWAY, (start, start + stress.duration))
    return _changed(case, said, (replace(down, mode=NOBODY_THERE, provider=OF_THE_GATEWAY),))


def _route(stress: Stress, case: Case) -> Route:
    """The one that is named, or else the busiest that the traffic and the configuration both know."""
    routes = {route.name: route for route in case.configuration.routes}
    if stress.route is not None:
        if stress.route not in routes:
            raise ReplayError(
                f'{stress.label}: there is no route "{stress.route}"; {did_you_mean(stress.route, routes)}'
            )
        return routes[stress.route]
    busiest = [name for name in case.demand.routes if name in routes]
    return routes[busiest[0]] if busiest else case.configuration.routes[0]


def _spans(outages: tuple[Outage, ...], target: str) -> list[Span]:
    return [(one.start, one.end) for one in outages if one.target == target]


def _outage(stress: Stress, target: str, span: Span) -> Outage:
    return Outage(target=target, start=span[0], end=span[1], mode=stress.mode, incident=f"stress:{stress.name}")


def _changed(case: Case, said: str, outages: tuple[Outage, ...] = ()) -> Case:
    return replace(case, outages=(*case.outages, *outages), said=(*case.said, said))


_BESIDES: dict[str, Reads] = {"for": _duration, "mode": _mode, "route": _of_route}
_STRESSES = {
    "busiest-hour": _Sort("busiest-hour=1h", _duration, ("mode",), _busiest_hour),
    "shared-cloud": _Sort("shared-cloud=azure", _domain, ("for", "mode"), _shared_cloud),
    "correlated": _Sort("correlated=6", _lift, ("mode", "route"), _correlated),
    "tool-falls": _Sort("tool-falls=DPF", _tool, (), _tool_falls),
    "gateway-down": _Sort("gateway-down=10m", _duration, (), _gateway_down),
}
STRESSES = tuple(_STRESSES)
"""The names that there are."""
