"""The facts that need no simulation: what was put in, the months as they were, the error budget and its alerts.

Must never: take a month of history for a sample of the future; what those months cost is a sum and has no interval.
"""

from collections.abc import Iterator
from math import inf

import numpy as np

from surefoot.config.quantities import show_duration
from surefoot.evidence.exposing import by_steps
from surefoot.evidence.intervals import wilson
from surefoot.evidence.levels import burn_rate, detection_seconds
from surefoot.evidence.unknown import Between, Cases, Events, Known, Sample
from surefoot.facts import Fact
from surefoot.intake.incident import Reading
from surefoot.worth.forms import Named
from surefoot.worth.months import Months
from surefoot.worth.reading import Read
from surefoot.worth.shape import RiskTable
from surefoot.worth.staking import credits_of, penalties_of

WINDOWS = (("1h", 1.0, 0.02), ("6h", 6.0, 0.05), ("3d", 72.0, 0.10))
"""Long window, its hours, and the share of a 30-day budget used in it that pages (the last: that files a ticket)."""
FAILING = (1.0, 0.1, 0.01)
"""Shares of calls that fail, for the time until an alert fires."""
_SHORT = 12
"""The short window is a twelfth of the long one."""
_WORKBOOK = "Beyer et al., The Site Reliability Workbook, 2018, chapter 5"
_HOUR = 3600.0
_CONFIDENCE = 0.95

_UNITS = {"rate": "1/year", "lasts": "minutes", "response": "USD", "impact": "USD", "coverage": "share"}


def inputs(read: Read) -> Iterator[Fact]:
    """What the file tells of each risk, with the interval that enters the simulation."""
    file = read.file
    for risk, hazard in zip(file.risks, read.stake.hazards, strict=True):
        told = (hazard.rate, hazard.minutes, hazard.response, hazard.impact, hazard.coverage)
        for (key, unit), quantity in zip(_UNITS.items(), told, strict=True):
            if quantity != Known(0) or key == "rate":
                yield _input(f"input.{risk.name}.{key}", unit, quantity, _origin(read, risk, key))
        if hazard.residual_minutes:
            quantity, origin = Known(hazard.residual_minutes), _origin(read, risk, "residual_time")
            yield _input(f"input.{risk.name}.residual", "minutes", quantity, origin)
    if file.business.revenue != Known(0):
        yield _input("input.revenue", "USD/minute", file.business.revenue, _given(read))


def _origin(read: Read, risk: RiskTable, key: str) -> tuple[str, str]:
    """How a number without counts is known, and where it comes from."""
    named = getattr(risk, key)
    if isinstance(named, Named):
        fact = read.facts[named.fact]
        return "that run's mean, as if exact", f"the fact {fact.name}: {fact.method}"
    if named not in {None, Known(0)}:
        return _given(read)
    if risk.replay is not None and key in {"rate", "coverage", "lasts", "residual_time"}:
        lag = f", outages noticed {show_duration(risk.lag)} late" if risk.lag else ""
        told = f"the replay's incidents of {risk.replay}, and its facts minutes.without and minutes.avoided{lag}"
        return "that run's mean, as if exact", told
    if risk.history is not None and key in {"rate", "lasts"} and read.months is not None:
        said = read.months.said.get(risk.history, "")
        return "as if exact", f"under `{risk.history}`: {said}; {read.months.source}"
    return _given(read)


def _given(read: Read) -> tuple[str, str]:
    return "as given, exactly", f"{read.file.source}, as of {read.file.as_of}"


def _input(name: str, unit: str, quantity: Known | Between | Events | Cases | Sample, origin: tuple[str, str]) -> Fact:
    ends = quantity.interval(_CONFIDENCE)
    n, how = 0, origin[0]
    if isinstance(quantity, Between):
        how = f"mean of a lognormal with 90 % between {quantity.low:.6g} and {quantity.high:.6g}, "
        how += origin[0].removesuffix(", exactly")
    elif isinstance(quantity, Events):
        n = round(quantity.events)
        how = f"{quantity.events:g} events in {quantity.years:.4g} years, Jeffreys' prior"
    elif isinstance(quantity, Cases):
        n = round(quantity.n)
        how = f"{quantity.k:.4g} of {quantity.n:.4g} cases, Jeffreys' prior"
    elif isinstance(quantity, Sample):
        n = len(quantity.values)
        how = f"{n} single incidents, up to {max(quantity.values):,.4g} minutes, Bayesian bootstrap"
    return Fact(
        name=name,
        value=quantity.mean,
        unit=unit,
        n=n,
        low=None if ends is None else ends[0],
        high=None if ends is None else ends[1],
        confidence=None if ends is None else _CONFIDENCE,
        method=how,
        note=origin[1],
    )


