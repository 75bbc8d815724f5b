"""What the calendar's duties touch in a configuration, and what would change if a transfer tool fell.

Pure: the configuration, the duties and the day are given. It compares what is declared with data, and knows no law.
Must never: give a number that nobody has measured, or call a target lawful.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from surefoot.config.calendar import UNDECLARED, Duty, OfJurisdiction, OfTarget
from surefoot.config.configuration import Configuration
from surefoot.config.faults import Faults
from surefoot.config.served import Served
from surefoot.domain.jurisdiction import Applied, Circumstances, Jurisdiction
from surefoot.domain.place import Transfer
from surefoot.domain.route import Route
from surefoot.domain.target import Target
from surefoot.policy.jurisdictions import Jurisdictions, met_by
from surefoot.policy.zones import Zones


class Touched(Struct, frozen=True):
    """One duty on one day."""

    duty: Duty
    days: int
    """Until it applies; 0 or less since when it has."""
    targets: tuple[str, ...]
    jurisdictions: tuple[str, ...]


class Fall(Struct, frozen=True):
    """What one route loses for those who are bound in one way, if a transfer tool falls."""

    route: str
    jurisdiction: str
    """All that binds them, as one name: `eu+patients`."""
    before: tuple[str, ...]
    """Targets that are allowed now, as listed."""
    after: tuple[str, ...]
    """Those that would still be."""
    untold: tuple[str, ...]
    """Of those, the ones that would go on without any tool, because nothing here asks for one."""
    domains: dict[str, tuple[int, int]]
    """By kind of failure domain, how many distinct ones the targets declare: before and after."""


def touched(configuration: Configuration, duties: Iterable[Duty], on: date) -> list[Touched]:
    """Every duty, with what it touches."""
    zones = Zones(configuration.zones)
    reached = [target for target in configuration.targets if target.text is None]
    return [
        Touched(
            duty,
            (duty.date - on).days,
            tuple(t.name for t in reached if any(_holds_of_target(one, t, zones) for one in duty.targets)),
            tuple(
                j.name
                for j in configuration.jurisdictions
                if any(_holds_of_jurisdiction(one, j, zones) for one in duty.jurisdictions)
            ),
        )
        for duty in duties
    ]


def without(configuration: Configuration, tool: Transfer) -> list[Fall]:
    """What changes where, if a tool that targets declare is worth nothing any more: as if they declared no tool.

    For each route: those under no other jurisdiction than its own, those under each one that is configured, and those
    whom each key binds. Told are those whose targets declare the tool, and once if they are bound alike.
    """
    jurisdictions = Jurisdictions(Zones(configuration.zones), configuration.jurisdictions)
    before, after = (
        Served(jurisdictions, {target.name: target for target in one.targets}, Faults())
        for one in (configuration, fallen_of(configuration, tool))
    )
    falls = [
        _fall(route, applied, before, after, tool)
        for route in configuration.routes
        for applied in {
            one.name: one for one in (jurisdictions.bind(route, met) for met in _met_on(route, configuration))
        }.values()
    ]
    return [fall for fall in falls if fall is not None]


def _met_on(route: Route, configuration: Configuration) -> Iterator[Circumstances]:
    """In which circumstances those may be who ask for a route, as far as the configuration tells."""
    yield Circumstances()
    yield from (Circumstances(names=(one.name,)) for one in configuration.jurisdictions)
    for key in (*configuration.door.keys, *configuration.ring.keys):
        if key.routes is None or route.name in key.routes:
            yield met_by(key)


def fallen_of(configuration: Configuration, tool: Transfer) -> Configuration:
    """The configuration after a transfer tool has fallen: targets that declare it declare none."""
    return replace(configuration, targets=tuple(_fallen(target, tool) for target in configuration.targets))


def _fall(route: Route, applied: Applied, served: Served, after_it: Served, tool: Transfer) -> Fall | None:
    before, after = (one.allowed(route, applied.parts) for one in (served, after_it))
    leaning = {target.name for target in before if target.place.transfer is tool}
    if not leaning:
        return None
    left = tuple(target.name for target in after)
    kinds = sorted({kind for target in before for kind in target.domains})
    return Fall(
        route.name,
        applied.name,
        tuple(target.name for target in before),
        left,
        tuple(name for name in left if name in leaning),
        {kind: (_distinct(before, kind), _distinct(after, kind)) for kind in kinds},
    )


def _fallen(target: Target, tool: Transfer) -> Target:
    place = target.place
    return replace(target, place=replace(place, transfer=None)) if place.transfer is tool else target


def _distinct(targets: Sequence[Target], kind: str) -> int:
    return len({target.domains[kind] for target in targets if kind in target.domains})


def _holds_of_target(asked: OfTarget, target: Target, zones: Zones) -> bool:
    if asked == OfTarget():
        return False
    place = target.place
    declared = place.processes or ()
    tool = UNDECLARED if place.transfer is None else place.transfer.value
    return (
        (not asked.transfers or tool in asked.transfers)
        and (not asked.processes or not declared or zones.overlap(declared, asked.processes))
        and (not asked.outside or not declared or not zones.within(declared, asked.outside))
    )


def _holds_of_jurisdiction(asked: OfJurisdiction, jurisdiction: Jurisdiction, zones: Zones) -> bool:
    if asked == OfJurisdiction():
        return False
    subjects = jurisdiction.subjects
    return (
        (not asked.classes or bool(subjects.classes))
        and (not asked.regions or zones.overlap(subjects.regions, asked.regions))
        and (not asked.processes or zones.overlap(jurisdiction.constraints.processes or (), asked.processes))
    )
