"""Random zones, places and jurisdictions, and an oracle that judges them again by the words of their definitions.

The oracle shares no code with the policy: it asks of each smallest place whether it lies in a zone, by following
members down and the user's own places up. Must never import a rule.
"""

from functools import lru_cache
from random import Random

from hypothesis import strategies as st
from tests.policy.laws import LONG

from surefoot.config.faults import Faults
from surefoot.config.places import ZoneTable
from surefoot.config.zones import ZoneReader, shipped
from surefoot.domain.jurisdiction import Circumstances, Constraints, Deny, Jurisdiction, Obligations, Subjects
from surefoot.domain.place import Place, Subprocessor, Transfer
from surefoot.domain.route import Route
from surefoot.domain.target import Target
from surefoot.policy.zones import Zones

COUNTRIES = ("DE", "FR", "SE", "CH", "NO", "US", "GB")
SETS = ("EU", "EEA", "UK", "ADEQUATE")
OWN = ("union", "cellar", "attic", "rack", "alps")
NAMES = (*COUNTRIES, *SETS, *OWN, "WORLD")
OPERATORS = ("Alpha", "Beta")
POOL = 1_000 if LONG else 50
"""How many sets of zones there are: each is read once."""


class Map:
    """One set of zones: as the policy has it, and as it is defined."""

    def __init__(self, zones: Zones, members: dict[str, tuple[str, ...]], within: dict[str, tuple[str, ...]]) -> None:
        self.zones = zones
        self.members = members
        self.within = within
        self._smallest: dict[str, set[str]] = {}

    def holds(self, outer: str, inner: str) -> bool:
        """Whether a zone lies in another by the words of their definitions."""
        return (
            outer in {inner, "WORLD"}
            or any(self.holds(member, inner) for member in self.members.get(outer, ()))
            or any(self.holds(outer, around) for around in self.within.get(inner, ()))
        )

    def smallest(self, zone: str) -> set[str]:
        """Asked so often that it is remembered."""
        if zone not in self._smallest:
            places = (*COUNTRIES, *self.within, *REST)
            self._smallest[zone] = {place for place in places if self.holds(zone, place)}
        return self._smallest[zone]

    def inside(self, zones: tuple[str, ...], allowed: tuple[str, ...]) -> bool:
        return all(
            any(place in self.smallest(one) for one in allowed) for zone in zones for place in self.smallest(zone)
        )

    def may_be(self, place: str) -> set[str]:
        """Countries of which a place of the user's may be in any."""
        options = []
        for around in self.within.get(place, ()):
            if around in self.within:
                options.append(self.may_be(around))
            else:
                options.append(set() if around in COUNTRIES else self.smallest(around) - set(self.within))
        return set.intersection(*options) if options else set()

    def touch(self, some: tuple[str, ...], others: tuple[str, ...]) -> bool:
        mine = {place for zone in some for place in self.smallest(zone)}
        theirs = {place for zone in others for place in self.smallest(zone)}
        maybe_mine = mine.union(*map(self.may_be, mine))
        maybe_theirs = theirs.union(*map(self.may_be, theirs))
        return bool(maybe_mine & theirs or mine & maybe_theirs)


REST = tuple(code for code in shipped().countries.codes.split() if code not in COUNTRIES)


@lru_cache(POOL)
def map_of(seed: int) -> Map:
    rng = Random(seed)  # noqa: S311 - an example
    around = (*COUNTRIES, *SETS)
    tables = {
        "union": {"members": rng.sample(around, rng.randint(1, 3))},
        "alps": {"members": ["CH", *rng.sample(("union", "FR", "attic"), rng.randint(0, 2))]},
        "cellar": {"within": rng.sample((*around, "union"), rng.randint(1, 2))},
        "rack": {"within": ["cellar"]},
        "attic": {"within": [rng.choice(around)]},
    }
    faults = Faults()
    zones = ZoneReader({name: ZoneTable.model_validate(table) for name, table in tables.items()}, faults).read()
    assert not faults.found
    members = {name: listed.members for name, listed in shipped().zones.items()}
    members |= {name: tuple(table["members"]) for name, table in tables.items() if "members" in table}
    within = {name: tuple(table["within"]) for name, table in tables.items() if "within" in table}
    return Map(Zones(zones), members, within)


def binds(one: Jurisdiction, met: Circumstances, route: Route, the_map: Map) -> bool:
    who = one.subjects
    return (
        one.name in {route.jurisdiction, *met.names}
        or met.key in who.keys
        or met.tenant in who.tenants
        or any(word in who.classes for word in met.classes)
        or bool(met.regions and who.regions and the_map.touch(met.regions, who.regions))
    )


