"""The scales on which sources say how bad an incident is, each mapped to ours.

Knows: that the same number or word means different things in different sources. Must never: guess; what is in no scale
has no severity.
"""

from collections.abc import Mapping

from surefoot.intake.incident import Severity

IMPACTS: Mapping[str, Severity] = {
    "none": Severity.NONE,
    "minor": Severity.MINOR,
    "major": Severity.PARTIAL,
    "critical": Severity.MAJOR,
    "maintenance": Severity.NONE,
}
"""Statuspage's `impact` of an incident. It is made from the states of components unless somebody overrides it: a
partial outage of one of them is `major`, a major outage `critical`."""

STATES: Mapping[str, Severity] = {
    "operational": Severity.NONE,
    "under_maintenance": Severity.NONE,
    "degraded_performance": Severity.MINOR,
    "partial_outage": Severity.PARTIAL,
    "major_outage": Severity.MAJOR,
    "full_outage": Severity.MAJOR,
}
"""States of components, in the words of Statuspage and incident.io."""

OURS: Mapping[str, Severity] = {
    **STATES,
    **{severity.name.casefold(): severity for severity in Severity},
    **{str(severity.value): severity for severity in Severity},
}
"""What a plain table may say. `major` is a major outage here, which Statuspage calls `critical`."""

IMPACT_NUMBERS: Mapping[int, Severity] = {0: Severity.NONE, 1: Severity.MINOR, 2: Severity.PARTIAL, 3: Severity.MAJOR}
"""`incident_impact_level` of FAILS and ICPE'25: the impacts in their order; and 4, see below. The leaderboard's numbers
are degraded performance, partial and major outage, which is the same; but it calls an impact of `none` degraded too,
and for pages of incident.io, which tell no impact, it takes any incident without a known component for partial."""

MAINTENANCE_LEVEL = 4
"""Of FAILS and ICPE'25, where it was read from a Statuspage: impact `maintenance`."""

STATES_BY_LEVEL: Mapping[str, Mapping[int, Severity]] = {
    "stabilityai": {0: Severity.NONE, 1: Severity.MINOR, 2: Severity.PARTIAL, 4: Severity.MAJOR},
}
"""Providers whose level FAILS took from the state of a component on an Instatus page: there 4 is a major outage."""


def of_level(provider: str, level: int | None) -> tuple[Severity | None, bool]:
    """The severity of a level of FAILS or ICPE'25, and whether it is a maintenance."""
    if level is None:
        return None, False
    own = STATES_BY_LEVEL.get(provider)
    if own is not None:
        return own.get(level), False
    if level == MAINTENANCE_LEVEL:
        return Severity.NONE, True
    return IMPACT_NUMBERS.get(level), False


def level_of(text: str) -> int | None:
    """A level as tables write it, `2` or `2.0`; None where there is none or it is no whole number."""
    try:
        level = float(text)
    except ValueError:
        return None
    return int(level) if level.is_integer() else None
