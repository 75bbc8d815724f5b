"""What a reader of incidents gives back, entry by entry, and what readers of tables share.

Must never: guess a time zone, skip an entry without an `Unreadable`, show an entry's content in a reason.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from surefoot.intake.fields import EARLIEST, LATEST
from surefoot.intake.incident import Incident
from surefoot.intake.row import Unreadable
from surefoot.intake.source import Source

MAINTENANCE = "maintenance: counts under 'any' alone"
UNKNOWN_SEVERITY = "severity in no known word: counts under 'any' alone"


class Heard(NamedTuple):
    """An incident as one source tells it."""

    line: int
    """Number of its line, or of the record where there are no lines, from 1."""
    source: str
    """Who wrote the list: how far it reaches is a property of the source (`intake.incidents.watching`)."""
    incident: Incident


Cells = Mapping[str, str]


def moment(text: str, name: str, *, utc: bool = False) -> float:
    """Unix seconds of an ISO time or of a number of seconds. `utc`: what has no zone is UTC.

    Raises `ValueError` with a reason that names the field.
    """
    told = text.strip()
    if not told:
        raise ValueError(f"no {name}")
    try:
        seconds = float(told)
    except ValueError:
        return _iso(told, name, utc=utc)
    if not EARLIEST <= seconds < LATEST:  # a year, milliseconds, not a number
        raise ValueError(f"{name} is no time")
    return seconds


def _iso(told: str, name: str, *, utc: bool) -> float:
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        raise ValueError(f"{name} is no time") from None
    if found.tzinfo is None:
        if not utc:
            raise ValueError(f"{name} has no time zone")
        found = found.replace(tzinfo=UTC)
    return found.timestamp()


def moment_or_none(text: str, name: str, *, utc: bool = False) -> float | None:
    """As `moment`; None where there is nothing."""
    return moment(text, name, utc=utc) if text.strip() else None


def flag(text: str) -> bool:
    """A yes or no as tables spell it: 1, 1.0 or true."""
    return text.strip().casefold() in {"1", "1.0", "true", "yes"}


def listed(text: str) -> tuple[str, ...]:
    """Words with `|` between."""
    return tuple(word.strip() for word in text.split("|") if word.strip())


def provider_of(text: str) -> str:
    """A provider's name in small letters. Raises `ValueError` where there is none."""
    if not text.strip():
        raise ValueError("no provider")
    return text.strip().casefold()


def rows(source: Source, build: Callable[[int, Cells], Heard]) -> Iterator[Heard | Unreadable]:
    """Each row of a table as `build` makes it; its `ValueError` is why there is none."""
    for record in source.table():
        if isinstance(record, Unreadable):
            yield record
            continue
        try:
            yield build(record.number, record.content)
        except ValueError as error:
            yield Unreadable(record.number, str(error))
