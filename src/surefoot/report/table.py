"""The demo's table for a terminal.

Knows: columns. Must never: compute a number of its own.
"""

from rich import box
from rich.table import Table

from surefoot.drill.measure import DIRECT, GATEWAY
from surefoot.facts import Fact, Facts
from surefoot.report import shown
from surefoot.report.page import phases_of


def tables(facts: Facts) -> tuple[Table, Table]:
    """What became of the calls, and how the gateway moved."""
    answers = _table(
        "What clients saw",
        ("mode", "with Surefoot", "95 %", "without", "95 %", "added TTFT p50", "p99", "cut, passed off", "n"),
    )
    moves = _table(
        "How the gateway moved",
        ("mode", "failed attempts", "detect p50", "p99", "switch p50", "p99", "hedged", "after p50", "TTFT p50", "p99"),
    )
    for name in phases_of(facts):
        answers.add_row(name, *_answers(facts, name))
        moves.add_row(name, *_moves(facts, name))
    return answers, moves


def _answers(facts: Facts, name: str) -> list[str]:
    ours, theirs = (facts.named(f"{name}.{arm}.answered") for arm in (GATEWAY, DIRECT))
    passed = [facts.named(f"{name}.{arm}.passed_off") for arm in (GATEWAY, DIRECT)]
    return [
        shown.k_of_n(facts.named(f"{name}.{GATEWAY}.answered_calls")),
        shown.shares_between(ours),
        shown.k_of_n(facts.named(f"{name}.{DIRECT}.answered_calls")),
        shown.shares_between(theirs),
        *(shown.time_of(facts.named(f"{name}.{GATEWAY}.added_ttft.{p}"), signed=True) for p in ("p50", "p99")),
        " / ".join(f"{fact.value:.0f}" for fact in passed),
        str(ours.n),
    ]


def _moves(facts: Facts, name: str) -> list[str]:
    def get(measure: str) -> Fact:
        return facts.named(f"{name}.{GATEWAY}.{measure}")

    return [
        str(get("hedged").n),
        *(shown.time_of(get(f"{measure}.{p}")) for measure in ("detect", "switch") for p in ("p50", "p99")),
        shown.k_of_n(get("hedged")),
        shown.time_of(get("hedge_after.p50")),
        *(shown.time_of(get(f"ttft.{p}")) for p in ("p50", "p99")),
    ]


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table
