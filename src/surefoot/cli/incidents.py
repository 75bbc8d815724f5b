"""`surefoot incidents`: what lists of incidents say of providers, and what is wrong with the lists.

Knows: how options are spelled and where output goes. Must never: hold logic; `surefoot.intake.incidents` does the work.
"""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from surefoot import __version__
from surefoot.cli.incidents_told import told
from surefoot.cli.screen import print_json
from surefoot.cli.tables import draw, markdown
from surefoot.config.quantities import read_duration
from surefoot.errors import IntakeError
from surefoot.intake.incident import Reading
from surefoot.intake.incidents.account import Question
from surefoot.intake.incidents.heard import moment
from surefoot.intake.incidents.plain import column_map
from surefoot.intake.incidents.reading import Format, How, gather
from surefoot.intake.incidents.sheet import sheet
from surefoot.intake.incidents.watching import Window

ALL = "all"
LEAST = 2


def incidents(
    files: Annotated[list[str], typer.Argument(help="Lists of incidents; .gz too, - for standard input.")],
    form: Annotated[
        Format | None, typer.Option("--format", help="What the files hold; seen by their columns unless told.")
    ] = None,
    columns: Annotated[str, typer.Option(help="Of a plain CSV: field=column, with commas between.")] = "",
    provider: Annotated[
        str | None, typer.Option(help="Whose incidents these are, where the file does not say.")
    ] = None,
    reading: Annotated[
        str, typer.Option(help="Which incidents count: any, partial, major, or all three readings.")
    ] = ALL,
    between: Annotated[
        str,
        typer.Option(help="Providers with commas between: their overlap, and what the second avoids for the first."),
    ] = "",
    start: Annotated[
        str | None, typer.Option("--from", help="Begin of the time watched, such as 2023-07-11 (0:00 UTC).")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Its end, which is not in it.")] = None,
    gap: Annotated[
        list[str] | None, typer.Option(help="FROM,TO: a time in which nobody watched; may be given several times.")
    ] = None,
    lags: Annotated[str, typer.Option(help="How late an outage is noticed, with commas between.")] = "0,1m,5m,20m",
    services: Annotated[str, typer.Option(help="Only incidents that name one of these, with commas between.")] = "",
    cap: Annotated[str, typer.Option(help="Longer incidents are cut to it.")] = "24h",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the intervals.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Count incidents; tell MTBF, MTTR, durations, availability, overlap and lift, and what was wrong with the lists.

    Providers write these lists themselves, late at both ends: their rates do not compare. Connects to nothing.
    """
    asked = Question(
        readings=_readings(reading),
        between=_between(between),
        lags=tuple((word, _seconds("--lags", word)) for word in _words(lags)),
        cap=_seconds("--cap", cap),
        seed=seed,
    )
    window = Window(_time("--from", start), _time("--to", end), tuple(_gap(word) for word in gap or ()))
    if window.start is not None and window.end is not None and window.start >= window.end:
        raise IntakeError("--from has to be before --to")
    gathered = gather(files, How(form, column_map(columns), provider))
    found = sheet(gathered, window, _words(services), asked, f"surefoot {__version__}")
    if as_json:
        made = msgspec.structs.replace(found.facts, made=datetime.now(UTC).isoformat(timespec="seconds"))
        found = msgspec.structs.replace(found, facts=made)
        print_json(found)
        return
    console = Console()
    if console.is_terminal:
        draw(told(found, asked), console)
    else:
        typer.echo(markdown(told(found, asked)))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _between(text: str) -> tuple[str, ...]:
    names = tuple(name.casefold() for name in _words(text))
    if text and (len(names) < LEAST or len(set(names)) < len(names)):
        raise IntakeError(f"--between: '{text}' does not name two providers or more; write openai,anthropic")
    return names


def _readings(word: str) -> tuple[Reading, ...]:
    if word == ALL:
        return tuple(Reading)
    try:
        return (Reading(word),)
    except ValueError:
        raise IntakeError(f"--reading: '{word}' is none of {', '.join(Reading)}, {ALL}") from None


def _seconds(option: str, word: str) -> float:
    if word == "0":
        return 0.0
    try:
        return read_duration(word)
    except ValueError as error:
        raise IntakeError(f"{option}: {error}") from None


def _time(option: str, word: str | None) -> float | None:
    if word is None:
        return None
    try:
        return moment(word, "time", utc=True)
    except ValueError:
        raise IntakeError(f"{option}: '{word}' is no time; write 2023-07-11 or 2023-07-11T08:00Z") from None


def _gap(word: str) -> tuple[float, float]:
    start, comma, end = word.partition(",")
    begun, over = _time("--gap", start), _time("--gap", end) if comma else None
    if begun is None or over is None or begun >= over:
        raise IntakeError(f"--gap: '{word}' is no gap; write 2025-01-10,2025-12-02")
    return begun, over
