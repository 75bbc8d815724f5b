"""From the tables of routes to `Route`s: references followed, cycles found, and whether a route can answer at all.

Knows rungs, conditions and jurisdictions by name. What a route prefers at a given moment is the policy's business.
"""

from collections.abc import Mapping

from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.config.quantities import show_tokens
from surefoot.config.served import Served
from surefoot.config.shape import FileTable, RouteTable, RungTable
from surefoot.config.targets import is_loopback
from surefoot.domain.jurisdiction import ANYWHERE
from surefoot.domain.route import Route, Rung, When
from surefoot.domain.target import Target

ANY = When()


class RouteReader:
    """Reads the routes of one file, once its targets are known."""

    def __init__(self, file: FileTable, targets: Mapping[str, Target], served: Served, faults: Faults) -> None:
        self._routes = file.routes
        self._served = served
        self._named = set(file.targets)
        self._targets = targets
        self._faults = faults
        self._cycles: set[frozenset[str]] = set()
        self._broken: set[str] = set()

    def read(self, name: str) -> Route:
        """One route, with every fault of it told."""
        table = self._routes[name]
        path = path_of("routes", name)
        if not name.isascii() or not name.isprintable() or not name.strip() or name != name.strip():
            self._faults.add(path, "a route's name is sent in a header: visible ASCII only")
        rungs = self._rungs(name, ANY, (name,))
        static = [
            rung for rung in rungs if rung.target in self._targets and self._targets[rung.target].text is not None
        ]
        route = Route(
            name,
            tuple(rung for rung in rungs if rung not in static),
            table.order,
            self._jurisdiction(name),
            table.limits,
            table.hedge,
            resume=table.resume,
            resume_prompt=table.resume_prompt,
            watch=table.watch,
            filtered=table.filtered,
            exercise=table.exercise,
            static=static[0].target if static else None,
        )
        if static and static[0] is not rungs[-1]:
            self._faults.add(f"{path}.targets", f"{static[0].target} is static and has to stand last, once")
        if static and static[0].when != ANY:
            self._faults.add(f"{path}.targets", f"{static[0].target} is static and takes no condition")
        if not table.targets:
            self._faults.add(f"{path}.targets", "is empty: name at least one target")
        elif not self._unclear(path, route):
            self._reachable(path, route)
        self._limits(path, table)
        return route

    def _jurisdiction(self, name: str) -> str | None:
        """The jurisdiction of a route; None if it is `anywhere`, or unknown, which is told."""
        named = self._routes[name].jurisdiction
        known = self._served.jurisdictions.by_name
        if named is None or named == ANYWHERE.name or named in known:
            return None if named == ANYWHERE.name else named
        path = path_of("routes", name, "jurisdiction")
        if not self._faults.within(path_of("jurisdiction", named)):
            hint = did_you_mean(named, [*known, ANYWHERE.name])
            self._faults.add(path, f'there is no jurisdiction "{named}"; {hint}')
        self._faults.spoil(path)
        return None

    def _unclear(self, path: str, route: Route) -> bool:
        """Whether the route or one of its targets could not be read in full, so that nothing follows from the rest."""
        if route.name in self._broken or any(map(self._faults.within, (path, "zones", "jurisdiction"))):
            return True
        names = [rung.target for rung in route.rungs]
        return any(name not in self._targets or self._faults.within(path_of("targets", name)) for name in names)

    def _rungs(self, name: str, outer: When, trail: tuple[str, ...]) -> list[Rung]:
        """The rungs of a route as they stand inside another, for the calls for which `outer` holds."""
        rungs: list[Rung] = []
        for i, table in enumerate(self._routes[name].targets):
            if table is None:
                continue
            path = path_of("routes", name, "targets", i)
            own = table.when.prompt_tokens if table.when else ANY
            when = both(outer, own)
            if when is None:
                if len(trail) == 1:
                    self._faults.warn(path, "is never used: its condition contradicts the one around it")
                continue
            inner = self._inner(path, table, when, trail)
            fresh = [piece for rung in inner for piece in without(rung, rungs)]
            if not fresh and inner and len(trail) == 1:
                self._faults.warn(path, "has no effect: what it names stands above already")
            rungs += fresh
        return rungs

    def _inner(self, path: str, table: RungTable, when: When, trail: tuple[str, ...]) -> list[Rung]:
        """What one line of a route stands for. A route inside another brings its jurisdiction with it."""
        if table.route is None and str(table.target) in self._named:
            return [Rung(str(table.target), when)]
        if table.route in self._routes and table.route not in trail:
            inner = self._rungs(table.route, when, (*trail, table.route))
            own = self._jurisdiction(table.route)
            return [Rung(r.target, r.when, (*r.jurisdictions, own)) if own else r for r in inner]
        self._broken.update(trail)
        if table.route is None:
            self._no_target(path, str(table.target))
        elif table.route in trail:
            self._cycle(path, trail[trail.index(table.route) :])
        elif not self._faults.within(path_of("routes", table.route)):
            hint = did_you_mean(table.route, self._routes)
            self._faults.add(path, f'there is no route "{table.route}"; {hint}')
        return []

    def _no_target(self, path: str, target: str) -> None:
        hint = did_you_mean(target, self._named)
        if target in self._routes:
            hint = f'that is a route: write {{ route = "{target}" }}'
        if not self._faults.within(path_of("targets", target)):
            self._faults.add(path, f'there is no target "{target}"; {hint}')

    def _cycle(self, path: str, cycle: tuple[str, ...]) -> None:
        """Told once, however many of its routes are read."""
        if frozenset(cycle) not in self._cycles:
            self._cycles.add(frozenset(cycle))
            self._faults.add(path, f"goes round in a circle: {' → '.join([*cycle, cycle[0]])}")

    def _reachable(self, path: str, route: Route) -> None:
        """Whether any rung can ever serve a call."""
        reasons = [(rung.target, self._never(route, rung)) for rung in route.rungs]
        if all(reason for _, reason in reasons):
            story = "; ".join(f"{target} {reason}" for target, reason in reasons)
            if route.static is not None and not reasons:
                story = f"{route.static} is static, and a route needs at least one real target beside it"
            self._faults.add(path, f"can never answer: {story or 'its conditions exclude one another'}")
            return
        for target, reason in reasons:
            if reason:
                self._faults.warn(f"{path}.targets", f"{target} is never used here: it {reason}")

    def _never(self, route: Route, rung: Rung) -> str | None:
        """Why a rung can serve no call, or None."""
        target = self._targets[rung.target]
        forbidden = self._served.forbidden(route, rung)
        if forbidden is not None:
            return f"is not allowed by {forbidden}"
        if target.window is not None and rung.when.least >= target.window:
            return f"is asked for prompts of {show_tokens(rung.when)} tokens, and its window is {target.window}"
        return None

    def _limits(self, path: str, table: RouteTable) -> None:
        for name in ("connect", "idle"):
            if not self._faults.within(f"{path}.limits") and getattr(table.limits, name) > table.limits.deadline:
                self._faults.add(f"{path}.limits.{name}", "is longer than the deadline of the whole call")


