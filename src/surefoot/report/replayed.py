"""What a replay found, on one screen: plain words first, then tables, then what all of it stands on.

Knows: sentences and columns. Must never: compute a number of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from rich import box
from rich.table import Table

from surefoot.facts import Fact, Facts
from surefoot.replay.arranged import Group
from surefoot.replay.measures import suffix
from surefoot.replay.modelling import Assumption
from surefoot.replay.summary import Move, Summary
from surefoot.report import shown

MODES = 8
"""Rows of the table of modes; all are in the folder."""
MOVES = 8
"""Likewise of the table of assumptions."""

NONE = "–"  # noqa: RUF001 - an en dash stands for nothing

_READ_AS = {
    "any": "every incident counts",
    "partial": "partial and major outages count",
    "major": "major outages alone count",
}


class Heading(Struct, frozen=True, kw_only=True):
    """What was held against what."""

    config: str
    against: str
    lags: tuple[float, ...]


def scenarios_of(summary: Summary) -> list[str]:
    """In the order in which they were played; the first is the base."""
    return list(dict.fromkeys(one.scenario for one in summary.told))


def answer(summary: Summary, heading: Heading) -> Iterator[str]:
    """In plain words."""
    facts = summary.facts
    base = scenarios_of(summary)[0]
    first, last = (datetime.fromtimestamp(one, UTC).strftime("%Y-%m-%d %H:%M") for one in facts.window)
    calls = facts.named(f"{base}.all.calls").value or 0
    yield f"{heading.config} against {heading.against}: {calls:,.0f} calls, {first} to {last} UTC, seed {facts.seed}."
    yield ""
    for scenario in scenarios_of(summary):
        yield from _scenario(facts, scenario)


def _scenario(facts: Facts, scenario: str) -> Iterator[str]:
    def get(name: str) -> Fact:
        return facts.named(f"{scenario}.all.{name}")

    reading, _, stress = scenario.partition("+")
    read = f"{scenario} ({f'under the stress {stress}' if stress else _READ_AS[reading]})"
    seen, unseen = (int(get(f"incidents.{one}").value or 0) for one in ("seen", "unseen"))
    if not seen:
        yield f"{read}: no call met an outage of the target that it asks first: nothing is known of a fallback's worth."
        if unseen:
            yield f"   {_unseen(get)}"
        return
    without, with_it = (shown.minutes_of(get(f"minutes.{arm}").value or 0.0) for arm in ("without", "with"))
    yield f"{read}: {without} of outage became {with_it}."
    failed, left = (get(f"failed.{arm}").value or 0 for arm in ("without", "with"))
    saved, lost = (get(name).value or 0 for name in ("saved", "lost"))
    also = f", {lost:,.0f} were lost that were answered without" if lost else ""
    yield f"   {failed:,.0f} calls failed without, {left:,.0f} with: {saved:,.0f} were saved{also}."
    yield f"   availability {_share(get('availability.without'))} became {_share(get('availability.with'))}."
    times = [_time(get(f"e2e.p99.{arm}")) for arm in ("without", "with")]
    of_outages = [_time(facts.named(f"{scenario}.outages.e2e.p99.{arm}")) for arm in ("without", "with")]
    yield (
        f"   p99 end to end of answered calls: {times[0]} without, {times[1]} with;"
        f" of those in outages: {of_outages[0]} without, {of_outages[1]} with."
    )
    yield f"   cost {_money(get)}."
    if unseen:
        yield f"   {_unseen(get)}"


def _unseen(get: Callable[[str], Fact]) -> str:
    """Of incidents about which this traffic says nothing."""
    count = int(get("incidents.unseen").value or 0)
    lasted = shown.minutes_of(get("minutes.unseen").value or 0.0)
    return f"{count} {'incident' if count == 1 else 'incidents'} ({lasted}) met no call that asks their target first."


def _time(fact: Fact) -> str:
    """A time, or why there is none in a word."""
    return f"too few ({fact.n})" if fact.value is None and fact.n else shown.time_of(fact)


def _money(get: Callable[[str], Fact]) -> str:
    if get("cost.added").value is None:
        return get("cost.added").note
    paid = " became ".join(shown.money_of(get(f"cost.{arm}")) for arm in ("without", "with"))
    call = get("cost.per_recovered_call")
    each = shown.money_of(call) if call.value is not None else call.note
    return f"{paid}; for each saved call {each}"


def _share(fact: Fact) -> str:
    """Availability to the digit that matters: the first that is not a nine, and one more."""
    if fact.value is None:
        return NONE
    missing = 1 - fact.value
    digits = 2
    while digits < 6 and 0 < missing < 10.0 ** -(digits + 1):  # noqa: PLR2004 - beyond it nobody has so many calls
        digits += 1
    return f"{100 * fact.value:.{digits}f} %"


def tables(summary: Summary, heading: Heading) -> Iterator[Table]:
    """Readings and lags, modes, and what moves the answer."""
    yield _readings(summary, heading)
    modes = _modes(summary)
    if modes.row_count:
        yield modes
    if summary.moves:
        yield _moves(summary.moves)


def _readings(summary: Summary, heading: Heading) -> Table:
    lags = heading.lags
    late = [f"noticed {suffix(lag).removeprefix('.lag.')} late" for lag in lags[1:]]
    table = _table(
        "Minutes of outage",
        ("", "without", "95 %", "with", "95 %", "avoided", "95 %", *late, "incidents", "recovered"),
    )
    for scenario in scenarios_of(summary):
        cells = []
        for name in ("minutes.without", "minutes.with", "minutes.avoided"):
            fact = summary.facts.named(f"{scenario}.all.{name}")
            cells += [_number(fact.value), _between(fact)]
        avoided = [summary.facts.named(f"{scenario}.all.minutes.avoided{suffix(lag)}") for lag in lags[1:]]
        seen, recovered = (summary.facts.named(f"{scenario}.all.incidents.{one}") for one in ("seen", "recovered"))
        cells += [*(_number(fact.value) for fact in avoided), _number(seen.value), _number(recovered.value)]
        table.add_row(scenario, *cells)
    return table


def _modes(summary: Summary) -> Table:
    """Of the base, what each mode of each provider did; the most minutes first."""
    base = scenarios_of(summary)[0]
    table = _table(
        f"By provider and failure mode ({base})",
        ("provider", "mode", "calls", "saved", "minutes\nwithout", "with", "answered\nwithout", "with",
         "TTFT p50\nwith", "p99", "attempts\na call", "for each\nsaved call"),
    )  # fmt: skip
    groups: dict[str, Group] = {one.group.name: one.group for one in summary.told if one.scenario == base}
    both = [group for group in groups.values() if group.mode and (group.provider or len(groups) <= 3)]  # noqa: PLR2004

    def get(group: Group, name: str) -> Fact:
        return summary.facts.named(f"{base}.{group.name}.{name}")

    both = [group for group in both or groups.values() if group.mode and get(group, "calls").value]
    both.sort(key=lambda group: (-(get(group, "minutes.without").value or 0.0), group.name))
    for group in both[:MODES]:
        table.add_row(
            group.provider or NONE,
            group.mode,
            *(_number(get(group, name).value) for name in ("calls", "saved", "minutes.without", "minutes.with")),
            *(shown.share_of(get(group, f"availability.{arm}")) for arm in ("without", "with")),
            *(_time(get(group, f"ttft.{q}.with")) for q in ("p50", "p99")),
            _number(get(group, "attempts.with").value, 2),
            shown.money_of(get(group, "cost.per_recovered_call")),
        )  # fmt: skip
    return table


def _moves(moves: Sequence[Move]) -> Table:
    table = _table("What moves the minutes avoided", ("assumption", "instead", "avoided", "change", "95 %"))
    for move in moves[:MOVES]:
        ends = NONE if move.low is None or move.high is None else f"{move.low:+,.0f} … {move.high:+,.0f}"
        table.add_row(move.assumption, move.value, _number(move.varied), f"{move.effect:+,.1f}", ends)
    return table


def basis(said: Sequence[str], stand_on: Sequence[Assumption], left_out: dict[str, int]) -> Iterator[str]:
    """What the answer stands on: every assumption, and what was left out."""
    yield "Assumed:"
    for sentence in said:
        yield f" - {sentence}"
    for one in stand_on:
        if not one.measured:
            yield f" - {one.part} of {one.target}: {one.text}"
    if left_out:
        yield f"Left out: {', '.join(f'{count} incidents {why}' for why, count in left_out.items())}."


def _number(value: float | None, digits: int = 0) -> str:
    if value is None:
        return NONE
    return f"{value:,.1f}" if digits == 0 and value % 1 and abs(value) < 10 else f"{value:,.{digits}f}"  # noqa: PLR2004


def _between(fact: Fact) -> str:
    return NONE if fact.low is None or fact.high is None else f"{fact.low:,.0f} … {fact.high:,.0f}"


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=not number)
    return table
