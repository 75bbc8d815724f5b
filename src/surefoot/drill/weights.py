"""What each mode weighs, and the three coverages that follow.

Knows: which shares weigh what, and when there is nothing to weigh.
Must never: tell a coverage without data for it, or leave unsaid of which modes it is.
"""

from collections.abc import Iterator, Sequence

from surefoot.config.rates import Rate
from surefoot.drill.quantiles import CONFIDENCE
from surefoot.evidence.covering import DRAWS, THRESHOLD, Band, Counted, coverage, coverage_interval
from surefoot.evidence.intervals import event_rate
from surefoot.facts import Fact

HOW = {
    "modes": f"modes mitigated in at least {THRESHOLD:.0%} of their cold calls, of all modes",
    "events": "mitigated share of cold calls, weighed by events per year",
    "risk": "mitigated share of cold calls, weighed by events per year times impact",
}
"""How each coverage is made; the headline last."""

_DRAWN = f"{DRAWS} draws of every share and rate (Jeffreys' priors), 2.5 and 97.5 %"


def weights(start: str, rate: Rate, unit: str, all_risk: float) -> Iterator[Fact]:
    """Events, impact and weight of one mode; `all_risk` is events per year times impact, over all that are weighed."""
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
    yield Fact(name=f"{start}.impact", value=rate.impact, unit=unit, n=round(rate.events), method="as given", note=note)
    yield Fact(
        name=f"{start}.weight",
        value=rate.per_year * rate.impact / all_risk if all_risk else None,
        unit="share",
        n=round(rate.events),
        method="events per year times impact, of the sum over all modes that are weighed",
        note=note,
    )


def coverages(rows: Sequence[Counted], rates: Sequence[Rate], seed: int, scope: str, partial: str) -> Iterator[Fact]:
    """The three coverages of these modes, each with its rate.

    `scope` says of which modes, where that is not all of the catalogue. Where there is no number its note says why:
    the drill is `partial`, nothing was drilled, or there is nothing to weigh by.
    """
    why = _why_none(rows, partial)
    bands = {} if why else _bands(rows, rates, seed)
    untested = [row.mode for row in rows if not (row.n or row.forbidden)]
    value_from = "the median of the draws, because modes are untested" if untested else "by the formula"
    method = f"; {scope}" if scope else ""
    for name, how in HOW.items():
        n = sum(row.n for row in rows)
        band = bands.get(name)
        if band is None:
            note = why or f"no mode has {'events' if name == 'events' else 'events and impact'} above 0 to weigh it by"
            yield Fact(name=f"coverage.{name}", value=None, unit="share", n=n, method=how + method, note=note)
            continue
        value = band.median if untested else _value(name, rows, rates)
        notes = [scope, f"untested: {', '.join(untested)}" if untested else ""]
        yield Fact(
            name=f"coverage.{name}",
            value=value,
            unit="share",
            n=n,
            low=min(band.low, value),  # a share seen as 0 or 1 lies outside the draws around it
            high=max(band.high, value),
            confidence=CONFIDENCE,
            method=f"{how}{method}; value: {value_from}; interval: {_DRAWN}, widened to hold the value",
            note="; ".join(note for note in notes if note),
        )


def _why_none(rows: Sequence[Counted], partial: str) -> str:
    if partial:
        return f"partial: {partial}"
    if not rows:
        return "none of these modes is weighed"
    return "" if any(row.n or row.forbidden for row in rows) else "no mode was drilled"


def _value(name: str, rows: Sequence[Counted], rates: Sequence[Rate]) -> float:
    """By the formula. What a coverage does not weigh by is 1 for every mode."""
    told = [
        (
            row.mode,
            1.0 if name == "modes" else rate.per_year,
            rate.impact if name == "risk" else 1.0,
            0.0 if row.forbidden else row.k / row.n,
        )
        for row, rate in zip(rows, rates, strict=True)
    ]
    value: float = getattr(coverage(told), name)
    return value


def _bands(rows: Sequence[Counted], rates: Sequence[Rate], seed: int) -> dict[str, Band]:
    """The intervals of those coverages that have something to be weighed by.

    Defaults and the user's own counts may have been watched for different times, and `coverage_interval` knows one. A
    rate drawn for `years` is turned into one drawn for its own years by a factor on its impact; weighed by that factor
    alone, the risk is the events. The seed makes both draws the same.
    """
    years = rates[0].years
    factors = [years / rate.years for rate in rates]
    by_events = [row._replace(impact=factor) for row, factor in zip(rows, factors, strict=True)]
    by_risk = [row._replace(impact=row.impact * factor) for row, factor in zip(rows, factors, strict=True)]
    events = coverage_interval(by_events, years=years, seed=seed)
    found = {"modes": events.modes}
    if any(rate.events for rate in rates):
        found["events"] = events.risk
    if any(rate.events * rate.impact for rate in rates):
        found["risk"] = coverage_interval(by_risk, years=years, seed=seed).risk
    return found