def both(one: When, other: When) -> When | None:
    """The lengths for which both hold, or None if there is none."""
    least = max(one.least, other.least)
    ends = [when.most for when in (one, other) if when.most is not None]
    most = min(ends) if ends else None
    return None if most is not None and least > most else When(least, most)


def without(rung: Rung, earlier: list[Rung]) -> list[Rung]:
    """A rung for those calls for which no earlier rung names the same target: each target is asked once."""
    pieces = [rung.when]
    for above in earlier:
        if above.target == rung.target and set(above.jurisdictions) <= set(rung.jurisdictions):
            pieces = [rest for piece in pieces for rest in less(piece, above.when)]
    return [Rung(rung.target, piece, rung.jurisdictions) for piece in pieces]


def less(piece: When, taken: When) -> list[When]:
    """What is left of a range when another is taken from it: nothing, one range or two."""
    left: list[When] = []
    if taken.least > 0:
        below = both(piece, When(0, taken.least - 1))
        left += [below] if below else []
    if taken.most is not None:
        above = both(piece, When(taken.most + 1))
        left += [above] if above else []
    return left


def tell_unused(routes: list[Route], targets: Mapping[str, Target], faults: Faults) -> None:
    """Warn of targets that no route names."""
    used = {rung.target for route in routes for rung in route.rungs} | {route.static for route in routes}
    for name in targets:
        if name not in used and not faults.within("routes"):
            faults.warn(path_of("targets", name), "is used by no route")


def tell_own_door(file: FileTable, targets: Mapping[str, Target], faults: Faults) -> None:
    """A target that is this gateway itself would send every call round in a circle."""
    listeners = [table for table in file.listeners if table]
    addresses = [table.address for table in listeners] or [("127.0.0.1", 8080)]
    ports = {port for host, port in addresses if port and (is_loopback(host) or host in {"0.0.0.0", "::"})}  # noqa: S104
    for name, target in targets.items():
        if is_loopback(target.endpoint.host) and target.endpoint.port in ports:
            sentence = "is this gateway's own listener; move the model server or the listener to another port"
            faults.add(f"{path_of('targets', name)}.base_url", sentence)
