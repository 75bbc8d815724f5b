"""The binder: finds all that binds a request, from its key, its route and its headers, which can only narrow.

    surefoot-jurisdiction: NAME[, NAME]    these bind too
    surefoot-place: ZONE[, ZONE]           only where all processing lies within these, taken together
    surefoot-data-class: CLASS[, CLASS]    what the key says of its data, and this
    surefoot-data-region: ZONE[, ZONE]     likewise: where the people live whom it is about

A name that nobody knows is refused and not ignored: a slip of the pen must not let data out. What was found is
remembered, within bounds.

Knows headers and names. Must never look at a target.
"""

from collections.abc import Callable, Iterable, Mapping

from surefoot.dialects.dialect import Complaint
from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import ANYWHERE, Applied, Circumstances
from surefoot.domain.route import Route
from surefoot.gateway.complaints import refusal
from surefoot.gateway.own_headers import CLASS, JURISDICTION, PLACE, REGION, code_of
from surefoot.policy.jurisdictions import Jurisdictions, met_by

NARROWING = (JURISDICTION, PLACE, CLASS, REGION)

REMEMBERED = 4096
"""Combinations that are remembered; then all are forgotten, and the common ones are soon back."""

Asked = tuple[str, str, tuple[bytes | None, ...] | None]


class Binder:
    """See the module. One lives as long as its configuration."""

    __slots__ = ("_found", "_jurisdictions")

    def __init__(self, jurisdictions: Jurisdictions) -> None:
        self._jurisdictions = jurisdictions
        self._found: dict[Asked, tuple[ClientKey, Applied]] = {}

    def applied(self, key: ClientKey, route: Route, headers: Mapping[bytes, bytes]) -> Applied | Complaint:
        """All that binds, or what is wrong with the headers. Their form has been found right.

        Where no key is asked for it is `ANYONE`'s.
        """
        said = tuple([headers.get(name) for name in NARROWING]) if headers else None
        asked = (key.name, route.name, said)
        found = self._found.get(asked)
        if found is not None and found[0] is key:
            return found[1]
        met = self._met(key, headers)
        if isinstance(met, Complaint):
            return met
        try:
            applied = self._jurisdictions.bind(route, met)
        except KeyError as error:  # a key that is newer than this configuration: what it is bound by is not known
            message = f"This key is bound by the jurisdiction {error}, which this gateway does not know yet."
            return refusal(503, "unknown_jurisdiction", message)
        if len(self._found) >= REMEMBERED:
            self._found.clear()
        self._found[asked] = (key, applied)
        return applied

    def _met(self, key: ClientKey, headers: Mapping[bytes, bytes]) -> Circumstances | Complaint:
        own = met_by(key)
        zones, classes = self._jurisdictions.zones, {*self._jurisdictions.classes, *own.classes}
        names = {ANYWHERE.name, *self._jurisdictions.by_name}
        read: list[tuple[str, ...]] = []
        for header, known, name_of in (
            (JURISDICTION, names, lambda word: word if word in names else None),
            (CLASS, classes, lambda word: word if word in classes else None),
            (REGION, zones.names, zones.name_of),
            (PLACE, zones.names, zones.name_of),
        ):
            words = _words(header, headers, known, name_of)
            if isinstance(words, Complaint):
                return words
            read.append(words)
        named, more, regions, narrowed = read
        return Circumstances(
            own.key,
            own.tenant,
            (*own.classes, *more),
            (*own.regions, *regions),
            (*own.names, *named),
            narrowed,
        )


def _words(
    header: bytes, headers: Mapping[bytes, bytes], known: Iterable[str], name_of: Callable[[str], str | None]
) -> tuple[str, ...] | Complaint:
    """The names in a header, as they are written in the configuration."""
    value = headers.get(header)
    if value is None:
        return ()
    words = [word.strip() for word in value.decode("latin-1").split(",")]
    found = [name_of(word) for word in words]
    if None in found:
        unknown = words[found.index(None)][:100]
        listed = ", ".join(sorted(known)) or "there is none"
        message = f"The header {header.decode()} names '{unknown}', which is not known here. Known: {listed}."
        return refusal(400, code_of("unknown", header), message)
    return tuple(word for word in found if word is not None)
