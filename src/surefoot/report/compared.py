"""A comparison of candidates in words and tables, and the folder that it is kept in.

    facts.json     every number, with sample, method and interval
    matrix.svg     the impact matrix
    compare.md     words and tables; compare.html the same with the matrix in it, opens offline and loads nothing

Knows: sentences, rows and columns. Must never: compute a number of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from surefoot.candidates.comparing import Compared, Told
from surefoot.candidates.measures import (
    ADDED,
    ANSWERED,
    AVAILABLE,
    FALLBACK,
    LOSERS,
    OVERALL,
    PER_CALL,
    PER_MONTH,
    RISK,
)
from surefoot.candidates.placing import Need, Placed
from surefoot.errors import StartError
from surefoot.facts import Fact, write
from surefoot.report import shown
from surefoot.report.matrix import matrix, words_of

FACTS, MATRIX, MARKDOWN, PAGE = "facts.json", "matrix.svg", "compare.md", "compare.html"
NONE = "–"  # noqa: RUF001 - an en dash stands for nothing

FORMULA = (
    "An interval's width goes with 1/√n. With h from the value to the end beyond the limit and d from the value to the"
    " limit, n h²/d² samples decide in all, if the value stays where it is; times in logarithms, and of drills only"
    " that part of h which more calls make smaller."
)


class Sheet(NamedTuple):
    """A table."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def headline(found: Compared) -> str:
    """What was compared on what."""
    first, last = (datetime.fromtimestamp(one, UTC).strftime("%Y-%m-%d %H:%M") for one in found.facts.window)
    names = ", ".join(one.name for one in found.candidates)
    others = f"; the others are held against {found.candidates[0].name}"
    return (
        f"{names}: the same traffic, {first} to {last} UTC, incidents read as `{found.readings[0]}`,"
        f" seed {found.facts.seed}{others}."
    )


def verdicts(found: Compared) -> Iterator[str]:
    """Of each candidate where it stands, and what would decide it."""
    for one in found.candidates:
        yield from _verdict(one.placed, found)


def _paragraphs(found: Compared) -> Iterator[str]:
    """The verdicts, one for each candidate."""
    for one in found.candidates:
        yield " ".join(line.strip() for line in _verdict(one.placed, found))


def _verdict(one: Placed, found: Compared) -> Iterator[str]:
    if not one.drawn:
        yield f"{one.name}: {words_of(one)}."
        return
    times, shares = shown.times_between(one.p99), shown.shares_between(one.coverage)
    yield (
        f"{one.name}: {words_of(one)}. p99 of the fallback {shown.time_of(one.p99)} (95 %: {times or 'none'};"
        f" {one.p99.n:,} calls), risk-weighted coverage {shown.share_of(one.coverage)} (95 %: {shares or 'none'})."
    )
    if one.p99_need is not None:
        yield f"   The p99 crosses {shown.tick_of(found.limits.p99)}: {_calls(one.p99_need, one, 'such calls')}."
    if one.coverage_need is not None:
        limit = f"{100 * found.limits.coverage:g} %"
        need = one.coverage_need
        what = _calls(need, one, "cold calls of drills") if one.drilled else _weeks(need, one)
        yield f"   Coverage crosses {limit}: {what}."
    if one.provisional:
        yield f"   Provisional: from {one.weekly} weekly run{'s' * (one.weekly != 1)}, and 3 are needed."


def _calls(need: Need, one: Placed, what: str) -> str:
    if need.more is None:
        return f"more {what} would not decide it ({need.why})"
    least = "at least" if need.at_least else "about"
    weeks = "" if what.endswith("drills") else f", {least} {_weeks_of(need, one)} of such traffic"
    return f"{least} {need.more:,} more {what} would decide it{weeks}"


def _weeks(need: Need, one: Placed) -> str:
    if need.more is None:
        return f"more traffic would not decide it ({need.why})"
    return f"about {_weeks_of(need, one)} more of such traffic and incidents would decide it"


def _weeks_of(need: Need, one: Placed) -> str:
    weeks = max(ceil(need.share * one.weeks), 1)
    return f"{weeks:,} week{'s' * (weeks != 1)}"


def tables(found: Compared) -> Iterator[Sheet]:
    """All of them; without rows a table is left out."""
    sheets = (_numbers, _differences, _readings, _modes, _answered, _domains, _probes)
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
    value, between = row.value(fact), row.between(fact)
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
    rows.append(("calls that fell back", *(f"{one.placed.p99.n:,}" for one in found.candidates)))
    rows.append(("weekly runs", *(str(one.placed.weekly) for one in found.candidates)))
    return Sheet("What each comes to, with 95 % intervals", head, rows)


def _differences(found: Compared) -> Sheet:
    """A cell whose interval does not hold 0 is bold."""
    others = found.candidates[1:]
    reading = found.readings[0]
    rows = []
    for row in _DIFFERENCES:
        facts = [_get(found, f"difference.{one.name}.{reading}.{row.measure}") for one in others]
        rows.append((row.title, *(f"**{_cell(row, one)}**" if _apart(one) else _cell(row, one) for one in facts)))
    title = f"Less {found.candidates[0].name}, paired by week; bold where the interval leaves 0 out"
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
    return one.name, pair.route, pair.first, pair.fallback, "; ".join((*pair.shared, *unsaid)) or "none", told


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


def basis(found: Compared) -> Iterator[str]:
    """What all of it stands on."""
    yield from found.said
    for one in found.candidates:
        yield from (f"{one.name}: {sentence}" for sentence in one.said)
        left = ", ".join(f"{count} {why}" for why, count in found.left_out[one.name].items())
        if left:
            yield f"{one.name}: incidents left out: {left}"


def markdown(found: Compared, picture: str = MATRIX) -> str:
    """Words and tables; the matrix is a file beside it."""
    parts = [
        headline(found),
        f"![The impact matrix]({picture})",
        "\n".join(f"- {line}" for line in _paragraphs(found)),
        FORMULA,
    ]
    for sheet in tables(found):
        lines = [f"**{sheet.title}**", "", _line(sheet.head), _line(["---"] * len(sheet.head))]
        parts.append("\n".join([*lines, *(_line(row) for row in sheet.rows)]))
    parts.append("\n".join(["What this stands on:", "", *(f"- {line}" for line in basis(found))]))
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;').replace(chr(10), ' ') for cell in cells)} |"


def page(found: Compared) -> str:
    """One HTML file."""
    environment = Environment(
        loader=PackageLoader("surefoot.report", "templates"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("compare.html.j2").render(
        headline=headline(found),
        verdicts=list(_paragraphs(found)),
        formula=FORMULA,
        picture=matrix([one.placed for one in found.candidates], found.limits),
        tables=list(tables(found)),
        basis=list(basis(found)),
    )


def keep(out: Path, found: Compared) -> None:
    """Write all of it. Raises `StartError` where that cannot be done."""
    files = {
        FACTS: write(found.facts).decode() + "\n",
        MATRIX: matrix([one.placed for one in found.candidates], found.limits),
        MARKDOWN: markdown(found),
        PAGE: page(found),
    }
    try:
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StartError(f"--out: {out} could not be written: {error}") from error
