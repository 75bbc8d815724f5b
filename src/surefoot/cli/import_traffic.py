"""`surefoot import`: a traffic log of any known format becomes one Parquet file, with an account of every line.

Knows how options are spelled and how an account is told. Must never hold logic; `surefoot.intake` does the work.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from surefoot.config.quantities import read_size
from surefoot.errors import ConfigError
from surefoot.intake import importing
from surefoot.intake.csv_map import read_columns
from surefoot.intake.formats import FORMATS
from surefoot.intake.joining import Joined
from surefoot.intake.moments import read_start, read_zone
from surefoot.intake.parquet import COLUMNS
from surefoot.intake.pseudonym import read_salt
from surefoot.intake.refused import places
from surefoot.intake.source import Told

_LEAST_MEMORY = 128_000_000


def import_traffic(
    format_: Annotated[str, typer.Argument(metavar="FORMAT", help=f"What the files are: {', '.join(FORMATS)}.")],
    files: Annotated[list[str], typer.Argument(help="Plain or gzip, in any order; - is standard input.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The traffic file.")] = Path("traffic.parquet"),
    columns: Annotated[
        str | None,
        typer.Option(help="For csv: at=TIMESTAMP,ttft=ttft_ms:ms and so on, or a TOML file of the same pairs."),
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Of times without one: UTC, +02:00 or Europe/Berlin. Never guessed.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="When relative times begin: 2026-01-31T00:00:00Z, or Unix seconds.")
    ] = None,
    salt: Annotated[
        Path | None,
        typer.Option(help="File with the key of the hash that end users are written as; drawn unless given."),
    ] = None,
    memory: Annotated[str, typer.Option(help="Most that joining may take; what is more goes to disk.")] = "512MB",
    force: Annotated[bool, typer.Option(help="Write over a result that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read a traffic log into one form: one row per call, attempts joined, units and time zones converted.

    What cannot be read is counted, told with its line numbers, and listed whole in OUT.unreadable.csv.
    """
    faults: list[str] = []
    order = importing.Order(
        format=format_,
        files=tuple(files),
        out=out,
        told=Told(
            zone=None if time_zone is None else _read(faults, "--time-zone", read_zone, time_zone),
            start=None if start is None else _read(faults, "--start", read_start, start),
            columns=None if columns is None else _read(faults, "--columns", read_columns, columns),
        ),
        salt=None if salt is None else read_salt(salt),
        force=force,
        memory=_read(faults, "--memory", _memory, memory),
    )
    if faults:
        raise ConfigError(faults)
    with _progress(quiet=as_json) as progress:
        imported = importing.import_traffic(order, progress)
    if as_json:
        typer.echo(msgspec.json.encode(imported))
        return
    for line in account(imported):
        typer.echo(line)


def account(imported: importing.Imported) -> list[str]:
    """What was imported, in sentences."""
    calls = imported.calls
    files = f"{len(imported.files)} files" if len(imported.files) > 1 else imported.files[0]
    first_failed = f"{calls.first_failed:,} whose first attempt failed, {calls.failed:,} that failed"
    lines = [
        f"{imported.out}: {_many(calls.calls, 'call')}, {_many(imported.rows, 'attempt')}, from {files}",
        f"  from {_moment(calls.first)} to {_moment(calls.last)}",
        *([f"  {_many(calls.retried, 'call')} of several attempts; {first_failed}"] if calls.known["failed"] else []),
        *_joined(imported.joined, imported.rows - calls.named, calls),
        *_known(calls.known, calls.calls),
    ]
    if calls.known["user"]:
        drawn = "under a salt drawn for this file; with --salt they can be joined with others"
        lines.append(f"  end users are hashed, {'under --salt' if imported.salted else drawn}")
    if not imported.unreadable:
        return [*lines, "every line was read"]
    lines.append(f"{_many(imported.unreadable, 'line')} could not be read; {imported.listed} lists all:")
    return lines + [f"  {reason.why}: {reason.count:,} ({places(reason)})" for reason in imported.reasons]


def _joined(joined: str, unnamed: int, calls: Joined) -> list[str]:
    lines = []
    if calls.again:
        lines.append(
            f"  {_many(calls.again, 'attempt')} succeeded though another one of the same call had: "
            "the source may give several calls one name, as of a session"
        )
    if calls.siblings:
        lines.append(
            f"  {_many(calls.siblings, 'attempt')} joined by their parent: one that failed goes with the next there"
        )
    if joined != "true":
        which = "the source does not say" if joined == "false" else f"{unnamed:,} of them do not say"
        lines.append(f"  {which} which attempts belong to one call: a failed one and its repeat count as two calls")
    return lines


def _known(known: dict[str, int], calls: int) -> list[str]:
    """Which columns are known in all calls, in some and in none."""
    told = [name for name in COLUMNS if name not in {"call", "at", "attempts"}]
    partly = [f"{name} ({known[name] / calls:.1%})" for name in told if 0 < known[name] < calls]
    groups = {
        "known": [name for name in told if known[name] == calls],
        "known in part": partly,
        "not told by the source": [name for name in told if known[name] == 0],
    }
    return [f"  {title}: {', '.join(names)}" for title, names in groups.items() if names]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _memory(text: str) -> int:
    found = read_size(text)
    if found < _LEAST_MEMORY:
        raise ValueError(f"joining needs {_LEAST_MEMORY // 1_000_000}MB at least")
    return found


def _read(faults: list[str], option: str, reader: Callable[[str], Any], text: str) -> Any:
    """What the reader makes of the text; what it refuses is a fault of the option."""
    try:
        return reader(text)
    except ValueError as error:
        faults.append(f"{option}: {error}")
    except ConfigError as error:
        faults += error.faults
    return None


@contextmanager
def _progress(*, quiet: bool) -> Iterator[importing.Progress | None]:
    """A bar over the bytes read; only on a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    shown = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*shown, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def step(done: int, total: int | None) -> None:
            whole = total is not None and done >= total
            bar.update(task, completed=done, total=total, description="joining" if whole else "reading")

        yield step
