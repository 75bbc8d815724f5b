"""The driver: runs the gateway's own Call and Fleet over traffic, on a virtual clock.

It stands where the gateway's exchange, legs, ticker and pool stand (`gateway.exchange`, `leg`, `worker`), and tells the
policy the same things in the same order; what a target does comes from its model and from outages. It differs where
the real world has no counterpart in a log: a connection is always warm, but in modes that break connections; a call is
woken at the very moment it asks for, where a worker is about 1 ms late; nobody's client leaves or is slow.

An agenda holds what is to come: the next step of each attempt, and the time to wake a call where that could find
anything. A plain success is two entries and never an alarm. Ticks are `replay.virtual.ticking`'s.

Must never: have a policy of its own, read a clock, or draw by any state that depends on the order of events.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import Any

from surefoot.domain.commands import Cancel, Command, Deliver, Drop, Fail, Finish, Launch
from surefoot.domain.events import Connecting, Failed, Heard, OfAttempt, Sent, Spoke
from surefoot.domain.outcome import Kind
from surefoot.policy.call import DELIVER_FIRST, FINISH, Call
from surefoot.policy.call_state import State
from surefoot.policy.fleet import Fleet
from surefoot.replay.outages.modes import Sign, Step, Way
from surefoot.replay.outages.outage import Outage
from surefoot.replay.virtual.accounts import KINDS, close
from surefoot.replay.virtual.arm import Arm
from surefoot.replay.virtual.batch import Batch
from surefoot.replay.virtual.books import Books
from surefoot.replay.virtual.gateway_down import GatewayDown
from surefoot.replay.virtual.life import NEVER, Leg, Life, Shadow
from surefoot.replay.virtual.requests import Front
from surefoot.replay.virtual.result import Results
from surefoot.replay.virtual.targets import Targets
from surefoot.replay.virtual.ticking import Ticks

__all__ = ["KINDS", "Arm", "run"]

_RELAYED, _WATCHED = Way.RELAYED, Way.WATCHED
_CONTENT, _WHOLE, _FAILED, _SPOKE = Sign.CONTENT, Sign.WHOLE, Sign.FAILED, Sign.SPOKE
_SPEAKING = State.SPEAKING  # looked up through its class, a member costs 40 ns each time

_EVENTS: dict[Sign, Callable[[int], OfAttempt]] = {
    Sign.CONNECTING: Connecting,
    Sign.SENT: Sent,
    Sign.HEARD: Heard,
    Sign.SPOKE: Spoke,
}

_BEFORE = 3_600.0
"""Virtual seconds at which the first call arrives, at least: no policy's own zero is near."""


