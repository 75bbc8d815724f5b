"""The tables of a drill for a terminal, and of two drills side by side.

Knows: columns, and what has to be said beside a number. Must never: compute a number of its own, or show a coverage
that has no data.
"""

from collections.abc import Iterator

from rich import box
from rich.table import Table

from surefoot.drill.coverage import COLD, FORBIDDEN, UNTESTED, WARM
from surefoot.facts import Fact, Facts
from surefoot.report import shown

COVERAGES = (("modes", "by modes"), ("events", "by events"), ("risk", "by risk"))
"""The three, the headline last."""

NONE = "–"  # noqa: RUF001 - an en dash stands for nothing
UNAIDED = "°"

_SHARE = ".cold.mitigated"


def modes_of(facts: Facts) -> list[str]:
    """The modes that the facts tell of, the heaviest first; those that are not weighed come last."""
    names = [fact.name for fact in facts.facts]
    modes = [name.removeprefix("mode.").removesuffix(_SHARE) for name in names if name.endswith(_SHARE)]
    weights = {fact.name: fact.value or 0.0 for fact in facts.facts if fact.name.endswith(".weight")}
    return sorted(modes, key=lambda mode: -weights.get(f"mode.{mode}.weight", -1.0))


def is_partial(facts: Facts) -> bool:
    """Whether the drill was not completed."""
    return facts.named("coverage.risk").note.startswith("partial")


def tables(facts: Facts) -> tuple[Table, ...]:
    """What became of the calls, how the gateway moved, how long answers took, and what is covered.

    What there is no data for is left out: of a drill that was not completed the modes that it did not get to, and all
    coverages.
    """
    mark = "PARTIAL: " if is_partial(facts) else ""
    answers = _table(
        f"{mark}What became of the calls",
        ("mode", "struck", "cold", "95 %", "warm", "95 %", "passed\noff", "events\na year", _impact(facts), "weight"),
    )
    moves = _table(
        f"{mark}How the gateway moved (cold calls; intervals are in coverage.json)",
        ("mode", "detect p50", "p99", "switch p50", "p99", "fallback TTFT p50", "p99", "cost", "added"),
    )
    ends = _table(
        f"{mark}End to end, of whole answers",
        ("mode", "", "n", "p50, ms", "95 %", "p95, ms", "95 %", "p99, ms", "95 %"),
    )
    for mode in modes_of(facts):
        drilled = [state for state in (COLD, WARM) if facts.named(f"mode.{mode}.{state}.mitigated").n]
        if drilled or not is_partial(facts):
            answers.add_row(mode, *_answers(facts, mode))
        for state in drilled:
            ends.add_row(mode, state, *_ends(facts, mode, state))
        if COLD in drilled:
            moves.add_row(mode, *_moves(facts, mode))
    return tuple(table for table in (answers, moves, ends, _coverages(facts)) if table.row_count)


def remarks(facts: Facts) -> Iterator[str]:
    """What has to be said beside the tables, a sentence each."""
    passed, missed = facts.named("passed_off"), facts.named("not_delivered")
    if passed.value:
        yield f"NOT SAFE: {passed.value:.0f} of {passed.n} broken answers were passed off as whole."
    elif passed.n:
        yield f"No broken answer was passed off as whole (0 of {passed.n} calls)."
    if missed.value:
        yield f"{missed.value:.0f} of {missed.n} calls were not struck by their fault and do not count."
    short = facts.named("short")
    if short.value and not is_partial(facts):
        yield f"Fewer repetitions than were asked for: {short.note}. Their intervals are wider for it."
    untested = facts.named(UNTESTED)
    if untested.value:
        yield f"Untested, so neither covered nor uncovered: {untested.note}."
    by_law = next((one for one in facts.facts if one.name == FORBIDDEN), None)  # sheets of old have none
    if by_law is not None and by_law.value:
        yield f"Uncovered by law, because targets that are left may not serve: {by_law.note}."
    if not is_partial(facts):
        yield from _without(facts)
    defaults = facts.named("default_rates")
    if defaults.value:
        yield (
            f"The events and impacts of {defaults.value:.0f} of {defaults.n} modes are defaults from public incident "
            "texts, marked *; --rates FILE takes yours."
        )


def _without(facts: Facts) -> Iterator[str]:
    """Which coverages there are not, and why."""
    missing = [(title, facts.named(f"coverage.{name}")) for name, title in COVERAGES]
    reasons = dict.fromkeys(fact.note for _, fact in missing if fact.value is None)
    for reason in reasons:
        titles = [title for title, fact in missing if fact.value is None and fact.note == reason]
        yield f"No coverage {' and '.join(titles)}: {reason}."


