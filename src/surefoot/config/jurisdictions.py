"""From the tables of places and jurisdictions to what the policy goes by.

Knows zones and targets by name. What a jurisdiction makes of a target is the policy's business.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.config.places import ConfirmTable, JurisdictionTable, PlaceTable
from surefoot.domain.jurisdiction import (
    ANYWHERE,
    Constraints,
    Deny,
    Jurisdiction,
    Obligations,
    Subjects,
)
from surefoot.domain.place import NOWHERE_SAID, Confirmation, Fact, Place, Subprocessor
from surefoot.policy.witness import zones_named
from surefoot.policy.zones import Zones


class PlaceReader:
    """Reads places and jurisdictions over known zones."""

    def __init__(self, zones: Zones, faults: Faults) -> None:
        self._zones = zones
        self._faults = faults

    def place(self, path: str, table: PlaceTable | None, usual: tuple[Confirmation, ...] = ()) -> Place:
        """A target's place. `usual` is what answers of its provider confirm, unless the file says otherwise."""
        if table is None:
            return replace(NOWHERE_SAID, confirms=usual)
        others = table.subprocessors
        place = Place(
            processes=self._listed(f"{path}.processes", table.processes),
            stores=self._listed(f"{path}.stores", table.stores),
            operator=table.operator,
            seat=None if table.seat is None else self._zone(f"{path}.seat", table.seat),
            transfer=table.transfer,
            retention=table.retention,
            zero_retention=table.zero_retention,
            subprocessors=None
            if others is None
            else tuple(
                Subprocessor(
                    one.name, None if one.seat is None else self._zone(f"{path}.subprocessors[{i}].seat", one.seat)
                )
                for i, one in enumerate(others)
                if one
            ),
            confirms=usual
            if table.confirms is None
            else tuple(self._confirmation(f"{path}.confirms[{i}]", one) for i, one in enumerate(table.confirms) if one),
        )
        self._tell_too_small(path, place)
        return place

    def jurisdiction(self, name: str, table: JurisdictionTable, targets: Iterable[str]) -> Jurisdiction:
        """One jurisdiction."""
        path = path_of("jurisdiction", name)
        if name.casefold() == ANYWHERE.name:
            self._faults.add(path, f'"{ANYWHERE.name}" is built in and binds nothing; choose another name')
        subjects, deny = table.subjects, table.deny
        known = list(targets)
        for target in [target for target in deny.targets if target and target not in known]:
            self._faults.add(f"{path}.deny.targets", f'there is no target "{target}"; {did_you_mean(target, known)}')
        return Jurisdiction(
            name,
            Subjects(
                _words(subjects.keys),
                _words(subjects.tenants),
                _words(subjects.classes),
                self._zones_of(f"{path}.subjects.regions", subjects.regions),
            ),
            Constraints(
                processes=self._listed(f"{path}.processes", table.processes),
                stores=self._listed(f"{path}.stores", table.stores),
                operators=None if table.operators is None else _words(table.operators),
                seats=self._listed(f"{path}.seats", table.seats),
                transfers=None if table.transfers is None else tuple(one for one in table.transfers if one),
                retention=table.retention,
                zero_retention=table.zero_retention,
                subprocessors=self._listed(f"{path}.subprocessors", table.subprocessors),
            ),
            Deny(
                _words(deny.targets),
                _words(deny.operators),
                self._zones_of(f"{path}.deny.seats", deny.seats),
                self._zones_of(f"{path}.deny.processes", deny.processes),
                self._zones_of(f"{path}.deny.stores", deny.stores),
                tuple(one for one in deny.transfers if one),
            ),
            Obligations(**{key: getattr(table.obligations, key) for key in Obligations.__struct_fields__}),
        )

    def _confirmation(self, path: str, table: ConfirmTable) -> Confirmation:
        is_zone = table.fact is Fact.PROCESSES
        means = {
            said.lower(): self._zone(f"{path}.means", word) if is_zone else word for said, word in table.means.items()
        }
        header = None if table.header is None else table.header.lower()
        return Confirmation(table.fact, header, None if table.body is None else tuple(table.body.split(".")), means)

    def _tell_too_small(self, path: str, place: Place) -> None:
        """Warn of a place of the user's own that no answer can confirm."""
        words = zones_named(place.confirms)
        for zone in place.processes or ():
            nearest = sorted({word for word in words if self._zones.nameless(zone, word, words)})
            if nearest:
                sentence = f"an answer that names {' or '.join(nearest)} confirms nothing, and a wider one contradicts"
                self._faults.warn(
                    f"{path}.processes",
                    f'"{zone}" is smaller than any place that its answers can name (`confirms`): {sentence}',
                )

    def _listed(self, path: str, words: Iterable[str | None] | None) -> tuple[str, ...] | None:
        return None if words is None else self._zones_of(path, words)

    def _zones_of(self, path: str, words: Iterable[str | None]) -> tuple[str, ...]:
        return tuple(self._zone(path, word) for word in words if word)

    def _zone(self, path: str, word: str) -> str:
        """The zone as it is written; an unknown one is told."""
        name = self._zones.name_of(word)
        if name is None and not self._faults.within(path_of("zones", word)):
            hint = f"{did_you_mean(word, self._zones.names)} A zone of your own is a table [zones.NAME]"
            self._faults.add(path, f'there is no zone "{word}"; {hint}')
        return name or word


def _words(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(word for word in words if word)
