"""The budget for second attempts: hedges beside a live attempt, and repeats on the same target.

A token bucket that is filled by traffic itself: every call brings a share of a token, so that in the long run second
attempts are at most that share of calls, and an outage is not amplified. The share is brought when the call arrives,
so that those that still wait count too; a trickle in time keeps a quiet route from being left without any. Each worker
earns by its own calls, so the workers' budgets add up to the gateway's. A fallback after a verdict is not rationed.
"""

from msgspec import Struct

from surefoot.domain.units import Count, Seconds, Share


class BudgetOptions(Struct, frozen=True):
    """The gateway's own budget, above that of each route."""

    share: Share = 0.1
    """Second attempts as a share of all calls."""
    burst: Count = 10
    """Most that can be saved up, and what a gateway starts with, over all its workers."""
    trickle: Seconds = 10.0
    """Time that brings one second attempt whatever the traffic, so that a quiet hour is not without any."""


class Budget:
    """One token bucket."""

    __slots__ = ("_every", "_most", "_share", "_trickled_at", "refused", "saved", "spent")

    def __init__(self, share: float, burst: float, every: float = float("inf")) -> None:
        self._share = share
        self._every = every
        self._trickled_at: float | None = None
        self._most = max(burst, 1.0) if share else 0.0  # a bucket without room for one token could never pay
        self.saved = burst if share else 0.0
        self.spent = 0
        self.refused = 0

    def earn(self) -> None:
        """A call has begun."""
        if self.saved < self._most:
            self.saved = min(self.saved + self._share, self._most)

    def trickle(self, now: float) -> None:
        """Time has passed: what calls earn is topped up by one token every so many seconds."""
        if self._trickled_at is not None and self.saved < self._most:
            self.saved = min(self.saved + (now - self._trickled_at) / self._every, self._most)
        self._trickled_at = now

    def has(self) -> bool:
        """Whether one second attempt could be paid for."""
        return self.saved >= 1.0

    def pay(self) -> None:
        """Pay for one second attempt; the caller has asked `has` before."""
        self.saved -= 1.0
        self.spent += 1
