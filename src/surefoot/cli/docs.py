"""`surefoot docs`: the reference, generated from the program, so that it cannot say what the program does not do.

Knows where the pages lie. Must never write prose.
"""

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.reference import pages
from surefoot.errors import StartError


def docs(
    to: Annotated[Path, typer.Option(help="The directory of the pages.")] = Path("docs/reference"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if a page is stale.")] = False,
) -> None:
    """Generate the reference documentation."""
    made = pages()
    stale = [name for name, text in made.items() if not _is(to / name, text)]
    if check:
        for name in stale:
            typer.echo(f"{to / name} is stale; `surefoot docs` writes it anew", err=True)
        raise typer.Exit(1 if stale else 0)
    try:
        to.mkdir(parents=True, exist_ok=True)
        for name in stale:
            (to / name).write_text(made[name], encoding="utf-8")
            typer.echo(f"{to / name}: written")
    except OSError as error:
        raise StartError(f"{to} cannot be written: {error.strerror}") from error


def _is(file: Path, text: str) -> bool:
    try:
        return file.read_text(encoding="utf-8") == text
    except FileNotFoundError:
        return False
