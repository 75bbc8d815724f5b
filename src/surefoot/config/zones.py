"""From the zones that ship and the user's own to what the policy compares: sets of atoms.

Knows `zones.toml` beside it. Must never know who lies where: that is data.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.config.places import ZoneTable
from surefoot.domain.place import Zone
from surefoot.policy.zones import EVERYWHERE


class Listed(Struct, frozen=True, forbid_unknown_fields=True):
    """A set of countries that ships."""

    members: tuple[str, ...]
    source: str
    """Where this was read."""
    as_of: str
    """When, as year and month."""


class Countries(Struct, frozen=True, forbid_unknown_fields=True):
    """The smallest zones that ship."""

    codes: str
    source: str
    as_of: str


class Shipped(Struct, frozen=True, forbid_unknown_fields=True):
    """All of `zones.toml`."""

    countries: Countries
    zones: dict[str, Listed]


@cache
def shipped() -> Shipped:
    """The zones that ship, each with its source."""
    text = (files("surefoot.config") / "zones.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Shipped)


class ZoneReader:
    """Resolves every zone of one file."""

    def __init__(self, tables: Mapping[str, ZoneTable], faults: Faults) -> None:
        self._tables = tables
        self._faults = faults
        self._countries = tuple(shipped().countries.codes.split())
        self._members = {name: listed.members for name, listed in shipped().zones.items()}
        """What each zone is made of."""
        self._within: dict[str, tuple[str, ...]] = {}
        """What each of the user's own places lies in."""
        self._names = {name.casefold(): name for name in (EVERYWHERE, *self._countries, *self._members)}

    def read(self) -> dict[str, Zone]:
        """Every zone by name, with every fault of the user's own told."""
        for name in self._tables:
            known = self._names.setdefault(name.casefold(), name)
            if known != name or name in self._countries or name in self._members or name == EVERYWHERE:
                self._faults.add(path_of("zones", name), f'the zone "{known}" is there already; choose another name')
        for name, table in self._tables.items():
            if not self._faults.within(path_of("zones", name)):
                self._members |= {name: self._named(name, "members", table.members)} if table.members else {}
                self._within |= {name: self._named(name, "within", table.within)} if table.within else {}
        self._tell_circles()
        atoms = self._atoms()
        return {name: self._zone(name, atoms) for name in atoms}

    def _named(self, zone: str, key: str, words: Iterable[str | None]) -> tuple[str, ...]:
        found = {word: self._names.get(word.casefold()) for word in words if word}
        for word, name in found.items():
            if name is None:
                hint = did_you_mean(word, self._names.values())
                self._faults.add(path_of("zones", zone, key), f'there is no zone "{word}"; {hint}')
        return tuple(name for name in found.values() if name is not None)

    def _tell_circles(self) -> None:
        """A zone that is made of itself, or lies in itself, stands for nothing."""
        leads = {**self._members, **self._within}
        for name, first in leads.items():
            reached: set[str] = set()
            fresh = set(first)
            while fresh:
                reached |= fresh
                fresh = {following for one in fresh for following in leads.get(one, ())} - reached
            if name in reached:
                self._faults.add(path_of("zones", name), "goes round in a circle: it leads back to itself")

    def _atoms(self) -> dict[str, frozenset[str]]:
        """What each zone holds: the least sets for which all memberships hold."""
        places = {*self._countries, *self._within}
        atoms = {
            name: {name} if name in places else set() for name in (*self._countries, *self._members, *self._within)
        }
        atoms[EVERYWHERE] = places
        pairs = [(outer, inner) for outer, members in self._members.items() for inner in members]
        pairs += [(outer, inner) for inner, outers in self._within.items() for outer in outers]
        while any(not atoms[inner] <= atoms[outer] for outer, inner in pairs):
            for outer, inner in pairs:
                atoms[outer] |= atoms[inner]
        return {name: frozenset(held) for name, held in atoms.items()}

    def _zone(self, name: str, atoms: Mapping[str, frozenset[str]]) -> Zone:
        reach = atoms[name].union(*(self._may_be(atom, atoms) for atom in atoms[name]))
        return Zone(atoms[name], reach, own=name in self._tables)

    def _may_be(self, atom: str, atoms: Mapping[str, frozenset[str]], trail: tuple[str, ...] = ()) -> frozenset[str]:
        """The countries of which an own place may be in any; none where it is known in which it is."""
        options: list[frozenset[str]] = []
        for outer in self._within.get(atom, ()):
            if outer in trail:
                return frozenset()
            if outer in self._within:
                options.append(self._may_be(outer, atoms, (*trail, atom)))
            else:
                options.append(frozenset() if outer in self._countries else atoms[outer].intersection(self._countries))
        return frozenset.intersection(*options) if options else frozenset()
