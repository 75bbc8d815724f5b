"""A target as the replay knows it: how fast it is, how much it takes at once, what it costs.

Instances are made from measured data or written by hand (`models.fitting`, `models.models_file`); the driver asks them.

Knows distributions and limits. Must never draw a number itself: chance comes in as quantiles from `models.draws`.
"""

from math import isfinite

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.domain.request import BUCKETS
from surefoot.domain.units import Price
from surefoot.errors import EvidenceError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HOURS = (1, 24, 168)
"""How many classes of hours a table may have: all alike, hours of the day, hours of the week from Monday 0:00 UTC."""

LENGTHS = (1, len(BUCKETS) + 1)
"""How many classes of prompt lengths it may have: all alike, or the buckets of `domain.request`."""

ROUND_TRIP = 0.05
"""Seconds to a refusal where nothing was measured: one network round trip and a little work."""

_HOUR = 3_600
_MONDAY = 4 * 86_400
"""The Unix clock began on a Thursday; the first Monday came four days later."""


class QuantileTable(Struct, frozen=True):
    """An inverse distribution: its values at equidistant probabilities from 0 to 1, both included; between them a line.

    One value is a constant. Raises `EvidenceError` for no value, one that is negative or not finite, or a wrong order.
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what is no distribution of times or rates."""
        if not self.values:
            raise EvidenceError("a quantile table needs at least one value")
        if not all(isfinite(value) and value >= 0 for value in self.values):
            raise EvidenceError("a quantile table holds a value that is negative or not finite")
        if any(later < earlier for earlier, later in zip(self.values, self.values[1:], strict=False)):
            raise EvidenceError("the values of a quantile table must not fall")

    def at(self, u: float) -> float:
        """The value at a probability from 0 to 1."""
        place = u * (len(self.values) - 1)
        below = min(int(place), len(self.values) - 1)
        above = min(below + 1, len(self.values) - 1)
        return self.values[below] + (place - below) * (self.values[above] - self.values[below])


Tables = tuple[tuple[QuantileTable, ...], ...]
"""By class of hours (`HOURS`), then by class of prompt lengths (`LENGTHS`)."""


class TargetModel(Struct, frozen=True, kw_only=True):
    """One target. Raises `EvidenceError` for tables of a wrong shape and for limits below one."""

    target: str
    """Its name in the configuration."""
    ttft: Tables
    """Seconds from an attempt's launch to its first content, while nobody has to queue."""
    rate: Tables
    """Tokens per second after the first content; 0 is "all at once"."""
    together: float = 0.0
    """How a call's first-token time and rate hang together, from -1 to 1 (`replay.models.together`)."""
    minute_share: float = 0.0
    """Share of the spread of its first-token times that all calls of a minute have in common, from 0 to 1."""
    minutes_of: str = ""
    """Whose minutes: targets that name the same are slow in the same ones. "" are its own."""
    round_trip: float = ROUND_TRIP
    """Seconds after which it refuses or fails, where a failure mode says so at once."""
    servers: int | None = None
    """Answers under way at once; beyond it attempts queue, first come first served. None is no bound."""
    queue: int | None = None
    """How many may wait; beyond it the target is overloaded. None is no bound."""
    requests_per_minute: float | None = None
    """A token bucket that holds one minute's worth; beyond it a 429 that says when to come back."""
    tokens_per_minute: float | None = None
    """Likewise, of the prompt's and the answer's tokens together, as far as they are known when it is asked."""
    price: Price | None = None
    """None is unknown, which is not zero."""
    measured: str = ""
    """Where this comes from, in words for the list of assumptions."""

    def __post_init__(self) -> None:
        """Refuse what cannot be replayed."""
        for name, tables in (("ttft", self.ttft), ("rate", self.rate)):
            if len(tables) not in HOURS or any(len(row) not in LENGTHS for row in tables):
                shape = (
                    f"{' or '.join(map(str, HOURS))} classes of hours with {' or '.join(map(str, LENGTHS))} of lengths"
                )
                raise EvidenceError(f"the model of {self.target}: {name} needs {shape}")
        limits = {
            "servers": self.servers,
            "requests_per_minute": self.requests_per_minute,
            "tokens_per_minute": self.tokens_per_minute,
        }
        for name, limit in limits.items():
            if limit is not None and limit <= 0:
                raise EvidenceError(f"the model of {self.target}: {name} must be above zero")
        if self.queue is not None and self.queue < 0:
            raise EvidenceError(f"the model of {self.target}: queue must not be negative")
        if not (-1 <= self.together <= 1 and 0 <= self.minute_share <= 1):
            raise EvidenceError(f"the model of {self.target}: together is from -1 to 1, minute_share from 0 to 1")

    @property
    def bounded(self) -> bool:
        """Whether it has any limit; a fallback without one would be taken for infinite."""
        return any(limit is not None for limit in (self.servers, self.requests_per_minute, self.tokens_per_minute))


def constant(value: float) -> Tables:
    """The tables of a quantity that is always the same."""
    return ((QuantileTable((value,)),),)


def hour_classes(at: Floats, classes: int) -> Integers:
    """The class of hours of each Unix time, for a table of so many classes."""
    hours = ((at - _MONDAY) // _HOUR).astype(np.int64) % HOURS[-1]
    return hours % classes


def length_classes(prompt_tokens: Integers, classes: int) -> Integers:
    """The class of lengths of each prompt, for a table of so many classes."""
    if classes == 1:
        return np.zeros(len(prompt_tokens), np.int64)
    return np.searchsorted(np.array(BUCKETS), prompt_tokens).astype(np.int64)


def quantiles(tables: Tables, at: Floats, prompt_tokens: Integers, u: Floats) -> Floats:
    """The values of many calls at once: Unix times, prompt lengths and probabilities in, one entry per call each."""
    hours = hour_classes(at, len(tables))
    found = np.empty(len(u), np.float64)
    for hour in np.unique(hours):
        row = tables[hour]
        lengths = length_classes(prompt_tokens, len(row))
        for length in np.unique(lengths[hours == hour]):
            chosen = (hours == hour) & (lengths == length)
            values = np.array(row[length].values)
            found[chosen] = np.interp(u[chosen] * (len(values) - 1), np.arange(len(values)), values)
    return found
