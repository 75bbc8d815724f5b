"""Text and tables as wide as the screen is: lines are wrapped at words, wide tables go on below.

Knows columns and their width. Must never: leave a cell out, or break a number.
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich import box
from rich.table import Table

_GAP = 3
"""Columns between two cells."""
_EDGE = 2
"""Columns that a table takes besides its cells and gaps."""
_PROSE = 40
"""A cell with more characters may break between words."""

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
    title: str | None, head: Sequence[str], rows: Sequence[Sequence[str]], width: int, keys: int = 1
) -> Iterator[Table]:
    """One table, or several that stand below one another: each as wide as fits, and with the first `keys` columns.

    In one that is too wide intervals go below their values (`50 [44, 57]`), and headings break between words.
    """
    if sum(_narrowest(head, rows)) + _EDGE > width:
        rows = [tuple(map(_folded, row)) for row in rows]
    for number, columns in enumerate(_parts(head, rows, width, keys)):
        again = f"{title}, continued" if title and number else title
        table = Table(title=again, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for place, fixed in _fitted(head, rows, columns, width):
            numbers = place >= keys and any(_is_number(row[place]) for row in rows) and not _is_prose(rows, place)
            table.add_column(head[place], justify="right" if numbers else "left", overflow="fold", width=fixed)
        for row in rows:
            table.add_row(*(row[place] for place in columns))
        yield table


def _parts(head: Sequence[str], rows: Sequence[Sequence[str]], width: int, keys: int) -> list[list[int]]:
    """Which columns each table has; what `FOLLOWS` another one is never parted from it."""
    wide = _narrowest(head, rows)
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


def _fitted(
    head: Sequence[str], rows: Sequence[Sequence[str]], columns: Sequence[int], width: int
) -> Iterator[tuple[int, int | None]]:
    """Columns of one table, and how wide those are that must not be left to themselves.

    Where it is narrow, the widest cells would else be broken first, and not the headings.
    """
    narrowest = _narrowest(head, rows)
    whole = sum(_GAP + max(_longest(line[place]) for line in (head, *rows)) for place in columns)
    for place in columns:
        pressed = whole + _EDGE > width and not _is_prose(rows, place)
        yield place, narrowest[place] - _GAP if pressed else None


def _narrowest(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """What columns need at least, gap and all: headings may break between words, and so may prose."""
    return [
        _GAP + max([*map(len, name.split()), *(min(_longest(row[place]), _PROSE) for row in rows)], default=0)
        for place, name in enumerate(head)
    ]


def _is_prose(rows: Sequence[Sequence[str]], place: int) -> bool:
    return any(_longest(row[place]) > _PROSE for row in rows)


def _longest(cell: str) -> int:
    return max(map(len, cell.splitlines()), default=0)


def _is_number(cell: str) -> bool:
    return cell.lstrip("+-<>$")[:1].isdigit()


def _folded(cell: str) -> str:
    """`50 [44, 57]` in two lines that stay whole."""
    value, bracket, ends = cell.partition(" [")
    return f"{value}\n[{ends.replace(' ', chr(0xA0))}" if bracket and ends.endswith("]") else cell
