"""`incident_stages.csv`, one row per incident with its stages, as FAILS and the data set of ICPE'25 have it.

FAILS: github.com/atlarge-research/FAILS; ICPE'25: "An Empirical Characterization of Outages and Incidents in Public
Services for Large Language Models", github.com/atlarge-research/llm-service-analysis. Both were read off the status
pages of OpenAI, Anthropic and others. A service is a column of its own that holds 0 or 1; which there are differs by
version, so every column is a service that is none of those below. Times carry their zone.
"""

from collections.abc import Iterator

from surefoot.intake.incident import Incident
from surefoot.intake.incidents.heard import (
    MAINTENANCE,
    UNKNOWN_SEVERITY,
    Cells,
    Heard,
    flag,
    moment,
    moment_or_none,
    provider_of,
    rows,
)
from surefoot.intake.incidents.severity import level_of, of_level
from surefoot.intake.row import Unreadable
from surefoot.intake.source import Source

COLUMNS = frozenset({"incident_id", "incident_impact_level", "provider", "start_timestamp", "close_timestamp"})
"""By these the format is known."""

STAGES = ("investigating", "identified", "monitoring", "resolved", "postmortem")
_BEFORE_THE_END = STAGES[:3]
_NO_SERVICES = {
    *COLUMNS,
    *(f"{stage}_{part}" for stage in STAGES for part in ("flag", "timestamp", "description")),
    *("Incident_Title", "Incident_color", "time_span", "over_one_day"),
}


def read(source: Source, name: str = "incident_stages") -> Iterator[Heard | Unreadable]:
    """All incidents; `name` says which data set it is."""
    return rows(source, lambda number, cells: Heard(number, name, _incident(cells, name)))


def _incident(cells: Cells, name: str) -> Incident:
    provider = provider_of(cells["provider"])
    severity, maintenance = of_level(provider, level_of(cells["incident_impact_level"]))
    return Incident(
        id=cells["incident_id"],
        provider=provider,
        start=moment(cells["start_timestamp"], "start"),
        end=moment_or_none(cells["close_timestamp"], "end"),
        severity=severity,
        services=tuple(column for column, cell in cells.items() if column not in _NO_SERVICES and flag(cell)),
        title=cells.get("Incident_Title", ""),
        evidence=name,
        retrospective=not any(flag(cells.get(f"{stage}_flag", "")) for stage in _BEFORE_THE_END),
        faults=(MAINTENANCE,) * maintenance + (UNKNOWN_SEVERITY,) * (severity is None),
    )
