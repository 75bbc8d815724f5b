r"""A Call: the life of one client request, as a table.

    state      the client has seen          what may happen
    CHOOSING   nothing                      the stack orders the targets that may serve it
    WAITING    nothing; attempts under way  a failure launches the next target at once, a late first token a hedge
    SPEAKING   some content                 the answer goes on from the same attempt, or ends in an error
    DONE       everything                   \
    FAILED     one error                     } the end; one record
    DROPPED    has gone away                /

Streamed and plain answers share this table: the first content of a plain answer is the whole of it.

The driver (`gateway.exchange` on sockets, a replay on records) calls `begin`, then `content` and `finished` for what
goes well, `handle` for what does not, and `wake` once `wake_at` has come. Each returns the commands that are to be
carried out, in order. Nothing here can reach a clock, a socket or a log. What is late is told by `now` alone, which
never goes backwards.
"""

from surefoot.domain.commands import Cancel, Command, Deliver, Drop, Fail, Finish, Launch, Reason
from surefoot.domain.events import ClientGone, Connecting, Event, Failed, Heard, Sent, Stopping
from surefoot.domain.outcome import OUTCOMES, Fallback, Kind
from surefoot.domain.record import AttemptRecord
from surefoot.domain.request import Request, bucket_of
from surefoot.policy.attempt import NEVER, Attempt
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.call_state import State
from surefoot.policy.first_token import series_of
from surefoot.policy.fleet import Fleet
from surefoot.policy.target_state import TargetState

Commands = tuple[Command, ...]

BACKOFF = (0.05, 0.25)
"""Seconds, uniformly drawn, before an overloaded target is asked again: enough to leave a burst, short for a caller."""

_NOTHING: Commands = ()
DELIVER_FIRST: Commands = (Deliver(0),)
FINISH: Commands = (Finish(),)
"""The two answers of a plain success: always these objects, so that a driver can know them by identity."""

# Members of an enumeration are looked up through its class, at 40 ns each: those of the common case have own names.
_FIRST, _OK, _CLOSED = Reason.FIRST, Kind.OK, BreakerState.CLOSED


_CHOOSING, _WAITING, _SPEAKING, _DONE = State.CHOOSING, State.WAITING, State.SPEAKING, State.DONE


