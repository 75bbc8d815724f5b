"""From the table `[receipts]` to how receipts are kept, and to what the record of processing says besides.

Knows that table. Must never read a private key: only whoever signs does.
"""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct, convert

from surefoot.config.faults import Faults, path_of
from surefoot.config.reading import read_shape, read_toml
from surefoot.config.shape import ReceiptsTable
from surefoot.domain.jurisdiction import Jurisdiction
from surefoot.domain.receipt import ReceiptOptions
from surefoot.errors import ConfigError

OTHERS = 0o077
"""Bits of a file's mode that let others at it."""


class Processing(Struct, frozen=True):
    """What a record of processing activities (GDPR, Art. 30) says that no receipt can. None was not said."""

    role: str | None = None
    controller: str | None = None
    contact: str | None = None
    representative: str | None = None
    officer: str | None = None
    purposes: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    retention: str | None = None
    security: str | None = None


def read_receipts(table: ReceiptsTable | None, base: Path, faults: Faults) -> ReceiptOptions | None:
    """How receipts are kept, with every fault of it told; None if they are not."""
    if table is None:
        return None
    path, key = base / table.path, None if table.key is None else base / table.key
    if not path.parent.is_dir():
        faults.add("receipts.path", f"there is no directory {path.parent}; create it first")
    elif path.is_dir():
        faults.add("receipts.path", f"{path} is a directory; name a file")
    if key is not None:
        _look_at_key(key, faults)
    return ReceiptOptions(
        path=str(path),
        key=None if key is None else str(key),
        required=table.required,
        room=table.room,
        every=table.checkpoint_every,
        period=table.checkpoint_period,
    )


def tell_unkept(listed: Iterable[Jurisdiction], faults: Faults) -> None:
    """No receipts are kept: tell which jurisdictions oblige to them."""
    for one in listed:
        if one.obligations.receipts:
            path = path_of("jurisdiction", one.name, "obligations", "receipts")
            faults.add(path, "no receipts are kept: add the table [receipts]")


def read_processing(path: Path) -> tuple[Processing, str]:
    """What a configuration says for the record of processing, and where its chain is.

    Only the table `[receipts]` is looked at, so that whoever makes the record needs no secrets. Raises `ConfigError`.
    """
    raw = read_toml(path)
    faults = Faults()
    file = read_shape({"receipts": raw["receipts"]} if "receipts" in raw else {}, faults)
    if faults.found:
        raise ConfigError(faults.found)
    table = file.receipts or ReceiptsTable()
    said = {name: getattr(table.processing, name) for name in Processing.__struct_fields__}
    return convert(said, Processing), str(path.parent / table.path)


def _look_at_key(key: Path, faults: Faults) -> None:
    try:
        mode = key.stat().st_mode
    except OSError as error:
        faults.add("receipts.key", f"{key} cannot be read: {error.strerror}; `surefoot receipts init` makes one")
        return
    if mode & OTHERS:
        faults.add("receipts.key", f"{key} can be read by others: chmod 600 {key}")