def may(one: Jurisdiction, target: Target, the_map: Map) -> bool:
    """Whether a jurisdiction allows a target, line by line as its documentation says."""
    asked, deny, place = one.constraints, one.deny, target.place
    kept = 0.0 if place.zero_retention else place.retention
    return (
        target.name not in deny.targets
        and in_zones(asked, place, the_map)
        and out_of_zones(deny, place, the_map)
        and not any(words and word in {None, *words} for words, word in words_of(deny, place))
        and all(words is None or word in words for words, word in words_of(asked, place))
        and (place.zero_retention is True or not asked.zero_retention)
        and (asked.retention is None or (kept is not None and kept <= asked.retention))
    )


def words_of(asked: Constraints | Deny, place: Place) -> list[tuple[tuple[str, ...] | None, str | None]]:
    return [(asked.operators, place.operator), (asked.transfers, place.transfer)]


def in_zones(asked: Constraints, place: Place, the_map: Map) -> bool:
    others = None if place.subprocessors is None else [other.seat for other in place.subprocessors]
    seat = (place.seat,) if place.seat else None
    zoned = [(asked.processes, place.processes), (asked.stores, place.stores), (asked.seats, seat)]
    if asked.subprocessors is not None:
        if others is None or None in others:
            return False
        zoned.append((asked.subprocessors, tuple(seat for seat in others if seat)))
    for allowed, declared in zoned:
        if allowed is not None and (declared is None or not the_map.inside(declared, allowed)):
            return False
    return True


def out_of_zones(deny: Deny, place: Place, the_map: Map) -> bool:
    seat = (place.seat,) if place.seat else None
    for denied, declared in ((deny.processes, place.processes), (deny.stores, place.stores), (deny.seats, seat)):
        if denied and (declared is None or the_map.touch(declared, denied)):
            return False
    return True


seeds = st.integers(0, POOL - 1)
names = st.sampled_from(NAMES)
zones = st.lists(names, min_size=1, max_size=2, unique=True).map(tuple)
wide = st.one_of(st.sampled_from([("EU",), ("EEA", "ADEQUATE"), ("WORLD",)]), zones)
rarely = st.sampled_from([False, False, False, True])
transfers = st.sampled_from([*Transfer, Transfer.NONE])


def perhaps(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(st.none(), st.none(), strategy)


places = st.builds(
    Place,
    processes=st.one_of(st.none(), zones, zones, zones),
    stores=st.one_of(st.none(), st.just(()), zones),
    operator=st.one_of(st.none(), st.sampled_from(OPERATORS), st.sampled_from(OPERATORS)),
    seat=st.one_of(st.none(), names, names),
    transfer=st.one_of(st.none(), transfers, transfers),
    retention=st.sampled_from([None, 0.0, 100.0]),
    subprocessors=st.one_of(
        st.none(), st.lists(st.builds(Subprocessor, st.just("s"), st.one_of(st.none(), names)), max_size=2).map(tuple)
    ),
) | st.builds(Place, processes=zones, stores=st.just(()), zero_retention=st.just(value=True))

constraints = st.builds(
    Constraints,
    processes=st.one_of(st.none(), wide, wide),
    stores=perhaps(wide),
    operators=perhaps(st.sampled_from([("Alpha",), OPERATORS])),
    seats=perhaps(wide),
    transfers=perhaps(st.lists(transfers, min_size=1, max_size=3).map(tuple)),
    retention=perhaps(st.sampled_from([0.0, 50.0, 100.0])),
    zero_retention=rarely,
    subprocessors=perhaps(wide),
) | st.builds(Constraints, processes=wide)

denials = st.builds(
    Deny,
    targets=st.sampled_from([(), (), ("a",)]),
    operators=st.sampled_from([(), (), (), ("Beta",)]),
    seats=st.one_of(st.just(()), st.just(()), zones),
    processes=st.one_of(st.just(()), st.just(()), zones),
    stores=st.one_of(st.just(()), st.just(()), zones),
    transfers=st.sampled_from([(), (), (), (Transfer.DPF,)]),
) | st.just(Deny())

subjects = st.builds(
    Subjects,
    keys=st.sampled_from([(), (), ("app",)]),
    tenants=st.sampled_from([(), (), ("acme",)]),
    classes=st.sampled_from([(), (), ("health",)]),
    regions=st.one_of(st.just(()), st.just(()), zones),
)
owed = st.builds(Obligations, hedge=st.booleans(), resume=st.booleans(), keep=st.booleans())


@st.composite
def jurisdictions(draw: st.DrawFn) -> list[Jurisdiction]:
    number = draw(st.integers(1, 3))
    return [Jurisdiction(f"j{i}", draw(subjects), draw(constraints), draw(denials), draw(owed)) for i in range(number)]


circumstances = st.builds(
    Circumstances,
    key=st.sampled_from([None, "app", "other"]),
    tenant=st.sampled_from([None, "acme"]),
    classes=st.sampled_from([(), ("health",)]),
    regions=st.one_of(st.just(()), zones),
    names=st.sampled_from([(), ("j0",)]),
    zones=st.one_of(st.just(()), st.just(()), wide),
)
