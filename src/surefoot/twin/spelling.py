"""How a person writes a twin on a command line: `200ms`, `lognormal:200ms:1.5s`, `file:times.csv:ttft`.

Knows: the spellings of durations, distributions and short fault plans.
Must never: start anything.
"""

import re
from collections.abc import Callable

import msgspec

from surefoot.twin.behaviour import Distribution, Fixed, Lognormal, Resampled
from surefoot.twin.faults import FaultPlan, always

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m)?")
_UNITS = {None: 1.0, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def number(text: str) -> float:
    """A number, or a duration in seconds when it carries a unit (us, ms, s, m). Raises ValueError."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a number or a duration such as 200ms")
    return float(match[1]) * _UNITS[match[2]]


def duration(text: str) -> float:
    """Seconds; the unit has to be told. Raises ValueError."""
    seconds = number(text)
    if text.strip()[-1].isdecimal():
        raise ValueError(f"{text!r} lacks its unit: a duration is written 200ms, 1.5s or 2m")
    return seconds


def distribution(text: str, number: Callable[[str], float] = number) -> Distribution:
    """`VALUE`, `lognormal:MEDIAN:P99` or `file:PATH[:COLUMN]`; `duration` reads times. Raises ValueError."""
    shape, _, rest = text.partition(":")
    if shape == "lognormal":
        median, _, p99 = rest.partition(":")
        if not p99:
            raise ValueError(f"{text!r} lacks its 99th percentile: lognormal:MEDIAN:P99")
        return Lognormal(number(median), p99=number(p99))
    if shape == "file":
        path, _, column = rest.partition(":")
        return Resampled(path, column or None)
    return Fixed(number(text))


def plan(text: str) -> FaultPlan:
    """A fault plan as JSON, or a kind that strikes every request. Raises ValueError."""
    if text.lstrip().startswith("{"):
        try:
            return msgspec.json.decode(text, type=FaultPlan)
        except msgspec.DecodeError as error:
            raise ValueError(str(error)) from error
    return always(text)
