"""Quantiles of measured times as facts: with their interval, or refused with the reason.

Must never: print a percentile from too few samples, or merge percentiles.
"""

from collections.abc import Iterator, Sequence
from math import ceil

from surefoot.evidence.order import percentile
from surefoot.facts import Fact

CONFIDENCE = 0.95
BY_RANKS = "interval by order statistics, equal tails"
PAIR_CONFIDENCE = 0.975
"""Of each of two intervals, so that both hold together with at least 0.95 (Bonferroni)."""
FEWEST_FOR_MEDIAN_INTERVAL = 6
"""Below it even the smallest and the largest sample do not enclose the median with 0.95: 2 * 0.5^5 > 0.05."""
FEWEST_FOR_MEDIAN_PAIR = 7
"""Likewise with 0.975: 2 * 0.5^6 > 0.025."""


def fewest(q: float) -> int:
    """The fewest samples from which the quantile q is told: with fewer it is the largest one, whatever it is."""
    return max(ceil(round(1 / (1 - q), 6)), 1) if q > 0.5 else 1  # noqa: PLR2004 - the median


def quantiles(start: str, values: Sequence[float], how: str, told: Sequence[tuple[str, float]]) -> Iterator[Fact]:
    """A fact `START.NAME` for each `(name, q)` that is told, in seconds."""
    n = len(values)
    for suffix, q in told:
        name = f"{start}.{suffix}"
        if n < fewest(q):
            yield _refused(name, n, q, how)
            continue
        value, low, high = percentile(values, q, CONFIDENCE)
        bounded = n >= FEWEST_FOR_MEDIAN_INTERVAL
        yield Fact(
            name=name,
            value=value,
            unit="s",
            n=n,
            low=low if bounded else None,
            high=high if bounded else None,
            confidence=CONFIDENCE if bounded else None,
            method=f"{how}; the smallest sample with {q:.0%} at or below it; {BY_RANKS}",
            note=_why_open(high is None or not bounded),
        )


def difference(name: str, pair: tuple[Sequence[float], Sequence[float]], q: float, how: str) -> Fact:
    """The quantile q of the first sample less that of the second, in seconds."""
    ours, theirs = pair
    n = min(len(ours), len(theirs))
    if n < fewest(q):
        return _refused(name, n, q, how)
    value, low, high = percentile(ours, q, PAIR_CONFIDENCE)
    base, base_low, base_high = percentile(theirs, q, PAIR_CONFIDENCE)
    bounded = n >= FEWEST_FOR_MEDIAN_PAIR
    return Fact(
        name=name,
        value=value - base,
        unit="s",
        n=n,
        low=low - base_high if bounded and base_high is not None else None,
        high=high - base_low if bounded and high is not None else None,
        confidence=CONFIDENCE if bounded else None,
        method=f"{how}; {BY_RANKS}, of both, joined (Bonferroni)",
        note=_why_open(high is None or base_high is None or not bounded),
    )


def _refused(name: str, n: int, q: float, how: str) -> Fact:
    return Fact(name=name, value=None, unit="s", n=n, method=how, note=f"n<{fewest(q)}" if n else "no samples")


def _why_open(is_open: bool) -> str:  # noqa: FBT001 - its only argument
    return "too few samples for both bounds" if is_open else ""
