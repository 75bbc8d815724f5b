"""One connection to a target: a request goes out, its answer comes in piece by piece.

Knows HTTP/1.1 and whether the connection may be used again. Must never know what an answer means, or decide anything:
whoever holds the connection (`Reader`) is told what came, when, and how it ended.
"""

import asyncio
from typing import Protocol, cast

import httptools

from surefoot.wire.clock import now

_USUAL = b"HTTP/1.1 200 OK\r\n"
_INFORMATIONAL = 200
_NEVER = float("inf")

STALE_WITHIN = 1.0
"""Seconds within which a connection that had been idle shows that it was closed at the other end: a few round trips."""


class Reader(Protocol):
    """Whoever reads an answer."""

    def head(self, status: int, headers: dict[bytes, bytes], at: float) -> None:
        """The head of the answer; header names in lower case."""

    def piece(self, data: bytes, at: float) -> None:
        """A piece of its body."""

    def end(self, at: float) -> None:
        """The answer is complete as HTTP sees it; the connection has been given back."""

    def broken(self, at: float, *, answered: bool, stale: bool) -> None:
        """The connection broke.

        `answered`: part of an answer had come; `stale`: it had been idle and never said a word.
        """


class Keeper(Protocol):
    """Whoever keeps connections for the next request."""

    def give_back(self, connection: "ClientConnection") -> None:
        """The connection is free."""

    def forget(self, connection: "ClientConnection") -> None:
        """The connection is gone."""


class ClientConnection(asyncio.Protocol):
    """See the module."""

    __slots__ = (
        "_answered", "_headers", "_keeper", "_parser", "_pieces", "_reader", "_status", "_time", "_until_close",
        "idle_since", "let_go_at", "paused", "sent_at", "transport",
    )  # fmt: skip

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._parser: httptools.HttpResponseParser | None = None
        self._reader: Reader | None = None
        self._headers: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []
        self._status = 0
        self._time = 0.0
        self._answered = False
        self._until_close = False
        self.sent_at = 0.0
        self.let_go_at = _NEVER
        self.paused = False
        self.idle_since = 0.0
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)

    def send(self, reader: Reader, request: bytes) -> None:
        """Send one whole request; its answer goes to the reader."""
        self._reader = reader
        self._answered = False
        self._until_close = False
        self.sent_at = now()
        self.transport.write(request)

    def cancel(self) -> None:
        """Nobody reads the answer: the provider is to notice at once, so the connection is closed."""
        self._reader = None
        self.transport.abort()

    def let_go(self) -> None:
        """The reader has all that it needs; the rest is read and thrown away, then the connection is free."""
        if self._reader is not None:
            self._reader = _NOBODY
            self.let_go_at = now()

    def pause(self) -> None:
        """Read no more, so that the target is slowed."""
        if not self.transport.is_closing():
            self.paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self.paused and not self.transport.is_closing():
            self.transport.resume_reading()
        self.paused = False

    # ── what asyncio calls ─────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected, TLS included."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes from the target."""
        reader = self._reader
        if reader is None:  # an answer that nobody asked for: the connection cannot be trusted
            self.transport.abort()
            return
        self._time = at = now()
        if not self._answered and data.startswith(_USUAL) and self._read_usual(reader, data, at):
            return
        self._answered = True
        parser = self._parser
        if parser is None:
            parser = self._parser = httptools.HttpResponseParser(self)
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._break(at)
        else:
            self._hand_over()

    def eof_received(self) -> bool:
        """The target has closed: an answer without a length ends so."""
        if self._until_close and self._reader is not None:
            reader, self._reader = self._reader, None
            reader.end(now())
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the reader names the kind
        """The connection is gone."""
        self._keeper.forget(self)
        self._parser = None  # it knows the connection, and is known by it: parted, both are freed now
        reader, self._reader = self._reader, None
        if reader is not None:
            at = now()
            reader.broken(at, answered=self._answered, stale=self._stale(at))

    # ── what httptools calls ───────────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        """An answer begins."""
        self._headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._parser is None or self._reader is None:
            return
        self._status = status = self._parser.get_status_code()
        if status >= _INFORMATIONAL:
            headers = self._headers
            self._until_close = b"content-length" not in headers and b"transfer-encoding" not in headers
            self._reader.head(status, headers, self._time)

    def on_body(self, piece: bytes) -> None:
        """A piece of the body, chunk framing removed. Those of one segment are handed over as one."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The answer is complete."""
        if self._status < _INFORMATIONAL or self._parser is None:
            return
        self._hand_over()
        self._complete(keep=self._parser.should_keep_alive())

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_usual(self, reader: Reader, data: bytes, at: float) -> bool:
        """The usual plain answer, whole in one segment with its length given: read without the parser.

        False if it is not that.
        """
        split = data.find(b"\r\n\r\n")
        text = data[17:split]
        lines = text.split(b"\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        length = headers.get(b"content-length", b"")
        if not length.isdigit() or split + 4 + int(length) != len(data) or b"transfer-encoding" in headers:
            return False
        if text.count(b"\n") >= len(lines) or headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
            return False
        if len(headers) != len(lines) and text.lower().count(b"content-length") != 1:
            return False
        self._answered = True
        reader.head(200, headers, at)
        reader.piece(data[split + 4 :], at)
        self._complete(keep=True)
        return True

    def _hand_over(self) -> None:
        pieces = self._pieces
        if not pieces:
            return
        self._pieces = []
        if self._reader is not None:
            self._reader.piece(pieces[0] if len(pieces) == 1 else b"".join(pieces), self._time)

    def _complete(self, *, keep: bool) -> None:
        reader, self._reader = self._reader, None
        if reader is None:
            return
        self.let_go_at = _NEVER
        if self.paused:
            self.resume()
        if keep:
            self._answered = False
            self._keeper.give_back(self)
        else:
            self._parser = None
            self.transport.close()
        reader.end(self._time)

    def _stale(self, at: float) -> bool:
        """It had been idle, and broke before a word and before the target can have done anything with the request."""
        return self.idle_since > 0 and not self._answered and at - self.sent_at < STALE_WITHIN

    def _break(self, at: float) -> None:
        reader, self._reader = self._reader, None
        self.transport.abort()
        if reader is not None:
            reader.broken(at, answered=True, stale=False)


class _Nobody:
    """Reads what is left of an answer that nobody waits for."""

    def head(self, status: int, headers: dict[bytes, bytes], at: float) -> None:
        """Nothing."""

    def piece(self, data: bytes, at: float) -> None:
        """Nothing."""

    def end(self, at: float) -> None:
        """Nothing."""

    def broken(self, at: float, *, answered: bool, stale: bool) -> None:
        """Nothing."""


_NOBODY = _Nobody()
