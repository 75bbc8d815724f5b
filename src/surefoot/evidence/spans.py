"""Spans of time, and what sets of them have in common: the arithmetic that everything about outages stands on.

A span is `(start, end)` in seconds of any clock, end not included, so that two that touch do not overlap. A set of
spans stands for the moments in any of them: those that overlap count once. Spans without length hold no moment.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import EvidenceError
from surefoot.evidence.given import number, rows

Span = tuple[float, float]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same moments as spans that neither overlap nor touch, in order. None are a set too: the empty one.

    Raises `EvidenceError` for a span that ends before it begins, or with an end that is not finite.
    """
    found: list[Span] = []
    for start, end in sorted(checked(spans)):
        if start == end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def length(spans: Iterable[Span]) -> float:
    """Seconds in any of the spans. Raises `EvidenceError` as `union` does."""
    return sum(end - start for start, end in union(spans))


def common(first: Iterable[Span], second: Iterable[Span]) -> list[Span]:
    """The moments in both sets. Raises `EvidenceError` as `union` does."""
    ours, theirs = union(first), union(second)
    found: list[Span] = []
    here = there = 0
    while here < len(ours) and there < len(theirs):
        start = max(ours[here][0], theirs[there][0])
        end = min(ours[here][1], theirs[there][1])
        if start < end:
            found.append((start, end))
        if ours[here][1] <= theirs[there][1]:
            here += 1
        else:
            there += 1
    return found


def without(first: Iterable[Span], second: Iterable[Span]) -> list[Span]:
    """The moments in the first set and not in the second. Raises `EvidenceError` as `union` does."""
    left = union(first)
    found: list[Span] = []
    taken = union(second)
    for start, end in left:
        at = start
        for begin, stop in taken:
            if stop <= at:
                continue
            if begin >= end:
                break
            if begin > at:
                found.append((at, begin))
            at = max(at, stop)
        if at < end:
            found.append((at, end))
    return found


def lengths_within(spans: Iterable[Span], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds of a set between each two neighbours of `edges`, which rise: one fewer than there are edges."""
    whole = union(spans)
    if not whole:
        return np.zeros(len(edges) - 1)
    points = np.array(whole).ravel()
    gone = np.cumsum([end - start for start, end in whole])
    up_to = np.zeros(len(points))
    up_to[1::2] = gone
    up_to[2::2] = gone[:-1]
    return np.diff(np.interp(edges, points, up_to))


def checked(spans: Iterable[Span]) -> list[Span]:
    """The spans as they are told, each with an end that is not before its start. Raises `EvidenceError` as `union`."""
    if isinstance(spans, str | bytes | Mapping) or not isinstance(spans, Iterable):
        raise EvidenceError(f"{spans!r} is no list of spans (start, end)")
    given = list(spans)
    found = []
    for start, end in rows("spans", given, "start, end") if given else []:
        span = number("a start", start), number("an end", end)
        if span[1] < span[0]:
            raise EvidenceError(f"a span from {start!r} to {end!r}: it ends before it begins")
        found.append(span)
    return found
