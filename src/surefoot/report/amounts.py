"""Cells of amounts of a year, each with its interval, and the table they stand in.

Knows: rounding; how wide the screen is, `widths` knows. Must never: compute a number.
"""

from collections.abc import Callable, Iterator, Mapping

from rich.table import Table

from surefoot.facts import Fact
from surefoot.report import shown
from surefoot.report.widths import tables_of

ARMS = ("without", "with")
NONE = "–"  # noqa: RUF001 - an en dash stands for nothing
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


class Rows:
    """A table before it is known how wide the screen is."""

    def __init__(self, title: str, columns: tuple[str, ...]) -> None:
        self.title = title
        self.columns = columns
        self.rows: list[tuple[str, ...]] = []

    def add(self, *cells: str) -> None:
        """A row."""
        self.rows.append(cells)

    def part(self) -> None:
        """An empty line before what follows."""
        if self.rows and any(self.rows[-1]):
            self.rows.append(("",) * len(self.columns))

    def drawn(self, width: int) -> Iterator[Table]:
        """As tables that fit; none without a row."""
        keys = 2 if self.columns[1] in _LABELS else 1
        return tables_of(self.title, self.columns, self.rows, width, keys) if self.rows else iter(())
