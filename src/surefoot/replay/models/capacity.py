"""How much a target takes: places for answers under way with a queue before them, and limits per minute.

A fallback that suddenly gets all traffic slows down, because attempts queue, and refuses what is beyond its limits. An
attempt that was cancelled gives its place back at once.

Knows attempts as opaque things that wait. Must never be infinite by mistake: what has no bound says so in its model.
"""

from collections import deque
from typing import Generic, TypeVar

from surefoot.replay.models.model import TargetModel

_MINUTE = 60.0

Waiting = TypeVar("Waiting")


class Bucket:
    """A token bucket that holds one minute's worth, full at the beginning, and is filled evenly."""

    __slots__ = ("_at", "_level", "_most")

    def __init__(self, per_minute: float) -> None:
        self._most = per_minute
        self._level = per_minute
        self._at = 0.0

    def wait(self, now: float, amount: float) -> float:
        """Seconds until so much is there; 0 if it is. What can never be there is asked back in a minute."""
        self._level = min(self._level + (now - self._at) * self._most / _MINUTE, self._most)
        self._at = now
        if amount <= self._level:
            return 0.0
        return min((amount - self._level) * _MINUTE / self._most, _MINUTE)

    def take(self, amount: float) -> None:
        """Take it; `wait` has said that it is there."""
        self._level -= amount


class Capacity(Generic[Waiting]):
    """One target's. To be made only where the model has a bound."""

    __slots__ = ("_busy", "_most_waiting", "_queue", "_requests", "_servers", "_tokens")

    def __init__(self, model: TargetModel) -> None:
        self._servers = model.servers
        self._most_waiting = float("inf") if model.queue is None else model.queue
        self._busy = 0
        self._queue: deque[Waiting] = deque()
        self._requests = None if model.requests_per_minute is None else Bucket(model.requests_per_minute)
        self._tokens = None if model.tokens_per_minute is None else Bucket(model.tokens_per_minute)

    def limited(self, now: float, tokens: int) -> float:
        """Count one request of so many tokens; 0, or the seconds after which it may come back, and is not counted."""
        requests, volume = self._requests, self._tokens
        wait = 0.0 if requests is None else requests.wait(now, 1.0)
        if volume is not None:
            wait = max(wait, volume.wait(now, tokens))
        if wait > 0.0:
            return wait
        if requests is not None:
            requests.take(1.0)
        if volume is not None:
            volume.take(tokens)
        return 0.0

    def enter(self, attempt: Waiting) -> bool | None:
        """True: it is served now. False: it waits. None: too many wait already, and it is turned away."""
        if self._servers is None:
            return True
        if self._busy < self._servers:
            self._busy += 1
            return True
        if len(self._queue) >= self._most_waiting:
            return None
        self._queue.append(attempt)
        return False

    def leave(self) -> Waiting | None:
        """One that was served is over; whoever has waited longest is served now, if anybody waits."""
        if self._servers is None:
            return None
        if self._queue:
            return self._queue.popleft()
        self._busy -= 1
        return None

    def give_up(self, attempt: Waiting) -> None:
        """One that waits does so no more."""
        self._queue.remove(attempt)
