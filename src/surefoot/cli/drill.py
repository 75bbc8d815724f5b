"""`surefoot drill`: fail on purpose, under the live configuration, and keep the evidence.

Knows: how options are spelled and where output goes.
Must never: hold logic; `surefoot.drill` does the work, `surefoot.report` writes it down.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from math import inf
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NamedTuple

import typer

from surefoot.cli.drill_progress import ProgressLine
from surefoot.config.configuration import Configuration
from surefoot.config.quantities import read_duration
from surefoot.config.rates import Rates, default_rates, read_rates
from surefoot.drill.house import live
from surefoot.drill.plan import PATIENCE, DrillOptions, routes_of
from surefoot.drill.runner import DrillRun, faults_of
from surefoot.drill.runner import drill as run_drill
from surefoot.drill.schedule import schedule as by_the_clock
from surefoot.drill.shelf import ready
from surefoot.drill.venue import Venue, own, running
from surefoot.errors import ConfigError, DrillError, StartError
from surefoot.twin import Distribution, TwinError
from surefoot.twin.behaviour import sampler
from surefoot.twin.spelling import distribution, duration

_INTERRUPTED = 130


class Schedule(StrEnum):
    """How often a drill is to be repeated."""

    DAILY = "daily"
    WEEKLY = "weekly"


def drill(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("surefoot.toml"),
    route: Annotated[list[str] | None, typer.Option(help="Only this route; may be given several times.")] = None,
    modes: Annotated[
        str | None, typer.Option(help="Only these modes, with commas between; coverage is then of these alone.")
    ] = None,
    repeat: Annotated[
        int, typer.Option(min=1, max=100_000, help="Cold repetitions per route and mode that count: exactly so many.")
    ] = 20,
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
    faults: list[str] = []
    told = DrillOptions(
        routes=tuple(route or ()),
        modes=_read(faults, "--modes", _names, modes) if modes is not None else (),
        repeat=repeat,
        rate=rate,
        patience=_read(faults, "--patience", _longer_than_nothing, patience),
        in_front=in_front,
        spend_cap=None if spend_cap is None else _read(faults, "--spend-cap", _dollars, spend_cap),
        time_cap=_read(faults, "--time-cap", _longer_than_nothing, time_cap),
        reach=reach,
        fresh=fresh,
        steady=_read(faults, "--steady", _longer_than_nothing, steady),
        ttft=None if ttft is None else _read(faults, "--ttft", _distribution, ttft),
        seed=seed,
    )
    if faults:
        raise ConfigError(faults)
    weights = default_rates() if rates is None else read_rates(rates)
    signal.signal(signal.SIGTERM, _interrupt)  # so that everything unwinds, as after Ctrl-C
    if schedule is not None:
        _print_schedule(schedule)
        return
    files = [config] if against is None else [config, against]
    order = _Order(files, told, weights, out, running_at)
    raise typer.Exit(_drill(order, _checked(order), as_json=as_json))


class _Order(NamedTuple):
    """What is to be drilled, and where it is kept."""

    files: list[Path]
    told: DrillOptions
    weights: Rates
    out: Path
    running_at: str | None


def _print_schedule(every: Schedule) -> None:
    given = sys.argv[2:]
    at = next(number for number, word in enumerate(given) if word.startswith("--schedule"))
    kept = given[:at] + given[at + (1 if "=" in given[at] else 2) :]
    command = [str(Path(sys.executable).with_name("surefoot")), "drill", *kept]
    typer.echo(by_the_clock(every.value, command, Path.cwd()), nl=False)


def _checked(order: _Order) -> list[Configuration]:
    """The configurations, if they can be drilled so and what comes of it can be kept: known before anything begins."""
    found = [live(file, os.environ, forward=order.told.in_front) for file in order.files]
    faults = [fault for configuration in found for fault in faults_of(configuration, order.told)]
    if len({file.stem for file in order.files}) < len(order.files):
        faults.append("--against: both files have the same name, by which runs are kept and told apart; rename one")
    if faults:
        raise ConfigError(list(dict.fromkeys(faults)))
    for file, configuration in zip(order.files, found, strict=True):
        for route in routes_of(configuration, order.told.routes):
            try:
                ready(order.out / file.stem / route.name)
            except StartError as error:
                raise StartError(f"--out: {error}") from error
    return found


def _drill(order: _Order, found: list[Configuration], *, as_json: bool) -> int:
    """The exit code, after all has been drilled, kept and told."""
    code, screen = 0, None
    for file, configuration in zip(order.files, found, strict=True):
        try:
            run = _run(file, order.told, order.running_at)
        except KeyboardInterrupt:
            typer.echo(f"INTERRUPTED: {file.name} was not drilled; there is nothing of it to keep.", err=True)
            code = _INTERRUPTED
            break
        # Dear to import (SciPy): not before a drill is over.
        from surefoot.cli.drill_screen import Screen  # noqa: PLC0415
        from surefoot.drill.written import keep_all  # noqa: PLC0415

        screen = screen or Screen(order.told, as_json=as_json)
        kept = keep_all(run, order.told, order.weights, file, order.out / file.stem, order.running_at)
        screen.drill(file, configuration, run, kept)
        code = max(code, _code(run))
        if code == _INTERRUPTED:
            break
    if screen is not None:
        screen.close()
    return code


def _run(file: Path, told: DrillOptions, running_at: str | None) -> DrillRun:
    progress = ProgressLine()
    try:
        with _venue(file, told, running_at) as venue:
            return run_drill(venue, told, progress.tell)
    finally:
        progress.end()


def _venue(file: Path, told: DrillOptions, running_at: str | None) -> AbstractContextManager[Venue]:
    if running_at is None:
        return own(file, os.environ, forward=told.in_front)
    try:
        return nullcontext(running(file, os.environ, running_at))
    except (DrillError, StartError) as error:
        raise DrillError(f"--running: {error}") from error


def _code(run: DrillRun) -> int:
    if run.status == "interrupted":
        return _INTERRUPTED
    return 0 if run.status == "completed" and run.after is not None and run.after.met else 1


def _read(faults: list[str], option: str, reader: Callable[[str], Any], text: str) -> Any:
    """What the reader makes of the text; what it refuses is a fault of the option."""
    try:
        return reader(text)
    except ValueError as error:
        faults.append(f"{option}: {error}")
        return None


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise ValueError("names no mode; write silence,stall, or leave the option out for the whole catalogue")
    return names


def _longer_than_nothing(text: str) -> float:
    seconds = read_duration(text)
    if not seconds > 0:
        raise ValueError(f"has to be longer than {text}; write 5s")
    return seconds


def _distribution(text: str) -> Distribution:
    try:
        found = distribution(text, duration)
        sampler(found)  # reads the file that it may name
    except (ValueError, TwinError) as error:
        raise ValueError(f"{error}; write 200ms, lognormal:200ms:1500ms or file:PATH:COLUMN") from error
    return found


def _dollars(text: str) -> float:
    try:
        number = float(text.strip().removeprefix("$"))
    except ValueError:
        number = 0.0
    if not 0 < number < inf:
        raise ValueError(f"{text!r} is no amount of money above zero; write 1, or '$1' in single quotes")
    return number


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
