"""Intervals by the block bootstrap over calendar weeks: whole weeks are drawn, with replacement, as many as there were.

Calls of one week are not independent (an outage strikes many of them), weeks are taken to be (Künsch, Annals of
Statistics 17, 1989, with blocks that do not overlap). The draws depend on the seed and the number of weeks alone, so
readings, lags and arms are resampled alike and their differences are paired.
Must never: make an interval of a single week.
"""

import numpy as np

from surefoot.evidence.order import rank_of
from surefoot.replay.virtual.result import Floats, Integers

RESAMPLES = 1000
CONFIDENCE = 0.95
FEWEST_WEEKS = 2
ROUGH = 8
"""Below so many weeks an interval is told to be rough: few weeks have few combinations."""

_DEFINED = 0.5
"""Share of the resamples in which a number has to be defined."""


def weights(weeks: int, seed: int) -> Integers:
    """How often each week is in each resample, of shape (resamples, weeks)."""
    drawn = np.random.Generator(np.random.PCG64(seed)).integers(weeks, size=(RESAMPLES, weeks))
    row = np.arange(RESAMPLES)[:, None] * weeks
    return np.bincount((drawn + row).ravel(), minlength=RESAMPLES * weeks).reshape(RESAMPLES, weeks)


def interval(resampled: Floats) -> tuple[float, float] | None:
    """The middle 95 % of a number over its resamples; None if it is not defined (NaN) in half of them.

    None also if it is the same in all of them: what was never seen cannot be drawn, and no failure in these weeks does
    not make one impossible (`evidence.outages` has none there either).
    """
    found = np.sort(resampled[~np.isnan(resampled)])
    if len(found) < _DEFINED * len(resampled) or found[0] == found[-1]:
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = (rank_of(q, len(found)) - 1 for q in (tail, 1 - tail))
    return float(found[low]), float(found[high])