class Call:
    """One client request. `wake_at` is when `wake` has to be called, at the latest; it may be read at any time."""

    __slots__ = (
        "_fleet", "_retry_at", "_retry_of", "_stack", "attempts", "began", "bucket", "deadline", "ended", "kind",
        "marked", "request", "series", "state", "wake_at", "winner",
    )  # fmt: skip

    def __init__(self, fleet: Fleet, request: Request, now: float) -> None:
        self._fleet = fleet
        self._stack = stack = fleet.stacks[request.route]
        self.request = request
        self.bucket = bucket = bucket_of(request.prompt_tokens)
        self.series = series_of(bucket, stream=request.stream)
        self.state = _CHOOSING
        self.began = now
        self.deadline = self.wake_at = now + stack.route.limits.deadline
        self.attempts: list[Attempt] = []
        self.winner: Attempt | None = None
        self.marked = now
        """When the winner was last heard. The driver moves it; a chunk after the first raises no event."""
        self.kind: Kind | None = None
        self.ended: float | None = None
        self._retry_at = NEVER
        self._retry_of: Attempt | None = None

    # ── the common case ────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, now: float) -> Commands:
        """Choose the first target. To be called once."""
        stack = self._stack
        stack.budget.earn()
        self._fleet.budget.earn()
        chosen = stack.choose(self.request, now)
        if chosen is None:
            return self._fail(stack.refusal(self.request), now)
        self.state = _WAITING
        self._attempt(chosen, _FIRST, now)
        return chosen.first_launch

    def content(self, number: int, now: float) -> Commands:
        """The first content of an attempt: it wins, unless another has won before."""
        if self.state is not _WAITING:
            return _NOTHING
        attempt = self.attempts[number]
        if not attempt.live:
            return _NOTHING
        self.state = _SPEAKING
        self.winner = attempt
        self.marked = attempt.first = now
        attempt.state.first_token.fresh[self.series](now - attempt.started)
        self.wake_at = min(now + self._stack.route.limits.idle, self.deadline)
        if len(self.attempts) == 1:
            return DELIVER_FIRST
        return (Deliver(number), *self._cancel_losers(attempt, now))

    def finished(self, number: int, now: float, prompt_tokens: int | None, completion_tokens: int | None) -> Commands:
        """The winner has said everything. Tokens are the provider's own count, if it gave one."""
        attempt = self.winner
        if self.state is not _SPEAKING or attempt is None or attempt.number != number:
            return _NOTHING
        attempt.prompt_tokens = prompt_tokens
        attempt.completion_tokens = completion_tokens
        attempt.kind = self.kind = _OK
        attempt.live = False
        attempt.ended = self.ended = now
        state = attempt.state
        state.in_flight -= 1
        if not attempt.late:  # a late answer is better than none, but it is no sign of health
            state.succeeded(now, probe=attempt.breaker is not _CLOSED)
        self.state = _DONE
        self.wake_at = NEVER
        return FINISH

    # ── everything else ────────────────────────────────────────────────────────────────────────────────────────

    def handle(self, event: Event, now: float) -> Commands:
        """Anything that is not plain success. Events of attempts that have ended, or never began, change nothing."""
        if self.state is not _WAITING and self.state is not _SPEAKING:
            return _NOTHING
        if isinstance(event, Heard):  # the one event that every call has is not looked for among the others
            return self._heard(event.attempt, now)
        match event:
            case ClientGone():
                return self._drop(now)
            case Stopping():
                return self._fail(Kind.SHUTDOWN, now)
            case _:
                attempt = self.attempts[event.attempt] if event.attempt < len(self.attempts) else None
                return _NOTHING if attempt is None or not attempt.live else self._of_attempt(event, attempt, now)

    def wake(self, now: float) -> Commands:
        """Look at what is late. Harmless when nothing is; sets `wake_at` anew."""
        if self.state not in {State.WAITING, State.SPEAKING} or now < self.wake_at:
            return _NOTHING
        if now >= self.deadline:
            return self._past_deadline(now)
        commands = self._wake_speaking(now) if self.state is State.SPEAKING else self._wake_waiting(now)
        self._set_wake()
        return commands

    def next_target(self, now: float) -> TargetState | None:
        """The target that would be asked if what is under way failed: the one worth a warm connection."""
        return self._stack.choose(self.request, now, [attempt.state for attempt in self.attempts], launching=False)

    def attempt_records(self) -> tuple[AttemptRecord, ...]:
        """One record per attempt, in the order of their launch."""
        began, winner = self.began, self.winner
        return tuple([attempt.record(began, winner) for attempt in self.attempts])

    # ── what is late ───────────────────────────────────────────────────────────────────────────────────────────

    def _past_deadline(self, now: float) -> Commands:
        for attempt in self.attempts:
            limit = attempt.state.first_token.table[self.series].limit
            if attempt.live and attempt.first is None and not attempt.late and now - attempt.started >= limit:
                self._blame(attempt, now, None)  # it had its grace and used it up
        return self._fail(Kind.DEADLINE, now)

    def _wake_speaking(self, now: float) -> Commands:
        winner = self.winner
        if winner is None or now < self.marked + self._stack.route.limits.idle:
            return _NOTHING
        return (Cancel(winner.number), *self._failed(winner, Kind.STALL, None, now))

    def _wake_waiting(self, now: float) -> Commands:
        commands: list[Command] = []
        for attempt in [attempt for attempt in self.attempts if attempt.live]:
            if now >= attempt.connect_by:
                commands.append(Cancel(attempt.number))
                commands += self._failed(attempt, Kind.CONNECT, None, now)
            elif now >= attempt.limit_at and not attempt.late:
                commands += self._too_late(attempt, now)
            elif now >= attempt.hedge_at and self.state is State.WAITING:
                commands += self._hedge(attempt, now)
        if now >= self._retry_at and self._retry_of is not None:
            commands += self._repeat(self._retry_of, now)
        return tuple(commands)

    def _too_late(self, attempt: Attempt, now: float) -> Commands:
        """The first-token limit has passed: a verdict, if there is anyone else to ask; else grace up to the deadline.

        A probe has its verdict in any case, or its grace would keep the target closed to everyone else.
        """
        attempt.hedge_at = NEVER
        others = any(other.live and not other.late and other is not attempt for other in self.attempts)
        following = None if others else self._following(now)
        last = following is None and not others
        if last and attempt.breaker is _CLOSED:
            attempt.limit_at = now + attempt.state.first_token.table[self.series].limit
            return _NOTHING
        attempt.late = True
        attempt.verdict = now
        attempt.kind = Kind.SILENCE if attempt.heard is None else Kind.SLOW_FIRST_TOKEN
        self._blame(attempt, now, None)
        commands: list[Command] = []
        if not last and attempt.state.target.max_in_flight is not None:  # it holds a slot that others could use
            self._end(attempt, now)
            commands.append(Cancel(attempt.number))
        if following is not None:
            commands.append(self._launch(following, Reason.FALLBACK, now))
        return tuple(commands)

    def _hedge(self, attempt: Attempt, now: float) -> Commands:
        """The hedge delay has passed: ask the next target too, if this is the only attempt and the budgets allow."""
        attempt.hedge_at = NEVER
        if not self._stack.route.hedge or sum(other.live for other in self.attempts) > 1:
            return _NOTHING
        following = self._following(now)
        if following is None or not self._pay():
            return _NOTHING
        return (self._launch(following, Reason.HEDGE, now),)

    def _set_wake(self) -> None:
        if self.state is State.SPEAKING:
            self.wake_at = min(self.marked + self._stack.route.limits.idle, self.deadline)
        elif self.state is State.WAITING:
            wake_at = min(self.deadline, self._retry_at)
            for attempt in [attempt for attempt in self.attempts if attempt.live]:
                limit_at = NEVER if attempt.late else attempt.limit_at
                wake_at = min(wake_at, attempt.connect_by, attempt.hedge_at, limit_at)
            self.wake_at = wake_at

    # ── failures ───────────────────────────────────────────────────────────────────────────────────────────────

    def _of_attempt(self, event: Failed | Connecting | Sent, attempt: Attempt, now: float) -> Commands:
        match event:
            case Failed(kind=kind, retry_after=retry_after):
                commands = self._failed(attempt, kind, retry_after, now)
                self._set_wake()
                return commands
            case _ if self.state is not _WAITING:
                pass  # what is said of a connection after content is stale
            case Connecting():
                attempt.sent = None
                attempt.connect_by = now + self._stack.route.limits.connect
                self.wake_at = min(self.wake_at, attempt.connect_by)
            case Sent() if attempt.sent is None:
                attempt.sent = now
                attempt.connect_by = NEVER
        return _NOTHING

    def _heard(self, number: int, now: float) -> Commands:
        if self.state is _WAITING and number < len(self.attempts):
            attempt = self.attempts[number]
            if attempt.live and attempt.heard is None:
                attempt.heard = now
        return _NOTHING

    def _failed(self, attempt: Attempt, kind: Kind, retry_after: float | None, now: float) -> Commands:
        was_late = attempt.late
        attempt.kind = kind if not was_late else attempt.kind
        attempt.verdict = now if attempt.verdict is None else attempt.verdict
        if OUTCOMES[kind].blame and not was_late:
            self._blame(attempt, now, retry_after)
        self._end(attempt, now)
        if attempt is self.winner or OUTCOMES[kind].fall_back is not Fallback.ANY:
            return self._fail(kind, now, attempt)  # after content, here the resume contract has its place
        if was_late and any(other.live for other in self.attempts):
            return _NOTHING  # its verdict has launched its successor already
        return self._go_on(attempt, kind, retry_after, now)

    def _go_on(self, failed: Attempt, kind: Kind, retry_after: float | None, now: float) -> Commands:
        """After a verdict: the next target at once, unrationed; else what is under way; else a repeat; else the end."""
        following = self._following(now)
        if following is not None:
            return (self._launch(following, Reason.FALLBACK, now),)
        if any(attempt.live for attempt in self.attempts):
            return _NOTHING
        again = next((a for a in self.attempts if self._may_repeat(a, now)), None)
        if again is None or not self._pay():
            return self._fail(kind, now, failed, retry_after)
        if again.kind is not Kind.OVERLOAD:
            return (self._launch(again.state, Reason.RETRY, now),)
        self._retry_of = again
        self._retry_at = now + self._fleet.rng.uniform(*BACKOFF)
        return _NOTHING

    def _may_repeat(self, attempt: Attempt, now: float) -> bool:
        """Once per target, for kinds that deserve it, while its breaker is closed and one more attempt is allowed."""
        state = attempt.state
        return (
            attempt.kind is not None
            and OUTCOMES[attempt.kind].retry
            and sum(other.state is state for other in self.attempts) == 1
            and len(self.attempts) < self._stack.route.limits.attempts
            and state.breaker.state is _CLOSED
            and state.in_flight < state.slots
            and now < self.deadline
        )

    def _repeat(self, again: Attempt, now: float) -> Commands:
        """The backoff is over: ask again, unless meanwhile the target has fallen ill or has no slot left."""
        self._retry_at = NEVER
        if not self._may_repeat(again, now):
            return self._fail(Kind.OVERLOAD, now, again)
        return (self._launch(again.state, Reason.RETRY, now),)

    def _following(self, now: float) -> TargetState | None:
        """The next target that was not tried, if the call may have one more attempt."""
        if len(self.attempts) >= self._stack.route.limits.attempts or now >= self.deadline:
            return None
        return self._stack.choose(self.request, now, [attempt.state for attempt in self.attempts])

    def _pay(self) -> bool:
        """Pay for one second attempt from the route's budget and the gateway's, or from neither."""
        route, gateway = self._stack.budget, self._fleet.budget
        if not (route.has() and gateway.has()):
            route.refused += 1
            return False
        route.pay()
        gateway.pay()
        return True

    # ── attempts ───────────────────────────────────────────────────────────────────────────────────────────────

    def _launch(self, state: TargetState, reason: Reason, now: float) -> Launch:
        attempt = self._attempt(state, reason, now)
        return Launch(attempt.number, state.name, reason)

    def _attempt(self, state: TargetState, reason: Reason, now: float) -> Attempt:
        attempts = self.attempts
        attempt = Attempt(len(attempts), state, reason, now)
        if reason is _FIRST and state is not self._stack.first:
            attempt.passed = self._stack.passed_over(self.request, state, now)
        attempts.append(attempt)
        state.launched()
        delays = state.first_token.table[self.series]
        attempt.hedge_at = hedge_at = now + delays.hedge
        attempt.limit_at = now + delays.limit
        if hedge_at < self.wake_at:  # noqa: PLR1730 - min() costs this path twice as much
            self.wake_at = hedge_at
        return attempt

    def _blame(self, attempt: Attempt, now: float, retry_after: float | None) -> None:
        """Tell the breaker, and let what was waited in vain teach the first-token times."""
        attempt.state.failed(now, retry_after, probe=attempt.breaker is not _CLOSED)
        waited = now - attempt.started
        if attempt.first is None and waited >= attempt.state.first_token.table[self.series].hedge:
            attempt.state.first_token.fresh[self.series](waited)

    def _end(self, attempt: Attempt, now: float) -> None:
        attempt.live = False
        attempt.ended = now
        attempt.state.in_flight -= 1
        if attempt.breaker is not _CLOSED:  # it was the probe; another attempt's end says nothing of that one
            attempt.state.breaker.abandoned(attempt.started)

    def _cancel_losers(self, winner: Attempt | None, now: float, kind: Kind = Kind.CANCELLED) -> Commands:
        commands: list[Command] = []
        for attempt in self.attempts:
            if attempt is winner or not attempt.live:
                continue
            if winner is not None and not attempt.late:
                hedge_delay = attempt.state.first_token.table[self.series].hedge
                overtaken = attempt.started < winner.started and now - attempt.started >= hedge_delay
                attempt.kind = Kind.OVERTAKEN if overtaken else Kind.CANCELLED
                if overtaken:
                    self._blame(attempt, now, None)
            elif attempt.kind is None:
                attempt.kind = kind
            self._end(attempt, now)
            commands.append(Cancel(attempt.number))
        return tuple(commands)

    # ── ends ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _fail(
        self, kind: Kind, now: float, attempt: Attempt | None = None, retry_after: float | None = None
    ) -> Commands:
        if (retry_after is None and OUTCOMES[kind].fall_back is Fallback.ANY) or kind is Kind.NO_TARGET:
            retry_after = self._stack.soonest(self.request, now)
        self._close(State.FAILED, kind, now)
        losers = self._cancel_losers(None, now, kind if attempt is None else Kind.CANCELLED)
        return (*losers, Fail(kind, None if attempt is None else attempt.number, retry_after))

    def _drop(self, now: float) -> Commands:
        self._close(State.DROPPED, Kind.CLIENT_GONE, now)
        return (*self._cancel_losers(None, now, Kind.CLIENT_GONE), Drop())

    def _close(self, state: State, kind: Kind, now: float) -> None:
        self.state = state
        self.kind = kind
        self.ended = now
        self.wake_at = NEVER
