"""Outages of providers: how often, how long, how much at once, and what a fallback would have avoided.

Down times are sets of spans (`evidence.spans`), and everything is asked of the time that was *watched*: a stretch in
which nobody wrote incidents down is not one without any. All of it is interval arithmetic, exact to the rounding of
floats; only the intervals need chance, and take a seed.

Intervals are those of a block bootstrap (Künsch, Annals of Statistics 17, 1989; Efron & Tibshirani, An Introduction to
the Bootstrap, 1993, section 8.6): whole calendar weeks, from Monday 0:00 UTC, are drawn with replacement, as many as
there are, because incidents come in clusters and follow the day and the week. A week only partly watched weighs less.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import EvidenceError
from surefoot.evidence.given import not_negative, sample, tail_of, whole
from surefoot.evidence.intervals import garwood
from surefoot.evidence.means import mean
from surefoot.evidence.spans import Span, checked, common, length, lengths_within, union, without

DRAWS = 4_000
"""Bootstrap samples: the ends of a 95 % interval then hold to about a thirtieth of its width."""

WEEK = 7 * 86_400.0
MONDAY = 4 * 86_400.0
"""Unix time began on a Thursday: its first Monday."""

_CONFIDENCE = 0.95

_AT_ONCE = 1_000_000
"""Draws times weeks that are drawn in one go, so that memory stays small."""


class Interval(NamedTuple):
    """A number with the ends of its interval, None where there is none."""

    value: float
    low: float | None
    high: float | None


class Worth(NamedTuple):
    """What a fallback makes of the primary's outages. Seconds; `down` = `avoided` + `late` + `both`."""

    watched: float
    down: float
    """The primary alone."""
    late: float
    """In the first `lag` seconds of an incident of the primary: nobody has noticed yet."""
    both: float
    """Later, and the fallback is down too."""
    avoided: Interval
    availability: Interval
    """Of the primary alone, a share of the time watched."""
    residual: Interval
    """Of the two together: the share of the time watched that is neither `late` nor `both`."""


def availability(down: Iterable[Span], watched: Iterable[Span]) -> float:
    """The share of the time watched that is not down: `1 - |down ∩ watched| / |watched|`.

    Raises `EvidenceError` for spans that end before they begin and for no time watched.
    """
    seen = _watched(watched)
    return 1 - length(common(down, seen)) / length(seen)


def availability_interval(
    down: Iterable[Span], watched: Iterable[Span], *, seed: int, confidence: float = 0.95
) -> Interval:
    """`availability` with the interval of a block bootstrap over calendar weeks; no ends where one week was watched.

    Raises `EvidenceError` as `availability` does.
    """
    columns = _weekly(watched, down)
    return _with_interval(columns, lambda sums: 1 - sums[1] / sums[0], seed, confidence)


def mtbf(incidents: int, watched: float, confidence: float = 0.95) -> tuple[float, float, float | None]:
    """Mean time between failures, `watched / incidents`, as `(value, low, high)` in seconds.

    The time is all that was watched, down or not (time between *starts*), so that it needs no end of
    any incident. The interval is Garwood's of the count; its upper end is None where no incident at all is possible.
    Infinite where none was seen. Raises `EvidenceError` for a count that is not whole and for no time watched.
    """
    count, time = whole("incidents", incidents), not_negative("a time watched", watched)
    if time == 0:
        raise EvidenceError("no time watched: nothing is known of the time between failures")
    fewest, most = garwood(count, confidence)
    return time / count if count else float("inf"), time / most, time / fewest if fewest else None


