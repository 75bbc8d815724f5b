"""A plain table of incidents, with a map of what its columns are called.

    start=opened,end=closed,provider=vendor,severity=level

What is not mapped goes by its own name. `start` is needed, and `provider` unless it is told for the whole file. Times
are ISO with a zone, or Unix seconds. `severity` is in our words or numbers (none, minor, partial, major; 0 to 3; states
of components), `impact` in those of Statuspage, where `major` is less. Lists have `|` between.
"""

from collections.abc import Iterator, Mapping

from surefoot.errors import IntakeError
from surefoot.intake.incident import Incident, Severity
from surefoot.intake.incidents.heard import (
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
from surefoot.intake.incidents.severity import IMPACTS, OURS
from surefoot.intake.row import Unreadable
from surefoot.intake.source import Source

FIELDS = (
    "start",
    "end",
    "provider",
    "id",
    "severity",
    "impact",
    "services",
    "models",
    "regions",
    "title",
    "source",
    "retrospective",
)

UNNAMED = "table"
"""The source of rows that name none: all such files are one source."""


def column_map(text: str) -> dict[str, str]:
    """The map of `field=column` with commas between. Raises `IntakeError` for a field that there is not."""
    found = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        field, _, column = (word.strip() for word in part.partition("="))
        if field not in FIELDS or not column:
            raise IntakeError(f"--columns: '{part}' is no field=column; fields are {', '.join(FIELDS)}")
        found[field] = column
    return found


def read(source: Source, columns: Mapping[str, str], provider: str | None = None) -> Iterator[Heard | Unreadable]:
    """All incidents. Raises `IntakeError` where a mapped column, `start` or the provider is missing."""

    def build(number: int, cells: Cells) -> Heard:
        _check(source.name, columns, cells, provider)
        told = {field: cells.get(columns.get(field, field), "") for field in FIELDS}
        here = f"{source.name} line {number}"
        return Heard(number, told["source"] or UNNAMED, _incident(here, told, provider))

    return rows(source, build)


def _check(name: str, columns: Mapping[str, str], cells: Cells, provider: str | None) -> None:
    needed = {**columns, "start": columns.get("start", "start")}
    if provider is None:
        needed["provider"] = columns.get("provider", "provider")
    missing = [f"{column} ({field})" for field, column in needed.items() if column not in cells]
    if missing:
        raise IntakeError(
            f"{name}: no column {', '.join(missing)}; say with --columns field=column what they are called"
            + (", or with --provider whose incidents these are" if "provider (provider)" in missing else "")
        )


def _incident(here: str, told: Cells, provider: str | None) -> Incident:
    """`here` stands for the id where there is none: the same one in two files would be taken for the same incident."""
    severity = _severity(told)
    unknown = severity is None and bool(told["severity"] or told["impact"])
    return Incident(
        id=told["id"] or here,
        provider=provider_of(provider or told["provider"]),
        start=moment(told["start"], "start"),
        end=moment_or_none(told["end"], "end"),
        severity=severity,
        services=listed(told["services"]),
        models=listed(told["models"]),
        regions=listed(told["regions"]),
        title=told["title"],
        evidence=told["source"] or UNNAMED,
        retrospective=flag(told["retrospective"]),
        faults=(UNKNOWN_SEVERITY,) * unknown,
    )


def _severity(told: Cells) -> Severity | None:
    if told["severity"].strip():
        return OURS.get(told["severity"].strip().casefold())
    return IMPACTS.get(told["impact"].strip().casefold())
