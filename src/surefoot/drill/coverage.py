"""From drilled calls to coverage: per mode what became of them, how fast and for how much; then the three coverages.

A repetition counts if the twin's log shows that the fault struck, or if it is warm. *Cold* ones met the fault: the
breaker was closed. *Warm* ones found it open and went elsewhere at once. The two are told apart everywhere, and
coverage weighs the cold ones alone: how many of a drill's calls are warm is the drill's choice and says nothing of the
fallback.

A mode without a cold repetition is untested: its share is unknown, neither 0 nor 1. Modes without a rate are told of,
but not weighed. One sheet of facts is about one route.

Facts are named `mode.NAME.cold|warm.MEASURE`, `mode.NAME.events|impact|weight` and `coverage.modes|events|risk`.
Must never: count what did not strike, call an unknown price nothing, or leave a default rate unmarked.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from surefoot import __version__
from surefoot.drill.quantiles import CONFIDENCE, quantiles
from surefoot.drill.rates import Rate, Rates
from surefoot.drill.repetition import Repetition
from surefoot.errors import EvidenceError
from surefoot.evidence.covering import DRAWS, THRESHOLD, Band, Counted, Coverage, coverage, coverage_interval
from surefoot.evidence.intervals import event_rate, wilson
from surefoot.evidence.means import mean, mean_difference
from surefoot.facts import Fact, Facts

COLD = "cold"
WARM = "warm"

QUANTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))

UNTESTED = "untested"
"""What the note of a share begins with of which nothing is known."""

MEASURES = {
    "detect": "from the fault to the verdict, or to the moment at which another target was asked beside it, if sooner",
    "switch": "from that moment to the request to the next target on the wire",
    "fallback_ttft": "from that request on the wire to its first content",
    "ttft": "from the intended send time to the first content that the client saw",
    "end_to_end": "from the intended send time to the end of the answer",
}
"""The times of a repetition, by the name of its field."""

OF_WARM = ("ttft", "end_to_end")
"""A warm call has no fault to detect and nothing to switch from."""


class Drill(Struct, frozen=True, kw_only=True):
    """What was drilled on one route, and what it is weighed by."""

    repetitions: Sequence[Repetition]
    baseline: Sequence[Repetition] = ()
    """Calls of the steady state, when nothing failed: what a call costs then."""
    modes: Sequence[str]
    """All that the catalogue knows, drilled or not."""
    rates: Rates
    forbidden: frozenset[str] = frozenset()
    """Modes whose fallback the jurisdiction forbids: it covers nothing there."""
    why_untested: Mapping[str, str] = {}
    """Why a mode could not be drilled here, where that is known."""
    seed: int
    made: str
    """When: ISO 8601, UTC."""
    window: tuple[float, float]
    """Unix times of the first and last call."""
    inputs: str
    """Hash of configuration and plan."""


def facts_of(drill: Drill) -> Facts:
    """All facts of a drill. Raises `EvidenceError` for a repetition of an unknown mode, or weights that are all 0."""
    stray = sorted({one.mode for one in drill.repetitions} - set(drill.modes))
    if stray:
        raise EvidenceError(f"drilled, but in no catalogue: {', '.join(stray)}")
    by_mode: dict[str, list[Repetition]] = {mode: [] for mode in drill.modes}
    for one in drill.repetitions:
        by_mode[one.mode].append(one)
    found = [fact for mode, drilled in by_mode.items() for fact in _of_mode(mode, drilled, drill)]
    found += _over_all(drill)
    found += _coverages(drill, {mode: cold(drilled) for mode, drilled in by_mode.items()})
    return Facts(
        made=drill.made,
        program=f"surefoot {__version__} drill",
        seed=drill.seed,
        window=drill.window,
        inputs=drill.inputs,
        facts=tuple(found),
    )


def cold(repetitions: Sequence[Repetition]) -> list[Repetition]:
    """Those that met the fault with a closed breaker."""
    return [one for one in repetitions if one.delivered and not one.warm]


def warm(repetitions: Sequence[Repetition]) -> list[Repetition]:
    """Those that found the breaker open."""
    return [one for one in repetitions if one.warm]


def _of_mode(mode: str, repetitions: Sequence[Repetition], drill: Drill) -> Iterator[Fact]:
    start = f"mode.{mode}"
    for state, counted, measures in ((COLD, cold(repetitions), MEASURES), (WARM, warm(repetitions), OF_WARM)):
        yield from _of_answers(f"{start}.{state}", counted, _note_of_share(mode, counted, drill))
        for measure in measures:
            values = [value for one in counted if (value := getattr(one, measure)) is not None]
            how = f"{MEASURES[measure]}, of the calls that had one"
            yield from quantiles(f"{start}.{state}.{measure}", values, how, QUANTILES)
        yield _cost(f"{start}.{state}.cost", counted)
        yield _added_cost(f"{start}.{state}.added_cost", counted, drill.baseline)
    missed = sum(not (one.delivered or one.warm) for one in repetitions)
    yield _count(f"{start}.not_delivered", missed, len(repetitions), "calls that the fault did not strike; not counted")
    rate = drill.rates.of.get(mode)
    if rate is not None:
        yield from _weights(start, rate, drill)


def _of_answers(start: str, counted: Sequence[Repetition], note: str) -> Iterator[Fact]:
    n = len(counted)
    k = sum(one.mitigated and not one.passed_off for one in counted)
    how = "valid, whole answers within the deadline, of all calls that counted"
    yield _count(f"{start}.mitigated_calls", k, n, how)
    low, high = wilson(k, n, CONFIDENCE) if n else (None, None)
    yield Fact(
        name=f"{start}.mitigated",
        value=k / n if n else None,
        unit="share",
        n=n,
        low=low,
        high=high,
        confidence=CONFIDENCE if n else None,
        method=f"{how}; Wilson score interval",
        note=note,
    )
    passed = sum(one.passed_off for one in counted)
    yield _count(f"{start}.passed_off", passed, n, "broken answers that ended as if they were whole")


def _note_of_share(mode: str, counted: Sequence[Repetition], drill: Drill) -> str:
    if mode in drill.forbidden:
        return "the jurisdiction forbids the fallback: weighed as 0"
    if counted:
        return ""
    return f"{UNTESTED}: {drill.why_untested[mode]}" if mode in drill.why_untested else UNTESTED


def _cost(name: str, counted: Sequence[Repetition]) -> Fact:
    how = "mean over all attempts of a call, losers included; interval of Student's t"
    costs, note = _costs(counted)
    if costs is None:
        return Fact(name=name, value=None, unit="USD", n=len(counted), method=how, note=note)
    if len(costs) == 1:
        return Fact(name=name, value=costs[0], unit="USD", n=1, method=how, note="one call has no interval")
    value, low, high = mean(costs, CONFIDENCE)
    return Fact(name=name, value=value, unit="USD", n=len(costs), low=low, high=high, confidence=CONFIDENCE, method=how)


def _added_cost(name: str, counted: Sequence[Repetition], baseline: Sequence[Repetition]) -> Fact:
    how = "mean cost of a call less that of a call in the steady state; interval of Welch's t"
    costs, note = _costs(counted)
    usual, note_of_usual = _costs(baseline)
    if costs is None or usual is None:
        why = note if costs is None else f"steady state: {note_of_usual}"
        return Fact(name=name, value=None, unit="USD", n=len(counted), method=how, note=why)
    n = min(len(costs), len(usual))
    if n == 1:
        return Fact(name=name, value=None, unit="USD", n=n, method=how, note="one call has no interval")
    value, low, high = mean_difference(costs, usual, CONFIDENCE)
    return Fact(name=name, value=value, unit="USD", n=n, low=low, high=high, confidence=CONFIDENCE, method=how)


def _costs(calls: Sequence[Repetition]) -> tuple[list[float] | None, str]:
    """The cost of every call, or None and why: if one is unknown, the mean of the others would say nothing of all."""
    known = [one.cost for one in calls if one.cost is not None]
    if not calls:
        return None, "no calls"
    unknown = len(calls) - len(known)
    return (None, f"unknown for {unknown} of {len(calls)} calls") if unknown else (known, "")


def _weights(start: str, rate: Rate, drill: Drill) -> Iterator[Fact]:
    low, high = event_rate(rate.events, rate.years, CONFIDENCE)
    note = f"{'default' if rate.default else 'given'}: {rate.what or 'own count'}; {rate.source}, as of {rate.as_of}"
    yield Fact(
        name=f"{start}.events",
        value=rate.per_year,
        unit="1/year",
        n=round(rate.events),
        low=low,
        high=high,
        confidence=CONFIDENCE,
        method=f"{rate.events:g} events in {rate.years:g} years; interval of the rate under Jeffreys' prior",
        note=note,
    )
    unit = drill.rates.unit
    yield Fact(name=f"{start}.impact", value=rate.impact, unit=unit, n=round(rate.events), method="as given", note=note)
    all_risk = sum(one.per_year * one.impact for one in weighed(drill))
    yield Fact(
        name=f"{start}.weight",
        value=rate.per_year * rate.impact / all_risk if all_risk else None,
        unit="share",
        n=round(rate.events),
        method="events per year times impact, of the sum over all modes",
        note=note,
    )


def weighed(drill: Drill) -> list[Rate]:
    """The rates of the modes that coverage counts."""
    return [drill.rates.of[mode] for mode in drill.modes if mode in drill.rates.of]


def _over_all(drill: Drill) -> Iterator[Fact]:
    counted = [one for one in drill.repetitions if one.delivered or one.warm]
    tested = {one.mode for one in cold(drill.repetitions)}
    passed = sum(one.passed_off for one in counted)
    yield _count("passed_off", passed, len(counted), "broken answers that ended as if they were whole; must be 0")
    missed = len(drill.repetitions) - len(counted)
    yield _count("not_delivered", missed, len(drill.repetitions), "calls that the fault did not strike; not counted")
    names = [rate.mode for rate in weighed(drill)]
    left = [mode for mode in names if mode not in tested]
    yield _modes(UNTESTED, left, len(names), "modes without a cold repetition")
    defaults = [rate.mode for rate in weighed(drill) if rate.default]
    yield _modes("default_rates", defaults, len(names), "modes whose rate and impact are defaults, not the user's")


def _modes(name: str, modes: Sequence[str], n: int, how: str) -> Fact:
    return Fact(name=name, value=len(modes), unit="modes", n=n, method=how, note=", ".join(modes))


def _coverages(drill: Drill, drilled: dict[str, list[Repetition]]) -> Iterator[Fact]:
    rates = weighed(drill)
    if not rates:
        raise EvidenceError("none of these modes has a rate: there is nothing to weigh them by")
    rows = [_counted(rate, drilled[rate.mode], drill) for rate in rates]
    bands = _bands(rows, rates, drill.seed)
    untested = [row.mode for row in rows if not (row.n or row.forbidden)]
    point = None if untested else _point(rows, rates)
    how = {
        "modes": f"modes mitigated in at least {THRESHOLD:.0%} of their cold calls, of all modes",
        "events": "mitigated share of cold calls, weighed by events per year",
        "risk": "mitigated share of cold calls, weighed by events per year times impact",
    }
    drawn = f"{DRAWS} draws of every share and rate (Jeffreys' priors), 2.5 and 97.5 %"
    value_from = "the median of the draws, because modes are untested" if untested else "by the formula"
    for name, band in bands.items():
        value = band.median if point is None else getattr(point, name)
        yield Fact(
            name=f"coverage.{name}",
            value=value,
            unit="share",
            n=sum(row.n for row in rows),
            low=min(band.low, value),  # a share seen as 0 or 1 lies outside the draws around it
            high=max(band.high, value),
            confidence=CONFIDENCE,
            method=f"{how[name]}; value: {value_from}; interval: {drawn}, widened to hold the value",
            note=f"{UNTESTED}: {', '.join(untested)}" if untested else "",
        )


def _counted(rate: Rate, counted: Sequence[Repetition], drill: Drill) -> Counted:
    k = sum(one.mitigated and not one.passed_off for one in counted)
    return Counted(rate.mode, k, len(counted), rate.events, rate.impact, rate.mode in drill.forbidden)


def _point(rows: Sequence[Counted], rates: Sequence[Rate]) -> Coverage:
    return coverage(
        [
            (row.mode, rate.per_year, row.impact, 0.0 if row.forbidden else row.k / row.n)
            for row, rate in zip(rows, rates, strict=True)
        ]
    )


def _bands(rows: Sequence[Counted], rates: Sequence[Rate], seed: int) -> dict[str, Band]:
    """The three intervals.

    Defaults and the user's own counts may have been watched for different times, and `coverage_interval` knows one. A
    rate drawn for `years` is turned into one drawn for its own years by a factor on its impact; weighed by that factor
    alone, the risk is the events. The seed makes both draws the same.
    """
    years = rates[0].years
    factors = [years / rate.years for rate in rates]
    by_events = [row._replace(impact=factor) for row, factor in zip(rows, factors, strict=True)]
    by_risk = [row._replace(impact=row.impact * factor) for row, factor in zip(rows, factors, strict=True)]
    risk = coverage_interval(by_risk, years=years, seed=seed)
    return {
        "modes": risk.modes,
        "events": coverage_interval(by_events, years=years, seed=seed).risk,
        "risk": risk.risk,
    }


def _count(name: str, count: int, n: int, how: str) -> Fact:
    return Fact(name=name, value=count, unit="calls", n=n, method=how)
