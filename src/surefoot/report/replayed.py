"""What a replay found, on one screen: plain words first, then tables, then what all of it stands on.

Knows: sentences and columns. Must never: compute a number of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from rich.table import Table

from surefoot.facts import Fact, Facts
from surefoot.replay.counting.arranged import Group
from surefoot.replay.counting.measures import suffix
from surefoot.replay.counting.numbers import OF_CALLS_ALONE
from surefoot.replay.counting.resampling import FEWEST_WEEKS, ROUGH
from surefoot.replay.counting.summary import Move, Summary
from surefoot.replay.modelling import Assumption
from surefoot.replay.outages.planning import LeftOut
from surefoot.replay.reach import moment
from surefoot.replay.stress import OF_THE_GATEWAY
from surefoot.report import shown
from surefoot.report.widths import tables_of

MODES = 8
"""Rows of the table of modes; all are in the folder."""
MOVES = 8
"""Likewise of the table of assumptions."""
LEFT_OUT = 8
"""Incidents in the traffic's time that are left out and named."""

ALONE = "*"
"""Marks an interval of calls alone in a table."""
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
    calls = shown.many(facts.named(f"{base}.all.calls").value or 0, "call")
    yield f"{heading.config} against {heading.against}: {calls}, {first} to {last} UTC, seed {facts.seed}."
    yield from _weeks(summary.weeks)
    yield ""
    for scenario in scenarios_of(summary):
        yield from _scenario(facts, scenario)


def _weeks(weeks: int) -> Iterator[str]:
    """What few weeks cannot say."""
    if weeks < FEWEST_WEEKS:
        yield (
            "One calendar week: what stands here is what happened in it, and without intervals over weeks. Those of"
            " availability are of its calls alone; another week can be quite otherwise."
        )
    elif weeks < ROUGH:
        yield f"{weeks} calendar weeks: intervals over weeks are rough."


def _scenario(facts: Facts, scenario: str) -> Iterator[str]:
    def get(name: str) -> Fact:
        return facts.named(f"{scenario}.all.{name}")

    reading, _, stress = scenario.partition("+")
    read = f"{scenario} ({f'under the stress {stress}' if stress else _READ_AS[reading]})"
    if not get("incidents.seen").value:
        yield f"{read}: no call met an outage of the target that it asks first: nothing is known of a fallback's worth."
        yield from _incidents(get)
        return
    without, with_it = (_lasted(get(f"minutes.{arm}")) for arm in ("without", "with"))
    yield f"{read}: {without} of outage became {with_it}."
    yield from _incidents(get)
    failed, left = _many(get("failed.without"), "call"), _many(get("failed.with"))
    saved, lost = get("saved"), get("lost")
    also = f", {_many(lost)} {_were(lost)} lost that {_were(lost)} answered without" if lost.value else ""
    yield f"   {failed} failed without, {left} with: {_many(saved)} {_were(saved)} saved{also}."
    yield from _gateway(facts, scenario)
    yield f"   availability {_available(get('availability.without'))} became {_available(get('availability.with'))}."
    times = [_time(get(f"e2e.p99.{arm}")) for arm in ("without", "with")]
    of_outages = [_time(facts.named(f"{scenario}.outages.e2e.p99.{arm}")) for arm in ("without", "with")]
    yield (
        f"   p99 end to end of answered calls: {times[0]} without, {times[1]} with;"
        f" of those in outages: {of_outages[0]} without, {of_outages[1]} with."
    )
    yield f"   cost {_money(get)}."


_INCIDENTS = (
    ("seen", "met calls that ask their target first"),
    ("unseen", "of such targets met no call: of those nothing is known"),
    ("fallback", "of targets that no call asks first: of fallbacks alone"),
)


def _incidents(get: Callable[[str], Fact]) -> Iterator[str]:
    """How many there were, of which sort, and how long."""
    told = []
    for sort, what in _INCIDENTS:
        count = get(f"incidents.{sort}").value
        if count:
            lasted = shown.minutes_of(get(f"minutes.{sort}").value or 0.0)
            told.append(f"{shown.many(count, 'incident')} ({lasted}) {what}")
    if told:
        yield f"   {'; '.join(told)}."


