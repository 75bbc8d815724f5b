"""Which zone lies in which. A zone is a set of atoms: A lies within B if every atom of A is one of B's.

Atoms are countries and the user's own smallest zones. Of these, one may be known to lie somewhere within a zone of many
countries: then it is in none of them for certain, and may be in any. So what is *within* is asked of what is certain,
and what *overlaps* of what is possible. Names are matched without regard to case; an unknown name is within nothing
and overlaps with everything.

Knows sets. Must never know why anybody asks.
"""

from collections.abc import Iterable, Mapping

from surefoot.domain.place import Zone

EVERYWHERE = "WORLD"
"""The zone that holds all others."""


class Zones:
    """All zones of a configuration, by name."""

    def __init__(self, zones: Mapping[str, Zone]) -> None:
        self._zones = {name.casefold(): zone for name, zone in zones.items()}
        self._names = {name.casefold(): name for name in zones}
        self._broadest = sorted(zones, key=lambda name: (-len(zones[name].atoms), name))

    @property
    def names(self) -> list[str]:
        """Every name, as it is written."""
        return sorted(self._names.values())

    def name_of(self, word: str) -> str | None:
        """The name as it is written; None if there is no such zone."""
        return self._names.get(word.casefold())

    def within(self, inner: Iterable[str], outer: Iterable[str]) -> bool:
        """Whether all zones of the one list lie for certain within those of the other, taken together."""
        atoms = self._atoms(outer)
        found = [self._zones.get(name.casefold()) for name in inner]
        return all(zone is not None and zone.atoms <= atoms for zone in found)

    def overlap(self, some: Iterable[str], others: Iterable[str]) -> bool:
        """Whether any zone of the one list may have anything in common with any of the other."""
        theirs = [self._zones.get(name.casefold()) for name in others]
        for mine in [self._zones.get(name.casefold()) for name in some]:
            if any(mine is None or other is None or _touch(mine, other) for other in theirs):
                return True
        return False

    def nameless(self, place: str, said: str, words: Iterable[str]) -> bool:
        """Whether a place is the user's own and lies inside `said`, and none of these words stands for anything nearer.

        Then `said` is the most exact that whoever has only these words can say of it. The whole world names no place.
        """
        mine, named = self._atoms([place]), self._atoms([said])
        if not mine < named or named == self._atoms([EVERYWHERE]) or not all(self._is_own(atom) for atom in mine):
            return False
        known = [self._atoms([word]) for word in words]
        return not any(atoms <= mine or mine <= atoms < named for atoms in known)

    def _is_own(self, name: str) -> bool:
        return self._zones[name.casefold()].own

    def common(self, allowed: Iterable[Iterable[str]], denied: Iterable[str]) -> tuple[str, ...]:
        """As few names as possible for what lies within every list of zones and touches none of the denied.

        Zones that are the user's own are named only where no other is left: somebody else may not know them.
        """
        atoms = self._atoms([EVERYWHERE])
        for names in allowed:
            atoms &= self._atoms(names)
        shut = list(denied)
        fitting = [name for name in self._broadest if self._zones[name.casefold()].atoms <= atoms]
        fitting = [name for name in fitting if not self.overlap([name], shut)]
        shipped = [name for name in fitting if not self._zones[name.casefold()].own]
        return tuple(self._cover(shipped) or self._cover(fitting))

    def _cover(self, names: Iterable[str]) -> list[str]:
        covered: set[str] = set()
        chosen: list[str] = []
        for name in names:
            atoms = self._zones[name.casefold()].atoms
            if not atoms <= covered:
                chosen.append(name)
                covered |= atoms
        return chosen

    def _atoms(self, names: Iterable[str]) -> frozenset[str]:
        zones = [self._zones.get(name.casefold()) for name in names]
        return frozenset().union(*(zone.atoms for zone in zones if zone is not None))


def _touch(one: Zone, other: Zone) -> bool:
    return not (one.reach.isdisjoint(other.atoms) and one.atoms.isdisjoint(other.reach))


NO_ZONES = Zones({EVERYWHERE: Zone(frozenset(), frozenset())})
"""None are known."""
