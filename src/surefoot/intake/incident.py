"""An incident of a provider, in one form whatever it was read from, and the three ways to read how bad it was.

Times are Unix seconds in UTC. A status page tells late at both ends, and its provider writes it: `evidence` says where
an incident comes from, and `faults` what was done to it on the way in.

Must never: invent an end. An open incident has none.
"""

from enum import IntEnum, StrEnum

from msgspec import Struct


class Severity(IntEnum):
    """How bad, by the scale of Statuspage and what its components say."""

    NONE = 0
    MINOR = 1
    """Degraded performance."""
    PARTIAL = 2
    """A partial outage; `major` as the impact of a Statuspage incident."""
    MAJOR = 3
    """A major outage; `critical` as the impact of a Statuspage incident."""


class Reading(StrEnum):
    """Which incidents count as an outage. The three differ by a factor of 6 to 60 and are shown side by side."""

    ANY = "any"
    PARTIAL = "partial"
    """Partial and major outages."""
    MAJOR = "major"

    @property
    def least(self) -> Severity:
        """The mildest severity that counts."""
        return _LEAST[self]


_LEAST = {Reading.ANY: Severity.NONE, Reading.PARTIAL: Severity.PARTIAL, Reading.MAJOR: Severity.MAJOR}


class Incident(Struct, frozen=True, kw_only=True):
    """One incident."""

    id: str
    provider: str
    start: float
    end: float | None
    """None: still open when it was read."""
    severity: Severity | None
    """None: the source does not say; then it counts under `any` alone."""
    services: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    title: str = ""
    evidence: str = ""
    """Source and what in it speaks for this: `FAILS`, `https://status.example.com/incidents/…`."""
    retrospective: bool = False
    """Posted when it was over."""
    faults: tuple[str, ...] = ()
    """What was wrong with it and how it was read all the same, in the sentences of `intake.incidents.mending`."""

    def counts(self, reading: Reading) -> bool:
        """Whether it is an outage under this reading."""
        return self.severity >= reading.least if self.severity is not None else reading is Reading.ANY
