"""Whether everybody who is admitted is served: each key, on each of its routes, under all that binds it there.

Knows keys, routes, jurisdictions and targets as they have been read, and asks the policy's own rule.
"""

from collections.abc import Iterable, Mapping

from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.config.places import JurisdictionTable, Unserved
from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import Jurisdiction
from surefoot.domain.route import Route, Rung
from surefoot.domain.target import Target
from surefoot.policy.jurisdictions import Jurisdictions, met_by
from surefoot.policy.rules.jurisdiction import forbids


class Served:
    """See the module."""

    def __init__(self, jurisdictions: Jurisdictions, targets: Mapping[str, Target], faults: Faults) -> None:
        self.jurisdictions = jurisdictions
        self._targets = targets
        self._faults = faults

    def forbidden(self, route: Route, rung: Rung, parts: Iterable[Jurisdiction] = ()) -> str | None:
        """Why a rung can serve no call that is bound by these parts, by its route and by the routes it came from."""
        own = () if route.jurisdiction is None else (route.jurisdiction,)
        bound = {one.name: one for one in (*self.jurisdictions.named((*own, *rung.jurisdictions)), *parts)}
        for part in bound.values():
            why = forbids(part, self._targets[rung.target], self.jurisdictions.zones)
            if why is not None:
                return f"{part.name}: {why}"
        return None

    def allowed(self, route: Route, parts: Iterable[Jurisdiction] = ()) -> list[Target]:
        """The targets of a route that these parts allow, of whatever length the prompt is, as listed."""
        bound = tuple(parts)
        names = dict.fromkeys(rung.target for rung in route.rungs if self.forbidden(route, rung, bound) is None)
        return [self._targets[name] for name in names]

    def check(
        self, routes: Iterable[Route], keys: Iterable[ClientKey], tables: Mapping[str, JurisdictionTable]
    ) -> None:
        """Tell of every key that a route cannot serve, though its own jurisdiction leaves it a target."""
        known = list(keys)
        self._tell_unknown_keys(tables, [key.name for key in known])
        for route in routes:
            if any(self.forbidden(route, rung) is None for rung in route.rungs):
                for key in [key for key in known if key.routes is None or route.name in key.routes]:
                    self._check(route, key, tables)

    def _check(self, route: Route, key: ClientKey, tables: Mapping[str, JurisdictionTable]) -> None:
        applied = self.jurisdictions.bind(route, met_by(key))
        reasons = [(rung.target, self.forbidden(route, rung, applied.parts)) for rung in route.rungs]
        if any(why is None for _, why in reasons):
            return
        story = "; ".join(dict.fromkeys(f"{target}: {why}" for target, why in reasons))
        sentence = f'has no target that the key "{key.name}" may use, which is bound by {applied.name}: {story}'
        path = path_of("routes", route.name)
        if any(tables[part.name].unserved is Unserved.WARNING for part in applied.parts):
            self._faults.warn(path, sentence)
        else:
            self._faults.add(path, f'{sentence}. Add one, or declare it: unserved = "warning"')

    def _tell_unknown_keys(self, tables: Mapping[str, JurisdictionTable], keys: Iterable[str]) -> None:
        """A subject may be a key that is made later, so that this is no fault."""
        known = list(keys)
        for name, table in tables.items():
            for key in [key for key in table.subjects.keys if key and key not in known]:
                path = f"{path_of('jurisdiction', name)}.subjects.keys"
                self._faults.warn(path, f'there is no key "{key}" in this file; {did_you_mean(key, known)}')
