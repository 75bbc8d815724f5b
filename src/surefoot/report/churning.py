"""The table of a survey for a terminal, what it comes to, and what could not be read.

Knows: what a difference between groups does not say. Must never: compute a number of its own.
"""

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

from surefoot.facts import Fact, Facts
from surefoot.intake.row import Unreadable
from surefoot.report import shown
from surefoot.worth.churned import GROUPS, NOT_DETECTABLE

_MEASURES = (("nps", "NPS, points"), ("cancelled", "cancelled"))
_FEW = 12
"""So many line numbers are shown; all of them are in the file beside the facts and in the JSON."""
NONE = "–"  # noqa: RUF001 - an en dash stands for nothing


def table_of(facts: Facts) -> Table:
    """Scores and cancellations of both groups, their difference, and the smallest that could be found."""
    table = Table(title="Users who met failures, and who did not", box=box.SIMPLE_HEAD, pad_edge=False)
    table.title_justify = "left"
    for number, column in enumerate(("", "", "value", "95 %", "n")):
        table.add_column(column, justify="right" if number > 1 else "left", no_wrap=True)
    known = {fact.name: fact for fact in facts.facts}
    for measure, title in _MEASURES:
        if f"{measure}.affected" not in known:
            continue
        for group in GROUPS:
            fact = known[f"{measure}.{group}"]
            table.add_row(title if group == GROUPS[0] else "", group, *_cells(fact), str(fact.n))
        difference = known[f"{measure}.difference"]
        table.add_row("", "difference", *_cells(difference, signed=True), str(difference.n))
        smallest = known.get(f"{measure}.detectable")
        if smallest is not None:
            found_from = _cells(smallest)[0].removeprefix("+")
            table.add_row("", "found from", found_from, "", str(smallest.n), end_section=True)
    return table


def remarks(facts: Facts, joined: str, *, told: bool) -> Iterator[str]:
    """The verdicts, and what they do not say. `told` whether the survey says when each user answered."""
    known = {fact.name: fact for fact in facts.facts}
    for measure, title in (("nps", "NPS"), ("cancelled", "Cancellations")):
        if f"{measure}.difference" in known:
            yield from _verdict(title, known[f"{measure}.difference"], known.get(f"{measure}.detectable"))
    yield from _apart(known)
    if not told:
        yield "The survey has no column `at`: failures after an answer count as if they had come before it."
    if joined in {"false", "partly"}:
        yield "Not all attempts of the traffic are joined to calls: a failure that a retry mended may count as one."
    yield (
        "Nobody drew these groups by lot: who calls more meets more failures, and who answers is not everybody. A "
        "difference is an association, and no proof of a cause."
    )


def _verdict(title: str, fact: Fact, smallest: Fact | None) -> Iterator[str]:
    if fact.value is None or smallest is None:
        yield f"{title}: no difference can be told: {fact.note}."
        return
    value, ends = _cells(fact, signed=True)
    unit = "points" if fact.unit == "points" else "percentage points"
    if fact.note == NOT_DETECTABLE:
        yield f"{title}: the difference is {NOT_DETECTABLE} ({fact.n} users). {_smallest(smallest)}"
        if fact.low is not None and fact.high is not None and not fact.low <= 0 <= fact.high:
            yield "  Its interval leaves 0 out all the same: ask more users before you rely on it."
    else:
        yield f"{title}: a difference of {value} {unit} (95 %: {ends}; {fact.n} users) was {fact.note}: {fact.method}."


def _apart(known: dict[str, Fact]) -> Iterator[str]:
    """Users of whom one file knows and the other does not."""
    for name, fact in known.items():
        if name.startswith("users.apart.") and fact.value:
            be = "is" if fact.value == 1 else "are"
            yield f"{_users(fact)} {be} in neither group: {name.removeprefix('users.apart.')}."
    if not known["users.affected"].value and not known["users.unaffected"].value:
        yield "  So there is nothing to compare: is --salt the file that the import was given, and the traffic earlier?"
    strangers = known.get("users.strangers")
    if strangers is not None and strangers.value:
        yield f"{_users(strangers)} of the list {strangers.note}."
        if not known["users.affected"].value:
            yield "  None of the list is in the group `affected`: do both files name users alike (--salt, --hashed)?"


def lines_of(unreadable: Sequence[Unreadable], what: str) -> Iterator[str]:
    """What could not be read, by reason, each with its first line numbers."""
    reasons: dict[str, list[int]] = {}
    for one in unreadable:
        reasons.setdefault(one.why, []).append(one.line)
    for why, lines in sorted(reasons.items()):
        more = f" and {len(lines) - _FEW} more" if len(lines) > _FEW else ""
        yield f"{what}: {len(lines)} not counted: {why}: line {', '.join(map(str, lines[:_FEW]))}{more}"


def _users(count: Fact) -> str:
    return f"{count.value:.0f} {'user' if count.value == 1 else 'users'}"


def _smallest(fact: Fact) -> str:
    if fact.value is None:
        return f"What it could have shown is not known: {fact.note}."
    size = f"{fact.value:.1f} points" if fact.unit == "points" else f"{100 * fact.value:.1f} percentage points"
    return f"It could have shown one of {size}: {fact.method}."


def _cells(fact: Fact, *, signed: bool = False) -> tuple[str, str]:
    if fact.value is None:
        return NONE, ""
    if fact.unit == "points" or signed:
        scale = 1 if fact.unit == "points" else 100
        ends = [f"{scale * end:+.1f}" for end in (fact.low, fact.high) if end is not None]
        return f"{scale * fact.value:+.1f}", " … ".join(ends)
    return shown.share_of(fact), shown.shares_between(fact)
