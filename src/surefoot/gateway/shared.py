"""One answer for several clients: what stands between an exchange and those that sent one `Idempotency-Key`.

    exchange ──▶ Shared ──▶ Follower ──▶ connection of the first client
                       └──▶ Follower ──▶ connection of one that joined

The exchange takes it for its client. What the exchange says is written down, and each follower goes through it at its
own client's pace: from the beginning, then live. Once everything is written down, the same object is the answer that
is kept, and a replay is a follower that comes late.

As long as all of it is written down, a slow client holds nobody up. An answer that may be kept no longer is written
down only as far as some follower still needs it: then the provider is slowed when all are slow, and a follower that
falls too far behind the others is let go.

Knows bytes and followers. Must never decide whether an answer may be kept: its keeper does.
"""

from typing import Protocol

from surefoot.domain.outcome import Kind
from surefoot.gateway.exchange import Exchange
from surefoot.gateway.recipient import Client
from surefoot.wire.server import Incoming, Served

JOINED = b"surefoot-idempotent: joined\r\n"
REPLAYED = b"surefoot-idempotent: replayed\r\n"

BLOCK = 64 * 1024
"""Bytes that a follower which is behind is given at once, at most about: the rest waits until its client has taken
them, so that many that join late do not each hold a copy of everything."""

LAG = 256 * 1024
"""Bytes that a follower may be behind the others of an answer that is not kept."""

PIECE = 64
"""Bytes that a piece counts beside its own: what the interpreter needs to hold it, about."""

_OK = 200
_OVER = Incoming()
"""Stands for the request once it is answered, so that a kept answer does not keep the prompt."""


class Keeper(Protocol):
    """Whoever keeps answers, within bounds."""

    def grew(self, shared: "Shared", size: int) -> bool:
        """An answer is so many bytes long now. False: it cannot be kept, and nobody will join it any more."""

    def ended(self, shared: "Shared", *, worth: bool) -> None:
        """It is over; `worth` says whether it is one that a retry should get."""

    def cut_off(self) -> None:
        """A follower was let go because it was too far behind."""