def _gateway(facts: Facts, scenario: str) -> Iterator[str]:
    """What the gateway's own outage did, where it is stressed."""
    name = f"{scenario}.provider.{OF_THE_GATEWAY}"
    if not any(one.name == f"{name}.calls" for one in facts.facts):
        return
    calls, lost, lasted = (facts.named(f"{name}.{what}") for what in ("calls", "lost", "minutes.with"))
    yield (
        f"   the gateway itself: {_lasted(lasted)} of outage; {_many(calls, 'call')} found nobody there"
        f" while all else was well, of which {_many(lost)} {_were(lost)} answered without."
    )


def _were(count: Fact) -> str:
    return "was" if count.value == 1 else "were"


def _ends(fact: Fact, form: Callable[[float], str]) -> str:
    """What follows a number that has an interval: ` [44, 57]`. An open end is none."""
    if fact.low is None and fact.high is None:
        return ""
    low, high = ("none" if end is None else form(end) for end in (fact.low, fact.high))
    return f" [{low}, {high}]"


def _lasted(fact: Fact) -> str:
    """Minutes of outage."""
    return shown.minutes_of(fact.value or 0.0) + _ends(fact, shown.minutes_of)


def _many(fact: Fact, what: str = "") -> str:
    """A count, of what if need be."""
    value = fact.value or 0
    return (shown.many(value, what) if what else f"{value:,.0f}") + _ends(fact, "{:,.0f}".format)


def _time(fact: Fact) -> str:
    """A time, or why there is none in a word."""
    if fact.value is None and fact.n:
        return f"too few ({fact.n})"
    return shown.time_of(fact) + _ends(fact, lambda end: f"{end * shown.MS:,.0f}")


def _dollars(fact: Fact, *, signed: bool = False) -> str:
    """An amount of money, or that there is none in a word."""

    def plain(end: float) -> str:
        return shown.money_of(Fact(name="", value=end, unit=fact.unit, n=fact.n), signed=signed)

    return shown.money_of(fact, signed=signed) + _ends(fact, plain)


def _money(get: Callable[[str], Fact]) -> str:
    """What was paid, what of it for recoveries and what while nothing was out, and for each saved call."""
    if get("cost.added").value is None:
        return get("cost.added").note
    paid = " became ".join(_dollars(get(f"cost.{arm}")) for arm in ("without", "with"))
    parts = [_dollars(get(f"cost.{what}"), signed=True) for what in ("recovery", "steady")]
    each, all_in = (_each(get(f"cost.per_recovered_call{sort}")) for sort in ("", ".all_in"))
    return f"{paid}: {parts[0]} in outages, {parts[1]} outside of them; for each saved call {each}, all in {all_in}"


def _each(fact: Fact) -> str:
    return _dollars(fact) if fact.value is not None else fact.note


def _available(fact: Fact, alone: str = ", of calls alone") -> str:
    """With its interval, and `alone` in it if that is of calls alone."""
    if fact.value is None or fact.low is None or fact.high is None:
        return _share(fact)
    digits = _digits(fact.value)
    mark = alone if _of_calls_alone(fact) else ""
    return f"{_share(fact)} [{100 * fact.low:.{digits}f}, {100 * fact.high:.{digits}f}{mark}]"


def _of_calls_alone(fact: Fact) -> bool:
    return fact.note.startswith(OF_CALLS_ALONE)


def _share(fact: Fact) -> str:
    """Availability to the digit that matters: the first that is not a nine, and one more."""
    return NONE if fact.value is None else f"{100 * fact.value:.{_digits(fact.value)}f} %"


def _digits(share: float) -> int:
    missing = 1 - share
    digits = 2
    while digits < 6 and 0 < missing < 10.0 ** -(digits + 1):  # noqa: PLR2004 - beyond it nobody has so many calls
        digits += 1
    return digits


def tables(summary: Summary, heading: Heading, width: int) -> Iterator[Table]:
    """Readings and lags, modes, and what moves the answer; each as wide as `width` allows, and else in parts."""
    yield from _readings(summary, heading, width)
    yield from _modes(summary, width)
    if summary.moves:
        yield from _moves(summary.moves, width)


