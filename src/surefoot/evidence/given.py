"""What a formula is given: numbers are taken, anything else is refused with its name and what it has to be.

Knows: that True is no number, nor is text, NaN or infinity. numpy's numbers are numbers.
Must never: mend what it was given, or let an error of another library through.
"""

from collections.abc import Iterable
from math import isfinite
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import EvidenceError

MOST_COUNTED = 2**53
"""From here on a float skips whole numbers, so that nothing can be reckoned from a count."""


def number(name: str, value: object) -> float:
    """A finite number. Raises `EvidenceError` for anything else, as all functions here do."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise EvidenceError(f"{name} of {value!r}: it has to be a number")
    try:
        found = float(value)
    except OverflowError:
        found = np.inf
    if not isfinite(found):
        raise EvidenceError(f"{name} of {value!r}: it has to be finite")
    return found


def not_negative(name: str, value: object) -> float:
    """A finite number, 0 or above."""
    found = number(name, value)
    if found < 0:
        raise EvidenceError(f"{name} of {value!r}: it must not be negative")
    return found


def positive(name: str, value: object) -> float:
    """A finite number above 0."""
    found = number(name, value)
    if found <= 0:
        raise EvidenceError(f"{name} of {value!r}: it has to be above 0")
    return found


def up_to(most: float, name: str, value: object) -> float:
    """A number from 0 to `most`, both included."""
    found = number(name, value)
    if not 0 <= found <= most:
        raise EvidenceError(f"{name} of {value!r}: it has to be between 0 and {most:g}")
    return found


def share(name: str, value: object) -> float:
    """A number from 0 to 1, both included."""
    return up_to(1, name, value)


def inside(name: str, value: object) -> float:
    """A number between 0 and 1, neither included: a confidence, the share of a quantile."""
    found = number(name, value)
    if not 0 < found < 1:
        raise EvidenceError(f"{name} of {value!r}: it has to be above 0 and below 1")
    return found


def tail_of(confidence: object) -> float:
    """What a two-sided interval leaves out at either end: (1 - confidence) / 2."""
    return (1 - inside("a confidence", confidence)) / 2


def whole(name: str, value: object, least: int = 0) -> int:
    """A whole number from `least` on."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise EvidenceError(f"{name} of {value!r}: it has to be a whole number")
    found = int(value)
    if not least <= found <= MOST_COUNTED:
        raise EvidenceError(f"{name} of {value!r}: it has to be at least {least} and at most 2^53")
    return found


def proportion(of: str, k: object, n: object, least: int = 1) -> tuple[int, int]:
    """So many (k) of n, which has to be at least `least`; `of` begins the complaint."""
    part, all_seen = whole(f"{of}k", k), whole(f"{of}n", n, least)
    if part > all_seen:
        raise EvidenceError(f"{of}{part} of {all_seen} is no proportion: k must not exceed n")
    return part, all_seen


def rows(name: str, values: object, fields: str) -> list[tuple[Any, ...]]:
    """At least one row, each of these fields; what stands in brackets may be left out."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise EvidenceError(f"{name}: {values!r} is no list of rows ({fields})")
    most = fields.count(",") + 1
    least = most - fields.count("[")
    found = []
    for row in values:
        if isinstance(row, str | bytes) or not isinstance(row, Iterable):
            raise EvidenceError(f"{name}: {row!r} is no row ({fields})")
        found.append(tuple(row))
        if not least <= len(found[-1]) <= most:
            raise EvidenceError(f"{name}: {found[-1]!r} is no row ({fields})")
    if not found:
        raise EvidenceError(f"{name}: at least one row ({fields}) is needed")
    return found


def sample(name: str, values: object, least: int = 1) -> NDArray[np.float64]:
    """Finite numbers, at least so many, as a new array in the order given."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise EvidenceError(f"{name}: {values!r} is no sample of numbers")
    if isinstance(values, np.ndarray):
        if values.ndim != 1 or values.dtype.kind not in "iuf":
            raise EvidenceError(f"{name}: an array of {values.dtype} in {values.ndim} dimensions is no sample")
        found = values.astype(np.float64)
    else:
        found = np.fromiter((number(name, value) for value in values), np.float64)
    if len(found) < least:
        raise EvidenceError(f"{name}: {len(found)} values; it needs at least {least}")
    if not np.isfinite(found).all():
        raise EvidenceError(f"{name}: every value has to be finite")
    return found
