"""Where and by whom a target processes: what its owner declares, and what its answers can confirm.

Zones are named here and never resolved: which zone lies in which is known to `policy.zones`. What is not declared is
None, which is unknown, and unknown is not allowed wherever a jurisdiction asks for it.
"""

from enum import StrEnum

from msgspec import Struct


class Zone(Struct, frozen=True):
    """A zone, as the set of the smallest places that are known: countries, and the user's own zones inside of them."""

    atoms: frozenset[str]
    """What lies in it: a zone lies within another if all its atoms do."""
    reach: frozenset[str]
    """What it may touch: more than `atoms` where a place of the user's lies somewhere in a zone of many countries."""
    own: bool = False
    """Whether it is the user's own: nobody else need know it."""


class Transfer(StrEnum):
    """The tool under which personal data may be passed to where a target processes (GDPR, Art. 44 to 49)."""

    NONE = "none"
    """No tool, because none is needed or none is there."""
    ADEQUACY = "adequacy"
    """A decision of adequacy (Art. 45)."""
    DPF = "DPF"
    """The EU-US Data Privacy Framework: an adequacy decision that may fall by itself (Decision (EU) 2023/1795)."""
    SCC = "SCC"
    """Standard contractual clauses (Art. 46(2)(c))."""
    BCR = "BCR"
    """Binding corporate rules (Art. 47)."""


class Fact(StrEnum):
    """A declared fact that an answer can confirm or contradict."""

    PROCESSES = "processes"
    MODEL = "model"


class Confirmation(Struct, frozen=True):
    """Where an answer says a fact by itself. Exactly one of `header` and `body` is set."""

    fact: Fact
    header: str | None = None
    """Header of the answer, in lower case: `x-ms-region`."""
    body: tuple[str, ...] | None = None
    """Path inside the answer's JSON object: `("usage", "inference_geo")`."""
    means: dict[str, str] = {}
    """From what the answer says, in lower case, to the zone that it stands for; what is missing here is unknown.

    For the model: from another name that its provider gives it to the one that is configured.
    """


Said = tuple[tuple[int, str], ...]
"""What an answer says of its target by itself: numbers of the target's confirmations, each with the answer's word."""


class Subprocessor(Struct, frozen=True):
    """Somebody else whom the operator lets see the data."""

    name: str
    seat: str | None = None
    """Zone of the legal seat."""


class Place(Struct, frozen=True):
    """All that is declared of one target. Zones are names such as `DE`, `EEA` or one of the user's own."""

    processes: tuple[str, ...] | None = None
    """Zones in which it processes: it may be any of them, so all of them have to be allowed."""
    stores: tuple[str, ...] | None = None
    """Zones in which it keeps content; empty if it keeps none."""
    operator: str | None = None
    """The legal entity that operates it."""
    seat: str | None = None
    """Zone of that entity's legal seat."""
    transfer: Transfer | None = None
    retention: float | None = None
    """Longest time, in seconds, for which it keeps content; 0 is none."""
    zero_retention: bool | None = None
    """Whether zero data retention is agreed by contract."""
    subprocessors: tuple[Subprocessor, ...] | None = None
    """Empty if there are none."""
    confirms: tuple[Confirmation, ...] = ()

    def where(self) -> str | None:
        """The zones in which it processes as one line; None if nobody said."""
        return ", ".join(self.processes) if self.processes else None


NOWHERE_SAID = Place()
"""Nothing is declared."""
