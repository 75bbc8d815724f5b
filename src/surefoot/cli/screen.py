"""How commands print: on a terminal as wide as it is, elsewhere wide enough for tables, or as one JSON object.

Must never: know what it prints.
"""

from typing import Any

import msgspec
import typer
from rich.console import Console

WITHOUT_TERMINAL = 150
"""Columns where there is no terminal."""


def screen(width: int = WITHOUT_TERMINAL) -> Console:
    """As wide as the terminal, or so wide where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=width)


def print_json(told: Any) -> None:
    """One JSON object."""
    typer.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
