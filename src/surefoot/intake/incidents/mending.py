"""What is wrong with lists of incidents, and how they are read all the same: each mend leaves its sentence in `faults`.

- One row per component of the same incident, or the same incident told twice: taken together, from the first start to
  the last end, with the worst severity and all services.
- No length: it was posted when it was over. It counts, and its length is unknown, which is not zero minutes.
- An end before the start: someone dated the end back in an incident that was posted afterwards. The end is when it was
  over; how long it had been is unknown.
- Still open when it was read: it counts, and its length is unknown.
- Longer than the cap: something was left open, or is no outage. Cut to the cap.
"""

import re
from collections.abc import Iterable

import msgspec

from surefoot.intake.incident import Incident
from surefoot.intake.incidents.heard import Heard

COMPONENTS = "one row per component: taken together"
TWICE = "told more than once: taken together"
NO_LENGTH = "no length, posted afterwards: counted, length unknown"
BACKWARDS = "ends before it begins: counted at its end, length unknown"
OPEN = "still open when it was read: counted, length unknown"
CAPPED = "longer than the cap: cut to it"

CAP = 86_400.0
"""Seconds. Of the 1,269 incidents behind docs/evidence-real.md 26 last longer than a day. Many of those are about
billing, dashboards or a withdrawn product, or were forgotten; uncut they are 49 % of all minutes."""

_COMPONENT_OF = re.compile(r"([0-9a-z]{12}|[0-9A-Z]{26})-.+")
"""The id of a Statuspage (12 letters and digits) or of incident.io (a ULID), and behind it a component's."""


def mended(heard: Iterable[Heard]) -> list[Heard]:
    """Each incident once, in the order of their starts, with spans that end no sooner than they begin."""
    groups: dict[tuple[str, str], list[Heard]] = {}
    for one in heard:
        groups.setdefault((one.incident.provider, _base(one.incident.id)), []).append(one)
    whole = [first._replace(incident=_spanned(_together([first, *rest]))) for first, *rest in groups.values()]
    return sorted(whole, key=lambda one: (one.incident.start, one.incident.provider, one.incident.id))


def capped(incident: Incident, cap: float | None) -> Incident:
    """The incident, no longer than so many seconds; None: as long as it is told."""
    if cap is None or incident.end is None or incident.end - incident.start <= cap:
        return incident
    return msgspec.structs.replace(incident, end=incident.start + cap, faults=(*incident.faults, CAPPED))


def length_of(incident: Incident) -> float | None:
    """Seconds, where they are known."""
    if incident.end is None or incident.end == incident.start:
        return None
    return incident.end - incident.start


def _base(told: str) -> str:
    found = _COMPONENT_OF.fullmatch(told)
    return found[1] if found else told


def _together(rows: list[Heard]) -> Incident:
    told = [row.incident for row in rows]
    if len(told) == 1:
        return told[0]
    ends = [one.end for one in told if one.end is not None]
    severities = [one.severity for one in told if one.severity is not None]
    fault = COMPONENTS if len({one.id for one in told}) > 1 else TWICE
    return msgspec.structs.replace(
        told[0],
        id=_base(told[0].id),
        start=min(one.start for one in told),
        end=max(ends) if len(ends) == len(told) else None,
        severity=max(severities, default=None),
        services=_all(one.services for one in told),
        models=_all(one.models for one in told),
        regions=_all(one.regions for one in told),
        evidence=", ".join(dict.fromkeys(one.evidence for one in told)),
        retrospective=all(one.retrospective for one in told),
        faults=(*_all(one.faults for one in told), fault),
    )


def _all(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for words in lists for word in words))


def _spanned(told: Incident) -> Incident:
    if told.end is None:
        return msgspec.structs.replace(told, faults=(*told.faults, OPEN))
    if told.end < told.start:
        return msgspec.structs.replace(told, start=told.end, retrospective=True, faults=(*told.faults, BACKWARDS))
    if told.end == told.start:
        return msgspec.structs.replace(told, retrospective=True, faults=(*told.faults, NO_LENGTH))
    return told
