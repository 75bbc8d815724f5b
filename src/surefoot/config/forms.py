"""The forms that a value in the file can take: one object that reads it, checks its range and can print itself.

A `Form` stands in an annotation. Pydantic reads the value through it, and the generated reference prints it, so that
what is enforced and what is documented cannot drift apart. Must never know of any particular key. A value of the wrong
type is a `ValueError` too: that is what pydantic collects.
"""

import math
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from msgspec import Struct
from pydantic_core import CoreSchema, core_schema

from surefoot.config import quantities

MODEST = 100_000_000


class Bounds(Struct, frozen=True):
    """A range; a missing end is open. The names are those of the field: greater than, greater or equal, and so on."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def hold(self, number: float) -> bool:
        """Whether a number lies inside."""
        return (
            math.isfinite(number)
            and (self.gt is None or number > self.gt)
            and (self.ge is None or number >= self.ge)
            and (self.lt is None or number < self.lt)
            and (self.le is None or number <= self.le)
        )

    def describe(self, show: Callable[[Any], str]) -> str:
        """The range in words."""
        ends = (("more than", self.gt), ("at least", self.ge), ("less than", self.lt), ("at most", self.le))
        return ", ".join(f"{words} {show(end)}" for words, end in ends if end is not None)


class Form(Struct, frozen=True):
    """How one kind of value is written."""

    label: str
    """What the reference calls it."""
    read: Callable[[object], Any]
    """Returns the value that the code works with; raises `ValueError` with a sentence."""
    show: Callable[[Any], str] = str
    """Writes a value as the file would."""
    bounds: str = ""
    """The range in words."""

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)


def _within(read: Callable[[object], Any], show: Callable[[Any], str], bounds: Bounds) -> Callable[[object], Any]:
    def checked(value: object) -> Any:
        number = read(value)
        if not bounds.hold(number):
            raise ValueError(f"{show(number)} is out of range: {bounds.describe(show)}")
        return number

    return checked


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number without quotes, not {quantities.quoted(value)}")  # noqa: TRY004 - see above
    return float(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"must be a whole number without quotes, not {quantities.quoted(value)}")  # noqa: TRY004 - see above
    return value


def _show_number(value: float) -> str:
    return f"{value:g}" if abs(value) < MODEST else str(value)


def _show_whole(value: float) -> str:
    return f"{int(value):_}"


_UNITS: dict[str, tuple[str, Callable[[object], Any], Callable[[Any], str]]] = {
    "duration": ("duration", quantities.read_duration, quantities.show_duration),
    "share": ("share", quantities.read_share, quantities.show_share),
    "quantile": ("quantile", _number, _show_number),
    "factor": ("factor", _number, _show_number),
    "count": ("whole number", _whole, _show_whole),
    "size": ("size", quantities.read_size, quantities.show_size),
}


def quantity(unit: str, bounds: Bounds) -> Form:
    """A number with a unit, as `domain.units` names it."""
    label, read, show = _UNITS[unit]
    return Form(label, _within(read, show, bounds), show, bounds.describe(show))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text in quotes, not {quantities.quoted(value)}")  # noqa: TRY004 - see above
    if not value.strip():
        raise ValueError("must not be empty")
    if any(ord(sign) < ord(" ") or sign == "\x7f" for sign in value):
        raise ValueError("must be one line without control characters")
    return value.strip()


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false without quotes, not {quantities.quoted(value)}")  # noqa: TRY004 - see above
    return value


def show_text(value: str) -> str:
    """In quotes."""
    return f'"{value}"'


def show_flag(value: bool) -> str:  # noqa: FBT001 - it is the value
    """As TOML writes it."""
    return "true" if value else "false"


def named(label: str, pattern: str) -> Form:
    """Text of a certain shape, given as a regular expression over the whole of it."""
    shape = re.compile(pattern)

    def read(value: object) -> str:
        text = _text(value)
        if shape.fullmatch(text) is None:
            raise ValueError(f"{quantities.quoted(text)} is not a {label}: it must match {pattern}")
        return text

    return Form(label, read, show_text)


def choice(options: type[StrEnum]) -> Form:
    """One of a few words."""
    words = ", ".join(f'"{option}"' for option in options)

    def read(value: object) -> StrEnum:
        try:
            return options(_text(value))
        except ValueError:
            raise ValueError(f"must be one of {words}, not {quantities.quoted(value)}") from None

    return Form("word", read, show_text, words)


TEXT = Form("text", _text, show_text)
FLAG = Form("true or false", _flag, show_flag)
FILE = Form("file", _text, show_text)
ADDRESS = Form("host:port", quantities.read_address, lambda address: show_text(quantities.show_address(address)))
PRICE = Form("price", quantities.read_price, quantities.show_price)
TOKENS = Form("range of tokens", quantities.read_tokens, quantities.show_tokens)