def history(read: Read) -> Iterator[Fact]:
    """The months that the file tells: below each step, and what they would have cost, under each of the readings."""
    uptime = read.months
    if uptime is None:
        return
    for reading, months in uptime.uptimes.items():
        for promise in read.file.promises:
            steps = penalties_of(promise)
            for bound, _ in steps:
                name = f"history.{promise.name}.{bound:g}"
                yield from _below(name, bound, reading, uptime)
            cost = _amount(steps, months)
            yield _sum(f"history.{promise.name}.penalties.{reading}", cost, uptime)
        for vendor in read.file.vendors:
            credit = _amount(credits_of(vendor), months)
            yield _sum(f"history.{vendor.name}.credits.{reading}", credit, uptime)


def _amount(steps: list[tuple[float, float]], months: list[float]) -> float:
    return float(by_steps(steps, np.array(months)).sum())


def _below(start: str, bound: float, reading: Reading, uptime: Months) -> Iterator[Fact]:
    name, months = f"{start}.{reading}", uptime.uptimes[reading]
    n, k = len(months), sum(month < bound for month in months)
    low, high = wilson(k, n, _CONFIDENCE)
    said = uptime.said.get(reading)
    note = f"{n} months from {uptime.first}; {uptime.source}" + (f"; {said}" if said else "")
    yield Fact(name=f"{name}.months", value=k, unit="months", n=n, method=f"months below {bound:g} %", note=note)
    yield Fact(
        name=name,
        value=k / n,
        unit="share",
        n=n,
        low=low,
        high=high,
        confidence=_CONFIDENCE,
        method=f"share of months below {bound:g} %; Wilson, as if months were independent",
        note=note,
    )


def _sum(name: str, dollars: float, uptime: Months) -> Fact:
    note = "a sum over the months that were, no estimate: it has no interval"
    return Fact(
        name=name, value=dollars, unit="USD", n=uptime.count, method="sum over those months, by the steps", note=note
    )


def budget(read: Read, minutes: dict[str, Fact]) -> Iterator[Fact]:
    """The error budget, how much of it a mean period uses in each arm, and the burn-rate alerts."""
    told = read.file.objective
    if told is None:
        return
    slo, hours = told.objective, told.period / _HOUR
    allowed = (1 - slo) * told.period / 60
    how = f"(1 - {slo:.6g}) of {show_duration(told.period)}"
    yield Fact(name="budget.minutes", value=allowed, unit="minutes", n=0, method=how, note="exact: by definition")
    per_period = told.period / (365.25 * 24 * _HOUR)
    for name, fact in minutes.items():
        low, value, high = ((end or 0.0) * per_period / allowed for end in (fact.low, fact.value, fact.high))
        yield Fact(
            name=f"budget.used.{name}",
            value=value,
            unit="share",
            n=fact.n,
            low=low,
            high=high,
            confidence=fact.confidence,
            method=f"minutes lost in a mean period, of the budget; {fact.method}",
        )
    for window, long, share in WINDOWS:
        burn = burn_rate(share, hours, long)
        yield _exact(f"burn.{window}.rate", burn, "1", f"{share:.0%} of the budget within {window}; {_WORKBOOK}")
        yield _exact(f"burn.{window}.short", long * _HOUR / _SHORT, "s", "a twelfth of the long window")
        for failing in FAILING:
            seconds = detection_seconds(slo, failing, long * _HOUR, burn)
            how = f"until the alert fires if {failing:.0%} of calls fail; {_WORKBOOK}"
            yield _exact(f"burn.{window}.detect.{failing:.0%}", seconds, "s", how)


def _exact(name: str, value: float, unit: str, how: str) -> Fact:
    never = value == inf
    note = "never: the window's mean does not reach the burn rate" if never else "exact: by formula"
    return Fact(name=name, value=None if never else value, unit=unit, n=0, method=how, note=note)
