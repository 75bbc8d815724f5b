"""How one worker hands a request over to another: both ends of a Unix socket between them, one connection a request.

    worker of the client ── Hand ──▶ owner of the idempotency key, or home of the client key
    worker of the client ◀── Taken, then Whole, or Begun More… and Ended or Broken ── owner

The frames say what an exchange says to its client, so each worker frames HTTP for its own connection. A client that
leaves is a connection that closes, a slow one is a connection that is not read.

Workers meet at a name in Linux's abstract namespace: it leaves no file, and is free again the moment its worker has
died, so that the others know at once. Anyone on the machine can see such a name, so each side asks the kernel whether
the other one is of the same user (SO_PEERCRED, unix(7)). Only Linux has both; elsewhere there is one worker.

Must never wait for a worker that does not answer, or hand on a secret.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from typing import Any, cast

from msgspec import Struct
from msgspec.msgpack import Decoder

from surefoot.dialects.openai_chat import DIALECT as OPENAI_CHAT
from surefoot.gateway.channel import Channel, attach
from surefoot.gateway.complaints import refusal
from surefoot.gateway.recipient import Client
from surefoot.wire.server import Incoming, Served

PATIENCE = 5.0
"""Seconds that an owner which is there may take to accept a request; one that hangs never does."""

BACKLOG = 4096
"""Requests that the kernel queues for an owner; it cuts this down to `net.core.somaxconn`."""

LARGEST = 2**32 - 1
"""Longest frame, in bytes: what its length can say. A body is as long as `gateway.body_limit` lets it be."""

_CREDENTIALS = struct.Struct("3i")
"""pid, uid, gid: `struct ucred` of unix(7)."""


class Hand(Struct, frozen=True, array_like=True, tag="hand"):
    """Serve this, for the client of this name, whose key has been checked."""

    name: str
    path: bytes
    headers: dict[bytes, bytes]
    body: bytes
    arrived: float
    """On the monotonic clock, which all processes of a machine share."""


class Taken(Struct, frozen=True, array_like=True, tag="taken"):
    """The request has arrived; the answer will follow."""


class Whole(Struct, frozen=True, array_like=True, tag="whole"):
    """A whole answer."""

    status: int
    body: bytes
    headers: bytes
    content_type: bytes


class Begun(Struct, frozen=True, array_like=True, tag="begun"):
    """The head of a stream and its first piece."""

    status: int
    headers: bytes
    piece: bytes


class More(Struct, frozen=True, array_like=True, tag="more"):
    """One more piece."""

    piece: bytes


class Ended(Struct, frozen=True, array_like=True, tag="ended"):
    """The last piece of a stream that is whole."""

    piece: bytes


class Broken(Struct, frozen=True, array_like=True, tag="broken"):
    """The last piece of a stream that failed."""

    piece: bytes


Back = Taken | Whole | Begun | More | Ended | Broken


class Meeting:
    """Where an owner lets the others in. `take` serves a request that was handed over."""

    def __init__(self, name: str, take: Callable[[Client, Incoming, str], None]) -> None:
        self.inside: set[Handed] = set()
        """Requests of other workers that are under way."""
        self._name = name
        self._take = take
        self._server: asyncio.Server | None = None

    async def open(self, worker: int) -> None:
        """Let others in, as this worker. Raises `OSError`."""
        listening = _socket()
        listening.bind(_address(self._name, worker))
        listening.listen(BACKLOG)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Handed(self._take, self.inside), sock=listening)

    def close(self) -> None:
        """Let nobody else in."""
        if self._server is not None:
            self._server.close()


class Handed(Channel[Hand]):
    """A request of another worker, at its owner: the client of a shared answer."""

    def __init__(self, take: Callable[[Client, Incoming, str], None], inside: "set[Handed]") -> None:
        super().__init__(self._hear, self._gone, Decoder(Hand), LARGEST)
        self.incoming = Incoming()
        self.served: Served | None = None
        self._take = take
        self._inside = inside

    def answer(self, status: int, body: bytes, headers: bytes = b"", content_type: bytes = b"application/json") -> None:
        """A whole answer."""
        self._last(Whole(status, body, headers, content_type))

    def start(self, status: int, headers: bytes, first: bytes) -> None:
        """The head of a stream and its first piece."""
        self.send(Begun(status, headers, first))

    def write(self, piece: bytes) -> None:
        """One more piece."""
        self.send(More(piece))

    def finish(self, piece: bytes = b"") -> None:
        """The last piece of a stream, and its proper end."""
        self._last(Ended(piece))

    def break_off(self, piece: bytes) -> None:
        """The last piece of a stream that failed."""
        self._last(Broken(piece))

    def abandon(self) -> None:
        """Close at once."""
        self.served = None
        self.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has come in: another worker, or a stranger."""
        super().connection_made(transport)
        self._inside.add(self)
        if not _is_ours(transport.get_extra_info("socket")):
            self.abandon()

    def pause_writing(self) -> None:
        """The other worker's client is slow."""
        super().pause_writing()
        if self.served is not None:
            self.served.client_slow()

    def resume_writing(self) -> None:
        """It has caught up."""
        super().resume_writing()
        if self.served is not None:
            self.served.client_ready()

    def _hear(self, hand: Hand) -> None:
        incoming = self.incoming
        incoming.method, incoming.path, incoming.headers, incoming.body = b"POST", hand.path, hand.headers, hand.body
        incoming.arrived = hand.arrived
        incoming.own = True  # they were looked at where the client is; there may be some
        self.send(Taken())
        self._take(self, incoming, hand.name)

    def _last(self, frame: Whole | Ended | Broken) -> None:
        self.served = None
        self.send(frame)
        self.close()

    def _gone(self, error: Exception | None) -> None:  # noqa: ARG002 - the request is over, whatever the reason
        self._inside.discard(self)
        served, self.served = self.served, None
        if served is not None:
            served.client_gone()


