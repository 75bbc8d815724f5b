"""The wire of the load generator: a keep-alive HTTP/1.1 client, one call per connection at a time.

Knows: pooling, parsing with httptools, and how a connection's death names a call's failure.
Must never: send a call twice, or hold one back while a connection is free.
"""

import asyncio
import functools
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools

from surefoot.load.plan import LoadError, LoadPlan, RequestWriter
from surefoot.load.reader import AnswerReader
from surefoot.load.result import CallResult

_WANTED = {b"surefoot-target": "target", b"surefoot-attempts": "attempts", b"surefoot-call": "call"}

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class Call:
    """A call under way."""

    __slots__ = ("connection", "over", "request", "result")

    def __init__(self, result: CallResult, request: bytes) -> None:
        self.result = result
        self.request = request
        self.connection: ClientConnection | None = None
        self.over = False


class ClientConnection(asyncio.Protocol):
    """One connection of a pool."""

    def __init__(self, pool: "ConnectionPool") -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._call: Call | None = None
        self._reader: AnswerReader | None = None
        self._framed = False
        self._now = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast("asyncio.Transport", transport)  # asyncio's contract; uvloop's do not inherit

    def send(self, call: Call) -> None:
        """Write the call's request."""
        transport = self._transport
        if transport is None or transport.is_closing():
            self._pool.finish(call, "disconnected", time.monotonic())
            return
        self._parser = httptools.HttpResponseParser(self)
        self._call, self._reader, call.connection = call, None, self
        self._framed = False
        transport.write(call.request)
        call.result.sent = time.monotonic()

    def drop(self) -> None:
        """Close at once, whatever is under way."""
        self._call = None
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; bytes nobody asked for end the connection."""
        self._now = time.monotonic()
        if self._parser is None or self._call is None:
            self.drop()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail("protocol")

    def connection_lost(self, exc: Exception | None) -> None:
        """Name the failure of the call under way, if there is one."""
        self._transport = None
        self._pool.gone(self)
        if self._call is not None:
            self._now = time.monotonic()
            if exc is None and self._reader is not None and not self._framed:
                # RFC 9112, 6.3: without a length or chunks, the close is the proper end of the body.
                self.on_message_complete()
                return
            self._fail("reset" if isinstance(exc, ConnectionResetError) else "disconnected")

    # httptools callbacks

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the headers a gateway speaks of itself in, and learn whether a stream follows."""
        if self._call is None:
            return
        name = name.lower()
        wanted = _WANTED.get(name)
        if wanted is not None:
            setattr(self._call.result, wanted, value.decode("latin-1"))
        elif name in _FRAMING:
            self._framed = True
        elif name == b"content-type":
            streaming = value.lower().startswith(b"text/event-stream")
            self._reader = AnswerReader(self._call.result, streaming=streaming)

    def on_headers_complete(self) -> None:
        """Note the status."""
        if self._call is not None and self._parser is not None:
            self._call.result.status = self._parser.get_status_code()
            if self._reader is None:
                self._reader = AnswerReader(self._call.result, streaming=False)

    def on_body(self, data: bytes) -> None:
        """Read on."""
        if self._reader is not None:
            self._reader.feed(data, self._now)

    def on_message_complete(self) -> None:
        """Judge the answer and go back to the pool."""
        call, reader, parser = self._call, self._reader, self._parser
        if call is None or reader is None or parser is None:
            return
        keep = parser.should_keep_alive()  # only true inside this callback
        self._call = self._reader = None
        failure = reader.verdict(call.result.status, self._now)
        if keep and self._transport is not None and not self._transport.is_closing():
            self._pool.free(self)
        elif self._transport is not None:
            self._transport.close()
        self._pool.finish(call, failure, self._now)

    def _fail(self, failure: str) -> None:
        call, reader = self._call, self._reader
        verdict: str | None = failure
        if reader is not None:
            verdict = reader.broken_off(failure)
        self.drop()
        if call is not None:
            self._pool.finish(call, verdict, self._now)


class ConnectionPool:
    """The connections to one address, newest first; and the calls that wait for one."""

    def __init__(self, plan: LoadPlan, on_end: Callable[[Call], None]) -> None:
        self._writer = RequestWriter(plan)
        self._limit = plan.max_connections
        self._on_end = on_end
        self._ssl = _tls(plan) if self._writer.secure else None
        self._idle: list[ClientConnection] = []
        self._all: set[ClientConnection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._waiting: deque[Call] = deque()

    def dispatch(self, result: CallResult) -> Call:
        """Send a call now, on a free connection, a new one, or the next that becomes free."""
        call = Call(result, self._writer.next(result.index))
        if self._idle:
            self._idle.pop().send(call)
        elif len(self._all) + len(self._connecting) < self._limit:
            self._connect(call)
        else:
            self._waiting.append(call)
        return call

    def time_out(self, call: Call, now: float) -> None:
        """End a call that has waited long enough."""
        if not call.over:
            if call.connection is not None:
                call.connection.drop()
            self.finish(call, "timeout", now)

    def finish(self, call: Call, failure: str | None, now: float) -> None:
        """Book the end of a call, once."""
        if not call.over:
            call.over = True
            call.connection = None
            call.result.end, call.result.failure, call.result.ok = now, failure, failure is None
            self._on_end(call)

    def free(self, connection: ClientConnection) -> None:
        """Give a connection its next call, or keep it."""
        while self._waiting:
            call = self._waiting.popleft()
            if not call.over:
                connection.send(call)
                return
        self._idle.append(connection)

    def gone(self, connection: ClientConnection) -> None:
        """Forget a connection; a call that waits gets a new one in its place."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        while self._waiting and len(self._all) + len(self._connecting) < self._limit:
            call = self._waiting.popleft()
            if not call.over:
                self._connect(call)

    async def close(self) -> None:
        """Drop everything."""
        self._waiting.clear()
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for connection in tuple(self._all):
            connection.drop()
        await asyncio.sleep(0)  # let the aborted transports tell their protocols

    def _connect(self, call: Call) -> None:
        task = asyncio.get_running_loop().create_task(self._open_and_send(call))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _open_and_send(self, call: Call) -> None:
        try:
            _transport, connection = await asyncio.get_running_loop().create_connection(
                functools.partial(ClientConnection, self), self._writer.host, self._writer.port, ssl=self._ssl
            )
        except ConnectionRefusedError:
            self.finish(call, "connect_refused", time.monotonic())
        except ssl.SSLError:
            self.finish(call, "tls", time.monotonic())
        except OSError:
            self.finish(call, "connect" if self._ssl is None else "tls", time.monotonic())
        else:
            self._all.add(connection)
            if call.over:
                self.free(connection)
            else:
                connection.send(call)


def _tls(plan: LoadPlan) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=plan.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise LoadError(f"cannot read the certificates in {plan.ca_file}: {error}") from error