class Shared:
    """See the module. `scope`, `fingerprint`, `size` and `until` are its keeper's."""

    __slots__ = (
        "_base", "_followers", "_head", "_keeper", "_length", "_paused", "_pieces", "_plain", "broken", "fingerprint",
        "incoming", "kept", "over", "scope", "served", "size", "until",
    )  # fmt: skip

    def __init__(self, keeper: Keeper, scope: bytes, fingerprint: bytes, incoming: Incoming) -> None:
        self.scope = scope
        self.fingerprint = fingerprint
        self.size = 0
        self.until = float("inf")
        self.incoming = incoming
        self.served: Served | None = None
        self.kept = True
        """Whether all of it is written down."""
        self.over = False
        self.broken = False
        """Over, but not whole."""
        self._keeper = keeper
        self._followers: list[Follower] = []
        self._plain: tuple[int, bytes, bytes, bytes] | None = None
        self._head: tuple[int, bytes] | None = None
        self._pieces: list[bytes] = []
        self._base = 0
        """Number of the first piece that is still written down."""
        self._length = 0
        self._paused = False

    # ── who gets it ────────────────────────────────────────────────────────────────────────────────────────────

    def join(self, recipient: Client, mark: bytes = b"") -> "Follower":
        """Give it to one more client, with `mark` among its headers."""
        follower = Follower(self, recipient, mark)
        self._followers.append(follower)
        recipient.served = follower  # before the first byte: a write may say at once that the client is slow
        follower.go()
        return follower

    def leave(self, follower: "Follower") -> None:
        """A client is gone. Without any, the answer is cancelled at once: nothing runs for nobody."""
        if follower not in self._followers:
            return
        self._followers.remove(follower)
        if self._followers:
            self.ease()
        elif not self.over:
            served = self.served
            self._end()
            if served is not None:
                served.client_gone()

    def done(self, follower: "Follower") -> None:
        """A follower has had everything."""
        self._followers.remove(follower)

    def ease(self) -> None:
        """Of an answer that is not kept: forget what all have had, let go who is too far behind, slow the provider."""
        if self.kept or self._head is None:
            return
        followers = self._followers
        if any(not follower.slow for follower in followers):
            for follower in [one for one in followers if one.slow and self._length - one.position > LAG]:
                followers.remove(follower)
                follower.recipient.abandon()
                self._keeper.cut_off()
        number = min((follower.number for follower in followers), default=self._base + len(self._pieces))
        del self._pieces[: number - self._base]
        self._base = number
        slow = bool(followers) and all(follower.slow for follower in followers)
        if self.served is not None and slow is not self._paused:
            self._paused = slow
            if slow:
                self.served.client_slow()
            else:
                self.served.client_ready()

    # ── what the exchange says ─────────────────────────────────────────────────────────────────────────────────

    def answer(self, status: int, body: bytes, headers: bytes = b"", content_type: bytes = b"application/json") -> None:
        """A whole answer."""
        self._plain = (status, body, headers, content_type)
        served = self.served
        # A definite no of the provider is an answer: any target would say the same. Other failures deserve a new try.
        worth = isinstance(served, Exchange) and (status == _OK or served.call.kind is Kind.BAD_REQUEST)
        self._grow(len(headers) + len(body))
        self._end(worth=worth and self._may_be_kept())
        self._pass_on()

    def start(self, status: int, headers: bytes, first: bytes) -> None:
        """The head of a stream and its first piece."""
        self._head = (status, headers)
        self._grow(len(headers))
        self.write(first)

    def write(self, piece: bytes) -> None:
        """One more piece."""
        self._take(piece)
        self._pass_on()

    def finish(self, piece: bytes = b"") -> None:
        """The last piece, and its proper end."""
        if piece:
            self._take(piece)
        self._end(worth=self._may_be_kept())
        self._pass_on()

    def break_off(self, piece: bytes) -> None:
        """The last piece of a stream that failed."""
        self._take(piece)
        self.broken = True
        self._end()
        self._pass_on()

    # ── what followers ask ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def plain(self) -> tuple[int, bytes, bytes, bytes] | None:
        """Status, body, headers and content type of a whole answer, if it is one."""
        return self._plain

    @property
    def head(self) -> tuple[int, bytes] | None:
        """Status and headers of a stream, if it is one that has begun."""
        return self._head

    def after(self, number: int) -> tuple[int, bytes]:
        """A block of the stream from this piece on, and the number of the piece that comes after it."""
        pieces = self._pieces
        first = number - self._base
        if first == len(pieces) - 1:  # nearly always: the piece that has just come
            return number + 1, pieces[first]
        length, last = 0, first
        while last < len(pieces) and length < BLOCK:
            length += len(pieces[last])
            last += 1
        return self._base + last, b"".join(pieces[first:last])

    def whole_at(self, number: int) -> bool:
        """Whether it is over and this is behind its last piece."""
        return self.over and number == self._base + len(self._pieces)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._length += len(piece)
        self._grow(len(piece) + PIECE)

    def _grow(self, size: int) -> None:
        if self.kept:
            self.kept = self._keeper.grew(self, self.size + size)

    def _end(self, *, worth: bool = False) -> None:
        self.over = True
        self.served = None  # exchange and this know one another: parted, they are freed now
        self.incoming = _OVER
        if self.kept:
            self._keeper.ended(self, worth=worth)

    def _may_be_kept(self) -> bool:
        """Not if a static target has answered, which stands for an error, so that a retry deserves a new try.

        Nor if a jurisdiction forbids to keep content: then it may be joined while it is under way, and that is all.
        """
        if not isinstance(self.served, Exchange):
            return True
        call = self.served.call
        canned = call.winner is not None and call.winner.state.target.text is not None
        return call.request.jurisdiction.obligations.keep and not canned

    def _pass_on(self) -> None:
        for follower in tuple(self._followers):
            follower.go()
        if not self.kept:
            self.ease()


class Follower:
    """One client of a shared answer; what its connection calls `served`."""

    __slots__ = ("_mark", "_shared", "number", "position", "recipient", "slow")

    def __init__(self, shared: Shared, recipient: Client, mark: bytes) -> None:
        self.recipient = recipient
        self.number = 0
        """Of the piece that it gets next."""
        self.position = 0
        """Bytes of the body that it has been given."""
        self.slow = False
        self._shared = shared
        self._mark = mark

    def client_gone(self) -> None:
        """The client has closed."""
        self._shared.leave(self)

    def client_slow(self) -> None:
        """Wait until the client has taken what it was given."""
        self.slow = True
        self._shared.ease()

    def client_ready(self) -> None:
        """Go on."""
        self.slow = False
        self.go()
        self._shared.ease()

    def go(self) -> None:
        """Pass on what there is, as far as the client takes it."""
        shared = self._shared
        if shared.plain is not None:
            status, body, headers, content_type = shared.plain
            shared.done(self)
            self.recipient.answer(status, body, headers + self._mark, content_type)
            return
        head = shared.head
        if head is None:
            return
        while not self.slow:
            before = self.number
            self.number, block = shared.after(before)
            self.position += len(block)
            if not before:
                self.recipient.start(head[0], head[1] + self._mark, block)
                block = b""
            if shared.whole_at(self.number):
                self._end(block)
                return
            if not block and before:
                return
            if block:
                self.recipient.write(block)

    def _end(self, block: bytes) -> None:
        self._shared.done(self)
        if self._shared.broken:
            self.recipient.break_off(block)
        else:
            self.recipient.finish(block)
