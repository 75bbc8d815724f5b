"""What is under way for one call: its attempts, the books that are kept of them, and how it ends.

The Call decides and says so here: launch, blame, end, cancel, fail. Launching takes a slot, ending gives it back,
blaming tells the breaker and lets what was waited in vain teach the first-token times. Must never choose what follows.
"""

from collections.abc import Callable

from surefoot.domain.commands import Cancel, Command, Drop, Fail, Launch, Reason
from surefoot.domain.jurisdiction import Jurisdiction
from surefoot.domain.outcome import OUTCOMES, Fallback, Kind
from surefoot.domain.record import AttemptRecord
from surefoot.domain.request import Request, bucket_of
from surefoot.policy.attempt import NEVER, Attempt
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.call_state import State
from surefoot.policy.first_token import series_of
from surefoot.policy.fleet import Fleet
from surefoot.policy.stack import Verdict
from surefoot.policy.target_state import TargetState

Commands = tuple[Command, ...]

_CLOSED, _CHOOSING = BreakerState.CLOSED, State.CHOOSING  # looked up through its class, a member costs 40 ns each time


CANNED_FOR = frozenset({Kind.DEADLINE, Kind.NO_TARGET}) | {
    k for k, r in OUTCOMES.items() if r.fall_back is Fallback.ANY
}
"""What a static target is asked for: where a caller has done nothing wrong, and nobody else can answer."""

REFUSALS = frozenset({Kind.BAD_REQUEST, Kind.CONTENT_FILTER})
"""What is the request's own fault, whoever else fails after it."""

_OURS = frozenset({Kind.DEADLINE, Kind.SHUTDOWN})
"""Ends that are nobody's failure, so that they are told as they are."""


