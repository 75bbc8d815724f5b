"""Text and tables as wide as the screen is: lines are wrapped at words, wide tables go on below.

Knows columns and their width. Must never: leave a cell out.
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich import box
from rich.table import Table

_GAP = 3
"""Columns between two cells."""
_EDGE = 2
"""Columns that a table takes besides its cells and gaps."""

FOLLOWS = frozenset({"95 %", "with", "p99"})
"""Heads of columns that mean nothing without the one before them."""

NARROWEST = 40
"""Below this nothing is wrapped any more: the screen's own wrapping is no worse."""


def wrapped(line: str, width: int) -> str:
    """A line, and what does not fit below it, indented by as much as the line and two more."""
    if len(line) <= width or width < NARROWEST:
        return line
    text = line.lstrip()
    indent = " " * (len(line) - len(text))
    hanging = f"{indent}{'' if text.startswith('- ') else '  '}{'  ' if text.startswith('- ') else ''}"
    return "\n".join(
        wrap(
            text, width, initial_indent=indent, subsequent_indent=hanging,
            break_long_words=False, break_on_hyphens=False,
        )
    )  # fmt: skip


def tables_of(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], width: int, keys: int = 1
) -> Iterator[Table]:
    """One table, or several that stand below one another: each as wide as fits, and with the first `keys` columns."""
    for number, columns in enumerate(_parts(head, rows, width, keys)):
        table = Table(
            title=f"{title}, continued" if number else title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
        )
        for place in columns:
            table.add_column(head[place], justify="right" if place >= keys else "left", no_wrap=place < keys)
        for row in rows:
            table.add_row(*(row[place] for place in columns))
        yield table


def _parts(head: Sequence[str], rows: Sequence[Sequence[str]], width: int, keys: int) -> list[list[int]]:
    """Which columns each table has; what `FOLLOWS` another one is never parted from it."""
    wide = [max(map(_wide, (head[place], *(row[place] for row in rows)))) + _GAP for place in range(len(head))]
    groups: list[list[int]] = []
    for place in range(keys, len(head)):
        if groups and head[place] in FOLLOWS:
            groups[-1].append(place)
        else:
            groups.append([place])
    room = left = width - _EDGE - sum(wide[:keys])
    parts = [list(range(keys))]
    for group in groups:
        needed = sum(wide[place] for place in group)
        if needed > left and len(parts[-1]) > keys:
            parts.append(list(range(keys)))
            left = room
        parts[-1] += group
        left -= needed
    return parts


def _wide(cell: str) -> int:
    return max((len(line) for line in cell.splitlines()), default=0)
