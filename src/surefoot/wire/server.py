"""One connection from a client: HTTP/1.1 in, whole requests out, one at a time.

Requests that a client sends ahead (pipelining) wait until the one before is answered. A client that closes its half
counts as gone: its call is cancelled at once, since nobody can tell a half-closed socket from one that was left.

Knows HTTP, limits and the connection's life. Must never know what a request means.
"""

import asyncio
from collections import deque
from typing import Protocol, cast

import httptools

from surefoot.domain.front import Door
from surefoot.wire.clock import now

ADMITTED_ONLY = 256 * 1024
"""Bytes of a body above which the key is asked for before the body is read."""

MOST_AHEAD = 16
"""Requests that one connection may send ahead before it is no longer read."""

_REASONS = {
    200: b"OK", 400: b"Bad Request", 401: b"Unauthorized", 403: b"Forbidden", 404: b"Not Found",
    405: b"Method Not Allowed", 408: b"Request Timeout", 413: b"Content Too Large", 422: b"Unprocessable Content",
    429: b"Too Many Requests", 431: b"Request Header Fields Too Large", 500: b"Internal Server Error",
    502: b"Bad Gateway", 503: b"Service Unavailable", 504: b"Gateway Timeout",
}  # fmt: skip

ONCE = frozenset({b"content-length", b"transfer-encoding", b"host", b"authorization"})
"""Headers that must not be repeated, since only one of them could be heeded."""

