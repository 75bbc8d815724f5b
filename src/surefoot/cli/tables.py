"""Tables in Markdown, for the reference and for pipes, and for a terminal. Knows nothing of what stands in them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.console import Console

from surefoot.report.widths import tables_of


class Grid(NamedTuple):
    """A table that is not drawn yet."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    keys: int = 1
    """So many columns at the left say what a row is of."""


Part = str | Grid
"""A paragraph or a table."""


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
    """Everything on a terminal, as wide as that is."""
    for number, part in enumerate(parts):
        if number:
            console.print()
        if isinstance(part, str):
            console.print(part, highlight=False, markup=False)
            continue
        for drawn in tables_of(None, part.head, part.rows, console.width, part.keys):
            console.print(drawn, highlight=False, markup=False)
