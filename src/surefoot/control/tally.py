"""Counts what the records say, for `/metrics` and `/status`: a few dictionaries, however many calls there were.

Knows: the order of the fields in a record.
Must never: keep a record, or grow with traffic: what labels there can be is bounded by the configuration and the table
of outcomes, and past `MOST` combinations the rest is counted as "other".
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, cast

from surefoot.domain.record import ATTEMPT_FIELDS, CALL_FIELDS, CallRecord

MOST = 10_000
"""Most combinations of labels that are kept apart."""

BOUNDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 120.0)
"""Upper bounds of the histograms' buckets, in seconds: from a cached prompt to the longest wait a client bears."""

_ROUTE = CALL_FIELDS.index("route")
_KIND = CALL_FIELDS.index("kind")
_DRILL = CALL_FIELDS.index("drill")
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

_OF_CALL = itemgetter(_ROUTE, _KIND)
_OF_ATTEMPT = itemgetter(_TARGET, _REASON, _HOW)

Key = tuple[str, ...]


class Histogram:
    """Counts by bucket, and the sum of what was counted."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: Sequence[float]) -> None:
        """Count each."""
        counts = self.counts
        for each in seconds:
            counts[bisect_left(BOUNDS, each)] += 1
        self.total += sum(seconds)


class Tally:
    """All that was counted since the supervisor started."""

    def __init__(self) -> None:
        self.drilled = 0
        """Drilled calls; they are counted nowhere else."""
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

    def count(self, calls: Sequence[CallRecord]) -> None:
        """Count a batch of calls: what can be counted at once is, since a busy gateway has thousands in a second."""
        batch = [call for call in cast("Sequence[Any]", calls) if not call[_DRILL]]
        self.drilled += len(calls) - len(batch)
        attempts = [attempt for call in batch for attempt in call[_ATTEMPTS]]
        for (route, kind), count in Counter(map(_OF_CALL, batch)).items():
            _add(self.calls, (route, kind), count)
        for (target, reason, kind), count in Counter(map(_OF_ATTEMPT, attempts)).items():
            _add(self.attempts, (target, reason, kind or "unknown"), count)
        self._count_times(batch)
        for direction, field in (("prompt", _PROMPT), ("completion", _COMPLETION)):
            for target, tokens in _sums(attempts, field).items():
                _add(self.tokens, (target, direction), tokens)

    def _count_times(self, batch: Sequence[Any]) -> None:
        of_calls: dict[tuple[str, bool], list[float]] = defaultdict(list)
        of_attempts: dict[tuple[str, bool], list[float]] = defaultdict(list)
        for call in batch:
            stream = call[_STREAM]
            if call[_FIRST] is not None:
                of_calls[call[_ROUTE], stream].append(call[_FIRST])
            for attempt in call[_ATTEMPTS]:
                if attempt[_SPOKE] is not None:
                    of_attempts[attempt[_TARGET], stream].append(attempt[_SPOKE] - attempt[_STARTED])
        for histograms, found in ((self.first_content, of_calls), (self.target_first_content, of_attempts)):
            for (name, stream), seconds in found.items():
                _histogram(histograms, (name, "stream" if stream else "plain")).add(seconds)


def _sums(attempts: Sequence[Any], field: int) -> dict[str, int]:
    """The sum of a field, by target."""
    sums: dict[str, int] = {}
    for attempt in attempts:
        tokens = attempt[field]
        if tokens:
            target = attempt[_TARGET]
            sums[target] = sums.get(target, 0) + tokens
    return sums


def _add(counts: dict[Key, int], key: Key, count: int) -> None:
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
