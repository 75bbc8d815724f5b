"""From measured values, or from a few quantiles, to the tables that a target's model draws from.

Measured values are resampled: a table holds their own quantiles and no curve is laid through them. They are kept apart
by hour of the day (UTC) and prompt length as far as there is enough of them, and pooled where not:

    hour and length ─▶ that length at all hours ─▶ everything

Quantiles that are given make a lognormal distribution: two of them fix it exactly; between more, and beyond the
outermost two, the logarithm is a straight line in the normal score.

Must never: call a cell measured that was pooled. How many samples each has is told.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from math import exp, log
from statistics import NormalDist

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.domain.request import BUCKETS
from surefoot.errors import EvidenceError
from surefoot.evidence.given import positive
from surefoot.replay.models.model import Floats, Integers, QuantileTable, Tables, hour_classes, length_classes

LEAST = 100
"""Samples that a cell needs to stand by itself: the fewest that have a p99 (`docs/evidence.md`)."""

POINTS = 1_001
"""Values in a table, at most: one for each thousandth."""

HOURS_OF_DAY = 24
LENGTH_CLASSES = len(BUCKETS) + 1


_GRAIN = ("hour and length", "length", "all")
"""What a cell's values can be from, the finest first."""


class Fitted(Struct, frozen=True):
    """Tables, and what they stand on."""

    tables: Tables
    samples: int
    own: dict[str, int]
    """Cells by what their values are from: `hour and length`, `length`, `all`; and how many cells."""

    @property
    def told(self) -> str:
        """In words."""
        cells = ", ".join(f"{self.own[what]} from {what}" for what in _GRAIN if what in self.own)
        return f"{self.samples:,} samples (cells: {cells})"


def resampled(values: Floats, at: Floats | None = None, prompt_tokens: Integers | None = None) -> Fitted:
    """The tables of measured values; `at` are their Unix times, None where no hour is known, likewise their lengths.

    Raises `EvidenceError` without any value, or for one that is not finite and above 0.
    """
    if not len(values):
        raise EvidenceError("there is no sample to take quantiles of")
    if not (np.isfinite(values) & (values > 0)).all():
        raise EvidenceError("a sample is not finite and above 0")
    hours, hour = (1, _one_class(values)) if at is None else (HOURS_OF_DAY, hour_classes(at, HOURS_OF_DAY))
    lengths, length = (
        (1, _one_class(values))
        if prompt_tokens is None
        else (LENGTH_CLASSES, length_classes(prompt_tokens, LENGTH_CLASSES))
    )
    of_all = _table(values)
    of_length = [_enough(values[length == one]) for one in range(lengths)]
    own: Counter[str] = Counter()
    rows: list[tuple[QuantileTable, ...]] = []
    for one in range(hours):
        here = [_enough(values[(hour == one) & (length == other)]) if hours > 1 else None for other in range(lengths)]
        row = []
        for table, coarser in zip(here, of_length, strict=True):
            own[_GRAIN[0] if table else _GRAIN[1] if coarser and lengths > 1 else _GRAIN[2]] += 1
            row.append(table or coarser or of_all)
        rows.append(tuple(row))
    return Fitted(_narrowest(rows), len(values), dict(own))


def cells(count: int, at: Floats | None, prompt_tokens: Integers | None) -> Integers:
    """By sample, the cell that it counts in: a number for each hour and length, length or all that stands by itself."""
    nowhere = np.zeros(count, np.int64)
    hour = nowhere if at is None else hour_classes(at, HOURS_OF_DAY)
    length = nowhere if prompt_tokens is None else length_classes(prompt_tokens, LENGTH_CLASSES)
    own = 1 + LENGTH_CLASSES + hour * LENGTH_CLASSES + length
    pooled = np.where(np.bincount(length)[length] >= LEAST, 1 + length, 0) if count else nowhere
    return np.where(np.bincount(own)[own] >= LEAST, own, pooled) if count else nowhere


def lognormal(quantiles: Mapping[float, float]) -> QuantileTable:
    """The table of a distribution of which quantiles are given: probability (0 to 1, ends excluded) to value.

    With z the standard normal quantile function, p < q the probabilities and x <= y their values:

        sigma = (ln y - ln x) / (z(q) - z(p))        mu = ln x - sigma z(p)        value(u) = exp(mu + sigma z(u))

    A single quantile is a constant. The ends of the table stand for its outermost half steps. Raises `EvidenceError`
    for probabilities outside, and for values that are not above 0 or that fall.
    """
    if not quantiles:
        raise EvidenceError("a distribution needs at least one quantile")
    known = sorted(quantiles.items())
    if not all(0 < p < 1 for p, _ in known):
        raise EvidenceError("the probability of a quantile has to be between 0 and 1")
    values = [positive("a quantile", value) for _, value in known]
    if any(later < earlier for earlier, later in pairwise(values)):
        raise EvidenceError("a higher quantile must not be smaller than a lower one")
    if len(known) == 1:
        return QuantileTable((values[0],))
    score = NormalDist().inv_cdf
    at = [score(p) for p, _ in known]
    logs = [log(value) for value in values]
    half = 0.5 / (POINTS - 1)
    places = [min(max(point / (POINTS - 1), half), 1 - half) for point in range(POINTS)]
    return QuantileTable(tuple(exp(_line(at, logs, score(place))) for place in places))


def _line(at: list[float], logs: list[float], z: float) -> float:
    """The straight pieces through the points, the outermost two going on for ever."""
    piece = min(max(int(np.searchsorted(at, z)) - 1, 0), len(at) - 2)
    slope = (logs[piece + 1] - logs[piece]) / (at[piece + 1] - at[piece])
    return logs[piece] + slope * (z - at[piece])


def _one_class(values: Floats) -> NDArray[np.int64]:
    return np.zeros(len(values), np.int64)


def _enough(values: Floats) -> QuantileTable | None:
    return _table(values) if len(values) >= LEAST else None


def _table(values: Floats) -> QuantileTable:
    """Quantiles by linear interpolation (Hyndman and Fan 1996, definition 7), as the table itself interpolates."""
    points = np.quantile(values, np.linspace(0, 1, min(len(values), POINTS)))
    return QuantileTable(tuple(np.maximum.accumulate(points).tolist()))


def _narrowest(rows: list[tuple[QuantileTable, ...]]) -> Tables:
    """Without a class of hours, or of lengths, that makes no difference."""
    if all(row == rows[0] for row in rows):
        rows = rows[:1]
    if all(table == row[0] for row in rows for table in row):
        rows = [row[:1] for row in rows]
    return tuple(rows)
