"""Counts what the records say, for `/metrics` and `/status`: a few dictionaries, however many calls there were.

Knows: the order of the fields in a record.
Must never: keep a record, or grow with traffic: what labels there can be is bounded by the configuration and the table
of outcomes, and past `MOST` combinations the rest is counted as "other".
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, cast

from surefoot.domain.record import ATTEMPT_FIELDS, CALL_FIELDS, CallRecord

MOST = 10_000
"""Most combinations of labels that are kept apart."""

BOUNDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 120.0)
"""Upper bounds of the histograms' buckets, in seconds: from a cached prompt to the longest wait a client bears."""

_ROUTE = CALL_FIELDS.index("route")
_KIND = CALL_FIELDS.index("kind")
_STREAM = CALL_FIELDS.index("stream")
_FIRST = CALL_FIELDS.index("first_content")
_ATTEMPTS = CALL_FIELDS.index("attempts")
_TARGET = ATTEMPT_FIELDS.index("target")
_REASON = ATTEMPT_FIELDS.index("reason")
_HOW = ATTEMPT_FIELDS.index("kind")
_STARTED = ATTEMPT_FIELDS.index("started")
_SPOKE = ATTEMPT_FIELDS.index("first_content")
_PROMPT = ATTEMPT_FIELDS.index("prompt_tokens")
_COMPLETION = ATTEMPT_FIELDS.index("completion_tokens")

Key = tuple[str, ...]


class Histogram:
    """Counts by bucket, and the sum of what was counted."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Tally:
    """All that was counted since the supervisor started."""

    def __init__(self) -> None:
        self.calls: dict[Key, int] = {}
        """By route and kind."""
        self.attempts: dict[Key, int] = {}
        """By target, reason and kind."""
        self.tokens: dict[Key, int] = {}
        """By target and direction, as providers counted them."""
        self.first_content: dict[Key, Histogram] = {}
        """By route and "stream" or "plain": seconds from a call's arrival to the first content for its client."""
        self.target_first_content: dict[Key, Histogram] = {}
        """By target and "stream" or "plain": seconds from the launch of an attempt to its first content."""

    def count(self, calls: Iterable[CallRecord]) -> None:
        """Count a batch of calls."""
        for call in calls:
            record = cast("Any", call)
            form = "stream" if record[_STREAM] else "plain"
            _add(self.calls, (record[_ROUTE], record[_KIND]))
            if record[_FIRST] is not None:
                _histogram(self.first_content, (record[_ROUTE], form)).add(record[_FIRST])
            for attempt in record[_ATTEMPTS]:
                self._count_attempt(attempt, form)

    def _count_attempt(self, attempt: Any, form: str) -> None:
        target = attempt[_TARGET]
        _add(self.attempts, (target, attempt[_REASON], attempt[_HOW] or "unknown"))
        if attempt[_SPOKE] is not None:
            _histogram(self.target_first_content, (target, form)).add(attempt[_SPOKE] - attempt[_STARTED])
        if attempt[_PROMPT]:
            _add(self.tokens, (target, "prompt"), attempt[_PROMPT])
        if attempt[_COMPLETION]:
            _add(self.tokens, (target, "completion"), attempt[_COMPLETION])


def _add(counts: dict[Key, int], key: Key, count: int = 1) -> None:
    if key not in counts and len(counts) >= MOST:
        key = ("other",) * len(key)
    counts[key] = counts.get(key, 0) + count


def _histogram(histograms: dict[Key, Histogram], key: Key) -> Histogram:
    found = histograms.get(key)
    if found is None:
        if len(histograms) >= MOST:
            key = ("other",) * len(key)
        found = histograms.setdefault(key, Histogram())
    return found
