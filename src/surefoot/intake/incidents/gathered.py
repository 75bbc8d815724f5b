"""The table that brings three collections under one header: FAILS, ai-status-leaderboard and openlog.

Its times are named `_utc`: without a zone they are UTC. The scale of `severity` is that of the row's source: FAILS' own
levels, the leaderboard's numbers of ours; openlog says nothing. Of some incidents openlog knows only when they ended:
without a start they are unreadable, for a start is not to be invented.
"""

from collections.abc import Iterator

from surefoot.intake.incident import Incident, Severity
from surefoot.intake.incidents.heard import (
    MAINTENANCE,
    UNKNOWN_SEVERITY,
    Cells,
    Heard,
    flag,
    listed,
    moment,
    moment_or_none,
    provider_of,
    rows,
)
from surefoot.intake.incidents.severity import IMPACT_NUMBERS, level_of, of_level
from surefoot.intake.row import Unreadable
from surefoot.intake.source import Source

COLUMNS = frozenset({"source", "provider", "incident_id", "severity", "components", "start_utc", "end_utc"})
"""By these the format is known."""

LEVELS = "FAILS"
"""The source whose severities are levels."""


def read(source: Source) -> Iterator[Heard | Unreadable]:
    """All incidents."""
    return rows(source, _heard)


def _heard(number: int, cells: Cells) -> Heard:
    provider = provider_of(cells["provider"])
    severity, maintenance = _severity(cells, provider)
    unknown = severity is None and bool(cells["severity"].strip())
    told = Incident(
        id=cells["incident_id"],
        provider=provider,
        start=moment(cells["start_utc"], "start", utc=True),
        end=moment_or_none(cells["end_utc"], "end", utc=True),
        severity=severity,
        services=listed(cells["components"]),
        title=cells.get("title", ""),
        evidence=cells["source"],
        retrospective=flag(cells.get("retrospective", "")),
        faults=(MAINTENANCE,) * maintenance + (UNKNOWN_SEVERITY,) * unknown,
    )
    return Heard(number, cells["source"], told)


def _severity(cells: Cells, provider: str) -> tuple[Severity | None, bool]:
    level = level_of(cells["severity"])
    if cells["source"] == LEVELS:
        return of_level(provider, level)
    return None if level is None else IMPACT_NUMBERS.get(level), False
