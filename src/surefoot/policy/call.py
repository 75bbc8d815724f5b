r"""A Call: the life of one client request, as a table.

    state      the client has seen          what may happen
    CHOOSING   nothing                      the stack orders the targets that may serve it
    WAITING    nothing; attempts under way  a failure launches the next target at once, a late first token a hedge
    SPEAKING   some content                 the answer goes on from the same attempt, or breaks off
    RESUMING   some content, then a break   as WAITING, with targets that can continue a text; else ends in an error
    DONE       everything                   \
    FAILED     one error                     } the end; one record
    DROPPED    has gone away                /

Streamed and plain answers share this table: the first content of a plain answer is the whole of it. A plain answer
that is *watched* is streamed upstream: that its target has begun to speak is an event, and nothing is delivered yet.

The driver (`gateway.exchange` on sockets, a replay on records) calls `begin`, then `content` and `finished` for what
goes well, `handle` for what does not, and `wake` once `wake_at` has come. Each returns the commands that are to be
carried out, in order. Nothing here can reach a clock, a socket or a log. What is late is told by `now` alone, which
never goes backwards.
"""

from surefoot.domain.commands import Cancel, Command, Deliver, Finish, Reason
from surefoot.domain.events import (
    Attested,
    ClientGone,
    Connecting,
    Event,
    Failed,
    Heard,
    OfAttempt,
    Sent,
    Spoke,
    Stopping,
    Unwatched,
)
from surefoot.domain.jurisdiction import Contradiction
from surefoot.domain.outcome import OUTCOMES, Fallback, Kind
from surefoot.domain.place import Said
from surefoot.domain.route import Filtered
from surefoot.domain.target import Continues
from surefoot.policy.attempt import NEVER, Attempt
from surefoot.policy.breaker import State as BreakerState
from surefoot.policy.call_state import State
from surefoot.policy.patience import Patience
from surefoot.policy.under_way import Commands

BACKOFF = (0.05, 0.25)
"""Seconds, uniformly drawn, before an overloaded target is asked again: enough to leave a burst, short for a caller."""

LOOK_EVERY = 0.5
"""Seconds between looks at the rate of a watched answer."""

_NOTHING: Commands = ()
DELIVER_FIRST: Commands = (Deliver(0),)
FINISH: Commands = (Finish(),)
"""The two answers of a plain success: always these objects, so that a driver can know them by identity."""

# Members of an enumeration are looked up through its class, at 40 ns each: those of the common case have own names.
_FIRST, _OK, _CLOSED = Reason.FIRST, Kind.OK, BreakerState.CLOSED
_WAITING, _SPEAKING, _RESUMING, _DONE = State.WAITING, State.SPEAKING, State.RESUMING, State.DONE


