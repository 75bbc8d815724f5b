"""What a chain of receipts says of a span of time: where calls went, by operator, place, tool and jurisdiction.

Read once, line by line; what is kept is one entry for each combination, of which there are few.

Must never: write, or fill in what a receipt does not say.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from surefoot.domain.place import Fact
from surefoot.errors import StartError
from surefoot.journal.link import Broken, read
from surefoot.policy.witness import Finding

Zones = tuple[str, ...] | None


class Way(Struct, frozen=True):
    """One way that data went. None is unknown; an empty tuple is none."""

    operator: str | None
    seat: str | None
    processes: Zones
    stores: Zones
    transfer: str | None
    jurisdiction: str
    jurisdiction_version: str


class Transfers(Struct):
    """What went one way. Times are as the receipts have them."""

    sent: int = 0
    """Attempts whose request was on the wire."""
    unsent: int = 0
    """Attempts that got no connection: nothing was transferred."""
    first: str = ""
    last: str = ""
    """Of those that were sent."""
    targets: Counter[str] = field(default_factory=Counter)
    tenants: Counter[str] = field(default_factory=Counter)
    confirmed: int = 0
    """Sent attempts whose answer itself said that it was processed within what is declared."""
    contradicted: int = 0
    """Sent attempts whose answer said that it was processed elsewhere."""


class Recipient(Struct, frozen=True):
    """Who was sent data, as declared then."""

    operator: str | None
    seat: str | None
    providers: tuple[str, ...]
    retention_seconds: int | None
    zero_retention: bool | None
    subprocessors: tuple[str, ...] | None


class Extract(Struct):
    """Everything that is reported of a span."""

    ways: dict[Way, Transfers]
    recipients: dict[Recipient, int]
    """With the attempts that were sent to each."""
    refused: Counter[tuple[str, str]]
    """Calls for which nobody was asked, by jurisdiction and outcome."""
    lost: int = 0
    """Calls without a receipt, as the chain itself says."""
    receipts: int = 0


def extract(path: Path, since: str, until: str) -> Extract:
    """What the receipts from `since` to before `until` say: both as RFC 3339 writes them, in UTC. Raises `StartError`.

    Drilled calls are left out: they are sent on purpose, without anybody's data.
    """
    found = Extract({}, {}, Counter())
    for receipt in _receipts(path):
        if not since <= receipt["at"] < until:
            continue
        if "note" in receipt:
            found.lost += receipt["calls"] if receipt["note"] == "lost" else 0
        elif not receipt["drill"]:
            found.receipts += 1
            _count(found, receipt)
    return found


def _bound(receipt: dict[str, Any]) -> tuple[str, str]:
    """All that bound an attempt, and the versions of that; what an inner route added stands behind a stroke."""
    names = (receipt["jurisdiction"], receipt.get("inner_jurisdiction"))
    versions = (receipt["jurisdiction_version"], receipt.get("inner_jurisdiction_version"))
    return " / ".join(filter(None, names)), " / ".join(filter(None, versions))


def _count(found: Extract, receipt: dict[str, Any]) -> None:
    if receipt["attempt"] is None:
        found.refused[receipt["jurisdiction"], receipt["call_outcome"]] += 1
        return
    said = receipt["declared"] or {}
    way = Way(
        said.get("operator"),
        said.get("seat"),
        _zones(said.get("processes")),
        _zones(said.get("stores")),
        said.get("transfer"),
        *_bound(receipt),
    )
    entry = found.ways.get(way)
    if entry is None:
        entry = found.ways[way] = Transfers()
    if not receipt["sent"]:
        entry.unsent += 1
        return
    entry.sent += 1
    entry.first = min(entry.first or receipt["at"], receipt["at"])
    entry.last = max(entry.last, receipt["at"])
    entry.targets[receipt["target"]] += 1
    entry.tenants[receipt["tenant"] or ""] += 1
    told = (receipt["evidence"] or {}).get(Fact.PROCESSES, "").partition(":")[0]
    entry.confirmed += told == Finding.CONFIRMED
    entry.contradicted += told == Finding.CONTRADICTED
    recipient = _recipient(said)
    found.recipients[recipient] = found.recipients.get(recipient, 0) + 1


def _recipient(said: dict[str, Any]) -> Recipient:
    others = said.get("subprocessors")
    return Recipient(
        said.get("operator"),
        said.get("seat"),
        (said["provider"],) if "provider" in said else (),
        said.get("retention_seconds"),
        said.get("zero_retention"),
        None if others is None else tuple(f"{one['name']} ({one['seat'] or 'unknown'})" for one in others),
    )


def _zones(said: list[str] | None) -> Zones:
    return None if said is None else tuple(said)


def _receipts(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return  # torn by a kill, or being written
                yield read(line).receipt
    except OSError as error:
        raise StartError(f"the receipts {path} cannot be read: {error.strerror}") from error
    except Broken as error:
        raise StartError(f"a record of {path} {error}: look with `surefoot receipts verify`") from error