def _readings(summary: Summary, heading: Heading, width: int) -> Iterator[Table]:
    lags = heading.lags
    late = [f"noticed\n{suffix(lag).removeprefix('.lag.')} late" for lag in lags[1:]]
    head = (
        "", "incidents", "hours", "recovered", "without", "95 %", "with", "95 %", "avoided", "95 %", *late
    )  # fmt: skip
    rows = []
    for scenario in scenarios_of(summary):

        def get(name: str, of: str = scenario) -> Fact:
            return summary.facts.named(f"{of}.all.{name}")

        cells = [
            _number(get("incidents.seen").value),
            f"{(get('minutes.seen').value or 0.0) / 60:,.1f}",
            _number(get("incidents.recovered").value),
        ]
        for name in ("minutes.without", "minutes.with", "minutes.avoided"):
            cells += [_number(get(name).value), _between(get(name))]
        cells += [_cell(get(f"minutes.avoided{suffix(lag)}")) for lag in lags[1:]]
        rows.append((scenario.replace("+", "\n+"), *cells))
    return tables_of("Minutes of outage", head, rows, width)


def _modes(summary: Summary, width: int) -> Iterator[Table]:
    """Of the base, what each mode of each provider did; the most minutes first."""
    base = scenarios_of(summary)[0]
    head = (
        "provider", "mode", "calls", "saved", "minutes\nwithout", "with", "answered\nwithout", "with",
        "TTFT p50\nwith", "p99", "attempts\na call", "for each\nsaved call",
    )  # fmt: skip
    groups: dict[str, Group] = {one.group.name: one.group for one in summary.told if one.scenario == base}
    both = [group for group in groups.values() if group.mode and (group.provider or len(groups) <= 3)]  # noqa: PLR2004

    def get(group: Group, name: str) -> Fact:
        return summary.facts.named(f"{base}.{group.name}.{name}")

    both = [group for group in both or groups.values() if group.mode and get(group, "calls").value]
    both.sort(key=lambda group: (-(get(group, "minutes.without").value or 0.0), group.name))
    rows = [
        (
            group.provider or NONE,
            group.mode,
            _number(get(group, "calls").value),
            *(_cell(get(group, name)) for name in ("saved", "minutes.without", "minutes.with")),
            *(_available(get(group, f"availability.{arm}"), f" {ALONE}") for arm in ("without", "with")),
            *(_time(get(group, f"ttft.{q}.with")) for q in ("p50", "p99")),
            _cell(get(group, "attempts.with"), 2),
            _dollars(get(group, "cost.per_recovered_call")),
        )
        for group in both[:MODES]
    ]
    alone = any(ALONE in cell for row in rows for cell in row)
    title = f"By provider and failure mode ({base}{f'; {ALONE} of calls alone' if alone else ''}), 95 % in brackets"
    if rows:
        yield from tables_of(title, head, rows, width, keys=2)


def _moves(moves: Sequence[Move], width: int) -> Iterator[Table]:
    rows = []
    for move in moves[:MOVES]:
        ends = NONE if move.low is None or move.high is None else f"{move.low:+,.0f} … {move.high:+,.0f}"
        rows.append((move.assumption, move.value, _number(move.varied), f"{move.effect:+,.1f}", ends))
    return tables_of(
        "What moves the minutes avoided", ("assumption", "instead", "avoided", "change", "95 %"), rows, width, keys=2
    )


def basis(
    said: Sequence[str], stand_on: Sequence[Assumption], left_out: dict[str, int], inside: Sequence[LeftOut]
) -> Iterator[str]:
    """What the answer stands on: every assumption, and what was left out; the first of them by title."""
    yield "Assumed:"
    for sentence in said:
        yield f" - {sentence}"
    for one in stand_on:
        if not one.measured:
            yield f" - {one.part} of {one.target}: {one.text}"
    if left_out:
        counted = ", ".join(f"{shown.many(count, 'incident')} {why}" for why, count in left_out.items())
        yield f"Left out: {counted}."
    if inside:
        yield "Of those, in the time of the traffic:"
        for left in inside[:LEFT_OUT]:
            yield f" - {moment(left.start)} {left.provider}: {left.title or left.incident} ({left.why})"
        if len(inside) > LEFT_OUT:
            yield f" - and {len(inside) - LEFT_OUT:,} more: assumptions.json lists all of them"


def _number(value: float | None, digits: int = 0) -> str:
    if value is None:
        return NONE
    return f"{value:,.1f}" if digits == 0 and value % 1 and abs(value) < 10 else f"{value:,.{digits}f}"  # noqa: PLR2004


def _cell(fact: Fact, digits: int = 0) -> str:
    """A number and its interval."""
    return _number(fact.value, digits) + _ends(fact, lambda end: _number(end, digits))


def _between(fact: Fact) -> str:
    return NONE if fact.low is None or fact.high is None else f"{fact.low:,.0f} … {fact.high:,.0f}"
