"""Quantiles of measured times as facts: with their interval, or refused with the reason.

Must never: print a percentile from too few samples, or merge percentiles.
"""

from collections.abc import Iterator, Sequence
from math import ceil

from surefoot.evidence.order import percentile
from surefoot.facts import Fact

CONFIDENCE = 0.95
BY_RANKS = "interval by order statistics, equal tails"
FEWEST_FOR_MEDIAN_INTERVAL = 6
"""Below it even the smallest and the largest sample do not enclose the median with 0.95: 2 * 0.5^5 > 0.05."""


def fewest(q: float) -> int:
    """The fewest samples from which the quantile q is told: with fewer it is the largest one, whatever it is."""
    return max(ceil(round(1 / (1 - q), 6)), 1) if q > 0.5 else 1  # noqa: PLR2004 - the median


def quantiles(start: str, values: Sequence[float], how: str, told: Sequence[tuple[str, float]]) -> Iterator[Fact]:
    """A fact `START.NAME` for each `(name, q)` that is told, in seconds."""
    n = len(values)
    for suffix, q in told:
        name = f"{start}.{suffix}"
        if n < fewest(q):
            yield refused(name, n, q, how)
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
            note=why_open(high is None or not bounded),
        )


def refused(name: str, n: int, q: float, how: str) -> Fact:
    """A quantile that this sample cannot tell."""
    return Fact(name=name, value=None, unit="s", n=n, method=how, note=f"n<{fewest(q)}" if n else "no samples")


def why_open(is_open: bool) -> str:  # noqa: FBT001 - its only argument
    """The note of an interval with an open end."""
    return "too few samples for both bounds" if is_open else ""
