"""`surefoot demo`: what the gateway is worth, shown on this machine.

Knows: how options are spelled and where output goes.
Must never: hold logic; `surefoot.drill` does the work, `surefoot.report` writes it down.
"""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from surefoot.cli.screen import screen
from surefoot.drill.demo import DemoOptions, Step, run
from surefoot.drill.modes import MODES
from surefoot.facts import Facts, write
from surefoot.report.page import write_report
from surefoot.report.table import tables

_ALL = tuple(mode.name for mode in MODES)
_WIDTH_WITHOUT_TERMINAL = 120


def demo(
    seconds_per_mode: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds that each failure lasts.")] = 4.0,
    rate: Annotated[float, typer.Option(min=1, max=500, help="Calls per second, on each of the two ways.")] = 30.0,
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("surefoot-report"),
    seed: Annotated[int, typer.Option(help="Seed of every draw.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON in place of tables.")] = False,
    local_llm: Annotated[bool, typer.Option(help="A real llama.cpp server as the on-prem site.")] = False,
    modes: Annotated[str, typer.Option(help="Only these failures, with commas between.")] = ",".join(_ALL),
) -> None:
    """Start three sites and a gateway, let the primary fail in every way, and report what clients saw.

    Needs no keys and no network, and takes under a minute.
    """
    names = tuple(name.strip() for name in modes.split(",") if name.strip())
    if not names or not set(names) <= set(_ALL):
        raise typer.BadParameter(f"choose from {', '.join(_ALL)}", param_hint="--modes")
    told = DemoOptions(seconds_per_mode=seconds_per_mode, rate=rate, seed=seed, modes=names, local_llm=local_llm)
    # Being told to end must end our processes as well: both signals become one exception, and everything unwinds.
    signal.signal(signal.SIGTERM, _interrupt)
    facts = _run(told)
    page = write_report(facts, told, out)
    if as_json:
        sys.stdout.write(write(facts).decode() + "\n")
    else:
        _print(facts)
    typer.echo(f"report: {page.resolve()}", err=as_json)


def _run(told: DemoOptions) -> Facts:
    console = Console(stderr=True)
    if not console.is_terminal:
        return run(told, lambda step: console.print(_sentence(step), highlight=False, markup=False))
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting three sites and a gateway", total=None)

        def tell(step: Step) -> None:
            progress.update(task, description=_sentence(step), total=step.of, completed=step.number - 1)

        return run(told, tell)


def _sentence(step: Step) -> str:
    return f"{step.number}/{step.of} {step.phase}: {step.doing}"


def _print(facts: Facts) -> None:
    console = screen(_WIDTH_WITHOUT_TERMINAL)
    for table in tables(facts):
        console.print(table)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
