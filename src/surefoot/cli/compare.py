"""`surefoot compare`: whole configurations on the same traffic, incidents and draws, and the impact matrix.

Knows: how options are spelled and where output goes.
Must never: hold logic; `surefoot.candidates` does the work, `surefoot.report` writes it down.
"""

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.table import Table

from surefoot.candidates.asking import Wanted, candidates_of
from surefoot.candidates.comparing import FILES, Compared, compared, tasks_of
from surefoot.candidates.placing import Limits
from surefoot.cli.replay_progress import ReplayProgress
from surefoot.cli.replaying import ALL, read_part, read_readings, say, unwind_when_stopped
from surefoot.cli.screen import print_json, screen
from surefoot.config.gathering import attempted, read_option
from surefoot.config.quantities import read_duration
from surefoot.config.rates import default_rates, read_rates
from surefoot.errors import ConfigError
from surefoot.intake.incident import Reading
from surefoot.replay.counting.kept import ready
from surefoot.replay.sweep import ray_here, sweep


def compare(
    traffic: Annotated[Path, typer.Option(help="Traffic, as `surefoot import` writes it.")],
    incidents: Annotated[
        list[Path],
        typer.Option(help="A list of incidents that `surefoot incidents` reads; may be given several times."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for facts, the matrix and the page.")],
    config: Annotated[
        list[Path],
        typer.Option("--config", "-c", help="A candidate's configuration file; two or more. The first is the base."),
    ],
    drills: Annotated[
        Path | None, typer.Option(help="Folder of `surefoot drill`; only drills of these versions count.")
    ] = None,
    probes: Annotated[Path | None, typer.Option(help="Folder with facts.json of probes: p99 of targets.")] = None,
    models: Annotated[Path | None, typer.Option(help="What is known of targets, as TOML.")] = None,
    rates: Annotated[Path | None, typer.Option(help="Your own events and impacts by mode, to weigh drills by.")] = None,
    reading: Annotated[
        str,
        typer.Option(help="Which incidents count: any, partial, major, with commas between, or all. First: matrix."),
    ] = ALL,
    p99_limit: Annotated[str, typer.Option(help="The matrix's upright line: p99 of the fallback.")] = "2s",
    coverage_limit: Annotated[str, typer.Option(help="Its level line: risk-weighted coverage.")] = "0.95",
    seed: Annotated[int, typer.Option(min=0, help="Seed of every draw.")] = 7,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes here; one for each processor unless told.")
    ] = None,
    ray: Annotated[str | None, typer.Option(help="Address of a Ray cluster to do the work.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object in place of tables.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a comparison that is in the folder.")] = False,
) -> None:
    """Hold whole configurations against one another: p99 of the fallback, coverage, cost, places, shared domains.

    All candidates meet the same calls, outages and draws. The same files and seed give the same bytes. Connects to
    nothing but the Ray cluster that was named. Exits with 2 if it could not begin.
    """
    faults: list[str] = []
    limits = Limits(
        p99=read_option(faults, "--p99-limit", _time, p99_limit) or 1.0,
        coverage=read_option(faults, "--coverage-limit", _share, coverage_limit) or 1.0,
    )
    weights = default_rates() if rates is None else attempted(faults, lambda: read_rates(rates))
    wanted = Wanted(
        configs=tuple(config),
        traffic=traffic,
        incidents=tuple(incidents),
        models=models,
        drills=drills,
        probes=probes,
        rates=weights or default_rates(),
        readings=read_option(faults, "--reading", read_readings, reading) or (Reading.ANY,),
        seed=seed,
    )
    if ray is not None:
        attempted(faults, ray_here)
    attempted(faults, lambda: ready(out, () if force else FILES))
    candidates = attempted(faults, lambda: candidates_of(wanted, os.environ))
    if faults or candidates is None:
        raise ConfigError(list(dict.fromkeys(faults)))
    unwind_when_stopped()
    # Dear to import (matplotlib): not before it is known that there is something to draw.
    from surefoot.report.compared import keep  # noqa: PLC0415

    tasks = tasks_of(candidates)
    progress = ReplayProgress(sum(task.traffic.calls for task in tasks), len(tasks))
    with progress:
        tallies = sweep(tasks, progress.tell, ray, processes)
        progress.say("adding up")
        found = compared(candidates, tallies, wanted, limits)
        keep(out, found)
    _tell(found, out, as_json=as_json)


def _tell(found: Compared, out: Path, *, as_json: bool) -> None:
    from surefoot.report.compared import FORMULA, basis, headline, verdicts  # noqa: PLC0415 - as above
    from surefoot.report.compared_tables import tables  # noqa: PLC0415

    if as_json:
        told = {
            "facts": found.facts,
            "matrix": [
                {
                    **msgspec.to_builtins(one.placed),
                    "verdict": one.placed.verdict,
                    "provisional": one.placed.provisional,
                }
                for one in found.candidates
            ],
            "stands_on": list(basis(found)),
            "out": str(out),
        }
        print_json(told)
        return
    console = screen()
    say(console, f"{headline(found)}\n")
    for line in verdicts(found):
        say(console, line)
    say(console, FORMULA)
    for sheet in tables(found):
        table = Table(title=sheet.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for column in sheet.head:
            table.add_column(column)
        for row in sheet.rows:
            table.add_row(*(cell.replace("**", "") for cell in row))
        console.print()
        console.print(table, highlight=False, markup=False)
    say(console, "Assumed:")
    for line in basis(found):
        say(console, f" - {line}")
    say(console, f"Matrix, page and all numbers: {out}")


def _time(text: str) -> float:
    seconds = read_duration(text)
    if seconds <= 0:
        raise ValueError(f"has to be longer than {text}; write 2s")
    return seconds


def _share(text: str) -> float:
    return read_part(text, "every candidate covers that much; write 95%", "nobody covers more than all; write 95%")
