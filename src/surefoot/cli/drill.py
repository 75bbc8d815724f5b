"""`surefoot drill`: fail on purpose, under the live configuration, and keep the evidence.

Knows: how options are spelled and where output goes.
Must never: hold logic; `surefoot.drill` does the work, `surefoot.report` writes it down.
"""

import os
import signal
import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from surefoot.config.quantities import read_duration
from surefoot.drill.house import live
from surefoot.drill.plan import PATIENCE, DrillOptions
from surefoot.drill.rates import Rates, default_rates, read_rates
from surefoot.drill.runner import DrillRun, Progress, check
from surefoot.drill.runner import drill as run_drill
from surefoot.drill.schedule import schedule as by_the_clock
from surefoot.drill.venue import own, running
from surefoot.facts import Facts
from surefoot.twin.spelling import distribution

_WIDTH_WITHOUT_TERMINAL = 150
_INTERRUPTED = 130


class Schedule(StrEnum):
    """How often a drill is to be repeated."""

    DAILY = "daily"
    WEEKLY = "weekly"


def drill(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("surefoot.toml"),
    route: Annotated[list[str] | None, typer.Option(help="Only this route; may be given several times.")] = None,
    modes: Annotated[str, typer.Option(help="Only these modes, with commas between.")] = "",
    repeat: Annotated[int, typer.Option(min=1, max=100_000, help="Repetitions per route and mode that count.")] = 20,
    out: Annotated[Path, typer.Option(help="Folder in which runs are kept and compared.")] = Path("surefoot-drills"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object in place of tables.")] = False,
    rates: Annotated[Path | None, typer.Option(help="Your own event rates and impacts, as TOML.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=2_000, help="Calls per second, over all worlds.")] = 200.0,
    patience: Annotated[
        str, typer.Option(help="How long a client waits, if the deadline is longer.")
    ] = f"{PATIENCE:g}s",
    in_front: Annotated[bool, typer.Option(help="Twins in front of the real targets: costs money.")] = False,
    spend_cap: Annotated[
        str | None,
        typer.Option(help="Most that real targets may charge: 1, or '$1' in single quotes."),
    ] = None,
    time_cap: Annotated[str, typer.Option(help="The drill is aborted after it.")] = "15m",
    running_at: Annotated[
        str | None, typer.Option("--running", help="Drill the running gateway with this admin address.")
    ] = None,
    reach: Annotated[
        str | None, typer.Option(help="What fails together: target, or a failure domain's name such as cloud.")
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Nothing is learned before the fault.")] = False,
    steady: Annotated[str, typer.Option(help="A healthy call is answered within it.")] = "5s",
    ttft: Annotated[str | None, typer.Option(help="Twins' time to first token: 200ms or lognormal:MEDIAN:P99.")] = None,
    against: Annotated[Path | None, typer.Option(help="Drill this file too, and show both side by side.")] = None,
    schedule: Annotated[
        Schedule | None, typer.Option(help="Drill nothing; print what makes cron or systemd do so.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of every draw.")] = 7,
) -> None:
    """Let the first target of each route fail in every known way, and count what became of the calls.

    The gateway under test is one of its own on the live configuration, with twins in place of the targets: no key is
    needed and nothing is spent. Exits with 0 if the drill was completed and the gateway is well, 1 if not, 2 if it
    could not begin, 130 if it was interrupted.
    """
    try:
        told = DrillOptions(
            routes=tuple(route or ()),
            modes=tuple(name.strip() for name in modes.split(",") if name.strip()),
            repeat=repeat,
            rate=rate,
            patience=read_duration(patience),
            in_front=in_front,
            spend_cap=None if spend_cap is None else _dollars(spend_cap),
            time_cap=read_duration(time_cap),
            reach=reach,
            fresh=fresh,
            steady=read_duration(steady),
            ttft=None if ttft is None else distribution(ttft),
            seed=seed,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    weights = default_rates() if rates is None else read_rates(rates)
    signal.signal(signal.SIGTERM, _interrupt)  # so that everything unwinds, as after Ctrl-C
    if schedule is not None:
        _print_schedule(schedule)
        return
    files = [config] if against is None else [config, against]
    raise typer.Exit(_once(files, told, weights, out, running_at, as_json))


def _print_schedule(every: Schedule) -> None:
    given = sys.argv[2:]
    at = next(number for number, word in enumerate(given) if word.startswith("--schedule"))
    kept = given[:at] + given[at + (1 if "=" in given[at] else 2) :]
    command = [str(Path(sys.executable).with_name("surefoot")), "drill", *kept]
    typer.echo(by_the_clock(every.value, command, Path.cwd()), nl=False)


def _once(
    files: list[Path], told: DrillOptions, weights: Rates, out: Path, running_at: str | None, as_json: bool
) -> int:
    printer = _Printer(as_json=as_json)
    code = 0
    for file in files:
        check(live(file, os.environ, forward=told.in_front), told)
    for file in files:
        place = (
            nullcontext(running(file, os.environ, running_at))
            if running_at
            else own(file, os.environ, forward=told.in_front)
        )
        with place as venue:
            run = run_drill(venue, told, printer.progress)
        code = max(code, _code(run))
        printer.ended(file, run)
        # Dear to import (SciPy): not before the drill is over.
        from surefoot.drill.history import keep  # noqa: PLC0415
        from surefoot.drill.written import journal, label, sheet  # noqa: PLC0415

        for name in run.routes:
            facts = sheet(run, told, name, weights)
            named = label(run, told, file, name, running_at)
            folder, changes = keep(
                out / file.stem / name,
                named,
                [one for one in run.repetitions if one.route == name],
                facts,
                journal(run, told, name),
            )
            printer.kept(file, name, facts, folder, changes)
        if code == _INTERRUPTED:
            break
    printer.close(side=len(files) > 1)
    return code


def _code(run: DrillRun) -> int:
    if run.status == "interrupted":
        return _INTERRUPTED
    return 0 if run.status == "completed" and run.after is not None and run.after.met else 1


class _Printer:
    """What is told, and how."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._told: list[dict[str, Any]] = []
        self._facts: list[tuple[str, Facts]] = []
        console = Console()
        self._console = console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)

    def progress(self, step: Progress) -> None:
        count = f"{step.wave}/{step.of} " if step.of else ""
        typer.echo(f"{count}{step.doing}", err=True)

    def ended(self, file: Path, run: DrillRun) -> None:
        looks = {
            name: None if look is None else {"asked": look.asked, "answered": look.answered, "met": look.met}
            for name, look in (("before", run.before), ("after", run.after))
        }
        untested = [msgspec.to_builtins(one) for one in run.untested]
        self._told.append(
            {
                "file": file.name,
                "status": run.status,
                "why": run.why,
                "steady": looks,
                "lateness_p99": run.lateness,
                "reserved": run.reserved,
                "untested": untested,
                "routes": {},
            }
        )
        if run.why:
            typer.echo(f"{file.name}: {run.status}: {run.why}", err=True)

    def kept(self, file: Path, route: str, facts: Facts, folder: Path, changes: Any) -> None:
        self._told[-1]["routes"][route] = {"folder": str(folder), "facts": msgspec.to_builtins(facts)}
        self._facts.append((file.stem, facts))
        if self._as_json:
            return
        self._console.print(f"\n{file.name}, route {route}", highlight=False, markup=False)
        from surefoot.report.drilled import changes_table, remarks, tables  # noqa: PLC0415 - as above

        for table in (*tables(facts), *([] if changes is None else [changes_table(changes)])):
            self._console.print(table)
        for sentence in remarks(facts):
            self._console.print(sentence, highlight=False, markup=False)
        self._console.print(f"kept: {folder}", highlight=False, markup=False, soft_wrap=True)

    def close(self, *, side: bool) -> None:
        if self._as_json:
            typer.echo(msgspec.json.format(msgspec.json.encode({"drills": self._told}), indent=2).decode())
        elif side and len(self._facts) > 1:
            from surefoot.report.drilled import side_by_side  # noqa: PLC0415 - as above

            table, sentence = side_by_side(self._facts[0], self._facts[-1])
            self._console.print(table)
            self._console.print(sentence, highlight=False, markup=False)


def _dollars(text: str) -> float:
    number = float(text.strip().removeprefix("$"))
    if not number > 0:
        raise ValueError(f'{text!r} is not an amount of money above zero, such as "$1"')
    return number


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
