"""`surefoot exposure`: what failures cost in a year, with a fallback and without.

Knows: how options are spelled and where output goes.
Must never: hold logic; `surefoot.worth` does the work, `surefoot.report` writes it down.
"""

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.screen import screen
from surefoot.errors import ConfigError, EvidenceError, StartError
from surefoot.facts import Facts, write
from surefoot.report import exposed
from surefoot.report.by_use import basis
from surefoot.worth.reading import read_risks
from surefoot.worth.sheet import LEAST_YEARS, MOST_YEARS, YEARS, sheet_of

FACTS, CHART = "facts.json", "exceedance.svg"


def exposure(
    config: Annotated[Path, typer.Option("--config", "-c", help="The risk file.")] = Path("risk.toml"),
    facts: Annotated[
        Path | None, typer.Option(help="Folder of a replay or a drill, whose facts the file names.")
    ] = None,
    years: Annotated[int, typer.Option(min=LEAST_YEARS, max=MOST_YEARS, help="Years to simulate.")] = YEARS,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the facts and the loss exceedance curve.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON in place of tables.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every draw.")] = 7,
) -> None:
    """Simulate years of incidents, months below promised uptimes, penalties, lost margin and responses.

    Both arms see the same incidents. The same file, facts, years and seed give the same bytes. docs/exposure.md tells
    how the file is written and how each number is made.
    """
    read = read_risks(config, facts)
    try:
        found = sheet_of(read, years, seed)
    except EvidenceError as error:
        raise ConfigError([f"{config}: {error}"]) from error
    if out is not None:
        _keep(found, out)
    if as_json:
        typer.echo(write(found).decode())
        return
    console = screen()
    console.print(f"Figures of {config}: {read.file.source}, as of {read.file.as_of}", highlight=False, markup=False)
    for line in basis(read):
        console.print(f"  {line}", highlight=False, markup=False)
    for line in exposed.answer(found):
        console.print(line, highlight=False, markup=False)
    for table in exposed.tables(found, console.width):
        console.print(table)
    for line in exposed.remarks(found):
        console.print(line, highlight=False, markup=False)
    if out is not None:
        typer.echo(f"kept: {out}")


def _keep(found: Facts, out: Path) -> None:
    from surefoot.report.exceedance import svg  # noqa: PLC0415 - drawing is dear to import, and not always asked for

    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / FACTS).write_bytes(write(found) + b"\n")
        chart = svg(found)
        if chart:
            (out / CHART).write_text(chart, encoding="utf-8")
    except OSError as error:
        raise StartError(f"--out: {out} cannot be written: {error.strerror}; name another folder") from error
