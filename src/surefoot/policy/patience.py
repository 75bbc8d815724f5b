"""What a call does when nobody may be asked: it waits for the earliest probe of an open breaker, once, if it has time.

Many calls may wait for one probe. One of them is it; the others follow when it has succeeded, and end when it has
failed: whoever waits has a bound, and a dead target is asked no more often for it. Knows no kind of failure but the
one that it is told about; must never launch what the stack does not admit.
"""

from surefoot.domain.commands import Reason
from surefoot.domain.outcome import Kind
from surefoot.policy.attempt import NEVER
from surefoot.policy.call_state import State
from surefoot.policy.under_way import Commands, UnderWay

RECHECK = 0.05
"""Seconds between looks at breakers, for a call that waits for a probe: what closes them is not one of its events."""


class Patience(UnderWay):
    """The part of a Call that waits for a probe."""

    __slots__ = ()

    def _nobody(self, now: float) -> Commands:
        """No target at the beginning: wait for a breaker's probe, if that is what is wanting and there is time."""
        kind = self._stack.refusal(self.request)
        if kind is not Kind.NO_TARGET or not self._awaits_probe(now):
            return self._fail(kind, now)
        self.state = State.WAITING
        self.wake_at = self._probe_at
        return ()

    def _awaits_probe(self, now: float) -> bool:
        """Whether a target that was not asked opens its door in time; then the call waits for that, and once only."""
        limits = self._stack.route.limits
        shut = self._stack.next_to_open(self.request, self._spent())
        if shut is None or self._probe_by < NEVER or len(self.attempts) >= limits.attempts:
            return False
        at = now + max(shut.breaker.until - now, RECHECK)
        if at > now + limits.wait or at >= self.deadline:
            return False
        self._probe_at = at
        self._probe_by = at + shut.first_token.table[self.series_at(shut)].limit
        return True

    def _try_probe(self, now: float) -> Commands:
        """Be the probe, or follow one that has succeeded; a probe that failed ends the waiting."""
        self._probe_at = NEVER
        following = self._following(now)
        if following is not None:
            return (self._launch(following, self._as(Reason.FALLBACK) if self.attempts else Reason.FIRST, now),)
        soonest = self._stack.soonest(self.request, now, self._spent())
        at = now + max(soonest or 0.0, RECHECK)
        if soonest is not None and at <= self._probe_by:
            self._probe_at = at
            return ()
        last = self.attempts[-1] if self.attempts else None
        return self._fail(Kind.NO_TARGET if last is None else last.kind or Kind.NO_TARGET, now, last)
