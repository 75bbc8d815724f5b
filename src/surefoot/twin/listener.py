"""The provider's port: open, refusing, or spoiling TLS handshakes.

Knows: how to hold a port while nothing listens on it, and how to accept connections.
Must never: see a request, or choose a fault; it asks `spoil` for each new TLS connection.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import cast

_BACKLOG = 4096
_ACCEPTS_PER_WAKE = 64
_BREATH = 0.05  # seconds to wait when the process is out of file descriptors
_GARBAGE = b"\x00This is not the handshake you are looking for.\r\n"


class Listener:
    """A port that stays ours whether it listens or not. Raises OSError when it cannot be bound."""

    def __init__(self, host: str, port: int, factory: Callable[[], asyncio.Protocol]) -> None:
        self._factory = factory
        self._tls: ssl.SSLContext | None = None
        self._spoil: Callable[[], bool] = bool
        self._host = host
        # A socket that is bound but never listens: connecting is refused, and nobody else gets the port.
        self._held = _bound(host, port)
        self.port: int = self._held.getsockname()[1]
        self._listening: socket.socket | None = None
        self.accepted = 0
        """TCP connections that were ever accepted, whether anything was said on them or not."""
        self._admissions: set[asyncio.Task[None]] = set()

    def secure(self, tls: ssl.SSLContext, spoil: Callable[[], bool]) -> None:
        """Speak TLS; `spoil()` is asked for each new connection whether its handshake fails."""
        self._tls, self._spoil = tls, spoil

    def open(self) -> None:
        """Listen, if not listening already."""
        if self._listening is None:
            self._listening = _bound(self._host, self.port)
            self._listening.listen(_BACKLOG)
            asyncio.get_running_loop().add_reader(self._listening, self._accept)

    def shut(self) -> None:
        """Stop listening at once: from now on connecting is refused."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None

    def break_off(self) -> None:
        """End the handshakes that are under way."""
        for task in self._admissions:
            task.cancel()

    async def release(self) -> None:
        """Stop listening, break off handshakes under way, give up the port."""
        self.shut()
        self.break_off()
        await asyncio.gather(*self._admissions, return_exceptions=True)
        self._held.close()

    def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(_ACCEPTS_PER_WAKE):
            if self._listening is None:
                return
            try:
                sock, _address = self._listening.accept()
            except BlockingIOError:
                return
            except OSError:
                # Out of descriptors: the loop would otherwise wake for the same connection for ever.
                loop.remove_reader(self._listening)
                loop.call_later(_BREATH, self._resume)
                return
            self.accepted += 1
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(self._admit(sock))
            self._admissions.add(task)
            task.add_done_callback(self._admissions.discard)

    def _resume(self) -> None:
        if self._listening is not None:
            asyncio.get_running_loop().add_reader(self._listening, self._accept)

    async def _admit(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        # A client that does not trust us, or leaves, is its own affair: nothing was asked yet.
        with contextlib.suppress(OSError):  # ssl.SSLError is one
            if self._tls is not None and self._spoil():
                await loop.connect_accepted_socket(_Spoiler, sock)
            else:
                await loop.connect_accepted_socket(self._factory, sock, ssl=self._tls)


class _Spoiler(asyncio.Protocol):
    """Answers the client's hello with garbage."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # asyncio's contract; uvloop's do not inherit

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - whatever was said, it is not understood
        if self._transport is not None:
            self._transport.write(_GARBAGE)
            self._transport.close()


def _bound(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
