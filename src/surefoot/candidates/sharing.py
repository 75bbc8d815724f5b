"""What a candidate's fallbacks share with its first targets, so that both can fail at once.

A failure domain is shared where both targets declare it with the same name. beta, the share of the first target's
outage in which the fallback is out as well, is 1 where cloud and region are shared (IEC 61508-6: nothing is left that
fails apart); elsewhere it is measured in the outages that are replayed. Must never: take what is not declared for not
shared.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct

from surefoot.candidates.measuring import effective
from surefoot.config.configuration import Configuration
from surefoot.config.faults import Faults
from surefoot.config.served import Served
from surefoot.domain.route import Route
from surefoot.domain.target import Target
from surefoot.evidence.spans import Span, common, length, lengths_within, union
from surefoot.facts import Fact
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.zones import Zones
from surefoot.replay.arms import primaries
from surefoot.replay.counting.arranged import Arranged
from surefoot.replay.counting.numbers import Measured, Numbers
from surefoot.replay.counting.tally import MONDAY, WEEK, Tally
from surefoot.replay.counting.toll import MICRO
from surefoot.replay.virtual.result import Floats, Integers

TOTAL = ("cloud", "region")
"""Domains of which beta is 1 where all are shared."""


class Pair(Struct, frozen=True, kw_only=True):
    """A first target and one that may stand in for it."""

    route: str
    first: str
    fallback: str
    shared: tuple[str, ...]
    """`cloud azure`."""
    undeclared: tuple[str, ...]
    """Of cloud and region, what either of them leaves unsaid."""
    forbidden: str = ""
    """Why the second may not serve any call of the route: then it is no fallback."""

    @property
    def total(self) -> bool:
        """Whether nothing is left that fails apart."""
        return {one.partition(" ")[0] for one in self.shared} >= set(TOTAL)


def pairs_of(configuration: Configuration, routes: Sequence[str]) -> list[Pair]:
    """Each fallback of each first target, in the order of the routes."""
    known = {target.name: target for target in configuration.targets}
    firsts = primaries(configuration)
    found: list[Pair] = []
    for route in configuration.routes:
        if route.name not in routes:
            continue
        laws = _laws(configuration, route)
        names = [one for one in laws if known[one].text is None]
        for first in firsts[route.name]:
            found += [_pair(route.name, known[first], known[one], laws[one]) for one in names if one != first]
    return found


def alone_by_law(configuration: Configuration, routes: Sequence[str]) -> Iterator[str]:
    """Of each route whose jurisdiction leaves one target of several: nothing is covered there, by law."""
    for route in configuration.routes:
        laws = _laws(configuration, route)
        may = [name for name, why in laws.items() if not why]
        if route.name in routes and len(may) == 1 < len(laws):
            yield f"uncovered by law: the route {route.name} may be served by {may[0]} alone, and nobody may stand in"


def _laws(configuration: Configuration, route: Route) -> dict[str, str]:
    """Each target of a route, with why the route's jurisdiction forbids it; empty where it may serve."""
    targets = {target.name: target for target in configuration.targets}
    served = Served(Jurisdictions(Zones(configuration.zones), configuration.jurisdictions), targets, Faults())
    found: dict[str, str] = {}
    for rung in route.rungs:
        why = served.forbidden(route, rung) or ""
        found[rung.target] = why if found.get(rung.target, why) else ""  # one rung that may is enough
    return found


def _pair(route: str, first: Target, fallback: Target, law: str) -> Pair:
    shared = (f"{name} {value}" for name, value in first.domains.items() if fallback.domains.get(name) == value)
    unsaid = (name for name in TOTAL if name not in first.domains or name not in fallback.domains)
    return Pair(
        route=route,
        first=first.name,
        fallback=fallback.name,
        shared=tuple(shared),
        undeclared=tuple(unsaid),
        forbidden=law,
    )


def told(pair: Pair, arranged: Arranged, meter: Numbers) -> Iterator[Measured]:
    """How many domains the pair shares, and its beta."""
    start = f"route.{pair.route}.{pair.first}.{pair.fallback}"
    law = f"may not serve: {pair.forbidden}" if pair.forbidden else ""
    notes = [law, ", ".join(pair.shared), *(f"{name} not declared" for name in pair.undeclared)]
    yield Measured(
        Fact(
            name=f"{meter.prefix}.{start}.shared",
            value=len(pair.shared),
            unit="domains",
            n=2,
            method="failure domains that both declare by the same name",
            note="; ".join(note for note in notes if note),
        )
    )
    if pair.total:
        how = "cloud and region are shared: whatever strikes one strikes the other"
        yield Measured(Fact(name=f"{meter.prefix}.{start}.beta", value=1.0, unit="share", n=2, method=how))
        return
    down, both = _by_week(arranged.tally, arranged.weeks, pair)
    if not down.any():
        yield meter.missing(f"{start}.beta", "share", 0, f"{pair.first} has no outage here")
        return
    how = "share of the first target's outage in which the fallback is out too"
    drawn = None
    if meter.weights is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = (meter.weights @ both) / (meter.weights @ down)
    lengths = _lengths(arranged.tally, pair.first)
    sample = int(both.sum()) / int(down.sum()), len(lengths), effective(lengths)
    yield meter.of_cases(f"{start}.beta", sample, how, drawn)


def _lengths(tally: Tally, target: str) -> Floats:
    """Seconds of each incident in which a target was out, in the time of the traffic."""
    spans: dict[str, list[Span]] = {}
    for one in tally.outages:
        if one.target == target and one.end > tally.first and one.start < tally.last:
            spans.setdefault(one.incident, []).append((max(one.start, tally.first), min(one.end, tally.last)))
    return np.array([length(union(those)) for those in spans.values()])


def _by_week(tally: Tally, weeks: range, pair: Pair) -> tuple[Integers, Integers]:
    """Microseconds of the first target's outage in each week, and of those in which both are out."""
    mondays = MONDAY + WEEK * np.arange(weeks.start, weeks.stop + 1, dtype=np.float64)
    edges = np.clip(mondays, tally.first, tally.last)
    first, fallback = (
        union((one.start, one.end) for one in tally.outages if one.target == name)
        for name in (pair.first, pair.fallback)
    )
    found = [
        np.rint(lengths_within(spans, edges) * MICRO).astype(np.int64) for spans in (first, common(first, fallback))
    ]
    return found[0], found[1]
