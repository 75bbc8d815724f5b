"""Files of incidents into one list, mended, with all that could not be read.

Knows the formats and by what each is known. Must never: take a file for what it may not be, or drop an entry in
silence.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from surefoot.errors import IntakeError
from surefoot.intake.incidents import daily, gathered, plain, stages, statuspage
from surefoot.intake.incidents.daily import DayOfOutages
from surefoot.intake.incidents.heard import Heard
from surefoot.intake.incidents.mending import mended
from surefoot.intake.row import Unreadable
from surefoot.intake.source import Line, Source


class Format(StrEnum):
    """What a file of incidents may be."""

    STATUSPAGE = "statuspage"
    FAILS = "fails"
    ICPE25 = "icpe25"
    GATHERED = "gathered"
    DAILY = "daily"
    CSV = "csv"


class How(Struct, frozen=True):
    """What is told of the files because they do not say it."""

    format: Format | None = None
    columns: Mapping[str, str] = {}
    provider: str | None = None


class FileOfIncidents(Struct, frozen=True):
    """What one file held."""

    name: str
    format: Format
    entries: int
    """All of them, unreadable ones too."""
    unreadable: tuple[Unreadable, ...]


class Gathered(Struct, frozen=True):
    """All files together."""

    files: tuple[FileOfIncidents, ...]
    told: tuple[Heard, ...]
    """Every incident as it was read; what the sources reach is judged by these."""
    incidents: tuple[Heard, ...]
    """Mended, each once."""
    days: tuple[DayOfOutages, ...]


_COLUMNS = {
    Format.FAILS: stages.COLUMNS,
    Format.GATHERED: gathered.COLUMNS,
    Format.DAILY: daily.COLUMNS,
}
_NAMES = {Format.FAILS: "FAILS", Format.ICPE25: "ICPE'25"}


def gather(paths: Iterable[str], how: How) -> Gathered:
    """Read all files. Raises `IntakeError` for one that cannot be read or is in no known format."""
    files: list[FileOfIncidents] = []
    told: list[Heard] = []
    days: list[DayOfOutages] = []
    for path in paths:
        form = how.format or _format_of(path, how)
        with Source(path) as source:
            found = list(_read(source, form, how))
        unreadable = tuple(one for one in found if isinstance(one, Unreadable))
        told += (one for one in found if isinstance(one, Heard))
        days += (one for one in found if isinstance(one, DayOfOutages))
        files.append(FileOfIncidents(source.name, form, len(found), unreadable))
    _used({file.format for file in files}, how)
    return Gathered(tuple(files), tuple(told), tuple(mended(told)), tuple(days))


def _used(forms: set[Format], how: How) -> None:
    """What was told has to be of use to a file: who tells it expects something of it."""
    for option, told, by in (
        ("--columns", how.columns, {Format.CSV}),
        ("--provider", how.provider, {Format.CSV, Format.STATUSPAGE}),
    ):
        if told and forms.isdisjoint(by):
            raise IntakeError(
                f"{option} is for {' and '.join(sorted(by))}, and these files are {', '.join(sorted(forms))}; "
                "leave it out, or say with --format what they are"
            )


def _read(source: Source, form: Format, how: How) -> Iterator[Heard | DayOfOutages | Unreadable]:
    readers: dict[Format, Callable[[], Iterator[Heard | DayOfOutages | Unreadable]]] = {
        Format.STATUSPAGE: lambda: statuspage.read(source, how.provider),
        Format.FAILS: lambda: stages.read(source, _NAMES[form]),
        Format.ICPE25: lambda: stages.read(source, _NAMES[form]),
        Format.GATHERED: lambda: gathered.read(source),
        Format.DAILY: lambda: daily.read(source),
        Format.CSV: lambda: plain.read(source, how.columns, how.provider),
    }
    try:
        yield from readers[form]()
    except KeyError as missing:
        raise IntakeError(f"{source.name}: no column {missing.args[0]}, which the format {form} has") from None


def _is_json(source: Source) -> bool:
    first = next((line for line in source.lines() if isinstance(line, Line)), None)
    return first is not None and first.content.lstrip()[:1] in {b"{", b"["}


def _header(path: str) -> set[str]:
    """The columns of a table, also of one without a row. Raises `IntakeError` for a file with nothing in it."""
    with Source(path) as source:
        first = next((line for line in source.lines() if isinstance(line, Line)), None)
    if first is None:
        raise IntakeError(f"{path}: there is nothing in it")
    text = first.content.decode(errors="replace")
    return {name.strip() for row in csv.reader([text]) for name in row}


def _format_of(path: str, how: How) -> Format:
    if path == "-":
        raise IntakeError("standard input can be read once only: say with --format what it holds")
    with Source(path) as source:
        if _is_json(source):
            return Format.STATUSPAGE
    header = _header(path)
    for form, columns in _COLUMNS.items():
        if columns <= header:
            return form
    if how.columns or "start" in header:
        return Format.CSV
    raise IntakeError(
        f"{path}: neither JSON nor a table in a known form: a plain one has the columns provider, start and end, "
        "if it can also id, severity and title; `surefoot incidents` reads others too (--format "
        f"{', '.join(Format)}; --columns)"
    )
