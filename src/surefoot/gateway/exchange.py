"""The exchange: runs one Call on the real clock, between a client's connection and the legs to its targets.

The only crossroads of the house: every event of a request passes here on its way to the Call, and every command on
its way back. It has no policy of its own. No task and no future is made for a request: two connections call its
methods.
"""

from typing import Protocol

from msgspec.structs import replace

from surefoot.dialects.dialect import Ask, Dialect
from surefoot.domain.commands import Cancel, Command, Deliver, Drop, Fail, Finish, Launch
from surefoot.domain.events import ClientGone, Event, Spoke, Stopping
from surefoot.domain.features import written
from surefoot.domain.outcome import Kind
from surefoot.domain.record import CallRecord
from surefoot.gateway.complaints import STATUS, of_call, refusal
from surefoot.gateway.leg import Leg
from surefoot.gateway.recipient import Recipient
from surefoot.gateway.resumption import Resumption
from surefoot.gateway.upstream import Upstream
from surefoot.gateway.watched import Plainly
from surefoot.policy.allowance import Allowance
from surefoot.policy.call import DELIVER_FIRST, FINISH, Call
from surefoot.wire.clock import now

_CLIENT_ERROR = 400
_GOOD = Kind.OK  # looked up through its class, a member costs 40 ns each time

OWN_WORDS = frozenset({Kind.BAD_REQUEST, Kind.CONTENT_FILTER, Kind.CONTEXT_OVERFLOW})
"""What is about the request is told in the provider's own words: they explain it best."""

_JSON = (b"{", b"[")
"""How own words begin. HTML of a proxy in between is nothing that a client of this API could read."""

NEVER_AGAIN = b"x-should-retry: false\r\n"
"""OpenAI's SDKs would ask three times; what every target refused is not worth a repeat by the client."""


FAULT_OF_OURS = refusal(500, "internal_error", "Surefoot itself has failed at this call. Its log says where.")


class World(Protocol):
    """What an exchange needs of its worker: one version of the configuration, and where records go."""

    version: str
    upstreams: dict[str, Upstream]

    def ended(self, exchange: "Exchange") -> None:
        """The call is over, and its record can be taken."""

    def narrowed(self, call: Call, number: int) -> bytes:
        """The zones that an attempt is bound to, for a target that is another gateway; empty if it is not bound."""

    def provenance(self, route: str, target: str, attempts: int) -> bytes:
        """The headers that tell who answered, as lines."""