def side_by_side(route: str, one: tuple[str, Facts], other: tuple[str, Facts]) -> tuple[Table, str]:
    """Two drills of a route, each with its name: every mode and the three coverages, and what that comes to."""
    names = [name for name, _ in (one, other)]
    table = _table(f"Route {route}: mitigated, of cold calls", ("mode", names[0], "95 %", "n", names[1], "95 %", "n"))
    known = list(dict.fromkeys([*modes_of(one[1]), *modes_of(other[1])]))
    for mode in known:
        table.add_row(mode, *(cell for _, facts in (one, other) for cell in _side(facts, f"mode.{mode}{_SHARE}")))
    table.add_section()
    for name, title in COVERAGES:
        table.add_row(title, *(cell for _, facts in (one, other) for cell in _side(facts, f"coverage.{name}")))
    return table, _story(one, other)


def _story(one: tuple[str, Facts], other: tuple[str, Facts]) -> str:
    risks = [facts.named("coverage.risk") for _, facts in (one, other)]
    for (name, _), risk in zip((one, other), risks, strict=True):
        if risk.value is None:
            return f"There is no coverage of {name} to hold against the other: {risk.note}."
    before, after = (shown.about(risk.value or 0.0) for risk in risks)
    each = [
        f"{name} {shown.share_of(risk)} (95 %: {shown.shares_between(risk)})"
        for (name, _), risk in zip((one, other), risks, strict=True)
    ]
    return f"{before} became {after}: risk-weighted coverage of {each[0]} and of {each[1]}{_scope(one[1])}."


def _side(facts: Facts, name: str) -> list[str]:
    try:
        fact = facts.named(name)
    except KeyError:
        return [UNTESTED, "", "0"]
    return [_share(fact), shown.shares_between(fact), str(fact.n)]


def _answers(facts: Facts, mode: str) -> list[str]:
    def get(measure: str) -> Fact:
        return facts.named(f"mode.{mode}.{measure}")

    cells = [_struck(facts, mode)]
    for state in (COLD, WARM):
        share = get(f"{state}.mitigated")
        own = f" {UNAIDED}{get(f'{state}.unaided').value:.0f}" if get(f"{state}.unaided").value else ""
        cells += [
            f"{shown.k_of_n(get(f'{state}.mitigated_calls'))}{own}" if share.n else _none(state),
            shown.shares_between(share),
        ]
    return [*cells, f"{get('passed_off').value:.0f}", *_weights(facts, mode)]


def _struck(facts: Facts, mode: str) -> str:
    try:
        struck = facts.named(f"mode.{mode}.struck")
    except KeyError:
        return NONE
    return f"{struck.value:.0f}/{struck.n}"


def _none(state: str) -> str:
    return UNTESTED if state == COLD else NONE


def _impact(facts: Facts) -> str:
    units = [fact.unit for fact in facts.facts if fact.name.endswith(".impact")]
    return f"impact,\n{units[0]}" if units else "impact"


def _weights(facts: Facts, mode: str) -> list[str]:
    try:
        events, impact, weight = (facts.named(f"mode.{mode}.{name}") for name in ("events", "impact", "weight"))
    except KeyError:
        return ["not weighed", "", ""]
    mark = "*" if events.note.startswith("default") else ""
    return [f"{events.value:.2g}{mark}", f"{impact.value:.3g}{mark}", shown.share_of(weight)]


def _moves(facts: Facts, mode: str) -> list[str]:
    start = f"mode.{mode}.{COLD}"
    times = [
        shown.time_of(facts.named(f"{start}.{measure}.{quantile}"))
        for measure in ("detect", "switch", "fallback_ttft")
        for quantile in ("p50", "p99")
    ]
    cost, added = facts.named(f"{start}.cost"), facts.named(f"{start}.added_cost")
    return [*times, shown.money_of(cost), shown.money_of(added, signed=True)]


def _ends(facts: Facts, mode: str, state: str) -> list[str]:
    found = [facts.named(f"mode.{mode}.{state}.end_to_end.{quantile}") for quantile in ("p50", "p95", "p99")]
    cells = ((shown.time_of(fact).removesuffix(" ms"), shown.times_between(fact)) for fact in found)
    return [str(found[0].n), *(cell for pair in cells for cell in pair)]


def _coverages(facts: Facts) -> Table:
    table = _table("Coverage", (_scope(facts).strip() or "of the whole catalogue", "share", "95 %"))
    for name, title in COVERAGES:
        fact = facts.named(f"coverage.{name}")
        if fact.value is not None:
            table.add_row(title, shown.share_of(fact), shown.shares_between(fact))
    return table


def _scope(facts: Facts) -> str:
    """Of which modes the coverages are, where not of all: ` of the 2 modes chosen`."""
    note = facts.named("coverage.modes").note
    return f" {note.split(';')[0]}" if note.startswith("of ") else ""


def _share(fact: Fact) -> str:
    return UNTESTED if fact.value is None else shown.share_of(fact)


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table
