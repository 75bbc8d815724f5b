"""What the columns of a plain table mean: which of them is which of our fields, and in what unit.

    at=TIMESTAMP, prompt_tokens=ContextTokens, ttft=ttft_ms:ms        in one line
    at = "TIMESTAMP"                                                  or as a TOML file, one field a line

Knows the units of each field; the first is what is meant if none is written. An empty cell is "the source does not
say". Must never guess a unit, or give out a row of which a cell could not be read.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from msgspec import Struct

from surefoot.config.faults import did_you_mean
from surefoot.domain.outcome import Kind
from surefoot.errors import ConfigError, IntakeError
from surefoot.intake.moments import read_moment
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Record, Told

Read = Callable[[Any, Told], Any]
"""What is in a cell, in our unit. Raises `ValueError` with a short reason."""


class Column(Struct, frozen=True):
    """Where a field is found."""

    name: str
    unit: str
    optional: bool = False
    """Not every table of this form has it."""


ColumnMap = Mapping[str, Column]
"""By field of `intake.row.Row`."""


def _number(cell: Any, _told: Told) -> float:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        number = float("nan")
    if not isfinite(number):
        raise ValueError("not a number")
    return number


def _count(cell: Any, told: Told) -> int:
    number = _number(cell, told)
    if number < 0 or number != int(number):
        raise ValueError("not a whole number from 0")
    return int(number)


def _known(cell: Any, told: Told) -> int | None:
    return _count(cell, told) or None


def _zero(cell: Any, told: Told) -> bool:
    return _number(cell, told) == 0


def _http(cell: Any, told: Told) -> bool:
    return _count(cell, told) >= 400  # noqa: PLR2004 - from there on HTTP means an error


_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _flag(cell: Any, _told: Told) -> bool:
    try:
        return _FLAGS[str(cell).strip().lower()]
    except KeyError:
        raise ValueError("neither true nor false") from None


def _text(cell: Any, _told: Told) -> str:
    return str(cell)


def _kind(cell: Any, _told: Told) -> str:
    try:
        return Kind(str(cell)).value
    except ValueError:
        raise ValueError("not one of the kinds in docs/reference/outcomes.md") from None


def _iso(cell: Any, told: Told) -> float:
    return read_moment(str(cell), told.zone)


def _times(factor: float) -> Read:
    return lambda cell, told: _number(cell, told) * factor


def _since_start(factor: float) -> Read:
    def read(cell: Any, told: Told) -> float:
        if told.start is None:
            raise IntakeError(
                "its times count from a start that it does not tell: name it, as --start 2026-01-31T00:00:00Z"
            )
        return told.start + _number(cell, told) * factor

    return read


Units = dict[str, Read]

_DURATION: Units = {"s": _times(1), "ms": _times(1e-3), "us": _times(1e-6), "ns": _times(1e-9)}
_TEXT: Units = {"text": _text}
_TOKENS: Units = {"count": _count, "nonzero": _known}

UNITS: dict[str, Units] = {
    "at": {"iso": _iso, **_DURATION, "+s": _since_start(1), "+ms": _since_start(1e-3)},
    "call": _TEXT,
    "provider": _TEXT,
    "model": _TEXT,
    "route": _TEXT,
    "stream": {"flag": _flag},
    "prompt_tokens": _TOKENS,
    "completion_tokens": _TOKENS,
    "max_tokens": _TOKENS,
    "ttft": _DURATION,
    "duration": _DURATION,
    "failed": {"flag": _flag, "http": _http, "zero": _zero},
    "status": {"http": _count},
    "kind": {"kind": _kind},
    "cost": {"usd": _times(1), "cents": _times(0.01)},
    "user": _TEXT,
    "key": _TEXT,
}
"""By field, its units. `+s`, `+ms`: since `--start`. `nonzero`: a 0 means unknown. `zero`: a 0 means failed."""


def read_columns(text: str) -> ColumnMap:
    """From an option: a map in one line, or the path of a TOML file. Raises `ConfigError` with all faults."""
    if "=" in text:
        pairs = [piece.partition("=") for piece in re.split(r",(?=\s*\w+\s*=)", text)]
        return _columns({field.strip(): name.strip() for field, _, name in pairs}, "--columns")
    try:
        return _columns(tomllib.loads(Path(text).read_text(encoding="utf-8")), text)
    except FileNotFoundError:
        sentence = "there is no such file; a map in one line reads at=TIMESTAMP,prompt_tokens=ContextTokens"
        raise ConfigError([f"{text}: {sentence}"]) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([f"{text}: cannot be read as TOML: {error}"]) from error


def _columns(given: dict[str, Any], where: str) -> ColumnMap:
    faults = [f"{where}: {field}: {_fault(field, name)}" for field, name in given.items() if _fault(field, name)]
    if "at" not in given:
        faults.append(f"{where}: at: is missing; a call without its time cannot be replayed")
    if faults:
        raise ConfigError(faults)
    return {field: column(field, name) for field, name in given.items()}


def _fault(field: str, name: Any) -> str:
    if field not in UNITS:
        return f"is no field; {did_you_mean(field, UNITS)}"
    if not isinstance(name, str) or not name:
        return 'write the name of its column, as "ttft_ms:ms"'
    return ""


def column(field: str, text: str, *, optional: bool = False) -> Column:
    """`ttft_ms:ms` as a column; what stands after the last colon is a unit only if the field has such a unit."""
    name, _, unit = text.rpartition(":")
    if name and unit in UNITS[field]:
        return Column(name, unit, optional)
    return Column(text, next(iter(UNITS[field])), optional)


def mapped(records: Iterable[Record | Unreadable], columns: ColumnMap, told: Told) -> Iterator[Row | Unreadable]:
    """The rows of a table. Raises `IntakeError` if its first row shows that a column is not there."""
    readers: list[tuple[str, str, Read]] | None = None
    for record in records:
        if isinstance(record, Unreadable):
            yield record
            continue
        if readers is None:
            readers = _readers(columns, record.content)
        yield _row(record, readers, told)


def _readers(columns: ColumnMap, first: Any) -> list[tuple[str, str, Read]]:
    there = first if isinstance(first, dict) else {}
    missing = [c.name for c in columns.values() if c.name not in there and not c.optional]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise IntakeError(f"has no column {names}; it has: {', '.join(map(str, there)) or 'none'}")
    return [(field, c.name, UNITS[field][c.unit]) for field, c in columns.items() if c.name in there]


def _row(record: Record, readers: list[tuple[str, str, Read]], told: Told) -> Row | Unreadable:
    content = record.content
    if not isinstance(content, dict):
        return Unreadable(record.number, "not an object")
    found: dict[str, Any] = {"call": None}
    for field, name, read in readers:
        cell = content.get(name)
        if cell is None or cell == "":
            continue
        try:
            found[field] = read(cell, told)
        except ValueError as error:
            return Unreadable(record.number, f"{field}: {error}")
    if "at" not in found:
        return Unreadable(record.number, "no start time")
    return Row(line=record.number, **found)
