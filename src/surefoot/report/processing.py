"""The record of processing activities (GDPR, Art. 30) and the list of transfers, as CSV and as one page.

What nobody has said is printed as unknown: such a record is signed by somebody, who has to see what is missing.

Knows: which fact stands where. Must never: compute a number of its own, or fill a gap.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from surefoot.config.receipts import Processing
from surefoot.journal.extract import Extract, Recipient, Transfers, Way, Zones

UNKNOWN = "unknown"
PAGE = "processing.html"
REGISTER = "register.csv"
TRANSFERS = "transfers.csv"

_TRANSFER_COLUMNS = (
    "operator", "seat", "processes", "stores", "transfer_tool", "jurisdiction", "jurisdiction_version",
    "targets", "tenants", "sent", "confirmed_by_answer", "contradicted_by_answer", "not_sent", "first", "last",
)  # fmt: skip


class Span(Struct, frozen=True):
    """What the record is about, in words."""

    first: str
    last: str
    """Days, both included, in UTC."""
    chain: str
    """What verifying the chain has found."""


class _Row(Struct, frozen=True):
    article: str
    what: str
    said: tuple[str, ...]


def write_processing(found: Extract, said: Processing, span: Span, folder: Path) -> tuple[Path, Path, Path]:
    """Write the page and both tables into a folder, which is made if need be. Returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    register = _register(found, said)
    transfers = [_transfer(way, entry) for way, entry in _sorted(found)]
    environment = Environment(
        loader=PackageLoader("surefoot.report", "templates"), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("processing.html.j2").render(
        span=span,
        register=register,
        columns=[column.replace("_", " ") for column in _TRANSFER_COLUMNS],
        transfers=transfers,
        refused=sorted(found.refused.items()),
        found=found,
        unknown=UNKNOWN,
    )
    paths = folder / PAGE, folder / REGISTER, folder / TRANSFERS
    paths[0].write_text(page, encoding="utf-8")
    rows = [(row.article, row.what, "; ".join(row.said)) for row in register]
    _write_csv(paths[1], ("article", "what", "said"), rows)
    _write_csv(paths[2], _TRANSFER_COLUMNS, transfers)
    return paths


def _register(found: Extract, said: Processing) -> list[_Row]:
    tenants = sorted({tenant for entry in found.ways.values() for tenant in entry.tenants if tenant})
    return [
        _Row("30(1), 30(2)", "role", _words(said.role)),
        _Row("30(1)(a), 30(2)(a)", "controller", _words(said.controller)),
        _Row("30(1)(a), 30(2)(a)", "contact", _words(said.contact)),
        _Row("30(1)(a), 30(2)(a)", "representative", _words(said.representative)),
        _Row("30(1)(a), 30(2)(a)", "data protection officer", _words(said.officer)),
        _Row("30(1)(b), 30(2)(b)", "purposes", said.purposes or (UNKNOWN,)),
        _Row("30(2)(b)", "tenants on whose behalf calls were made", tuple(tenants) or (UNKNOWN,)),
        _Row("30(1)(c)", "categories of data subjects", said.subjects or (UNKNOWN,)),
        _Row("30(1)(c)", "categories of personal data", said.data or (UNKNOWN,)),
        _Row("30(1)(d)", "recipients", tuple(_recipient(one) for one in _recipients(found)) or ("none",)),
        _Row("30(1)(e), 30(2)(c)", "transfers and their tools", tuple(_ways(found)) or ("none",)),
        _Row("30(1)(f)", "time limits for erasure", _words(said.retention)),
        _Row(
            "30(1)(f)", "retention at the recipients", tuple(_retention(one) for one in _recipients(found)) or ("none",)
        ),
        _Row("30(1)(g), 30(2)(d)", "security measures", _words(said.security)),
    ]


def _recipients(found: Extract) -> list[Recipient]:
    return sorted(found.recipients, key=lambda one: (one.operator or UNKNOWN, str(one)))


def _recipient(one: Recipient) -> str:
    others = UNKNOWN if one.subprocessors is None else ", ".join(one.subprocessors) or "none"
    provider = ", ".join(one.providers) or UNKNOWN
    return f"{one.operator or UNKNOWN} (seat: {one.seat or UNKNOWN}; provider: {provider}; sub-processors: {others})"


def _retention(one: Recipient) -> str:
    if one.zero_retention:
        kept = "none, by contract"
    elif one.retention_seconds is None:
        kept = UNKNOWN
    else:
        kept = f"{one.retention_seconds / 86_400:g} days"
    return f"{one.operator or UNKNOWN}: {kept}"


def _ways(found: Extract) -> Iterable[str]:
    seen = {(way.operator, way.processes, way.transfer): None for way, entry in _sorted(found) if entry.sent}
    for operator, processes, transfer in seen:
        yield f"{operator or UNKNOWN}, processing in {_zones(processes)}: {transfer or UNKNOWN}"


def _sorted(found: Extract) -> list[tuple[Way, Transfers]]:
    return sorted(found.ways.items(), key=lambda item: (-item[1].sent, str(item[0])))


def _transfer(way: Way, entry: Transfers) -> tuple[str, ...]:
    tenants = ", ".join(sorted(tenant or UNKNOWN for tenant in entry.tenants))
    return (
        way.operator or UNKNOWN,
        way.seat or UNKNOWN,
        _zones(way.processes),
        _zones(way.stores),
        way.transfer or UNKNOWN,
        way.jurisdiction,
        way.jurisdiction_version,
        ", ".join(sorted(entry.targets)),
        tenants,
        str(entry.sent),
        str(entry.confirmed),
        str(entry.contradicted),
        str(entry.unsent),
        entry.first,
        entry.last,
    )


def _zones(zones: Zones) -> str:
    return UNKNOWN if zones is None else ", ".join(zones) or "none"


def _words(said: str | None) -> tuple[str, ...]:
    return (said or UNKNOWN,)


def _write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def _inert(cell: str) -> str:
    """A spreadsheet takes a cell that begins so for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@"} else cell
