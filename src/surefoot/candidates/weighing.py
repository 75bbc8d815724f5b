"""Coverage of a candidate by its drills: of each route, and of all its calls.

Of one route it is that of a drill (`drill.weights`). Of several each is weighed by the share of the calls that ask for
it, and so are both ends of its interval, as if all routes erred to the same side: in the rates, which they share, they
do, and for the rest it is wider than need be. A route that nobody drilled may cover nothing or everything: it is in no
value, and both are in the interval.

All candidates are weighed by the same rates. Must never: take a route that was not drilled for one that was.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from surefoot.candidates.drilled import Drilled, OfRoute
from surefoot.config.rates import Rate, Rates
from surefoot.drill.catalogue import MODES
from surefoot.drill.coverage import BY_LAW, UNTESTED, cold, share
from surefoot.drill.weights import HOW, coverages
from surefoot.evidence.covering import Counted
from surefoot.facts import Fact
from surefoot.replay.counting.numbers import Measured

ENDLESS = 1_000_000
"""Times as many repetitions: what is left of the interval then is what the rates leave open."""


def coverages_of(found: Drilled, rates: Rates, prefix: str, seed: int) -> dict[str, Measured]:
    """The three coverages by name, the headline last; empty without a run."""
    return {
        name: Measured(_of_calls(f"{prefix}.coverage.{name}", _of_routes(found, rates, seed, name)))
        for name in HOW
        if found.counted
    }


def endless(found: Drilled, rates: Rates, prefix: str, seed: int) -> Fact:
    """Risk-weighted coverage with the same shares after drills without end of every route."""
    known = Drilled(routes=tuple(found.counted))
    return _of_calls(f"{prefix}.coverage.risk", _of_routes(known, rates, seed, "risk", ENDLESS))


def by_route(found: Drilled, rates: Rates, prefix: str, seed: int) -> Iterator[Fact]:
    """Of each route that was drilled its three coverages, and the share of each mode."""
    for one in found.counted:
        start = f"{prefix}.route.{one.route}"
        for fact in _facts(one, rates, seed, 1):
            yield replace(fact, name=f"{start}.{fact.name}")
        for mode in one.modes:
            k, n = _cold(one, mode)
            law = BY_LAW if mode in one.forbidden else ""
            how = "valid, whole answers within the deadline, of all cold calls"
            yield share(f"{start}.mode.{mode}.mitigated", k, n, how, law if n else UNTESTED)


def _of_routes(found: Drilled, rates: Rates, seed: int, name: str, times: int = 1) -> list[tuple[OfRoute, Fact | None]]:
    """Each route with one of its coverages; None where nothing is known."""
    those = []
    for one in found.routes:
        fact = next((fact for fact in _facts(one, rates, seed, times) if fact.name == f"coverage.{name}"), None)
        those.append((one, fact))
    return those


def _of_calls(name: str, routes: Sequence[tuple[OfRoute, Fact | None]]) -> Fact:
    """One coverage of all routes."""
    known = [(one, fact) for one, fact in routes if fact is not None and fact.value is not None]
    if len(routes) == 1 or not known:
        fact = next(fact for _, fact in routes if fact is not None)
        return replace(fact, name=name)
    unknown = [one for one, fact in routes if fact is None or fact.value is None]
    drilled, rest = sum(one.share for one, _ in known), sum(one.share for one in unknown)
    whole = drilled + rest
    words = ", ".join(f"{one.route} {one.share:.1%}" for one, _ in known)
    notes = [fact.note for _, fact in known] + [
        f"not drilled: {one.route}, {one.share:.1%} of calls" for one in unknown
    ]
    return Fact(
        name=name,
        value=sum(one.share * (fact.value or 0.0) for one, fact in known) / drilled,
        unit="share",
        n=sum(fact.n for _, fact in known),
        low=sum(one.share * (fact.low or 0.0) for one, fact in known) / whole,
        high=(sum(one.share * (fact.high or 0.0) for one, fact in known) + rest) / whole,
        confidence=known[0][1].confidence,
        method=f"{known[0][1].method}; routes weighed by the calls that ask for them ({words}), and so are both ends",
        note="; ".join(dict.fromkeys(note for note in notes if note)),
    )


def _facts(one: OfRoute, rates: Rates, seed: int, times: int) -> Iterator[Fact]:
    if not one.runs:
        return
    weighed = [rates.of[mode] for mode in one.modes if mode in rates.of]
    rows = [_counted(rate, one, times) for rate in weighed]
    scope = "" if len(one.modes) == len(MODES) else f"of the {len(weighed)} weighed modes of {len(one.modes)} chosen"
    yield from coverages(rows, weighed, seed, scope, "")


def _counted(rate: Rate, one: OfRoute, times: int) -> Counted:
    k, n = _cold(one, rate.mode)
    return Counted(rate.mode, rate.events, rate.impact, k * times, n * times, rate.mode in one.forbidden)


def _cold(one: OfRoute, mode: str) -> tuple[int, int]:
    """Mitigated, of cold calls."""
    those = [call for call in cold(one.repetitions) if call.mode == mode]
    return sum(call.mitigated and not call.passed_off for call in those), len(those)
