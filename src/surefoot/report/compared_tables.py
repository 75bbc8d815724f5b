"""A comparison of candidates as tables: what each comes to, how they differ, and what lies behind it.

Knows: rows and columns. Must never: compute a number of its own, or leave a number without its interval or why not.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from surefoot.candidates.comparing import Compared, Told
from surefoot.candidates.measures import (
    ADDED,
    ANSWERED,
    AVAILABLE,
    FALLBACK,
    INCIDENTS,
    LOSERS,
    OVERALL,
    PER_CALL,
    PER_MONTH,
    RISK,
)
from surefoot.drill.coverage import BY_LAW
from surefoot.facts import Fact
from surefoot.report import shown
from surefoot.report.matrix import words_of

NONE = "–"  # noqa: RUF001 - an en dash stands for nothing
_NO_INTERVAL = "no interval: "


class Sheet(NamedTuple):
    """A table."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def tables(found: Compared) -> Iterator[Sheet]:
    """All of them; without rows a table is left out."""
    sheets = (_numbers, _differences, _readings, _modes, _drilled, _answered, _domains, _probes)
    yield from (sheet for make in sheets if (sheet := make(found)).rows)


class _Row(NamedTuple):
    """A measure as it is written."""

    measure: str
    title: str
    value: Callable[[Fact], str]
    between: Callable[[Fact], str]


def _money(fact: Fact) -> str:
    return shown.money_of(fact)


def _money_signed(fact: Fact) -> str:
    return shown.money_of(fact, signed=True)


def _money_signed_between(fact: Fact) -> str:
    return shown.money_between(fact, signed=True)


def _time_signed(fact: Fact) -> str:
    return shown.time_of(fact, signed=True)


def _times_signed(fact: Fact) -> str:
    return shown.times_between(fact, signed=True)


def _points(fact: Fact) -> str:
    return f"{shown.points_of(fact)} points" if fact.value is not None else NONE


_NUMBERS = (
    _Row(FALLBACK, "p99 of the fallback, end to end", shown.time_of, shown.times_between),
    _Row(OVERALL, "p99 of all answered calls", shown.time_of, shown.times_between),
    _Row(RISK, "coverage by risk", shown.share_of, shown.shares_between),
    _Row("coverage.events", "coverage by events", shown.share_of, shown.shares_between),
    _Row("coverage.modes", "coverage by modes", shown.share_of, shown.shares_between),
    _Row(AVAILABLE, "calls answered", shown.share_of, shown.shares_between),
    _Row(f"{AVAILABLE}.without", "calls answered without fallback", shown.share_of, shown.shares_between),
    _Row(PER_CALL, "cost of a call", _money, shown.money_between),
    _Row(PER_MONTH, "cost of a month", _money, shown.money_between),
    _Row(ADDED, "of that, more than without fallback", _money_signed, _money_signed_between),
    _Row(LOSERS, "of that, attempts that did not win", _money, shown.money_between),
)
_DIFFERENCES = (
    _Row(FALLBACK, "p99 of the fallback, end to end", _time_signed, _times_signed),
    _Row(OVERALL, "p99 of all answered calls", _time_signed, _times_signed),
    _Row(RISK, "coverage by risk", _points, shown.points_between),
    _Row(AVAILABLE, "calls answered", _points, shown.points_between),
    _Row(PER_CALL, "cost of a call", _money_signed, _money_signed_between),
    _Row(PER_MONTH, "cost of a month", _money_signed, _money_signed_between),
    _Row(ADDED, "of that, more than without fallback", _money_signed, _money_signed_between),
)


def _cell(row: _Row, fact: Fact) -> str:
    """A number with its interval, or why it has none."""
    value, between = row.value(fact), row.between(fact)
    if not between and fact.value is not None and fact.note.startswith(_NO_INTERVAL):
        between = f"none: {fact.note.removeprefix(_NO_INTERVAL)}"
    return f"{value} [{between}]" if between else value


def _numbers(found: Compared) -> Sheet:
    head = ("", *(one.name for one in found.candidates))
    reading = found.readings[0]
    rows = [("in the matrix", *(words_of(one.placed) for one in found.candidates))]
    for row in _NUMBERS:
        cells = [_cell(row, _get(found, f"{one.name}.{reading}.{row.measure}")) for one in found.candidates]
        by = ", replayed" if found.drilled and row.measure.startswith("coverage.") else ""
        rows.append((f"{row.title}{by}", *cells))
        if found.drilled and row.measure.startswith("coverage."):
            drilled = [_cell(row, _get(found, f"{one.name}.drilled.{row.measure}")) for one in found.candidates]
            rows.append((f"{row.title}, drilled", *drilled))
            rows += [(f"{row.title}, drilled, route {one}", *cells) for one, cells in _by_route(found, row)]
    rows.append(("calls that fell back", *(f"{one.placed.p99.n:,}" for one in found.candidates)))
    met = [_get(found, f"{one.name}.{reading}.{INCIDENTS}") for one in found.candidates]
    rows.append(("incidents in which calls failed without", *(f"{one.value:.0f}" for one in met)))
    rows.append(("weekly runs", *(str(one.placed.weekly) for one in found.candidates)))
    return Sheet("What each comes to, with 95 % intervals", head, rows)


def _by_route(found: Compared, row: _Row) -> Iterator[tuple[str, list[str]]]:
    """A coverage of each route that was drilled, where there are several."""
    names = _words(found, ".drilled.route.", f".{row.measure}")
    for name in names if len(names) > 1 else ():
        facts = [_find(found, f"{one.name}.drilled.route.{name}.{row.measure}") for one in found.candidates]
        yield name, [NONE if one is None else _cell(row, one) for one in facts]


