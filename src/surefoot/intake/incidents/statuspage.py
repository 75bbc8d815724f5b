"""Statuspage's API v2: `incidents.json`, and all others that hold `incidents` (`summary.json`, `unresolved.json`).

incident.io and others answer in the same shape, with fewer fields. Knows: that an incident's own times may be told
beforehand or afterwards (`started_at`), that an update may be dated back (`display_at`), and that the components of an
incident are named in its updates with the state that each then had.

The severity is the worse of the incident's `impact` and of what its updates say of components: either can be told and
the other left alone.
"""

from collections.abc import Iterator
from typing import Any

from surefoot.errors import IntakeError
from surefoot.intake.incident import Incident, Severity
from surefoot.intake.incidents.heard import MAINTENANCE, UNKNOWN_SEVERITY, Heard, moment, provider_of
from surefoot.intake.incidents.severity import IMPACTS, STATES
from surefoot.intake.row import Unreadable
from surefoot.intake.source import Source

_OVER = ("resolved", "postmortem", "completed")
"""States of an update that say that it is over."""


def read(source: Source, provider: str | None = None) -> Iterator[Heard | Unreadable]:
    """The incidents of each page. `provider` is whose page it is; else it goes by the page's name.

    Raises `IntakeError` for JSON without `incidents`, and where nobody says whose they are.
    """
    number = 0
    for page in source.records():
        if isinstance(page, Unreadable):
            yield page
            continue
        told = page.content if isinstance(page.content, dict) else {}
        if not isinstance(told.get("incidents"), list):
            raise IntakeError(
                f"{source.name}: JSON without a list `incidents`; give an incidents.json of a status page"
            )
        name = provider or _text(_object(told.get("page")), "name")
        if not name and told["incidents"]:
            raise IntakeError(f"{source.name}: its page has no name; say with --provider whose incidents these are")
        for entry in told["incidents"]:
            number += 1
            try:
                yield Heard(number, f"status page of {provider_of(name)}", _incident(_object(entry), provider_of(name)))
            except ValueError as error:
                yield Unreadable(number, str(error))


def _incident(entry: dict[str, Any], provider: str) -> Incident:
    if not _text(entry, "id"):
        raise ValueError("no id")
    start = moment(_text(entry, "started_at") or _text(entry, "created_at"), "start")
    updates = [_object(update) for update in _list(entry, "incident_updates")]
    changes = [_object(change) for update in updates for change in _list(update, "affected_components")]
    impact = _text(entry, "impact")
    states = [_text(change, "new_status") for change in changes]
    severity = _severity(impact, states)
    return Incident(
        id=_text(entry, "id"),
        provider=provider,
        start=start,
        end=_end(entry, updates),
        severity=severity,
        services=_services(entry, changes),
        title=_text(entry, "name"),
        evidence=_text(entry, "shortlink") or f"status page of {provider}",
        retrospective=bool(updates) and all(_text(update, "status") in _OVER for update in updates),
        faults=(MAINTENANCE,) * (impact == "maintenance") + (UNKNOWN_SEVERITY,) * (severity is None),
    )


def _severity(impact: str, states: list[str]) -> Severity | None:
    known = [IMPACTS[impact]] if impact in IMPACTS else []
    known += [STATES[state] for state in states if state in STATES]
    return max(known, default=None)


def _end(entry: dict[str, Any], updates: list[dict[str, Any]]) -> float | None:
    """When it was resolved; where only an update says so, the earliest of those that do."""
    if _text(entry, "resolved_at"):
        return moment(_text(entry, "resolved_at"), "end")
    over = [
        moment(_text(update, "display_at") or _text(update, "created_at"), "time of the update that ends it")
        for update in updates
        if _text(update, "status") in _OVER
    ]
    return min(over, default=None)


def _services(entry: dict[str, Any], changes: list[dict[str, Any]]) -> tuple[str, ...]:
    named = [_text(_object(part), "name") for part in (*_list(entry, "components"), *changes)]
    return tuple(dict.fromkeys(name for name in named if name))


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _list(entry: dict[str, Any], key: str) -> list[Any]:
    value = entry.get(key)
    return value if isinstance(value, list) else []


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