def run(arm: Arm, traffic: Iterable[Batch], outages: Sequence[Outage], seed: int) -> Iterator[Results]:
    """One `Results` per batch, in order, as soon as all of its calls have ended.

    Targets are counted as the configuration lists them, outages as they are given. The same seed gives the same
    results to the last bit. Raises `ReplayError` for an outage of a target or a mode that is not known, a target
    without a model, and traffic on a route that is not there.
    """
    driver: Driver | None = None
    for batch in traffic:
        if not len(batch):
            continue
        if driver is None:
            driver = Driver(arm, outages, float(batch.at[0]) // 1.0 - _BEFORE, seed)
        driver.take(batch)
        yield from driver.finished()
    if driver is not None:
        driver.advance(NEVER)
        yield from driver.finished()
        driver.see_that_all_ended()


class Driver:
    """One arm under way. `origin` is the Unix time at which its clock stands at 0."""

    make_call: type[Call] = Call

    def __init__(self, arm: Arm, outages: Sequence[Outage], origin: float, seed: int) -> None:
        configuration = arm.configuration
        self._front = Front(configuration)
        self.fleet = Fleet(
            configuration.targets,
            configuration.routes,
            configuration.options,
            Random(seed),  # noqa: S311 - jitter, not secrets
            jurisdictions=self._front.jurisdictions,
        )
        self.ticks = Ticks(self.fleet)
        self._targets = Targets(arm, outages, origin, self._cast)
        self._down = GatewayDown(arm, outages, origin, seed)
        self._origin = origin
        self._seed = seed
        self._heeds_retry_after = not arm.direct
        self._signs = self.fleet.jury.signs
        self._slowest = 1.0 / configuration.options.token_rate.most
        """Seconds between tokens below which no rate is a drip's."""
        self._agenda: list[tuple[float, int, Callable[[float, Any], None], Any]] = []
        self._order = 0
        self._pending: deque[Books] = deque()

    # ── traffic in, results out ────────────────────────────────────────────────────────────────────────────────

    def take(self, batch: Batch) -> None:
        """Let its calls arrive, and all that happens until the last of them does."""
        books = Books(batch, self._targets.models, self._seed)
        self._pending.append(books)
        terms = {n: [self._front.terms(batch.routes[n], key) for key in batch.keys] for n in set(batch.route.tolist())}
        columns = (batch.route, batch.key, batch.stream, batch.prompt_tokens, batch.max_tokens)
        rows = zip((batch.at - self._origin).tolist(), *(column.tolist() for column in columns), strict=True)
        agenda, down = self._agenda, self._down
        for row, (now, route, key, stream, prompt_tokens, max_tokens) in enumerate(rows):
            if agenda and agenda[0][0] <= now:
                self.advance(now)
            if now >= self.ticks.due:
                self.ticks.run(now)
            if now >= down.since and down.strikes(books, row, now):
                continue
            called = terms[route][key]
            call = self.make_call(self.fleet, called.request(stream, prompt_tokens, max_tokens), now)
            self._begin(Life(books, row, call, called.idle), now)

    def finished(self) -> Iterator[Results]:
        """The batches whose calls have all ended, in order."""
        while self._pending and not self._pending[0].left:
            yield self._pending.popleft().results(self._targets.prices)

    def see_that_all_ended(self) -> None:
        """Raises `RuntimeError` for a call that nothing will happen to any more: it must not be lost in silence."""
        left = sum(books.left for books in self._pending)
        if left:
            raise RuntimeError(f"{left} calls of the replay never ended")

    def advance(self, until: float) -> None:
        """Let all happen that comes up to then."""
        agenda, ticks = self._agenda, self.ticks
        while agenda and agenda[0][0] <= until:
            now, _, happens, whose = heapq.heappop(agenda)
            if now >= ticks.due:
                ticks.run(now)
            happens(now, whose)

    def _put_down(self, when: float, happens: Callable[[float, Any], None], whose: Leg | Life) -> None:
        self._order += 1  # what is due at one moment happens in the order in which it was put down
        heapq.heappush(self._agenda, (when, self._order, happens, whose))

    # ── what happens to a call ─────────────────────────────────────────────────────────────────────────────────

    def _begin(self, life: Life, now: float) -> None:
        if self._signs:
            self.ticks.catch_up(now)
        self._obey(life, life.call.begin(now), now)
        if not life.over:
            self._set_alarm(life)

    def _wake(self, now: float, life: Life) -> None:
        """The time that a Call asked to be woken at has come."""
        if life.over or now != life.alarm:
            return  # it is over, or another alarm has taken this one's place
        life.alarm = NEVER
        self.ticks.catch_up(now)
        self.ticks.learned(now)
        self._move_marks(life, now)
        self._obey(life, life.call.wake(now), now)
        if not life.over:
            self._set_alarm(life)

    def _step(self, now: float, leg: Leg) -> None:
        """An attempt's next step has come."""
        if leg.over:
            return
        life, step = leg.life, leg.play.steps[leg.step]
        leg.step += 1
        sign = step.sign
        if sign is _CONTENT:
            self._content(life, leg, now)
        elif sign is _WHOLE:
            self._whole(life, leg, now)
        else:
            self._rare(life, leg, step, now)
        if not leg.over:
            self._schedule(leg)
        if not life.over:
            self._set_alarm(life)

    def _content(self, life: Life, leg: Leg, now: float) -> None:
        """A stream has its first content."""
        self.ticks.learned(now)
        if self._signs:
            self.ticks.catch_up(now)
        commands = life.call.content(leg.number, now)
        if commands is DELIVER_FIRST:
            life.winner = leg
        else:
            self._obey(life, commands, now)
        if life.winner is leg and life.spoke is None:
            life.spoke = now

    def _whole(self, life: Life, leg: Leg, now: float) -> None:
        """An answer is complete: of a stream its end, of a plain one all of it."""
        call = life.call
        attempt = call.attempts[leg.number]
        if life.winner is None:
            if leg.way is _WATCHED:
                attempt.marked = now
                attempt.said = leg.play.tokens
            self._content(life, leg, now)
        if life.winner is not leg:
            return
        if leg.way is _RELAYED:
            call.marked = now
            attempt.said = leg.play.tokens
        self.ticks.learned(now)
        books, row = life.books, life.row
        commands = call.finished(leg.number, now, books.prompt[row], leg.play.tokens)
        leg.over = True
        if leg.place is not None:
            self._leave(leg, now)
        if commands is not FINISH:
            self._obey(life, commands, now)
        elif leg.good and len(life.legs) == 1:
            self._done(life, leg, now)
        else:
            self._end(life, now)

    def _rare(self, life: Life, leg: Leg, step: Step, now: float) -> None:
        """Anything but content and the end."""
        self.ticks.catch_up(now)
        self.ticks.learned(now)
        self._move_marks(life, now)
        if step.sign is not _FAILED:
            self._obey(life, life.call.handle(_EVENTS[step.sign](leg.number), now), now)
            return
        leg.over = True
        self._leave(leg, now)
        retry_after = step.retry_after if self._heeds_retry_after else None
        failed = Failed(leg.number, step.kind or Kind.SERVER_ERROR, retry_after)
        self._obey(life, life.call.handle(failed, now), now)

    @staticmethod
    def _move_marks(life: Life, now: float) -> None:
        """What the gateway's legs would have moved with each piece since something last happened."""
        call, winner = life.call, life.winner
        if winner is not None:
            call.marked = winner.said(now)[1]
            return
        for leg in life.legs:
            attempt = call.attempts[leg.number]
            if attempt.live and attempt.first is not None:
                said, attempt.marked = leg.said(now)
                attempt.said = said if life.spoke is None else 0  # what a continuation repeats is not counted

    # ── what the Call says ─────────────────────────────────────────────────────────────────────────────────────

    def _obey(self, life: Life, commands: tuple[Command, ...], now: float) -> None:
        for command in commands:
            match command:
                case Launch():
                    self._launch(life, command, now)
                case Deliver():
                    life.winner = life.legs[command.attempt]
                case Cancel():
                    leg = life.legs[command.attempt]
                    leg.over = True
                    self._leave(leg, now)
                case Finish() | Fail() | Drop():
                    self._end(life, now)

    def _launch(self, life: Life, command: Launch, now: float) -> None:
        if life.spoke is not None and life.winner is not None:  # it goes on with what the client has
            life.delivered = max(life.delivered, life.winner.shown + life.winner.said(now)[0])
            life.winner = None
        leg = self._targets.asked(life, command.attempt, command.target, now)
        life.legs.append(leg)
        self._schedule(leg)

    def _schedule(self, leg: Leg) -> None:
        """Put an attempt's next step on the agenda."""
        steps = leg.play.steps
        if leg.begins is None or leg.step >= len(steps):
            leg.next_at = NEVER
            return
        if not leg.step:
            self._foresee(leg, leg.begins)
        leg.next_at = when = leg.begins + steps[leg.step].after
        self._put_down(when, self._step, leg)

    def _foresee(self, leg: Leg, begins: float) -> None:
        """Find out whether an attempt that begins now can be left alone once it speaks."""
        life, play = leg.life, leg.play
        if leg.good and play.gap <= life.idle and begins + play.steps[-1].after <= life.call.deadline:
            leg.smooth = leg.way is not _WATCHED or play.gap <= self._slowest

    def _leave(self, leg: Leg, now: float) -> None:
        """An attempt gives back its place; who has waited for it begins."""
        following = self._targets.left(leg)
        if following is None:
            return
        following.begins = now
        if not isinstance(following, Shadow):
            self._schedule(following)
            return
        self._cast(following, following.until(now))
        whose = following.of
        if whose is not None and not whose.over:
            whose.begins = now
            self._schedule(whose)

    def _cast(self, shadow: Shadow, until: float) -> None:
        """A shadow holds its place, or waits for it, until then."""
        self._put_down(until, self._fade, shadow)

    def _fade(self, now: float, shadow: Shadow) -> None:
        if shadow.place is not None:
            self._leave(shadow, now)

    @staticmethod
    def _done(life: Life, leg: Leg, now: float) -> None:
        """A plain success is over."""
        life.over = True
        life.part()
        books, row, began = life.books, life.row, life.call.began
        books.left -= 1
        books.winner[row] = leg.target
        books.ttft[row] = (now if life.spoke is None else life.spoke) - began
        books.e2e[row] = now - began

    def _end(self, life: Life, now: float) -> None:
        """Any other call is."""
        life.over = True
        life.books.left -= 1
        close(life, self._targets.prices, now)
        life.part()

    def _set_alarm(self, life: Life) -> None:
        """See to it that the Call is woken in time, unless it could find nothing before the next step."""
        wake_at = life.call.wake_at
        if wake_at >= life.alarm:
            return
        if len(life.legs) == 1:
            leg = life.legs[0]
            coming = leg.next_at <= wake_at or (leg.smooth and life.call.attempts[0].first is not None)
            if coming and not leg.over:
                return
        life.alarm = wake_at
        self._put_down(wake_at, self._wake, life)
