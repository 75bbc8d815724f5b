"""The ticks of a Fleet on virtual time: those that a worker would make, but for the ones that change nothing.

A worker folds what was learned every quarter of a second, night and day. Here a tick is made at the same moments, but
only while something was learned that is not folded, or suspicion is on. What a quiet span does all the same, to budgets
and to old signs of failure, is made good at once before something looks at them.

Knows one Fleet. Must never fold at a time before what is folded.
"""

from surefoot.policy.fleet import Fleet

EVERY = 0.25
"""Seconds between a worker's foldings (`gateway.worker.FOLD_EVERY`)."""

_NEVER = float("inf")


class Ticks:
    """See the module. `due` is when the next one has to be made; to be compared with the time of what happens next."""

    __slots__ = ("_fleet", "_made_at", "due", "made")

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._made_at = 0.0
        self.due = _NEVER
        self.made = 0

    def learned(self, now: float) -> None:
        """Something was learned that the next tick folds."""
        if self.due == _NEVER:
            self.due = (now // EVERY + 1.0) * EVERY

    def run(self, now: float) -> None:
        """Make those that are due, up to now."""
        due = self.due
        while due <= now:
            self._make(due)
            due = due + EVERY if self._fleet.unsettled else _NEVER  # a long illness is faded tick by tick
        self.due = due

    def catch_up(self, now: float) -> None:
        """Let budgets and old signs be as after the last tick before now, whether it was made or not."""
        last = now // EVERY * EVERY
        if last > self._made_at:
            fleet = self._fleet
            fleet.budget.trickle(last)
            for stack in fleet.stacks.values():
                stack.budget.trickle(last)
            fleet.jury.tick(last)
            self._made_at = last

    def _make(self, at: float) -> None:
        self._fleet.tick(at)
        self._fleet.news.clear()  # nobody else is to hear of it
        self._made_at = at
        self.made += 1
