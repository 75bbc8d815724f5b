"""A jurisdiction: whom it binds, which targets it allows them, and what it obliges the gateway to do and to leave.

A jurisdiction is data. What it says of a target is `policy.rules.jurisdiction`'s to find out. A request may be under
several at once, by its key, by its route and by its own headers: then all of them bind it (`Applied`), so that each one
more can take targets away and can never add any.
"""

from enum import StrEnum

from msgspec import Struct

from surefoot.domain.place import Transfer


class Subjects(Struct, frozen=True):
    """Whom it binds by itself: a request that matches any of these. A key or a route may name it besides."""

    keys: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    """Classes of data, in the user's words: `health`."""
    regions: tuple[str, ...] = ()
    """Zones in which the people live whom the data is about: a region that overlaps with any of these matches."""


class Constraints(Struct, frozen=True):
    """What a target must have declared. None asks for nothing."""

    processes: tuple[str, ...] | None = None
    """Zones; all that the target declares must lie within them. So for the other zones."""
    stores: tuple[str, ...] | None = None
    operators: tuple[str, ...] | None = None
    seats: tuple[str, ...] | None = None
    """Zones for the operator's legal seat."""
    transfers: tuple[Transfer, ...] | None = None
    retention: float | None = None
    """Seconds for which it may keep content, at most."""
    zero_retention: bool = False
    subprocessors: tuple[str, ...] | None = None
    """Zones for the seats of all sub-processors."""


class Deny(Struct, frozen=True):
    """What forbids a target whatever else allows it. A fact that is asked for here and not declared forbids too."""

    targets: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    seats: tuple[str, ...] = ()
    """Zones; a seat inside any of them forbids. So for the other zones: any overlap forbids."""
    processes: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    transfers: tuple[Transfer, ...] = ()


class Contradiction(StrEnum):
    """What follows when an answer contradicts what its target declares. The target is suspended in either case."""

    FAIL = "fail"
    FLAG = "flag"


class Obligations(Struct, frozen=True):
    """What the gateway owes to those who are bound."""

    hedge: bool = True
    """Whether a second target may be asked beside a live attempt."""
    resume: bool = True
    """Whether a broken answer may be continued on a target of another operator."""
    keep: bool = True
    """Whether content may be kept after its call has ended: answers for retries, and the policy's trace."""
    receipts: bool = False
    """Whether a call is refused when its receipts cannot be queued."""
    contradiction: Contradiction = Contradiction.FAIL


class Jurisdiction(Struct, frozen=True):
    """One `[jurisdiction.NAME]` of the configuration."""

    name: str
    subjects: Subjects = Subjects()
    constraints: Constraints = Constraints()
    deny: Deny = Deny()
    obligations: Obligations = Obligations()


class Circumstances(Struct, frozen=True):
    """What decides by which jurisdictions a request is bound, beside its route."""

    key: str | None = None
    """Name of the client's key."""
    tenant: str | None = None
    classes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Jurisdictions that its key or its headers name."""
    zones: tuple[str, ...] = ()
    """Zones that it is narrowed to: any of them will do; empty if it is not."""


class Applied(Struct, frozen=True):
    """All jurisdictions that bind one request, as one."""

    name: str
    """Their names, sorted and joined by `+`; `anywhere` without any. It is the key of all caches of verdicts."""
    parts: tuple[Jurisdiction, ...] = ()
    obligations: Obligations = Obligations()
    """The strictest of each."""
    version: str = ""
    """16 hexadecimal digits of a hash over the parts: the same text has the same version."""


ANYWHERE = Applied("anywhere")
"""What binds a request that is under no jurisdiction: nothing."""