def mttr(durations: Iterable[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean time to repair: the mean of the incidents' durations with Student's interval, `(value, low, high)`.

    Only known durations belong here: an incident that was posted when it was over has none, which is not zero. Where
    few and skewed ones would take the lower end below 0 it stays there.
    Raises `EvidenceError` for fewer than two durations and for a negative one.
    """
    known = [not_negative("a duration", duration) for duration in sample("durations", durations).tolist()]
    value, low, high = mean(known, confidence)
    return value, max(low, 0.0), high


def lift(first: Iterable[Span], second: Iterable[Span], watched: Iterable[Span]) -> float | None:
    """How many times as often both are down at once as independent outages would be: `P(A∧B) / (P(A) P(B))`.

    Probabilities are shares of the time watched, which has to be that of both. 1: as chance would have it; above: they
    share causes. The lift of association rules (Brin et al., SIGMOD 1997, there called interest). None where one of
    them was never down. Raises `EvidenceError` as `availability` does.
    """
    columns = _weekly(watched, first, second, common(first, second))
    return _finite(_lift(columns.sum(axis=1)))


def lift_interval(
    first: Iterable[Span], second: Iterable[Span], watched: Iterable[Span], *, seed: int, confidence: float = 0.95
) -> Interval | None:
    """`lift` with the interval of a block bootstrap over calendar weeks; None where it is not defined.

    Draws in which one of the two was never down have no lift and are left out. Where all overlap falls into a week or
    two the draws without it make `low` 0: so little is known then. Without any overlap the lift is 0, and what was
    never seen cannot be drawn: `high` is then that of a count of zero (`_unseen`), over the overlap that chance makes.
    Raises `EvidenceError` as `availability` does.
    """
    seen = _watched(watched)
    ours, theirs = common(first, seen), common(second, seen)
    found = _with_interval(_weekly(seen, ours, theirs, common(ours, theirs)), _lift, seed, confidence)
    if found.value > 0:
        return found
    if not np.isfinite(found.value):
        return None
    by_chance = length(ours) * length(theirs) / length(seen)
    return Interval(0.0, 0.0, _unseen(ours, theirs, confidence) / by_chance)


def fallback_worth(
    primary: Iterable[Span],
    fallback: Iterable[Span],
    watched: Iterable[Span],
    *,
    lag: float,
    seed: int,
) -> Worth:
    """What would have been avoided by going to `fallback` whenever `primary` is down.

    `primary` has one span for each incident: its first `lag` seconds are not avoided, not even where another incident
    is open already, because what fails is another thing that has to be noticed by itself. Nor are the moments in which
    the fallback is down too. `avoided = |P - late - F|`, `residual availability = 1 - (|late| + |P ∩ F - late|) / |W|`,
    all within the time watched, W. Intervals are 95 %, by block bootstrap over calendar weeks. Where the two were never
    down at once the lower ends of `avoided` and `residual` are lower by what a count of zero still allows (`_unseen`).
    Raises `EvidenceError` as `availability` does, and for a negative lag.
    """
    delay = not_negative("a lag", lag)
    incidents = checked(primary)
    noticed = [(start, min(start + delay, end)) for start, end in incidents]
    both = without(common(incidents, fallback), noticed)
    columns = _weekly(watched, incidents, noticed, both)
    seen, down, late, shared = (float(total) for total in columns.sum(axis=1))
    allowed = 0.0
    if shared == 0:
        spans = _watched(watched)
        allowed = _unseen(common(without(incidents, noticed), spans), common(fallback, spans), _CONFIDENCE)
    residual = _with_interval(columns, lambda sums: 1 - (sums[2] + sums[3]) / sums[0], seed)
    if allowed and residual.value == 1:
        residual = Interval(1.0, 1.0, 1.0)  # in every draw too, so that only what was not seen makes its interval
    return Worth(
        watched=seen,
        down=down,
        late=late,
        both=shared,
        avoided=_lowered(_with_interval(columns, lambda sums: sums[1] - sums[2] - sums[3], seed), allowed),
        availability=_with_interval(columns, lambda sums: 1 - sums[1] / sums[0], seed),
        residual=_lowered(residual, allowed / seen),
    )


def _unseen(first: Sequence[Span], second: Sequence[Span], confidence: float) -> float:
    """Seconds of overlap that may still be true of two sets that were never seen to overlap; 0 where one is empty.

    Garwood's upper bound of a count of zero (3.7 overlaps at 95 %; the rule of three, two-sided), times how long an
    overlap by chance lasts: of lengths m and n on average, `mn / (m + n)`, as of two alternating renewal processes.
    """
    if not first or not second:
        return 0.0
    return garwood(0, confidence)[1] / (len(first) / length(first) + len(second) / length(second))


def _lowered(found: Interval, allowed: float) -> Interval:
    """With a lower end that leaves room for what was never seen."""
    if not allowed or found.low is None:
        return found
    return found._replace(low=max(found.low - allowed, 0.0))


def _lift(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    watched, first, second, both = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((first > 0) & (second > 0), both * watched / (first * second), np.nan)


def _finite(value: NDArray[np.float64]) -> float | None:
    return float(value) if np.isfinite(value) else None


def _watched(watched: Iterable[Span]) -> list[Span]:
    seen = union(watched)
    if not seen:
        raise EvidenceError("no time watched: no incident there is not availability")
    return seen


def _weekly(watched: Iterable[Span], *sets: Iterable[Span]) -> NDArray[np.float64]:
    """Seconds watched and seconds of each set within them, by calendar week; weeks that nobody watched are left out."""
    seen = _watched(watched)
    first = np.floor((seen[0][0] - MONDAY) / WEEK)
    last = np.ceil((seen[-1][1] - MONDAY) / WEEK)
    edges = MONDAY + WEEK * np.arange(first, last + 1)
    columns = [lengths_within(seen, edges), *(lengths_within(common(spans, seen), edges) for spans in sets)]
    table = np.array(columns)
    return table[:, table[0] > 0]


def _with_interval(
    columns: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    seed: int,
    confidence: float = 0.95,
) -> Interval:
    """The statistic of the weeks' sums, and its percentiles over weeks drawn anew.

    Only what was seen can be drawn: of a single week, and of what never happened, there is no interval.
    """
    value = float(statistic(columns.sum(axis=1)))
    tail = tail_of(confidence)
    random = np.random.default_rng(whole("a seed", seed))
    weeks = columns.shape[1]
    if weeks == 1:
        return Interval(value, None, None)
    drawn: list[NDArray[np.float64]] = []
    for count in _portions(weeks):
        picked = random.integers(weeks, size=(count, weeks))
        drawn.append(statistic(columns[:, picked].sum(axis=2)))
    known = np.concatenate(drawn)
    known = known[np.isfinite(known)]
    if not len(known) or known.min() == known.max():
        return Interval(value, None, None)
    low, high = np.quantile(known, (tail, 1 - tail))
    return Interval(value, float(low), float(high))


def _portions(weeks: int) -> list[int]:
    """How many draws at a time, so that no more than `_AT_ONCE` numbers are held for each column."""
    most = max(_AT_ONCE // weeks, 1)
    whole_ones, rest = divmod(DRAWS, most)
    return [most] * whole_ones + [rest] * (rest > 0)
