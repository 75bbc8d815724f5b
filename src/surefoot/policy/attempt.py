"""One attempt of a Call: what was asked of which target, and when what happened.

A bare record, moved by the Call alone. Must never decide anything.
"""

from surefoot.domain.commands import Reason
from surefoot.domain.outcome import Kind
from surefoot.domain.record import AttemptRecord
from surefoot.policy.target_state import TargetState

NEVER = float("inf")


class Attempt:
    """Times are on the driver's monotonic clock, in seconds; None did not happen."""

    __slots__ = (
        "breaker", "completion_tokens", "connect_by", "ended", "evidence", "first", "heard", "hedge_at", "kind", "late",
        "limit_at", "live", "look_at", "marked", "number", "passed", "prompt_tokens", "reason", "said", "sent",
        "series", "started", "state", "verdict",
    )  # fmt: skip

    def __init__(self, number: int, state: TargetState, reason: Reason, now: float) -> None:
        self.number = number
        self.state = state
        self.reason = reason
        self.started = now
        self.sent: float | None = now
        self.connect_by = NEVER
        self.hedge_at = NEVER
        self.limit_at = NEVER
        self.live = True
        self.late = False
        self.series = 0
        """Of the first-token times that it is measured by."""
        self.look_at = NEVER
        """Of a watched attempt that has begun to speak: when its rate is looked at next."""
        self.marked = now
        """Likewise: when it was last heard. The driver moves it."""
        self.said = 0
        """Events with content so far, as far as the driver has counted them."""
        self.kind: Kind | None = None
        self.heard: float | None = None
        self.first: float | None = None
        self.verdict: float | None = None
        self.ended: float | None = None
        self.prompt_tokens: int | None = None
        self.completion_tokens: int | None = None
        self.breaker = state.breaker.state
        self.passed = ""
        self.evidence: dict[str, str] | None = None
        """What the answer said of the target's declared facts, by fact: a `policy.witness.Finding`, and its word."""

    @property
    def late_kind(self) -> Kind:
        """What it is that it did not speak in time."""
        return Kind.SILENCE if self.heard is None else Kind.SLOW_FIRST_TOKEN

    def record(self, began: float, winner: "Attempt | None") -> AttemptRecord:
        """The attempt as `domain.record.ATTEMPT_FIELDS` lists it."""
        heard, first, sent, ended, verdict = self.heard, self.first, self.sent, self.ended, self.verdict
        return (
            self.number,
            self.state.name,
            self.reason,
            self.kind,
            self.started - began,
            None if sent is None else sent - began,
            None if heard is None else heard - began,
            None if first is None else first - began,
            None if ended is None else ended - began,
            None if verdict is None else verdict - began,
            self.prompt_tokens,
            self.completion_tokens,
            self is winner,
            self.breaker,
            self.passed,
            self.evidence,
        )
