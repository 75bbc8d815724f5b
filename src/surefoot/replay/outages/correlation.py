"""Outages of a fallback that come with the primary's: made up, so that both are down together exactly so often.

Let a primary be down for a share P(a) of a time T, and its fallback for P(b). By chance both are down for
P(a) P(b) T seconds; with a *lift* L for

    both = L P(a) P(b) T        which has to be at most P(a) T and at most P(b) T, so L <= 1 / max(P(a), P(b))

The lift is what `surefoot incidents` measures between two providers. Here whole outages of the primary, drawn by
chance, are the fallback's too until `both` is reached, the last one in part, from its beginning; the rest of P(b) T is
laid where the primary is well, by chance, in pieces as long as the primary's outages are on average. So P(b) and the
lift are what was asked for, to the rounding of floats.

Knows spans of time. Must never: draw by any state but the seed.
"""

from bisect import bisect_right
from itertools import accumulate
from random import Random

from surefoot.errors import ReplayError
from surefoot.evidence.spans import Span, length, union, without


def correlated(primary: list[Span], down: float, span: Span, lift: float, seed: int) -> list[Span]:
    """When the fallback is down: `down` seconds in all, with that lift, inside `span`, in order.

    `primary` are the primary's outages. Raises `ReplayError` if there are none, or for a lift that cannot be.
    """
    whole = span[1] - span[0]
    theirs = [(max(start, span[0]), min(end, span[1])) for start, end in union(primary)]
    theirs = [(start, end) for start, end in theirs if start < end]
    if not theirs:
        raise ReplayError("a correlated outage needs outages of the primary, and in this traffic's time it has none")
    by_chance = length(theirs) * down / whole
    least, most = max(length(theirs) + down - whole, 0.0) / by_chance, min(length(theirs), down) / by_chance
    if not least <= lift <= most:
        raise ReplayError(f"a lift of {lift:g} cannot be: with these outages it is between {least:.4g} and {most:.4g}")
    rng = Random(f"correlated {seed}")  # noqa: S311 - a sample, not a secret
    both = lift * by_chance
    together = _together(theirs, both, rng)
    mean = length(theirs) / len(theirs)
    return union([*together, *_apart(without([span], theirs), down - both, mean, rng)])


def _together(theirs: list[Span], both: float, rng: Random) -> list[Span]:
    """Whole outages in a drawn order, until there is enough; of the last one the beginning."""
    found: list[Span] = []
    left = both
    for start, end in rng.sample(theirs, len(theirs)):
        if left <= 0:
            break
        taken = min(end - start, left)
        found.append((start, start + taken))
        left -= taken
    return found


def _apart(free: list[Span], seconds: float, mean: float, rng: Random) -> list[Span]:
    """Pieces of about `mean` seconds, that many seconds in all, that do not overlap, anywhere in what is free.

    Drawn on a time line of the free spans alone: sorted uniform points with the pieces put between them.
    """
    if seconds <= 0:
        return []
    count = max(round(seconds / mean), 1)
    piece = seconds / count
    points = sorted(rng.uniform(0, max(length(free) - seconds, 0.0)) for _ in range(count))
    ends = list(accumulate(end - start for start, end in free))
    return [
        part
        for number, point in enumerate(points)
        for part in _unfolded(free, ends, point + number * piece, point + (number + 1) * piece)
    ]


def _unfolded(free: list[Span], ends: list[float], start: float, end: float) -> list[Span]:
    """A stretch of the time line of free spans as spans of real time."""
    found: list[Span] = []
    place = bisect_right(ends, start)
    while place < len(free) and start < end:
        begins = ends[place] - (free[place][1] - free[place][0])
        upto = min(end, ends[place])
        shift = free[place][0] - begins
        found.append((start + shift, upto + shift))
        start, place = upto, place + 1
    return found
