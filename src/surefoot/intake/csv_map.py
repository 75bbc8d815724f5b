"""What the columns of a plain table mean: which of them is which of our fields, and in what unit.

    at=TIMESTAMP, prompt_tokens=ContextTokens, ttft=ttft_ms:ms, provider='openai'        in one line
    at = "TIMESTAMP"                                                  or as a TOML file, one field a line

Knows the units of each field; the first is what is meant if none is written. What stands in single quotes is no column
but the same in every row. An empty cell is "the source does not say".
Must never guess a unit, give out a row of which a cell could not be read, or go on where `failed` holds no flags.
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
from surefoot.intake.fields import named
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
    constant: bool = False
    """`name` is what stands in every row."""


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


_STATUSES = range(100, 600)
_ERRORS = range(400, 600)


def _status(cell: Any, told: Told) -> int:
    status = _count(cell, told)
    if status not in _STATUSES:
        raise ValueError("not an HTTP status")
    return status


def _http(cell: Any, told: Told) -> bool:
    return _status(cell, told) in _ERRORS


_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "t": True, "f": False}
"""The letters are PostgreSQL's."""


def _flag(cell: Any, _told: Told) -> bool:
    try:
        return _FLAGS[str(cell).strip().lower()]
    except KeyError:
        raise ValueError("neither true nor false") from None


_FAILED = {**_FLAGS, "1.0": True, "0.0": False, "error": True, "ok": False}
"""Numbers with a point are flags of a table in which some are missing, as pandas writes it."""


class _NoFlagError(ValueError):
    """What is in a cell shows that its column holds no flags, also where a cell of it could be read as one."""


def _failed(cell: Any, _told: Told) -> bool:
    try:
        return _FAILED[str(cell).strip().lower()]
    except KeyError:
        raise _NoFlagError("neither true nor false") from None


_OTEL = {"0": False, "unset": False, "1": False, "ok": False, "2": True, "error": True}
"""`StatusCode` of `opentelemetry/proto/trace/v1/trace.proto`: one that is not set is no error."""


def _otel(cell: Any, _told: Told) -> bool:
    try:
        return _OTEL[str(cell).strip().lower().removeprefix("status_code_").removesuffix(".0")]
    except KeyError:
        raise ValueError("not a status of OpenTelemetry: 0, 1 and 2, or Unset, Ok and Error") from None


def _text(cell: Any, _told: Told) -> str:
    return str(cell)


def _kind(cell: Any, _told: Told) -> str:
    try:
        return Kind(str(cell)).value
    except ValueError:
        raise ValueError("not one of the kinds in docs/reference/outcomes.md") from None


def _iso(cell: Any, told: Told) -> float:
    try:
        return read_moment(str(cell), told.zone)
    except ValueError as error:
        if str(cell).replace(".", "", 1).isdecimal():
            raise ValueError(f"{error}; if it counts from 1970, write at=COLUMN:s or at=COLUMN:ms") from None
        raise


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
    "failed": {"flag": _failed, "http": _http, "otel": _otel, "zero": _zero},
    "status": {"http": _status},
    "kind": {"kind": _kind},
    "cost": {"usd": _times(1), "cents": _times(0.01)},
    "user": _TEXT,
    "key": _TEXT,
}
"""By field, its units. `+s`, `+ms`: since `--start`. `nonzero`: a 0 means unknown. `zero`: a 0 means failed."""


_CONSTANT = re.compile(r"'([^']+)'")

_OF_EACH = frozenset({"at", "call"})


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
    found = column(field, name)
    return _fault_of_constant(field, found) if found.constant else ""


def _fault_of_constant(field: str, found: Column) -> str:
    if field in _OF_EACH:
        return "cannot be the same in every row; write the name of its column"
    try:
        UNITS[field][found.unit](found.name, Told())
    except ValueError as error:
        return f"'{found.name}' is {error}"
    return ""


def column(field: str, text: str, *, optional: bool = False) -> Column:
    """`ttft_ms:ms` as a column; what stands after the last colon is a unit only if the field has such a unit."""
    name, _, unit = text.rpartition(":")
    if not name or unit not in UNITS[field]:
        name, unit = text, next(iter(UNITS[field]))
    constant = _CONSTANT.fullmatch(name)
    return Column(constant[1] if constant else name, unit, optional, constant is not None)


def mapped(records: Iterable[Record | Unreadable], columns: ColumnMap, told: Told) -> Iterator[Row | Unreadable]:
    """The rows of a table. Raises `IntakeError` if its first row shows that a column is not there.

    Also if any row shows that the column of `failed` holds no flags: rows that could be read would tell the opposite of
    what they mean, or those of one outcome would be missing.
    """
    same = {field: UNITS[field][c.unit](c.name, told) for field, c in columns.items() if c.constant}
    readers: list[Reader] | None = None
    for record in records:
        if isinstance(record, Unreadable):
            yield record
            continue
        if readers is None:
            readers = _readers(columns, record.content)
        yield _row(record, readers, same, told)


Reader = tuple[str, str, Read]
"""A field, its column, and how a cell is read."""


def _readers(columns: ColumnMap, first: Any) -> list[Reader]:
    there = first if isinstance(first, dict) else {}
    wanted = {field: c for field, c in columns.items() if not c.constant}
    missing = {field: c for field, c in wanted.items() if c.name not in there and not c.optional}
    if missing:
        raise IntakeError(_missing(missing, there))
    readers = [(field, c.name, UNITS[field][c.unit]) for field, c in wanted.items() if c.name in there]
    failed = wanted.get("failed")
    if failed is not None and failed.unit == "http" and "status" not in columns:
        readers.append(("status", failed.name, _status))  # which tells the kind, too
    return readers


def _missing(missing: ColumnMap, there: Mapping[Any, Any]) -> str:
    """Which columns are not there; for those that are, but for what looks like a unit, which units there are."""
    units = []
    for field, c in missing.items():
        name, _, unit = c.name.rpartition(":")
        if name in there:
            units.append(f"`{unit}` is no unit of {field}; write {', '.join(f'{name}:{one}' for one in UNITS[field])}")
    if units:
        return "; ".join(units)
    return f"has no column {named(c.name for c in missing.values())}; it has: {named(there) or 'none'}"


def _no_flags(name: str, error: ValueError) -> str:
    return (
        f"`{name}` holds here what is {error}, so its 1 and 0 may mean something else, too, and nothing was imported; "
        f"write failed={name}:http if it is an HTTP status, failed={name}:otel if it is a status of OpenTelemetry "
        "(1 is ok, 2 an error), or leave the cell empty where nobody knows"
    )


def _row(record: Record, readers: list[Reader], same: Mapping[str, Any], told: Told) -> Row | Unreadable:
    content = record.content
    if not isinstance(content, dict):
        return Unreadable(record.number, "not an object")
    found: dict[str, Any] = {"call": None, **same}
    for field, name, read in readers:
        cell = content.get(name)
        if cell is None or cell == "":
            continue
        try:
            found[field] = read(cell, told)
        except _NoFlagError as error:
            raise IntakeError(f"line {record.number}: {field}: {_no_flags(name, error)}") from error
        except ValueError as error:
            return Unreadable(record.number, f"{field}: {error}")
    if "at" not in found:
        return Unreadable(record.number, "no start time")
    return Row(line=record.number, **found)
