"""The ways a provider fails, each under a name, and the plan that says when.

Knows: the fault kinds, their parameters, and how a plan picks a fault for a request.
Must never: touch a socket or the clock; time and chance come in as arguments.
"""

import math
import random
from typing import Literal

import msgspec

STATUSES = (400, 401, 402, 403, 404, 413, 429, 500, 502, 503, 504, 529)

KINDS: dict[str, str] = {
    "refuse": "the listening socket is closed and open connections are reset, as if the process had died",
    "reset": "the connection is reset after the request was read, before any header",
    "tls": "garbage in the TLS handshake",
    "silence": "the request is read and never answered",
    "slow_first_token": "headers, role and keep-alive comments; content only after `seconds`",
    "comments_only": "headers and keep-alive comments, and never an event",
    "slow_drip": "`seconds` between tokens",
    "drip_later": "`seconds` between tokens, after `after_tokens` tokens at the usual pace",
    "stall": "nothing more after `after_tokens` tokens",
    "cut": "the connection ends after `after_tokens` tokens, in the manner of `cut_by`",
    "truncate": "a clean end after `after_tokens` tokens, with neither finish_reason nor [DONE]",
    "done_unfinished": "[DONE] after `after_tokens` tokens, and no finish_reason; a plain answer's is null",
    "no_done": "a whole stream but for [DONE]",
    "no_done_open": "a whole stream but for [DONE] and for usage, and the connection stays open",
    "empty": "status 200 and no body",
    "not_json": "status 200 and an HTML page",
    "error_first": "status 200 and an error event before any content",
    "error_created": "status 200, a `response.created` event, then an error event",
    "error_later": "status 200 and an error event after `after_tokens` tokens",
    "malformed_event": "one broken event after `after_tokens` tokens of a good stream",
    "empty_answer": "a whole answer without text",
    "content_filter": "a whole answer without text that ends for content_filter",
    "bad_arguments": "a call of a tool whose arguments break off inside their JSON; of a stream after `after_tokens`",
    "bad_structure": "prose where the request asked for JSON",
    "stale": "keep-alive is promised and the connection closed, at the moment `stale_at` names",
} | {f"status:{status}": f"HTTP status {status} with a provider's body" for status in STATUSES}

STREAM_ONLY = frozenset({"no_done", "no_done_open", "malformed_event"})
"""Kinds that mean nothing for a plain answer: it is then given whole, and no fault is logged."""

CONNECTION_KINDS = frozenset({"refuse", "tls"})
"""Kinds that strike before there is a request."""

_DEFAULT_SECONDS = {"slow_first_token": 30.0, "slow_drip": 2.0, "drip_later": 2.0}


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to fail.

    `seconds` is the delay the kind is about (slow_first_token: 30, drips: 2 unless told), for all
    others the time before it strikes (0). `retry_after` adds that many seconds as a Retry-After header,
    or as another header that means the same, as `retry_after_form` says; `date_skew` is by how many seconds
    the provider's clock is ahead, and makes it show that clock in a Date header. `code` chooses among a status's
    bodies and among errors in a stream: `insufficient_quota`, `project_spend_limit_exceeded` or Anthropic's
    `enforced_spend_limit_reached` for 429; `context_length_exceeded`, `content_policy_violation`, Azure's
    `content_filter`, Anthropic's `spend_limit` or `prompt_too_long` for 400. `event_form` is how an error is
    written into a stream: an error object (`data`), the same under its event name (`named`), a bare error
    of the Responses API (`bare`), or its `response.failed` (`failed`).
    """

    kind: str
    seconds: float | None = None
    after_tokens: int = 3
    cut_by: Literal["close", "mid_event", "reset"] = "close"
    stale_at: Literal["after_answer", "next_request"] = "after_answer"
    retry_after: float | None = None
    retry_after_form: Literal["seconds", "http_date", "milliseconds", "reset_duration", "reset_moment"] = "seconds"
    date_skew: float | None = None
    code: str | None = None
    event_form: Literal["data", "named", "bare", "failed"] = "data"

    def __post_init__(self) -> None:
        """Refuse unknown kinds and impossible numbers."""
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        for name in ("seconds", "retry_after"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be finite and not negative")
        if self.date_skew is not None and not math.isfinite(self.date_skew):
            raise ValueError("date_skew must be finite")
        if self.after_tokens < 0:
            raise ValueError("after_tokens must not be negative")

    @property
    def delay(self) -> float:
        """Seconds, with the kind's own default."""
        return _DEFAULT_SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a fault strikes: all conditions given must hold.

    `start` and `stop` are seconds since the twin started (stop not included). `skip` and `count` number
    the requests that fall under the rule since the plan was set: the first `skip` are spared, the next
    `count` may be struck. `probability` is drawn last.
    """

    fault: Fault
    probability: float = 1.0
    start: float = 0.0
    stop: float | None = None
    skip: int = 0
    count: int | None = None

    def __post_init__(self) -> None:
        """Refuse conditions that cannot hold."""
        if not 0 <= self.probability <= 1:
            raise ValueError("probability must lie between 0 and 1")
        if self.stop is not None and self.stop <= self.start:
            raise ValueError("stop must come after start")
        if self.skip < 0 or (self.count is not None and self.count < 1):
            raise ValueError("skip must not be negative and count must be at least 1")
        if self.fault.kind == "refuse" and (self.probability < 1 or self.skip or self.count is not None):
            raise ValueError("refuse closes the listening socket: it can be scheduled, not drawn or counted")

    def in_time(self, elapsed: float) -> bool:
        """Whether `elapsed` seconds since the twin started lie inside the schedule."""
        return self.start <= elapsed and (self.stop is None or elapsed < self.stop)


class FaultPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules in order; the first that strikes decides. Without rules the twin is healthy."""

    rules: tuple[Rule, ...] = ()

    def active(self, kind: str, elapsed: float) -> bool:
        """Whether a rule of that kind is inside its schedule."""
        return any(rule.fault.kind == kind and rule.in_time(elapsed) for rule in self.rules)


HEALTHY = FaultPlan()


def always(fault: Fault | str) -> FaultPlan:
    """The plan that strikes every request with one fault (or kind, with its defaults)."""
    return FaultPlan((Rule(Fault(fault) if isinstance(fault, str) else fault),))


class Chooser:
    """Picks the fault of each request or connection; the same seed and arrival order pick the same."""

    def __init__(self, plan: FaultPlan, rng: random.Random) -> None:
        self.plan = plan
        self._rng = rng
        self._seen = [0] * len(plan.rules)

    def for_request(self, elapsed: float) -> Fault | None:
        """The fault that strikes a request arriving now, if any."""
        return self._pick(elapsed, at_connection=False) if self.plan.rules else None

    def for_connection(self, elapsed: float) -> Fault | None:
        """The fault that strikes a connection before its handshake, if any."""
        return self._pick(elapsed, at_connection=True) if self.plan.rules else None

    def _pick(self, elapsed: float, *, at_connection: bool) -> Fault | None:
        for number, rule in enumerate(self.plan.rules):
            if (rule.fault.kind in CONNECTION_KINDS) is not at_connection or not rule.in_time(elapsed):
                continue
            self._seen[number] += 1
            place = self._seen[number] - rule.skip
            if place < 1 or (rule.count is not None and place > rule.count):
                continue
            if rule.probability >= 1 or self._rng.random() < rule.probability:
                return rule.fault
        return None