class UnderWay:
    """The part of a Call that keeps its attempts. `wake_at` is when the Call has to be woken, at the latest."""

    __slots__ = (
        "_barred", "_fleet", "_probe_at", "_probe_by", "_retry_at", "_retry_of", "_stack", "attempts", "began",
        "broken", "bucket", "deadline", "ended", "kind", "marked", "request", "resumable", "series", "state",
        "wake_at", "winner",
    )  # fmt: skip

    def __init__(self, fleet: Fleet, request: Request, now: float) -> None:
        self._fleet = fleet
        self._stack = stack = fleet.stacks[request.route]
        self.request = request
        self.bucket = bucket = bucket_of(request.prompt_tokens)
        self.series = series_of(bucket, stream=request.stream or request.watched)
        """Of the attempts; a target that cannot be watched is measured as the plain call it is asked."""
        self.state: State = _CHOOSING
        self.began = now
        deadline = stack.route.limits.deadline
        if request.deadline is not None and request.deadline < deadline:
            deadline = request.deadline
        self.deadline = self.wake_at = now + deadline
        self.attempts: list[Attempt] = []
        self.winner: Attempt | None = None
        self.broken: Attempt | None = None
        """The first attempt that broke after the client had content, while its answer is being continued."""
        self.resumable = request.resumable
        """Whether what was delivered may be continued elsewhere. The driver takes it back when it is not text alone."""
        self.marked = now
        """When the winner was last heard. The driver moves it; a chunk after the first raises no event."""
        self.kind: Kind | None = None
        self.ended: float | None = None
        self._barred: tuple[TargetState, ...] = ()
        self._retry_at = self._probe_at = self._probe_by = NEVER
        self._retry_of: Attempt | None = None

    def verdicts(self) -> list[Verdict]:
        """What the rules make of each target of the route, as at the call's end, or its beginning."""
        return self._stack.explain(self.request, self.began if self.ended is None else self.ended)

    def binding(self, number: int) -> tuple[Jurisdiction, ...]:
        """All that binds one attempt: what binds the request, and the rung that the attempt came from."""
        return self._stack.binding(self.request, self.attempts[number].state)

    @property
    def resume_prompt(self) -> str:
        """What a target is asked that continues by a prompt."""
        return self._stack.route.resume_prompt

    def next_target(self, now: float) -> TargetState | None:
        """The target that would be asked if what is under way failed: the one worth a warm connection."""
        return self._stack.choose(self.request, now, self._spent(), launching=False)

    def attempt_records(self) -> tuple[AttemptRecord, ...]:
        """One record per attempt, in the order of their launch."""
        began, winner = self.began, self.winner
        records: tuple[AttemptRecord, ...] = ()
        for attempt in self.attempts:  # few, and nearly always one
            records += (attempt.record(began, winner),)
        return records

    def series_at(self, state: TargetState) -> int:
        """The series of first-token times that an attempt at this target belongs to."""
        if state.watches or not self.request.watched:
            return self.series
        return series_of(self.bucket, stream=False)

    def _attempt(self, state: TargetState, reason: Reason, now: float) -> Attempt:
        attempts = self.attempts
        attempt = Attempt(len(attempts), state, reason, now)
        if state is not self._stack.first:
            attempt.passed = self._stack.passed_over(self.request, state, now)
        attempts.append(attempt)
        state.launched(now)
        self._set_clocks(attempt, now)
        return attempt

    def _set_clocks(self, attempt: Attempt, now: float) -> None:
        """From now on the target has as long as it is known to need, or its share of what time is left."""
        state = attempt.state
        attempt.series = series = self.series_at(state)
        delays = state.first_token.table[series]
        attempt.hedge_at = hedge_at = now if state.hasty else now + delays.hedge
        attempt.limit_at = now + delays.limit
        if now + delays.limit * self._stack.span > self.deadline:
            self._share_out(attempt, delays.limit, now)
        if hedge_at < self.wake_at:  # noqa: PLR1730 - min() costs this path twice as much
            self.wake_at = hedge_at

    def _share_out(self, attempt: Attempt, limit: float, now: float) -> None:
        """Where time is short, those that could still be asked keep their share of it, by their own learned limits."""
        others = self._stack.available(self.request, now, self._spent())
        after = self._stack.route.limits.attempts - len(self.attempts)
        others = others[: max(after, 0)]
        limits = [limit, *(state.first_token.table[self.series_at(state)].limit for state in others)]
        left = self.deadline - now
        if sum(limits) > left:
            attempt.limit_at = now + left * limit / sum(limits)
            attempt.hedge_at = min(attempt.hedge_at, attempt.limit_at)
            self.wake_at = min(self.wake_at, attempt.hedge_at)

    def _as(self, reason: Reason) -> Reason:
        """Whatever goes on with a broken answer is a resume: so the journal tells all of them."""
        return Reason.RESUME if self.state is State.RESUMING else reason

    def _launch(self, state: TargetState, reason: Reason, now: float) -> Launch:
        attempt = self._attempt(state, reason, now)
        return Launch(attempt.number, state.name, reason)

    def _spent(self) -> list[TargetState]:
        """The targets that this call may not ask any more: those it has asked, and those that could not serve it."""
        return [*(attempt.state for attempt in self.attempts), *self._barred]

    def _bar(self, unfit: Callable[[TargetState], bool]) -> None:
        """Rule out, for the rest of this call, the targets that cannot serve it."""
        self._barred += tuple(state for state in self._stack.states if unfit(state))

    def _following(self, now: float) -> TargetState | None:
        """The next target that was not tried, if the call may have one more attempt."""
        if len(self.attempts) >= self._stack.route.limits.attempts or now >= self.deadline:
            return None
        return self._stack.choose(self.request, now, self._spent())

    def _anyone_live(self) -> bool:
        return any(attempt.live for attempt in self.attempts)

    def _pay(self) -> bool:
        """Pay for one second attempt from the route's budget and the gateway's, or from neither."""
        route, gateway = self._stack.budget, self._fleet.budget
        if not (route.has() and gateway.has()):
            route.refused += 1
            return False
        route.pay()
        gateway.pay()
        return True

    def _blame(self, attempt: Attempt, kind: Kind, now: float, retry_after: float | None = None) -> None:
        """Tell the breaker, and let what was waited in vain teach the first-token times."""
        attempt.state.failed(kind, now, retry_after, probe=attempt.breaker is not _CLOSED)
        waited = now - attempt.started
        first_token = attempt.state.first_token
        if attempt.first is None and waited >= first_token.table[attempt.series].hedge:
            first_token.gave_up(attempt.series, waited)

    def let_go(self, now: float) -> None:
        """Give back what its attempts hold: slots, and an open breaker's probe. Its driver has given the call up."""
        for attempt in self.attempts:
            if attempt.live:
                self._end(attempt, now)

    def _end(self, attempt: Attempt, now: float) -> None:
        attempt.live = False
        attempt.ended = now
        attempt.state.in_flight -= 1
        if attempt.breaker is not _CLOSED:  # it was the probe; another attempt's end says nothing of that one
            attempt.state.breaker.abandoned(attempt.started)

    def _cancel_losers(self, winner: Attempt | None, now: float, kind: Kind = Kind.CANCELLED) -> Commands:
        """End all others. One that was asked before the winner and silent past its hedge delay was overtaken."""
        commands: list[Command] = []
        for attempt in self.attempts:
            if attempt is winner or not attempt.live:
                continue
            if winner is not None and not attempt.late:
                hedge_delay = attempt.state.first_token.table[attempt.series].hedge
                overtaken = attempt.started < winner.started and now - attempt.started >= hedge_delay
                attempt.kind = Kind.OVERTAKEN if overtaken else Kind.CANCELLED
                if overtaken:
                    self._blame(attempt, Kind.OVERTAKEN, now)
            elif attempt.kind is None:
                attempt.kind = kind
            self._end(attempt, now)
            commands.append(Cancel(attempt.number))
        return tuple(commands)

    # ── ends ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _fail(
        self, kind: Kind, now: float, attempt: Attempt | None = None, retry_after: float | None = None
    ) -> Commands:
        """One error for the client: what broke the answer that it has the beginning of, else what happened last."""
        if self.broken is not None and kind not in _OURS:
            kind, attempt, retry_after = self.broken.kind or kind, self.broken, None
        elif kind not in _OURS:
            refused = next((one for one in self.attempts if one.kind in REFUSALS), None)
            if refused is not None and refused.kind is not None:  # what ended after it says less of the request
                kind, attempt, retry_after = refused.kind, refused, None
        canned = self._canned(kind, now)
        if canned:
            return canned
        if (retry_after is None and OUTCOMES[kind].fall_back is Fallback.ANY) or kind is Kind.NO_TARGET:
            retry_after = self._stack.soonest(self.request, now)
        self._close(State.FAILED, kind, now)
        losers = self._cancel_losers(None, now, kind if attempt is None else Kind.CANCELLED)
        return (*losers, Fail(kind, None if attempt is None else attempt.number, retry_after))

    def _canned(self, kind: Kind, now: float) -> Commands:
        """The route's static answer in place of an error, where nothing was delivered; it costs no time."""
        static = self._stack.static
        if static is None or kind not in CANNED_FOR or self.winner is not None:
            return ()
        if any(attempt.state is static for attempt in self.attempts):
            return ()
        losers = self._cancel_losers(None, now, kind)
        self.state = State.WAITING
        self.deadline = NEVER
        launch = self._launch(static, Reason.FALLBACK, now)
        self.attempts[-1].hedge_at = self.attempts[-1].limit_at = self.wake_at = NEVER
        return (*losers, launch)

    def _drop(self, now: float) -> Commands:
        self._close(State.DROPPED, Kind.CLIENT_GONE, now)
        return (*self._cancel_losers(None, now, Kind.CLIENT_GONE), Drop())

    def _close(self, state: State, kind: Kind, now: float) -> None:
        self.state = state
        self.kind = kind
        self.ended = now
        self.wake_at = NEVER
