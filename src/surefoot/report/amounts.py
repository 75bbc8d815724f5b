"""Cells of amounts of a year, each with its interval, and the table they stand in.

Knows: rounding, and that a narrow console breaks intervals and words, never a number. Must never: compute a number.
"""

from collections.abc import Callable, Mapping

from rich import box
from rich.table import Table

from surefoot.facts import Fact
from surefoot.report import shown

ARMS = ("without", "with")
NONE = "–"  # noqa: RUF001 - an en dash stands for nothing
INTERVAL = "95 %"
_WORDS = ("known as",)
_LABELS = ("reading", "what")
_WHOLE = 100


def both(known: Mapping[str, Fact], name: str, cells: Callable[[Fact], tuple[str, str]]) -> list[str]:
    """The cells of both arms."""
    return [cell for arm in ARMS for cell in cells(known[name.format(arm)])]


def dollars(fact: Fact) -> tuple[str, str]:
    """Whole dollars and their interval."""
    low, high = ("none" if end is None else f"{end:,.0f}" for end in (fact.low, fact.high))
    return f"{'-' * ((fact.value or 0) < 0)}${abs(fact.value or 0):,.0f}", f"{low} … {high}"


def plain(fact: Fact) -> tuple[str, str]:
    """Months or minutes, to three digits."""
    ends = " … ".join(_digits(end) for end in (fact.low, fact.high) if end is not None)
    return NONE if fact.value is None else _digits(fact.value), ends


def percent(fact: Fact) -> tuple[str, str]:
    """A share."""
    return shown.share_of(fact), shown.shares_between(fact)


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:,.3g}"


def table(title: str, columns: tuple[str, ...]) -> Table:
    """Without rows."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        word = number == 0 or column in _WORDS
        whole = not word and column != INTERVAL
        left = word or column in _LABELS
        made.add_column(column, justify="left" if left else "right", no_wrap=whole, overflow="fold")
    return made
