"""Whether everybody who is admitted is served: each key, on each of its routes, under all that binds it there.

Knows keys, routes, jurisdictions and targets as they have been read, and asks the policy's own rule.
"""

from collections.abc import Iterable, Mapping, Sequence

from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.config.places import JurisdictionTable, Unserved
from surefoot.config.quantities import show_tokens
from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import Applied, Jurisdiction
from surefoot.domain.route import Route, Rung, When
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
        self._tell_strangers(tables, known)
        for route in routes:
            if any(self.forbidden(route, rung) is None for rung in route.rungs):
                for key in [key for key in known if key.routes is None or route.name in key.routes]:
                    self._check(route, key, tables)

    def _check(self, route: Route, key: ClientKey, tables: Mapping[str, JurisdictionTable]) -> None:
        applied = self.jurisdictions.bind(route, met_by(key))
        reasons = [(rung.target, self.forbidden(route, rung, applied.parts)) for rung in route.rungs]
        serving = [rung for rung, (_, why) in zip(route.rungs, reasons, strict=True) if why is None]
        if serving:
            self._check_lengths(route, key, applied, serving)
            return
        story = "; ".join(dict.fromkeys(f"{target}: {why}" for target, why in reasons))
        sentence = f'has no target that the key "{key.name}" may use, which is bound by {applied.name}: {story}'
        path = path_of("routes", route.name)
        if any(tables[part.name].unserved is Unserved.WARNING for part in applied.parts):
            self._faults.warn(path, sentence)
        else:
            self._faults.add(path, f'{sentence}. Add one, or declare it: unserved = "warning"')

    def _check_lengths(self, route: Route, key: ClientKey, applied: Applied, serving: Iterable[Rung]) -> None:
        """Warn where those who are left for a key take only some of the prompts that the route can answer."""
        usual = self._lengths(rung for rung in route.rungs if self.forbidden(route, rung) is None)
        missing = _missing(usual, self._lengths(serving))
        if missing:
            sizes = ", ".join(show_tokens(when) for when in missing)
            self._faults.warn(
                path_of("routes", route.name),
                f'has no target for prompts of {sizes} tokens that the key "{key.name}" may use, which is bound by '
                f"{applied.name}; they are refused",
            )

    def _lengths(self, rungs: Iterable[Rung]) -> list[When]:
        """For which lengths of prompts each rung is used, and fits into its target's window."""
        windows = [(rung.when, self._targets[rung.target].window) for rung in rungs]
        return [
            when if window is None else When(when.least, window if when.most is None else min(when.most, window))
            for when, window in windows
        ]

    def _tell_strangers(self, tables: Mapping[str, JurisdictionTable], keys: Sequence[ClientKey]) -> None:
        """A subject may be a key that is made later, or the tenant of one, so that this is no fault."""
        names = [key.name for key in keys]
        tenants = sorted({key.tenant for key in keys if key.tenant is not None})
        for name, table in tables.items():
            for part, named, known, sentence in (
                ("keys", table.subjects.keys, names, 'there is no key "{}" in this file'),
                ("tenants", table.subjects.tenants, tenants, 'no key has the tenant "{}"'),
            ):
                for word in [word for word in named if word and word not in known]:
                    path = f"{path_of('jurisdiction', name)}.subjects.{part}"
                    self._faults.warn(path, f"{sentence.format(word)}; {did_you_mean(word, known)}")


def _missing(usual: Sequence[When], these: Sequence[When]) -> list[When]:
    """The ranges of lengths for which one of the usual holds, and none of these."""
    both = (*usual, *these)  # between two edges the same ones hold
    edges = sorted({*(when.least for when in both), *(when.most + 1 for when in both if when.most is not None)})
    found: list[When] = []
    for start, after in zip(edges, [*edges[1:], None], strict=True):
        if not any(when.holds(start) for when in usual) or any(when.holds(start) for when in these):
            continue
        joins = bool(found) and found[-1].most == start - 1
        least = found.pop().least if joins else start
        found.append(When(least, None if after is None else after - 1))
    return found
