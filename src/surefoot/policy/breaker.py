"""The breaker of one target: when to stop asking it, and how to find out that it is well again.

    closed ──trip──▶ open ──`until` has passed, one probe is launched──▶ half-open ──probe succeeds──▶ closed
      ▲                ▲────────────────────probe fails───────────────────────┘

It trips on any of three signs, so that it works at one call a minute as at a thousand a second:

- `streak` failures in a row, that are also at least `share` of what was seen in the last one to two `window`s;
- `certain` failures in a row, whatever was seen before: at high rates a dead target must not wait for a window to turn;
- a provider's own word: a `Retry-After` opens it for as long as it says.

Where attempts are rare a streak takes long, and each of its failures is a caller's. So an *eager* breaker, one of a
target that others can stand in for, trips on a single failure there: that costs a handful of calls served elsewhere.

Knows nothing of sockets or kinds of failure: the Call tells it what was the target's fault.
"""

from enum import StrEnum

from msgspec import Struct

from surefoot.domain.units import Count, Seconds, Share


class BreakerOptions(Struct, frozen=True):
    """When a target's breaker opens, and for how long."""

    streak: Count = 3
    """Failures in a row that open it, if they are also `share` of what was seen lately."""
    share: Share = 0.5
    """Share of failures within the last one to two windows that a streak needs."""
    certain: Count = 10
    """Failures in a row that open it whatever was seen before."""
    window: Seconds = 10.0
    """How far back `share` looks, at least."""
    open_for: Seconds = 10.0
    """How long it stays open before one probe is let through."""
    longest: Seconds = 300.0
    """Longest opening that a provider's `Retry-After` can ask for."""


RARE = 1.5
"""Streaks per opening, up to which attempts are rare: by default fewer than 4.5 in ten seconds."""


class State(StrEnum):
    """The three states, as in the literature (Nygard, Release It!, 2007)."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


_HALF_OPEN = State.HALF_OPEN


class Breaker:
    """One target's breaker. All methods take `now` in seconds on any monotonic clock."""

    __slots__ = (
        "before", "began", "eager", "good", "opened_at", "options", "state", "streak", "turns_at", "until", "wrong",
    )  # fmt: skip

    def __init__(self, options: BreakerOptions, *, eager: bool = False) -> None:
        self.options = options
        self.eager = eager
        """Whether one failure is enough where attempts are rare: somebody else can take over."""
        self.state = State.CLOSED
        self.streak = 0
        self.until = 0.0
        self.opened_at = 0.0
        self.good = 0
        self.wrong = 0
        self.before = (0, 0)
        self.turns_at = 0.0
        self.began = 0.0
        """Since when `good`, `wrong` and `before` have been counted."""

    def admits(self, now: float) -> bool:
        """Whether an attempt may be launched now: always when closed, as the one probe when the opening is over."""
        return self.state is State.CLOSED or (self.state is State.OPEN and now >= self.until)

    def launched(self) -> None:
        """An attempt was launched. If the breaker is open this is its probe: no other is let through until it ends."""
        if self.state is State.OPEN:
            self.state = State.HALF_OPEN

    def succeeded(self, now: float, *, probe: bool = False) -> bool:
        """An attempt gave a good answer. Returns whether the breaker closed just now, which only its probe can do.

        A long answer that began before the opening says nothing of how the target takes requests now; and an opening
        that is under way stands.
        """
        self.streak = 0
        if now >= self.turns_at:
            self._turn(now)
        self.good += 1
        if probe and self.state is _HALF_OPEN:
            self.close()
            return True
        return False

    def failed(self, now: float, retry_after: float | None = None, *, probe: bool = True, spared: bool = False) -> bool:
        """An attempt failed by the target's fault. Returns whether the breaker opened just now.

        While half-open only the probe's own failure counts: older attempts say nothing of how the target is now.
        `spared`: every target fails at once, so that a closed breaker stays closed.
        """
        if now >= self.turns_at:
            self._turn(now)
        self.streak += 1
        self.wrong += 1
        if retry_after:  # 0 means at once
            return self.open(now, min(retry_after, self.options.longest))
        if self.state is State.CLOSED and not spared and self._trips(now):
            return self.open(now, self.options.open_for)
        if self.state is State.HALF_OPEN and probe:
            return self.open(now, self.options.open_for)
        return False

    def open(self, now: float, seconds: float) -> bool:
        """Open for so long; an opening under way is never shortened. Returns whether it was not open before."""
        newly = self.state is not State.OPEN
        self.until = max(self.until, now + seconds)
        self.opened_at = now
        self.state = State.OPEN
        return newly

    def close(self) -> None:
        """Close at once, because a probe has succeeded, here or in another worker."""
        self.state = State.CLOSED
        self.until = 0.0
        self.streak = self.good = self.wrong = 0
        self.before = (0, 0)
        self.turns_at = 0.0  # what is counted begins anew, and so does what is known of the rate

    def abandoned(self, launched_at: float) -> None:
        """A probe ended without a verdict (its client left, another attempt won): the next call may probe at once.

        A probe from before the latest opening has been replaced already: its end says nothing of the present one.
        """
        if self.state is State.HALF_OPEN and launched_at >= self.opened_at:
            self.state = State.OPEN

    def _trips(self, now: float) -> bool:
        options = self.options
        if self.streak >= options.certain or (self.eager and self._rare(now)):
            return True
        if self.streak < options.streak:
            return False
        wrong = self.wrong + self.before[1]
        return wrong >= options.share * (wrong + self.good + self.before[0])

    def _rare(self, now: float) -> bool:
        """Whether no more attempts would come during an opening than it takes for half another streak."""
        options = self.options
        seen, span = self.good + self.wrong + sum(self.before), now - self.began
        return span >= options.window and seen * options.open_for < RARE * options.streak * span

    def _turn(self, now: float) -> None:
        """Start a new window; the last one still counts, unless it ended long ago."""
        window = self.options.window
        lasting = now < self.turns_at + window
        self.before = (self.good, self.wrong) if lasting else (0, 0)
        if self.turns_at:
            self.began = self.turns_at - window if lasting else self.turns_at
        else:
            self.began = now
        self.good = self.wrong = 0
        self.turns_at = now + window
