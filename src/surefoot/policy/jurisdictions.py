"""Which jurisdictions bind a request, and what they are together.

By its key, its route, its headers and its subjects several may bind one request. All of them do: targets are taken away
by each and added by none, and of each obligation the strictest holds. A zone that a request is narrowed to is one part
more, without a name of its own in the configuration.

Knows names and sets. What a jurisdiction says of a target is `policy.rules.jurisdiction`'s.
"""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import (
    ANYWHERE,
    Applied,
    Circumstances,
    Constraints,
    Contradiction,
    Jurisdiction,
    Obligations,
    Subjects,
)
from surefoot.domain.route import Route
from surefoot.policy.zones import NO_ZONES, Zones

NARROWED = "place:"
"""Begins the name of the part that narrows a request to zones; those follow, with commas between."""


class Jurisdictions:
    """All jurisdictions of a configuration, over its zones."""

    def __init__(self, zones: Zones = NO_ZONES, listed: Iterable[Jurisdiction] = ()) -> None:
        self.zones = zones
        self.by_name = {one.name: one for one in listed}
        self.classes = frozenset(word for one in self.by_name.values() for word in one.subjects.classes)
        """Classes of data that any of them binds."""

    def bind(self, route: Route, met: Circumstances) -> Applied:
        """All that binds a call of a route in these circumstances. Raises `KeyError` for an unknown name."""
        own = () if route.jurisdiction is None else (route.jurisdiction,)
        parts = {one.name: one for one in self.named((*own, *met.names))}
        parts |= {name: one for name, one in self.by_name.items() if self._binds(one.subjects, met)}
        if met.zones:
            narrowed = self._narrowed(met.zones)
            parts[narrowed.name] = narrowed
        return self.together(parts.values(), self.inside(route))

    def inside(self, route: Route) -> tuple[Jurisdiction, ...]:
        """The jurisdictions of the routes inside a route, each of which binds only some of its rungs."""
        return self.named(sorted({name for rung in route.rungs for name in rung.jurisdictions}))

    def named(self, names: Iterable[str]) -> tuple[Jurisdiction, ...]:
        """Those of these names; `anywhere` binds nothing. Raises `KeyError` for an unknown name."""
        return tuple(self.by_name[name] for name in names if name != ANYWHERE.name)

    @staticmethod
    def together(parts: Iterable[Jurisdiction], inside: tuple[Jurisdiction, ...] = ()) -> Applied:
        """Several as one. What those `inside` oblige to is owed to the whole call: it may come to their targets."""
        listed = tuple(sorted(parts, key=lambda one: one.name))
        owed = strictest([one.obligations for one in (*listed, *inside)])
        if not listed and owed == Obligations():
            return ANYWHERE
        name = "+".join(one.name for one in listed) or ANYWHERE.name
        text = msgspec.json.encode([listed, owed], order="deterministic")
        return Applied(name, listed, owed, blake2b(text, digest_size=8).hexdigest())

    def _binds(self, subjects: Subjects, met: Circumstances) -> bool:
        return (
            met.key in subjects.keys
            or met.tenant in subjects.tenants
            or not set(subjects.classes).isdisjoint(met.classes)
            or self.zones.overlap(met.regions, subjects.regions)
        )

    def _narrowed(self, zones: Iterable[str]) -> Jurisdiction:
        names = tuple(sorted({self.zones.name_of(zone) or zone for zone in zones}))
        return Jurisdiction(f"{NARROWED}{','.join(names)}", constraints=Constraints(processes=names))


def met_by(key: ClientKey) -> Circumstances:
    """The circumstances that a client's key alone brings about; `ANYONE`'s brings about none."""
    return Circumstances(key.name, key.tenant, key.classes, key.regions, key.jurisdictions)


def strictest(owed: Iterable[Obligations]) -> Obligations:
    """Of each obligation the strictest."""
    all_of = list(owed) or [Obligations()]
    fails = any(one.contradiction is Contradiction.FAIL for one in all_of)
    return Obligations(
        hedge=all(one.hedge for one in all_of),
        resume=all(one.resume for one in all_of),
        keep=all(one.keep for one in all_of),
        receipts=any(one.receipts for one in all_of),
        contradiction=Contradiction.FAIL if fails else Contradiction.FLAG,
    )


NO_JURISDICTIONS = Jurisdictions()
"""None are known."""