class Call(Patience):
    """One client request. `wake_at` is when `wake` has to be called, at the latest; it may be read at any time."""

    __slots__ = ()

    # ── the common case ────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, now: float) -> Commands:
        """Choose the first target. To be called once."""
        stack = self._stack
        stack.budget.earn()
        self._fleet.budget.earn()
        if stack.exercise is not None:
            exercised = stack.exercised(self.request, now, self.deadline - now)
            if exercised is not None:
                self.state = _WAITING
                return (self._launch(exercised, Reason.EXERCISE, now),)
        chosen = stack.choose(self.request, now)
        if chosen is None:
            return self._nobody(now)
        self.state = _WAITING
        self._attempt(chosen, _FIRST, now)
        return chosen.first_launch

    def content(self, number: int, now: float) -> Commands:
        """The first content of an attempt that can be delivered: it wins, unless another has won before."""
        if self.state is not _WAITING and self.state is not _RESUMING:
            return _NOTHING
        attempt = self.attempts[number]
        if not attempt.live:
            return _NOTHING
        self.state = _SPEAKING
        self.winner = attempt
        self.marked = now
        if attempt.first is None:  # a watched attempt has spoken before
            attempt.first = now
            attempt.state.spoke(attempt.series, now - attempt.started, now)
        self.wake_at = idle_at = now + self._stack.route.limits.idle
        if idle_at > self.deadline:  # min() costs this path twice as much
            self.wake_at = self.deadline
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
        if attempt.said > 1 and attempt.first is not None:
            state.rate.note(attempt.said - 1, self.marked - attempt.first)
        if not attempt.late:  # a late answer is better than none, but it is no sign of health
            state.succeeded(now, probe=attempt.breaker is not _CLOSED)
        self.state = _DONE
        self.wake_at = NEVER
        return FINISH

    # ── everything else ────────────────────────────────────────────────────────────────────────────────────────

    def handle(self, event: Event, now: float) -> Commands:
        """Anything that is not plain success. Events of attempts that have ended, or never began, change nothing."""
        if isinstance(event, Heard):  # the one event that every call has is not looked for among the others
            return self._heard(event.attempt, now)
        if self.state not in {_WAITING, _SPEAKING, _RESUMING}:
            return _NOTHING
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
        if self.state not in {_WAITING, _SPEAKING, _RESUMING} or now < self.wake_at:
            return _NOTHING
        if now >= self.deadline:
            return self._past_deadline(now)
        commands = self._wake_speaking(now) if self.state is _SPEAKING else self._wake_waiting(now)
        self._set_wake()
        return commands

    # ── what is late ───────────────────────────────────────────────────────────────────────────────────────────

    def _past_deadline(self, now: float) -> Commands:
        for attempt in self.attempts:
            limit = attempt.state.first_token.table[attempt.series].limit
            if attempt.live and attempt.first is None and not attempt.late and now - attempt.started >= limit:
                self._blame(attempt, attempt.late_kind, now)  # it had its grace and used it up
        return self._fail(Kind.DEADLINE, now)

    def _wake_speaking(self, now: float) -> Commands:
        winner = self.winner
        if winner is None or now < self.marked + self._stack.route.limits.idle:
            return _NOTHING
        return (Cancel(winner.number), *self._failed(winner, Kind.STALL, None, now))

    def _wake_waiting(self, now: float) -> Commands:
        commands: list[Command] = []
        for attempt in self.attempts:
            if not attempt.live:
                continue
            if now >= attempt.connect_by:
                commands.append(Cancel(attempt.number))
                commands += self._failed(attempt, Kind.CONNECT, None, now)
            elif attempt.first is not None:
                commands += self._watch(attempt, now)
            elif now >= attempt.limit_at and not attempt.late:
                commands += self._too_late(attempt, now)
            elif now >= attempt.hedge_at:
                commands += self._hedge(attempt, now)
        if now >= self._retry_at and self._retry_of is not None:
            commands += self._repeat(self._retry_of, now)
        if now >= self._probe_at:
            commands += self._try_probe(now)
        return tuple(commands)

    def _watch(self, attempt: Attempt, now: float) -> Commands:
        """A watched answer that has begun: has it stalled, or does it only drip? Nothing was delivered of it yet."""
        if now >= attempt.marked + self._stack.route.limits.idle:
            return (Cancel(attempt.number), *self._failed(attempt, Kind.STALL, None, now))
        heard_for = attempt.marked - (attempt.first or attempt.marked)
        rate = attempt.state.rate
        if rate.verdict(attempt.said - 1, heard_for) and self._following(now) is not None:
            rate.note(attempt.said - 1, heard_for)
            return (Cancel(attempt.number), *self._failed(attempt, Kind.SLOW_DRIP, None, now))
        attempt.look_at = now + LOOK_EVERY
        return _NOTHING

    def _too_late(self, attempt: Attempt, now: float) -> Commands:
        """The first-token limit has passed: a verdict, if there is anyone else to ask; else grace up to the deadline.

        A probe has its verdict in any case, or its grace would keep the target closed to everyone else. A limit that
        was cut short by the deadline is a verdict for this call, but no blame: the target had less time than it needs.
        """
        limit = attempt.state.first_token.table[attempt.series].limit
        attempt.hedge_at = NEVER
        others = any(other.live and not other.late and other is not attempt for other in self.attempts)
        following = None if others else self._following(now)
        last = following is None and not others
        if last and attempt.breaker is _CLOSED:
            attempt.limit_at = now + limit
            return _NOTHING
        attempt.late = True
        attempt.verdict = now
        attempt.kind = attempt.late_kind
        if now >= attempt.started + limit or attempt.breaker is not _CLOSED:
            self._blame(attempt, attempt.kind, now)
        commands: Commands = ()
        alone = not self.request.jurisdiction.obligations.hedge  # nobody is asked beside a live attempt
        if not last and (alone or attempt.state.target.max_in_flight is not None):  # it holds a slot others could use
            self._end(attempt, now)
            commands = (Cancel(attempt.number),)
        return commands if following is None else (*commands, self._launch(following, self._as(Reason.FALLBACK), now))

    def _hedge(self, attempt: Attempt, now: float) -> Commands:
        """The hedge delay has passed: ask the next target too, if this is the only attempt and the budgets allow."""
        attempt.hedge_at = NEVER
        if not self._may_hedge or sum(other.live for other in self.attempts) > 1:
            return _NOTHING
        following = self._following(now)
        if following is None or not self._pay():
            return _NOTHING
        return (self._launch(following, self._as(Reason.HEDGE), now),)

    @property
    def _may_hedge(self) -> bool:
        """Whether a second target may be asked beside a live attempt: by the route, and by what binds the request."""
        return self._stack.route.hedge > 0 and self.request.jurisdiction.obligations.hedge

    def _set_wake(self) -> None:
        if self.state is _SPEAKING:
            self.wake_at = min(self.marked + self._stack.route.limits.idle, self.deadline)
        elif self.state in {_WAITING, _RESUMING}:
            wake_at = min(self.deadline, self._retry_at, self._probe_at)
            for attempt in [attempt for attempt in self.attempts if attempt.live]:
                if attempt.first is not None:
                    wake_at = min(wake_at, attempt.look_at, attempt.marked + self._stack.route.limits.idle)
                    continue
                limit_at = NEVER if attempt.late else attempt.limit_at
                wake_at = min(wake_at, attempt.connect_by, attempt.hedge_at, limit_at)
            self.wake_at = wake_at

    # ── failures ───────────────────────────────────────────────────────────────────────────────────────────────

    def _of_attempt(self, event: OfAttempt, attempt: Attempt, now: float) -> Commands:
        match event:
            case Failed(kind=kind, retry_after=retry_after):
                commands = self._failed(attempt, kind, retry_after, now)
                self._set_wake()
                return commands
            case Attested(said=said):
                return self._attested(attempt, said, now)
            case _ if attempt is self.winner:
                pass  # what is said of a connection after content is stale
            case Connecting():
                attempt.sent = None
                attempt.connect_by = now + self._stack.route.limits.connect
                self.wake_at = min(self.wake_at, attempt.connect_by)
            case Sent() if attempt.sent is None:
                attempt.sent = now
                attempt.connect_by = NEVER
            case Spoke() if attempt.first is None:
                return self._spoke(attempt, now)
            case Unwatched():
                attempt.state.declined(now)
                self._set_clocks(attempt, now)
        return _NOTHING

    def _heard(self, number: int, now: float) -> Commands:
        if (self.state is _WAITING or self.state is _RESUMING) and number < len(self.attempts):
            attempt = self.attempts[number]
            if attempt.live and attempt.heard is None:
                attempt.heard = now
        return _NOTHING

    def _spoke(self, attempt: Attempt, now: float) -> Commands:
        """A watched answer begins: its first-token clocks end, and those that were asked beside it have lost."""
        attempt.first = attempt.marked = now
        attempt.said = 1
        attempt.look_at = now + LOOK_EVERY
        attempt.state.spoke(attempt.series, now - attempt.started, now)
        commands = self._cancel_losers(attempt, now)
        self._set_wake()
        return commands

    def _attested(self, attempt: Attempt, said: Said, now: float) -> Commands:
        """What the answer says of its target by itself; a contradiction fails it where it is not only to be flagged."""
        attempt.evidence, contradicted = attempt.state.attested(attempt.evidence, said)
        if not contradicted or self.request.jurisdiction.obligations.contradiction is Contradiction.FLAG:
            return _NOTHING
        commands = (Cancel(attempt.number), *self._failed(attempt, Kind.CONTRADICTED, None, now))
        self._set_wake()
        return commands

    def _failed(self, attempt: Attempt, kind: Kind, retry_after: float | None, now: float) -> Commands:
        was_late = attempt.late
        attempt.kind = kind if not was_late else attempt.kind
        attempt.verdict = now if attempt.verdict is None else attempt.verdict
        if OUTCOMES[kind].blame and not was_late:
            self._blame(attempt, kind, now, retry_after)
        self._end(attempt, now)
        if attempt is self.winner and self.state is _SPEAKING:
            return self._broke(attempt, kind, now)
        if not self._may_fall_back(attempt, kind):
            if attempt.reason is not _FIRST and self._anyone_live():
                self._bar(lambda _: True)  # nobody else is asked, but what is under way may yet be an answer
                return _NOTHING
            if attempt.reason is not Reason.EXERCISE:
                return self._fail(kind, now, attempt)
        if was_late and self._anyone_live():
            return _NOTHING  # its verdict has launched its successor already
        return self._go_on(attempt, kind, retry_after, now)

    def _broke(self, attempt: Attempt, kind: Kind, now: float) -> Commands:
        """The answer broke off after content: the resume contract. Text goes on elsewhere, all else ends here.

        So does what a contradicted target has said: completed by another one it would pass for a good answer.
        """
        if not self.resumable or kind is Kind.CONTRADICTED or OUTCOMES[kind].fall_back is not Fallback.ANY:
            return self._fail(kind, now, attempt)
        self._bar(lambda state: state.target.continues is Continues.NEVER)
        if not self.request.jurisdiction.obligations.resume:
            operator = attempt.state.target.place.operator
            self._bar(lambda state: operator is None or state.target.place.operator != operator)
        following = self._following(now)
        self.broken = self.broken or attempt
        if following is None:
            return self._fail(kind, now, attempt)
        self.state = _RESUMING
        return (self._launch(following, Reason.RESUME, now),)

    def _may_fall_back(self, attempt: Attempt, kind: Kind) -> bool:
        """Whether another target is asked at all; which of them may be, if not all.

        A continuation that is refused as wrong says nothing of the request, which has been answered in part.
        """
        target = attempt.state.target
        match OUTCOMES[kind].fall_back:
            case Fallback.LARGER_WINDOW:
                least = target.window or self.request.prompt_tokens
                self._bar(lambda state: state.target.window is None or state.target.window <= least)
            case Fallback.OTHER_MODEL:
                self._bar(lambda state: state.target.model == target.model)
                return self._stack.route.filtered is Filtered.FALL_BACK
            case Fallback.NEVER:
                return self.state is _RESUMING
        return True

    def _go_on(self, failed: Attempt, kind: Kind, retry_after: float | None, now: float) -> Commands:
        """After a verdict: the next target at once, unrationed; else what is under way; else a repeat; else the end."""
        following = self._following(now)
        if following is not None:
            return (self._launch(following, self._as(Reason.FALLBACK), now),)
        if self._anyone_live():
            return _NOTHING
        again = next((a for a in self.attempts if self._may_repeat(a, now)), None)
        if again is None or not self._pay():
            return _NOTHING if self._awaits_probe(now) else self._fail(kind, now, failed, retry_after)
        if again.kind is not Kind.OVERLOAD:
            return (self._launch(again.state, Reason.RETRY, now),)
        self._retry_of = again
        self._retry_at = now + self._fleet.rng.uniform(*BACKOFF)
        return _NOTHING

    def _may_repeat(self, attempt: Attempt, now: float) -> bool:
        """Once per target, for kinds that deserve it, while its breaker is closed and one more attempt is allowed."""
        state = attempt.state
        return (
            self.state is not _RESUMING
            and attempt.kind is not None
            and OUTCOMES[attempt.kind].retry
            and state not in self._barred
            and state.suspended is None
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
