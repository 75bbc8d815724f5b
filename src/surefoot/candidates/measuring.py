"""What one candidate's number is more than another's, and how many cases weighted ones are worth.

All candidates have the same traffic and so the same weeks, which are resampled alike: what two of them have in common
cancels in the difference. Knows nothing of what is measured.
"""

from math import sqrt

import numpy as np

from surefoot.facts import Fact
from surefoot.replay.counting.numbers import OF_CALLS_ALONE, OPEN, Ends, Measured, of_weeks
from surefoot.replay.counting.resampling import CONFIDENCE
from surefoot.replay.virtual.result import Floats, Integers


def difference(name: str, ours: Measured, base: Measured, weeks: int) -> Fact:
    """What the first is more than the second. Paired by week where both were resampled; else by square and add.

    With (l, u) the interval of each: from d - sqrt((a-l_a)^2 + (u_b-b)^2) to d + sqrt((u_a-a)^2 + (b-l_b)^2), for two
    estimates that do not depend on one another (Zou & Donner, Statistics in Medicine 27, 2008, p. 1693); wider than
    need be where they do.
    """
    one, other = ours.fact, base.fact
    n = min(one.n, other.n)
    if one.value is None or other.value is None:
        why = one.note if one.value is None else other.note
        return Fact(name=name, value=None, unit=one.unit, n=n, note=why)
    value = one.value - other.value
    if ours.resampled is not None and base.resampled is not None:
        ends, method, note = of_weeks("a difference, paired by week", ours.resampled - base.resampled, weeks)
    else:
        ends, method, note = _added(one, other), "a difference; intervals joined by square and add", _alone(one, other)
        if ends == OPEN:
            method, note = "a difference", "no interval: one of the two has none"
    return Fact(
        name=name, value=value, unit=one.unit, n=n, low=ends[0], high=ends[1],
        confidence=None if ends == OPEN else CONFIDENCE, method=method, note=note,
    )  # fmt: skip


def _alone(one: Fact, other: Fact) -> str:
    """The note of the one whose interval is too narrow, if any."""
    return next((which.note for which in (one, other) if which.note.startswith(OF_CALLS_ALONE)), "")


def _added(one: Fact, other: Fact) -> Ends:
    ends = (one.value, one.low, one.high, other.value, other.low, other.high)
    if None in ends:
        return OPEN
    a, low_a, high_a, b, low_b, high_b = (float(end or 0.0) for end in ends)
    below = sqrt((a - low_a) ** 2 + (high_b - b) ** 2)
    above = sqrt((high_a - a) ** 2 + (b - low_b) ** 2)
    return a - b - below, a - b + above


def effective(weights: Floats | Integers) -> float:
    """How many cases of equal weight say as much as these: (sum w)^2 / sum w^2 (Kish, Survey Sampling, 1965, 11.7)."""
    given = np.asarray(weights, np.float64)
    return float(given.sum() ** 2 / (given**2).sum())