def _differences(found: Compared) -> Sheet:
    """A cell whose interval does not hold 0 is bold."""
    others = found.candidates[1:]
    reading = found.readings[0]
    rows = []
    for row in _DIFFERENCES:
        facts = [_get(found, f"difference.{one.name}.{reading}.{row.measure}") for one in others]
        rows.append((row.title, *(f"**{_cell(row, one)}**" if _apart(one) else _cell(row, one) for one in facts)))
    pairing = "paired by week, but coverage, which is drilled" if found.drilled else "paired by week"
    title = f"More or less than {found.candidates[0].name}, {pairing}; bold where the interval leaves 0 out"
    return Sheet(title, ("", *(one.name for one in others)), rows)


def _apart(fact: Fact) -> bool:
    return (fact.low is not None and fact.low > 0) or (fact.high is not None and fact.high < 0)


def _readings(found: Compared) -> Sheet:
    rows = []
    for row in (_NUMBERS[0], _NUMBERS[2], _NUMBERS[5]):
        for reading in found.readings:
            cells = [_cell(row, _get(found, f"{one.name}.{reading}.{row.measure}")) for one in found.candidates]
            rows.append((f"{row.title}, `{reading}`", *cells))
    title = "Under each reading of the incidents, as replayed"
    return Sheet(title, ("", *(one.name for one in found.candidates)), rows if len(found.readings) > 1 else [])


def _modes(found: Compared) -> Sheet:
    start = f".{found.readings[0]}.mode."
    names = _words(found, start, ".mitigated")
    rows = []
    for name in names:
        cells = []
        for one in found.candidates:
            share, minutes = (_find(found, f"{one.name}{start}{name}.{what}") for what in ("mitigated", "minutes"))
            if share is None or minutes is None:
                cells.append(NONE)
                continue
            lost = shown.minutes_of(minutes.value or 0.0)
            cells.append(f"{_cell(_NUMBERS[2], share)} of {share.n:,}; {lost}")
        rows.append((name, *cells))
    head = ("mode", *(one.name for one in found.candidates))
    return Sheet("By mode: answered of the calls that failed without; minutes of outage without", head, rows)


def _drilled(found: Compared) -> Sheet:
    rows = []
    for name in _words(found, ".drilled.route.", ".mitigated"):
        route, _, mode = name.partition(".mode.")
        facts = [_find(found, f"{one.name}.drilled.route.{name}.mitigated") for one in found.candidates]
        rows.append((mode, route, *(NONE if one is None else _of_drill(one) for one in facts)))
    head = ("mode", "route", *(one.name for one in found.candidates))
    return Sheet("By mode, drilled: valid answers of cold calls", head, sorted(rows))


def _of_drill(fact: Fact) -> str:
    if fact.value is None:
        return fact.note
    law = "; uncovered by law" if fact.note == BY_LAW else ""
    return f"{_cell(_NUMBERS[2], fact)} of {fact.n:,}{law}"


def _answered(found: Compared) -> Sheet:
    rows = []
    for what in ANSWERED:
        start = f".{found.readings[0]}.{what}."
        for word in _words(found, start, ""):
            facts = [_find(found, f"{one.name}{start}{word}") for one in found.candidates]
            rows.append((f"{what} {word}", *(NONE if fact is None else _cell(_NUMBERS[2], fact) for fact in facts)))
    return Sheet("Who answered", ("", *(one.name for one in found.candidates)), rows)


def _domains(found: Compared) -> Sheet:
    rows = [_pair(found, one, number) for one in found.candidates for number in range(len(one.pairs))]
    head = ("candidate", "route", "first", "fallback", "failure domains shared", "beta")
    return Sheet(
        "What fallbacks share with the first target; beta is the part of its outage that strikes both", head, rows
    )


def _pair(found: Compared, one: Told, number: int) -> tuple[str, ...]:
    pair = one.pairs[number]
    start = f"{one.name}.{found.readings[0]}.route.{pair.route}.{pair.first}.{pair.fallback}"
    beta = _get(found, f"{start}.beta")
    told = beta.note if beta.value is None else "1" if pair.total else _cell(_NUMBERS[2], beta)
    unsaid = tuple(f"{name} not declared" for name in pair.undeclared)
    law = (f"may not serve ({pair.forbidden})",) if pair.forbidden else ()
    return one.name, pair.route, pair.first, pair.fallback, "; ".join((*law, *pair.shared, *unsaid)) or "none", told


def _probes(found: Compared) -> Sheet:
    rows = []
    for one in found.candidates:
        start = f"{one.name}.probe."
        for fact in found.facts.facts:
            if fact.name.startswith(start):
                target, _, measure = fact.name.removeprefix(start).removesuffix(".p99").rpartition(".")
                between = shown.times_between(fact)
                rows.append((one.name, target, measure, shown.time_of(fact), between or NONE, f"{fact.n:,}"))
    return Sheet("p99 of targets, as probed", ("candidate", "target", "", "p99", "95 %", "n"), rows)


def _words(found: Compared, start: str, end: str) -> list[str]:
    """What follows `CANDIDATE` and a start in the names of facts, of any candidate, in order."""
    begins = [f"{one.name}{start}" for one in found.candidates]
    names = {
        fact.name.removeprefix(begin).removesuffix(end)
        for fact in found.facts.facts
        for begin in begins
        if fact.name.startswith(begin) and fact.name.endswith(end)
    }
    return sorted(names)


def _find(found: Compared, name: str) -> Fact | None:
    return next((fact for fact in found.facts.facts if fact.name == name), None)


def _get(found: Compared, name: str) -> Fact:
    return found.facts.named(name)