OWN = b"surefoot-"
"""Nor may any whose name begins so: what a client asks of a gateway is not to be lost."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


class Incoming:
    """One request, whole."""

    __slots__ = ("arrived", "body", "headers", "keep_alive", "method", "old", "path", "size")

    def __init__(self) -> None:
        self.arrived = 0.0
        self.method = b""
        self.path = b""
        self.headers: dict[bytes, bytes] = {}
        """Names in lower case; of a repeated header the last value."""
        self.body: bytes = b""
        self.size = 0
        self.keep_alive = True
        self.old = False
        """HTTP/1.0: it knows no chunks."""


_NONE_YET = Incoming()
_NONE_YET.arrived = -1.0  # between requests no head is being read


class Served(Protocol):
    """What a request has become, as far as its connection needs it."""

    def client_gone(self) -> None:
        """The client has closed."""

    def client_slow(self) -> None:
        """The client reads more slowly than the answer comes."""

    def client_ready(self) -> None:
        """It has caught up."""


class Front(Protocol):
    """Whoever answers."""

    def admits(self, incoming: Incoming) -> bool:
        """Whether the head shows a key that is ours: asked before a large body is taken in."""

    door: Door
    draining: bool

    def request(self, connection: "ServerConnection", incoming: Incoming) -> Served | None:
        """A request has arrived. None if it was answered at once."""

    def refuse(self, connection: "ServerConnection", status: int, code: str, message: str) -> None:
        """Answer a request that never became one, then close."""

    def opened(self, connection: "ServerConnection") -> None:
        """A client has connected."""

    def closed(self, connection: "ServerConnection") -> None:
        """It is gone."""


class ServerConnection(asyncio.Protocol):
    """See the module."""

    __slots__ = (
        "_ahead",
        "_body",
        "_crammed",
        "_front",
        "_full",
        "_head_bytes",
        "_incoming",
        "_parser",
        "_refused",
        "_trailers",
        "_unsent",
        "_unsent_since",
        "busy",
        "chunked",
        "incoming",
        "reading_since",
        "served",
        "transport",
    )  # fmt: skip

    def __init__(self, front: Front) -> None:
        self._front = front
        self._parser = httptools.HttpRequestParser(self)
        self._ahead: deque[Incoming] = deque()
        self._body: list[bytes] = []
        self._incoming = Incoming()
        self._head_bytes = 0
        self._refused = False
        self._full = False
        self._crammed = False
        self._trailers = 0
        self._unsent = 0
        self._unsent_since = 0.0
        self.incoming = self._incoming
        self.served: Served | None = None
        self.busy = False
        self.chunked = False
        self.reading_since = now()
        """When the connection began to wait for the request that is not whole yet."""
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)

    @property
    def reading(self) -> bool:
        """Whether part of a request has come."""
        return self._head_bytes > 0

    # ── answering ──────────────────────────────────────────────────────────────────────────────────────────────

    def answer(self, status: int, body: bytes, headers: bytes = b"", content_type: bytes = b"application/json") -> None:
        """A whole answer. `headers` are whole lines."""
        keep = self.incoming.keep_alive and not self._front.draining
        self.transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n%b%b\r\n%b"
            % (
                status,
                _REASONS.get(status, b"Unknown"),
                content_type,
                len(body),
                headers,
                b"" if keep else b"connection: close\r\n",
                body,
            )
        )
        self.done(keep=keep)

    def start(self, status: int, headers: bytes, first: bytes) -> None:
        """The head of a stream and its first piece, in one write."""
        self.chunked = not self.incoming.old
        if self.chunked:
            framing, piece = b"transfer-encoding: chunked\r\n", b"%x\r\n%b\r\n" % (len(first), first)
        else:
            framing, piece = b"connection: close\r\n", first
        self.transport.write(b"HTTP/1.1 %d %b\r\n%b%b\r\n%b" % (status, _REASONS[status], headers, framing, piece))

    def write(self, piece: bytes) -> None:
        """One more piece of a stream."""
        self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece)

    def finish(self, piece: bytes = b"") -> None:
        """The last piece of a stream, and its proper end."""
        if piece:
            self.write(piece)
        if self.chunked:
            self.transport.write(_LAST_CHUNK)
        self.done(keep=self.chunked and self.incoming.keep_alive and not self._front.draining)

    def break_off(self, piece: bytes) -> None:
        """The last piece of a stream that failed: no proper end follows, so that nobody takes it for whole."""
        if piece:  # an empty chunk would be that end
            self.write(piece)
        self.done(keep=False)

    def done(self, *, keep: bool) -> None:
        """The request is answered: go on with the next one, or close once everything is written."""
        self.served = None
        self.busy = False
        self.incoming = _NONE_YET  # its body is not kept until the next one comes
        self.reading_since = now()
        if not keep:
            self._refused = True
            self.transport.close()
        elif self._ahead:  # not from in here: a row of requests that are answered at once would be a deep stack
            asyncio.get_running_loop().call_soon(self._next)

    def abandon(self) -> None:
        """Close at once; whoever served it is not told."""
        self.served = None
        self.transport.abort()

    def stuck(self, at: float, patience: float) -> bool:
        """Whether the client has taken nothing of what waits for it for so many seconds; to be asked repeatedly."""
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._unsent = unsent
            self._unsent_since = at
        return unsent > 0 and at - self._unsent_since > patience

    def time_out(self) -> None:
        """The client did not send its request in time."""
        self._refuse(408, "request_timeout", "The request was not whole in time.")

    # ── what asyncio calls ─────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self.transport = cast("asyncio.Transport", transport)
        self._front.opened(self)

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._refused:
            return
        if not self._head_bytes:
            self.reading_since = now()
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # an upgrade has been refused already
            if not self._refused:
                self._refuse(400, "malformed_http", "The request is not valid HTTP/1.1.")
        else:
            if self._head_bytes > self._front.door.header_limit and not self._incoming.arrived:
                self._refuse(431, "headers_too_large", "The request's head is larger than this gateway accepts.")

    def eof_received(self) -> bool:
        """The client has closed its half, or all: it counts as gone."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The connection is gone; so is whoever waited for an answer on it."""
        served, self.served = self.served, None
        self._ahead.clear()
        self._body = []
        self._refused = True
        del self._parser  # it knows the connection, and is known by it: parted, both are freed now
        self._front.closed(self)
        if served is not None:
            served.client_gone()

    def pause_writing(self) -> None:
        """The client reads slowly: what it sent ahead waits, too."""
        self._full = True
        if self.served is not None:
            self.served.client_slow()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._full = False
        if self.served is not None:
            self.served.client_ready()
        else:
            self._next()

    # ── what httptools calls ───────────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        """A request begins."""
        self._incoming = Incoming()
        self._body = []
        self._trailers = 0

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        self._incoming.path += url
        if len(self._incoming.path) > self._front.door.header_limit:
            self._refuse(431, "headers_too_large", "The request's head is larger than this gateway accepts.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field."""
        if self._incoming.arrived:  # a trailer: nothing here asks for one, and it must not pass for a header
            self._trailers += len(name) + len(value)
            if self._trailers > self._front.door.header_limit:
                self._refuse(431, "headers_too_large", "The request's trailer is larger than this gateway accepts.")
            return
        name = name.lower()
        headers = self._incoming.headers
        if name in headers and (name in ONCE or name.startswith(OWN)):
            self._refuse(400, "repeated_header", f"The header {name.decode('latin-1')} must not be repeated.")
        headers[name] = value

    def on_headers_complete(self) -> None:
        """The head is whole: whatever can be refused is refused before the body is read."""
        incoming = self._incoming
        headers = incoming.headers
        incoming.method = self._parser.get_method()
        incoming.arrived = now()
        announced = self._announced(headers)
        if self._head_bytes > self._front.door.header_limit:  # in one piece with its body, perhaps
            size = len(incoming.path) + sum(len(name) + len(value) + 4 for name, value in headers.items())
            if size > self._front.door.header_limit:
                self._refuse(431, "headers_too_large", "The request's head is larger than this gateway accepts.")
        self._before_the_body(announced)

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        incoming = self._incoming
        incoming.size += len(piece)
        if incoming.size > self._front.door.body_limit:
            limit = self._front.door.body_limit
            self._refuse(413, "body_too_large", f"The body is larger than the {limit} bytes that are accepted.")
        elif not self._refused:
            self._body.append(piece)

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._refused:
            return
        incoming = self._incoming
        body, self._body = self._body, []
        incoming.body = body[0] if len(body) == 1 else b"".join(body)
        incoming.keep_alive = self._parser.should_keep_alive()
        incoming.old = self._parser.get_http_version() == "1.0"
        self._head_bytes = 0
        self._incoming = _NONE_YET
        self._ahead.append(incoming)
        if not self.busy and not self._full:
            self._next()
        elif self._crowded():
            self._crammed = True
            self.transport.pause_reading()

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _announced(self, headers: dict[bytes, bytes]) -> int:
        """Bytes that the body may have, going by its head; refuses a length that is wrong, ambiguous or too large."""
        limit = self._front.door.body_limit
        length = headers.get(b"content-length")
        encoding = headers.get(b"transfer-encoding")
        if length is None:
            if encoding is None:
                return 0
            if encoding.lower() != b"chunked":
                self._refuse(400, "bad_transfer_encoding", "The only Transfer-Encoding accepted is chunked.")
        elif encoding is not None:
            self._refuse(400, "ambiguous_length", "Content-Length and Transfer-Encoding must not come together.")
        elif not length.isdigit():
            self._refuse(400, "bad_length", "Content-Length is not a number.")
        elif int(length) > limit:
            self._refuse(413, "body_too_large", f"The body is larger than the {limit} bytes that are accepted.")
        else:
            return int(length)
        return limit

    def _before_the_body(self, announced: int) -> None:
        """What is asked of a proper head before its body is taken in."""
        incoming = self._incoming
        if self._parser.should_upgrade():  # refused here, or its message would count as a request first
            self._refuse(
                400, "upgrade_not_supported", "This gateway speaks HTTP/1.1 only; leave out the Upgrade header."
            )
        elif announced > ADMITTED_ONLY and not self._front.admits(incoming):
            self._refuse(401, "invalid_api_key", "Send a key of this gateway as 'Authorization: Bearer KEY'.")
        elif incoming.headers.get(b"expect", b"").lower() == b"100-continue" and not self._refused:
            self.transport.write(_CONTINUE)

    def _crowded(self) -> bool:
        """Whether enough was sent ahead, in requests or in bytes."""
        ahead = self._ahead
        return len(ahead) >= MOST_AHEAD or sum(incoming.size for incoming in ahead) >= self._front.door.body_limit

    def _next(self) -> None:
        while self._ahead and not self.busy and not self._full and not self._refused:
            self.incoming = self._ahead.popleft()
            if self._crammed and not self._crowded():
                self._crammed = False
                self.transport.resume_reading()
            self.busy = True
            served = self._front.request(self, self.incoming)
            if self.busy:
                self.served = served

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer what is no request, and close: where the next one would begin cannot be known."""
        if self._refused:
            return
        if self.busy:  # an earlier request is under way; its answer would be mixed up with this one
            self._refused = True
            self.transport.close()
            return
        self.incoming = self._incoming
        self.incoming.keep_alive = False
        self._front.refuse(self, status, code, message)
        self._refused = True
