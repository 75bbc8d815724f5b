"""Tables in Markdown, for the reference and for pipes, and for a terminal. Knows nothing of what stands in them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table


class Grid(NamedTuple):
    """A table that is not drawn yet."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    keys: int = 1
    """So many columns at the left say what a row is of."""


Part = str | Grid
"""A paragraph or a table."""

_BETWEEN = 3
"""Blanks between two columns."""

_EDGES = 2

_PROSE = 40
"""A cell with more characters may break between words."""


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown; white space inside a cell is no line break."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in line) + " |" for line in lines
    )


def markdown(parts: Iterable[Part]) -> str:
    """Everything, with blank lines between."""
    return "\n\n".join(part if isinstance(part, str) else table(part.head, part.rows) for part in parts)


def draw(parts: Iterable[Part], console: Console) -> None:
    """Everything on a terminal. A table that is too wide has its intervals below their values, then goes on below."""
    for number, part in enumerate(parts):
        if number:
            console.print()
        if isinstance(part, str):
            console.print(part, highlight=False, markup=False)
            continue
        grid = part
        if sum(_widths(grid)) + _EDGES > console.width:
            grid = part._replace(rows=[tuple(_folded(cell) for cell in row) for row in part.rows])
        for columns in _pieces(grid, console.width):
            console.print(_drawn(grid, columns, console.width), highlight=False, markup=False)


def _pieces(grid: Grid, room: int) -> list[list[int]]:
    """Numbers of the columns that stand side by side, the keys in every piece."""
    widths = _widths(grid)
    keys = list(range(grid.keys))
    pieces = [[*keys]]
    for number in range(grid.keys, len(grid.head)):
        if len(pieces[-1]) > len(keys) and sum(widths[one] for one in (*pieces[-1], number)) + _EDGES > room:
            pieces.append([*keys])
        pieces[-1].append(number)
    return pieces


def _widths(grid: Grid) -> list[int]:
    """What columns need: headings may break between words, and so may cells of more than some words."""
    return [
        _BETWEEN + max(min(length, _PROSE) for length in (*map(len, name.split()), *_lengths(grid, number)))
        for number, name in enumerate(grid.head)
    ]


def _lengths(grid: Grid, number: int) -> list[int]:
    """Of the lines in the cells of a column."""
    return [len(line) for row in grid.rows for line in row[number].split("\n")]


def _drawn(grid: Grid, columns: Sequence[int], room: int) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    widths = _widths(grid)
    whole = sum(_BETWEEN + max(len(grid.head[number]), *_lengths(grid, number), 0) for number in columns)
    for number in columns:
        lengths = _lengths(grid, number)
        numbers = number >= grid.keys and all(row[number][:1].isdigit() or row[number] == "-" for row in grid.rows)
        # Left to itself it would break the widest cells first, and not the headings.
        fixed = whole + _EDGES > room and max(lengths, default=0) <= _PROSE
        drawn.add_column(
            grid.head[number],
            justify="right" if numbers else "left",
            overflow="fold",
            width=widths[number] - _BETWEEN if fixed else None,
        )
    for row in grid.rows:
        drawn.add_row(*(row[number] for number in columns))
    return drawn


def _folded(cell: str) -> str:
    """`50 [44, 57]` in two lines that stay whole."""
    value, bracket, ends = cell.partition(" [")
    return f"{value}\n[{ends.replace(' ', chr(0xA0))}" if bracket and ends.endswith("]") else cell