class Exchange:
    """One client request."""

    __slots__ = (
        "_answer_bytes", "_ask", "_connection", "_dialect", "_identity", "_key", "_legs", "_request_bytes",
        "_resumption", "_slow", "_spoke_at", "_wall", "_was_slow", "_winner", "_world", "allowance", "call", "owes",
    )  # fmt: skip

    def __init__(self, world: World, connection: Recipient, dialect: Dialect, ask: Ask, call: Call) -> None:
        self._world = world
        self._connection = connection
        self._dialect = dialect
        self._ask = ask
        self._request_bytes = len(ask.body)
        self._answer_bytes = 0
        self._legs: list[Leg] = []
        self._winner: Leg | None = None
        self._identity = ""
        self._key = ""
        self._wall = 0.0
        self._spoke_at: float | None = None
        self._slow = self._was_slow = False
        self._resumption: Resumption | None = None
        self.allowance: Allowance | None = None
        """What its key's limits have let it into; left once, when the call ends."""
        self.call = call
        self.owes = False
        """Whether it has to leave receipts."""

    def begin(self, identity: str, key: str, wall: float) -> None:
        """Choose and launch. `wall` is the Unix time of arrival."""
        self._identity = identity
        self._key = key
        self._wall = wall
        began = self.call.began
        self._obey(self.call.begin(began), began)

    def wake(self, at: float) -> None:
        """The time that the Call asked to be woken at has come."""
        if self._slow:
            self.call.marked = at  # the pause is the client's: the target is not late for it
        self._look_back()
        self._obey(self.call.wake(at), at)

    def stop(self) -> None:
        """The time to drain is over."""
        at = now()
        self._obey(self.call.handle(Stopping(), at), at)

    def give_up(self) -> None:
        """End it without its Call, which has failed: nothing runs on, and the client is told, or cut off."""
        for leg in self._legs:
            leg.cancel()
        self.call.let_go(now())
        self._legs = []
        self._winner = None
        connection = self._connection
        if connection.served is not self:
            return  # the client has its answer, or is gone
        if self._spoke_at is None:
            connection.answer(FAULT_OF_OURS.status, self._dialect.error(FAULT_OF_OURS))
        else:
            connection.break_off(self._dialect.error_event(FAULT_OF_OURS))

    def record(self) -> CallRecord:
        """The call as `domain.record.CALL_FIELDS` lists it."""
        call = self.call
        request = call.request
        began = call.began
        winner, ended, spoke_at = call.winner, call.ended, self._spoke_at
        jurisdiction = request.jurisdiction
        if len(self._legs) > 1 or call.kind is not _GOOD:
            self._book_what_was_lost()
        return (
            self._identity,
            self._wall,
            request.route,
            self._key,
            self._world.version,
            0,
            request.stream,
            call.bucket,
            request.prompt_tokens,
            request.max_tokens,
            written(request.features) if request.features else "",
            self._request_bytes,
            self._answer_bytes,
            call.kind,
            None if winner is None else winner.number,
            None if spoke_at is None else spoke_at - began,
            None if ended is None else ended - began,
            jurisdiction.name,
            jurisdiction.version,
            call.attempt_records(),
        )

    def _book_what_was_lost(self) -> None:
        """Tokens of attempts that broke or lost, as far as their providers had told them."""
        for leg in self._legs:
            attempt = self.call.attempts[leg.number]
            if attempt.prompt_tokens is None and attempt.completion_tokens is None:
                attempt.prompt_tokens = leg.usage.prompt_tokens
                attempt.completion_tokens = leg.usage.completion_tokens

    # ── what the client's connection says ──────────────────────────────────────────────────────────────────────

    def client_gone(self) -> None:
        """The client left: whatever runs for it is cancelled at once."""
        at = now()
        self._obey(self.call.handle(ClientGone(), at), at)

    def client_slow(self) -> None:
        """Stop reading the answer until the client has caught up."""
        self._slow = self._was_slow = True
        if self._winner is not None:
            self._winner.pause()

    def client_ready(self) -> None:
        """Go on reading."""
        self._slow = False
        self.call.marked = now()  # the target's time begins anew
        if self._winner is not None:
            self._winner.resume()

    # ── what the legs say ──────────────────────────────────────────────────────────────────────────────────────

    def handle(self, event: Event, at: float) -> None:
        """Something rare."""
        if self._resumption is not None:
            self._look_back()
        commands = self.call.handle(event, at)
        if commands:
            self._obey(commands, at)

    def plain(self, leg: Leg, at: float) -> None:
        """A whole plain answer."""
        call = self.call
        self._obey(call.content(leg.number, at), at)
        if self._winner is not leg:
            return
        answer = leg.answer
        self._spoke_at = at
        self._answer_bytes = len(answer)
        self._connection.answer(200, answer, self._provenance(leg), leg.content_type)
        usage = leg.usage
        self._obey(call.finished(leg.number, at, usage.prompt_tokens, usage.completion_tokens), at)

    def content(self, leg: Leg, piece: bytes, at: float) -> None:
        """A stream has its first content."""
        self._obey(self.call.content(leg.number, at), at)
        if self._winner is not leg:
            return
        if self._spoke_at is not None:  # it goes on with what another target has begun
            self._relay(piece)
            return
        self._spoke_at = at
        self._answer_bytes = len(piece)
        if self.call.resumable:
            self._resumption = Resumption(self._ask, self.call.resume_prompt)
            self._resumption.keep(piece)
        headers = b"content-type: %b\r\ncache-control: no-cache\r\n%b" % (leg.content_type, self._provenance(leg))
        self._connection.start(200, headers, piece)

    def piece(self, leg: Leg, piece: bytes, mark: float | None) -> None:
        """A stream goes on: no event, only the mark moves, and a mere comment does not move it."""
        if self._winner is leg:
            if mark is not None:
                self.call.marked = mark
            if piece:
                self._relay(piece)

    def whole(self, leg: Leg, piece: bytes, at: float) -> None:
        """A stream is complete."""
        if self._winner is None:
            self.content(leg, piece, at)
            piece = b""
        if self._winner is not leg:
            return
        self._answer_bytes += len(piece)
        self._connection.finish(piece)
        if not self._was_slow:  # else the pauses are the client's, and say nothing of the target's rate
            self.call.attempts[leg.number].said = leg.said
        usage = leg.usage
        self._obey(self.call.finished(leg.number, at, usage.prompt_tokens, usage.completion_tokens), at)

    def grew(self, leg: Leg, at: float, said: int) -> None:
        """There is content that is held back: that it begins is an event, that it goes on moves marks."""
        attempt = self.call.attempts[leg.number]
        if attempt.first is None:
            self.handle(Spoke(leg.number), at)
        attempt.marked = at
        attempt.said = said

    def _relay(self, piece: bytes) -> None:
        self._answer_bytes += len(piece)
        if self._resumption is not None:
            self._resumption.keep(piece)
        self._connection.write(piece)

    def _look_back(self) -> None:
        """Something rare happens to a call that speaks: is what was delivered still what may be continued?"""
        resumption = self._resumption
        if resumption is not None and self._winner is not None:
            self.call.resumable = not resumption.too_long and resumption.delivered.continuable

    # ── what the Call says ─────────────────────────────────────────────────────────────────────────────────────

    def _obey(self, commands: tuple[Command, ...], at: float) -> None:
        if commands is FINISH:  # the two answers of every plain success are not looked at one by one
            self._end()
            return
        if commands is DELIVER_FIRST:
            self._winner = self._legs[0]
            return
        for command in commands:
            match command:
                case Launch():
                    self._launch(command, at)
                case Deliver():
                    self._winner = self._legs[command.attempt]
                    if self._slow:
                        self._winner.pause()
                case Finish() | Drop():
                    self._end()
                case Cancel():
                    self._legs[command.attempt].cancel()
                case Fail():
                    self._fail(command)
                    self._end()

    def _end(self) -> None:
        self._world.ended(self)
        self._legs = []  # legs and exchange know one another: parted, they are freed now and not by the next collection
        self._winner = None

    def _launch(self, command: Launch, at: float) -> None:
        call = self.call
        upstream = self._world.upstreams[command.target]
        number = command.attempt
        if self._spoke_at is not None and self._resumption is not None:
            self._resume(self._resumption, upstream, command, at)
            return
        watched = call.request.watched and call.attempts[number].state.watches
        narrowed = self._world.narrowed(call, number) if upstream.narrows else b""
        plainly: Plainly | None = None
        if watched:
            plainly = lambda then: upstream.request(self._ask, call.deadline - then, narrowed, watched=False)  # noqa: E731
        leg = upstream.leg(self, number, self._ask, plainly)
        self._legs.append(leg)
        leg.launch(upstream.request(self._ask, call.deadline - at, narrowed, watched=watched), at)

    def _resume(self, resumption: Resumption, upstream: Upstream, command: Launch, at: float) -> None:
        """Ask a target to go on with what was delivered."""
        if self._winner is not None:
            resumption.broke(self._winner.usage)
            self._winner = None
        leg = resumption.leg(self, command.attempt, upstream)
        self._legs.append(leg)
        narrowed = self._world.narrowed(self.call, command.attempt) if upstream.narrows else b""
        leg.launch(resumption.request(upstream, self.call.deadline - at, narrowed), at)

    def _fail(self, command: Fail) -> None:
        kind = command.kind
        complaint = of_call(self.call, kind)
        if self._spoke_at is not None:
            complaint = replace(complaint, delivered_bytes=self._answer_bytes)
            if self._resumption is not None and not self._resumption.too_long:
                complaint = replace(complaint, delivered=self._resumption.delivered)
            self._connection.break_off(self._dialect.error_event(complaint))
            return
        leg = None if command.attempt is None else self._legs[command.attempt]
        if kind in OWN_WORDS and leg is not None and leg.answer.lstrip().startswith(_JSON):
            status = leg.status if leg.status >= _CLIENT_ERROR else STATUS[kind]  # an error may come inside a 200
            self._connection.answer(status, leg.answer, self._provenance(leg), leg.content_type)
            return
        headers = self._provenance(None)
        if command.retry_after is not None:
            headers += b"retry-after: %d\r\n" % max(1, round(command.retry_after + 0.5))
        elif self.call.attempts:
            headers += NEVER_AGAIN
        self._connection.answer(complaint.status, self._dialect.error(complaint), headers)

    def _provenance(self, leg: Leg | None) -> bytes:
        """Who answered, now that it is known."""
        call = self.call
        target = "" if leg is None else call.attempts[leg.number].state.name
        head = b"surefoot-call: %b\r\n%b" % (
            self._identity.encode(),
            self._world.provenance(call.request.route, target, len(call.attempts)),
        )
        if leg is None or leg.request_id is None:
            return head
        return head + b"x-request-id: %b\r\n" % leg.request_id
