"""The server side of HTTP/1.1 for the twin: bytes in, whole requests out, one at a time.

Knows: parsing with httptools, keep-alive, pipelining (later requests wait their turn).
Must never: know what is asked or answered; `ProviderConnection` and `ControlConnection` do.
"""

import asyncio
import contextlib
import socket
import struct
from abc import ABC, abstractmethod
from collections import deque
from typing import NamedTuple, cast

import httptools

_MAX_BODY = 16 * 1024 * 1024
_BAD = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Request(NamedTuple):
    """One whole request; header names are lower case."""

    method: bytes
    target: bytes
    headers: dict[bytes, bytes]
    body: bytes
    keep_alive: bool


class HttpConnection(asyncio.Protocol, ABC):
    """One connection. Subclasses answer in `on_request` and call `answered` when they have."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._busy: Request | None = None
        self._waiting: deque[Request] = deque()

    @abstractmethod
    def on_request(self, request: Request) -> None:
        """Answer the request."""

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self.transport = cast("asyncio.Transport", transport)  # asyncio's contract; uvloop's do not inherit

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the transport and what was waiting."""
        self.transport = None
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; what is not HTTP is told so and closed."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(_BAD)

    # httptools callbacks

    def on_message_begin(self) -> None:
        """Start a request."""
        self._target, self._headers, self._body, self._size = b"", {}, [], 0

    def on_url(self, url: bytes) -> None:
        """Collect the request target, which may come in pieces."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; the last of a name wins."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Grant `Expect: 100-continue`, which some clients send before a body."""
        if self._headers.get(b"expect") == b"100-continue" and self.transport is not None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body, up to 16 MiB."""
        self._size += len(body)
        if self._size > _MAX_BODY:
            self._refuse(_TOO_LARGE)
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand the request over, or let it wait for the one before."""
        if self._size > _MAX_BODY:
            return
        keep = self._parser.should_keep_alive()  # only true inside this callback
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request = Request(self._parser.get_method(), self._target, self._headers, body, keep)
        if self._busy is not None:
            self._waiting.append(request)
        else:
            self._busy = request
            self.on_request(request)

    # for subclasses

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return self._busy is not None

    def answered(self) -> None:
        """The current request is over: take the next one, or close if the client asked for that."""
        keep = self._busy is None or self._busy.keep_alive
        self._busy = None
        if self.transport is None:
            return
        if not keep:
            self.transport.close()
        elif self._waiting:
            # Not from within: a thousand pipelined requests must not be a thousand stack frames.
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        if self._waiting and self._busy is None and self.transport is not None:
            self._busy = self._waiting.popleft()
            self.on_request(self._busy)

    def reset(self) -> None:
        """End the connection with RST: lingering for zero seconds drops what is unsent."""
        transport = self.transport
        if transport is None:
            return
        linger(transport)
        transport.abort()

    def _refuse(self, response: bytes) -> None:
        if self.transport is not None:
            self.transport.write(response)
            self.transport.close()


def linger(transport: asyncio.BaseTransport) -> None:
    """Make the coming close a reset (SO_LINGER 0)."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):  # the peer was faster: there is nothing left to reset
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