class Relay(Channel[Back]):
    """A request that was handed over, at its client's worker: passes the owner's words on to the client.

    `alone` serves the request without the owner; it is called if the owner goes before it has said anything.
    """

    def __init__(self, client: Client, alone: Callable[[], Served | None]) -> None:
        super().__init__(self._hear, self._lost, cast("Decoder[Back]", Decoder[Any](Back)), LARGEST)
        self._client = client
        self._alone = alone
        self._hand: Hand | None = None
        self._opening: asyncio.Task[None] | None = None
        self._impatient: asyncio.TimerHandle | None = None
        self._begun = False
        self._over = False

    def hand_over(self, meeting: str, owner: int, incoming: Incoming, name: str) -> Served | None:
        """What serves the client from now on: this, or whatever does without an owner that is away."""
        self._client.served = self
        return self if self.call_on(meeting, owner, incoming, name) else self._alone()

    def call_on(self, meeting: str, owner: int, incoming: Incoming, name: str) -> bool:
        """Hand the request over. False if the owner is away."""
        sock = _socket()
        try:
            sock.connect(_address(meeting, owner))  # a Unix socket is connected at once, or not at all
            known = _is_ours(sock)
        except OSError:
            known = False
        if not known:
            sock.close()
            return False
        headers = {name: value for name, value in incoming.headers.items() if name != b"authorization"}
        self._hand = Hand(name, incoming.path, headers, incoming.body, incoming.arrived)
        loop = asyncio.get_running_loop()
        self._impatient = loop.call_later(PATIENCE, self.abort)
        self._opening = loop.create_task(self._open(sock))
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The owner can be spoken to."""
        super().connection_made(transport)
        if self._over:
            self.abort()
        elif self._hand is not None:
            self.send(self._hand)
            self._hand = None

    async def _open(self, sock: socket.socket) -> None:
        try:
            await attach(self, sock)
        except OSError as error:
            self._lost(error)

    # ── what the client's connection says ──────────────────────────────────────────────────────────────────────

    def client_gone(self) -> None:
        """Let the owner know."""
        self._end()
        self.abort()

    def client_slow(self) -> None:
        """Read no more, so that the owner notices."""
        self.hold()

    def client_ready(self) -> None:
        """Go on."""
        self.go_on()

    # ── what the owner says ────────────────────────────────────────────────────────────────────────────────────

    def _hear(self, frame: Back) -> None:
        client = self._client
        if self._over:
            return
        self._calm()
        match frame:
            case Begun():
                self._begun = True
                client.start(frame.status, frame.headers, frame.piece)
            case More():
                client.write(frame.piece)
            case Whole():
                self._end()
                client.answer(frame.status, frame.body, frame.headers, frame.content_type)
            case Ended():
                self._end()
                client.finish(frame.piece)
            case Broken():
                self._end()
                client.break_off(frame.piece)
            case Taken():
                pass
        if self._over:
            self.close()  # a client that is slow at the last piece has held us: the owner's end would go unnoticed

    def _lost(self, error: Exception | None) -> None:  # noqa: ARG002 - the owner is gone, whatever the reason
        if self._over:
            return
        self._end()
        if self._begun:
            message = "The worker that was answering has ended. Send the request again."
            self._client.break_off(OPENAI_CHAT.error_event(refusal(502, "worker_lost", message)))
        else:
            self._alone()

    def _end(self) -> None:
        self._over = True
        self._calm()

    def _calm(self) -> None:
        if self._impatient is not None:
            self._impatient.cancel()
            self._impatient = None


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.setblocking(False)
    return made


def _address(meeting: str, worker: int) -> str:
    return f"\0surefoot-{meeting}-{worker}"


def _is_ours(sock: socket.socket) -> bool:
    """Whether the other side runs as the user that we run as."""
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(credentials)
    return bool(user == os.geteuid())
