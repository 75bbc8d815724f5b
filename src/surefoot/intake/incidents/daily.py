"""Outage minutes per service and day, as providers' own uptime pages tell them and ICPE'25 collected them.

Two forms: `outage_unexploded.csv` of ICPE'25 and FAILS, and a shorter one with the same names. They know how long and
not when, so they are no incidents; what they give is the availability of each service.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from math import isfinite
from typing import NamedTuple

from surefoot.intake.incidents.heard import Cells, provider_of
from surefoot.intake.row import Unreadable
from surefoot.intake.source import Source

COLUMNS = frozenset({"Date", "Service", "provider", "partial_outage_minutes", "major_outage_minutes"})
"""By these the format is known."""

DAY = 86_400.0
_MINUTES = 1_440


class DayOfOutages(NamedTuple):
    """One service on one day."""

    provider: str
    service: str
    start: float
    """Unix time at which the day begins, taken as UTC."""
    partial: float
    """Seconds of partial outage."""
    major: float
    """Seconds of major outage."""


def read(source: Source) -> Iterator[DayOfOutages | Unreadable]:
    """All days."""
    for record in source.table():
        if isinstance(record, Unreadable):
            yield record
            continue
        try:
            yield _day(record.content)
        except ValueError as error:
            yield Unreadable(record.number, str(error))


def _day(cells: Cells) -> DayOfOutages:
    try:
        day = date.fromisoformat(cells["Date"].strip())
    except ValueError:
        raise ValueError("Date is no day") from None
    partial, major = (_minutes(cells, f"{kind}_outage_minutes") for kind in ("partial", "major"))
    if partial + major > _MINUTES:
        raise ValueError("more minutes of outage than a day has")
    start = datetime.combine(day, time(), UTC).timestamp()
    return DayOfOutages(provider_of(cells["provider"]), cells["Service"], start, 60 * partial, 60 * major)


def _minutes(cells: Cells, name: str) -> float:
    try:
        minutes = float(cells[name])
    except ValueError:
        raise ValueError(f"{name} is no number") from None
    if not isfinite(minutes) or minutes < 0:
        raise ValueError(f"{name} is no number of minutes")
    return minutes
