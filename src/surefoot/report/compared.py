"""A comparison of candidates in words, and the folder that it is kept in.

    facts.json     every number, with sample, method and interval
    matrix.svg     the impact matrix
    compare.md     words and tables; compare.html the same with the matrix in it, opens offline and loads nothing

Knows: sentences. Must never: compute a number of its own.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from surefoot.candidates.comparing import FACTS, MARKDOWN, MATRIX, PAGE, Compared
from surefoot.candidates.placing import Need, Placed
from surefoot.errors import StartError
from surefoot.facts import write
from surefoot.report import shown
from surefoot.report.compared_tables import tables
from surefoot.report.matrix import matrix, words_of

FORMULA = (
    "An interval's width goes with 1/√n. With h from the value to the end beyond the limit and d from the value to the"
    " limit, n h²/d² samples decide in all, if the value stays where it is; times in logarithms, and of drills only"
    " that part of h which more calls make smaller."
)


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
