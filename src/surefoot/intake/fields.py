"""What a field of a foreign log holds: in our units, or None where it holds nothing that can be meant.

A reader asks for the field it knows, by the name and the unit that its format documents; what is there may be of any
type, since others wrote it. A table holds everything as text, so a number may come as its digits and an object as JSON.

Must never: raise for what a log holds, or keep more of it than was asked for.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import tzinfo
from typing import Any

import msgspec

from surefoot.errors import IntakeError
from surefoot.intake.moments import read_moment
from surefoot.intake.row import Unreadable
from surefoot.intake.source import Record, Source

NO_START = "no start time that can be read"
NO_OBJECT = "not an object"
NOT_A_CALL = "not a call of a language model"
CACHED = "answered from a cache; no provider was asked"

MOST_TOKENS = 2**31 - 1
"""What an INTEGER of the traffic file holds; no call has more."""

EARLIEST, LATEST = 946_684_800.0, 4_102_444_800.0
"""2000 and 2100, Unix seconds. A number outside is in another unit, which is not guessed."""

JSON = frozenset({b"{", b"["})
"""How it begins, and a table does not."""

_NAMES, _LONGEST_NAME = 12, 40

NANOSECONDS = 1e-9
MILLISECONDS = 1e-3

Fields = Mapping[str, Any]
NOTHING: Fields = {}


Page = Callable[[Fields], list[Any] | None]
"""What an answer of an API holds, or None: it is no page of them but a record itself."""


def data(record: Fields) -> list[Any] | None:
    """How most APIs answer: `{"data": [...]}`."""
    found = record.get("data")
    return found if isinstance(found, list) else None


def objects(source: Source, page: Page = data) -> Iterator[Record | Unreadable]:
    """All records of JSON, or all rows of a table, each of them an object; told otherwise.

    What stands on pages is numbered through all of them, from 1.
    """
    entry = 0
    for record in source.records() if source.head()[:1] in JSON else source.table():
        if isinstance(record, Unreadable):
            yield record
            continue
        entries = page(record.content) if isinstance(record.content, dict) else None
        if entries is None:
            yield _object(record)
            continue
        for content in entries:
            entry += 1
            yield _object(Record(entry, content))


def named(names: Iterable[Any]) -> str:
    """Names of columns or fields for an error: the first ones, cut. Without a header they are what a table holds."""
    whole = [str(name) for name in names]
    more = f" and {len(whole) - _NAMES:,} more" if len(whole) > _NAMES else ""
    return ", ".join(f"`{name[:_LONGEST_NAME]}`" for name in whole[:_NAMES]) + more


def _object(record: Record) -> Record | Unreadable:
    return record if isinstance(record.content, dict) else Unreadable(record.number, NO_OBJECT)


def text(value: Any) -> str | None:
    """Some text; None for none and for what is no text. Half a surrogate pair, which JSON allows, becomes `?`."""
    if not isinstance(value, str) or not value:
        return None
    return value if value.isascii() else value.encode(errors="replace").decode()


def number(value: Any) -> float | None:
    """A finite number that is not negative."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


def count(value: Any) -> int | None:
    """A whole number of tokens or the like."""
    found = number(value)
    return int(found) if found is not None and found.is_integer() and found <= MOST_TOKENS else None


def flag(value: Any) -> bool | None:
    """Yes or no, also in words."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def part(value: Any) -> Fields:
    """An object inside the record, or its JSON in a cell of a table; an empty one where there is none."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return NOTHING
    return value if isinstance(value, dict) else NOTHING


def moment(value: Any, naive: tzinfo | None) -> float | None:
    """Unix seconds from Unix seconds or ISO 8601, the latter perhaps in quotes, as a date's JSON in a table is.

    `naive` is the zone of a time that names none; where it is None, such a time is none.
    """
    found = number(value)
    if found is None and isinstance(value, str):
        found = _of_iso(value.strip('" '), naive)
    return found if found is not None and EARLIEST <= found < LATEST else None


def between(begin: float, end: float | None) -> float | None:
    """Seconds from one moment to another; None if there is none, or it lies before."""
    return end - begin if end is not None and end >= begin else None


def _of_iso(value: str, naive: tzinfo | None) -> float | None:
    try:
        return read_moment(value, naive)
    except (ValueError, OverflowError, IntakeError):
        return None
