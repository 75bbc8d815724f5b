"""A leg: one attempt on the wire. It turns what a connection says into what the Call understands.

Knows one connection and one reader of the dialect. Decides nothing: the Call says what follows.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from surefoot.dialects.dialect import LARGEST_ANSWER, NO_HEADERS, NO_USAGE, Ask, Dialect, StreamReader, Usage
from surefoot.domain.events import Connecting, Event, Failed, Heard, Sent
from surefoot.domain.outcome import Kind
from surefoot.domain.target import Target
from surefoot.wire.client import ClientConnection
from surefoot.wire.clock import now, wall
from surefoot.wire.pool import Pool
from surefoot.wire.retry_after import seconds_of, seconds_to_wait

LAST_WORDS = 0.25
"""Seconds that a stream has, once every choice has said why it ended, for its usage and its terminal event."""

_OK = 200
_GOOD = Kind.OK  # looked up through its class, a member costs 40 ns each time
_EVENT_STREAM = b"text/event-stream"


class Listener(Protocol):
    """The exchange, as its legs see it."""

    def handle(self, event: Event, at: float) -> None:
        """Something rare happened."""

    def plain(self, leg: "Leg", at: float) -> None:
        """A whole good answer has come."""

    def content(self, leg: "Leg", piece: bytes, at: float) -> None:
        """A stream has its first content."""

    def piece(self, leg: "Leg", piece: bytes, mark: float | None) -> None:
        """A stream goes on; `mark` is when, None if only comments came."""

    def whole(self, leg: "Leg", piece: bytes, at: float) -> None:
        """A stream is complete; `piece` is the last of it."""

    def grew(self, leg: "Leg", at: float, said: int) -> None:
        """There was content that is held back; `said` counts its events so far."""


class Way(Protocol):
    """How a target is reached."""

    pool: Pool
    dialect: Dialect
    target: Target


class Leg:
    """One attempt's request, under way."""

    __slots__ = (
        "_ask", "_cancel", "_closing", "_dialect", "_listener",
        "_misplaced", "_pieces", "_pool", "_refusal", "_request", "_size", "_stream",
        "answer", "connection", "content_type", "number", "over", "request_id", "status", "usage",
    )  # fmt: skip

    last_words = LAST_WORDS

    def __init__(self, listener: Listener, number: int, way: Way, ask: Ask, stream: StreamReader | None) -> None:
        self._listener = listener
        self._pool = way.pool
        self._dialect = way.dialect
        self._ask = ask
        self._stream = stream
        self._closing: asyncio.TimerHandle | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._misplaced = False
        self._refusal = NO_HEADERS
        """The headers that came with another status than 200."""
        self._cancel: Callable[[], object] | None = None
        self._request = b""
        self.number = number
        self.connection: ClientConnection | None = None
        self.over = False
        self.status = 0
        self.answer = b""
        """The whole body of a plain answer, or of an error."""
        self.content_type = b""
        self.request_id: bytes | None = None
        self.usage: Usage = NO_USAGE

    @property
    def said(self) -> int:
        """Events with content that a stream has brought so far."""
        return 0 if self._stream is None else self._stream.events

    def launch(self, request: bytes, at: float) -> None:
        """Send the request over a warm connection, or open one."""
        connection = self._pool.take()
        if connection is not None:
            self._request = request
            self.connection = connection
            connection.send(self, request)
            return
        self._open(request, at)

    def cancel(self) -> None:
        """End the attempt at once."""
        self.over = True
        self._stop_closing()
        if self._stream is not None:
            self.usage = self._stream.usage
        if self.connection is not None:
            self.connection.cancel()
            self.connection = None
        if self._cancel is not None:
            self._cancel()

    def pause(self) -> None:
        """The client is slow: stop reading, so that the provider is slowed in turn."""
        self._stop_closing()  # the last words may be among what is not read
        if self.connection is not None:
            self.connection.pause()

    def resume(self) -> None:
        """Read again."""
        if self.connection is not None:
            self.connection.resume()
        if self._stream is not None:
            self._expect_the_end(self._stream)

    # ── what the connection says ───────────────────────────────────────────────────────────────────────────────

    def head(self, status: int, headers: dict[bytes, bytes], at: float) -> None:
        """The answer begins."""
        self.status = status
        self.content_type = headers.get(b"content-type", b"application/json")
        self.request_id = headers.get(b"x-request-id")
        if status != _OK:
            self._refusal = headers
        if self._stream is not None and (status != _OK or not self.content_type.startswith(_EVENT_STREAM)):
            self._stream = None
            self._misplaced = True
        self._listener.handle(Heard(self.number), at)

    def piece(self, data: bytes, at: float) -> None:
        """The answer goes on."""
        stream = self._stream
        if stream is None:
            self._pieces.append(data)
            self._size += len(data)
            if self._size > LARGEST_ANSWER:
                self._fail(Kind.MALFORMED, at)
            return
        had_content = stream.content
        relayed = stream.feed(data)
        if stream.whole:
            self._whole(stream, relayed, at)
        elif stream.wrong is not None:
            if relayed:
                self._speak(stream, relayed, at, first=not had_content)
            self._fail(stream.wrong, at)
        elif relayed:
            self._speak(stream, relayed, at, first=not had_content)
        elif stream.progress:
            self._held_back(stream, at, spoken=had_content)
        self._expect_the_end(stream)

    def end(self, at: float) -> None:
        """The answer is complete as HTTP sees it."""
        self.connection = None
        if self.over:
            return
        stream = self._stream
        if stream is not None:
            self._end_of_stream(at)
            return
        answer = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        if self.status != _OK:
            self.answer = answer
            self._fail(self._dialect.classify(self.status, answer, self._refusal), at)
        else:
            self._judge(answer, at)

    def _judge(self, answer: bytes, at: float) -> None:
        """A whole plain body: is it an answer?"""
        self.answer = answer
        reader = self._dialect.plain_reader(self._ask)
        kind = reader.judge(answer)
        if kind is _GOOD and self._misplaced:  # a whole answer where a stream was asked for: the client cannot read it
            kind = Kind.MALFORMED
        if kind is _GOOD:
            self.usage = reader.usage
            self.over = True
            self._listener.plain(self, at)
        else:
            self._fail(kind, at)

    def broken(self, at: float, *, answered: bool, stale: bool) -> None:
        """The connection broke. One that had gone stale while it was idle is replaced, unnoticed."""
        self.connection = None
        if self.over:
            return
        if stale:
            self._open(self._request, at)
        elif not answered:
            self._fail(Kind.RESET, at)
        elif self._stream is not None:
            self._end_of_stream(at)
        else:
            self._fail(Kind.CUT, at)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self, request: bytes, at: float) -> None:
        self._request = request
        self._listener.handle(Connecting(self.number), at)
        if not self.over:
            self._cancel = self._pool.open(self._connected)

    def _connected(self, connection: ClientConnection | None, kind: Kind | None) -> None:
        self._cancel = None
        at = now()
        if connection is None:
            if not self.over:
                self._fail(kind or Kind.CONNECT, at)
            return
        if self.over:
            self._pool.give_back(connection)
            return
        self.connection = connection
        connection.send(self, self._request)
        self._listener.handle(Sent(self.number), at)

    def _speak(self, stream: StreamReader, relayed: bytes, at: float, *, first: bool) -> None:
        if first:
            self._listener.content(self, relayed, at)
        else:
            self._listener.piece(self, relayed, at if stream.progress else None)

    def _held_back(self, stream: StreamReader, at: float, *, spoken: bool) -> None:  # noqa: ARG002 - for those that look
        """Events came, and nothing of them is for the client."""
        if spoken:
            self._listener.piece(self, b"", at)

    def _whole(self, stream: StreamReader, relayed: bytes, at: float) -> None:
        """The terminal event has come: the client is not kept waiting for the end of the connection's own answer."""
        if not stream.content:
            self._fail(Kind.EMPTY, at)
            return
        self.usage = stream.usage
        self.over = True
        self._let_go()
        self._listener.whole(self, relayed, at)

    def _expect_the_end(self, stream: StreamReader) -> None:
        if stream.finished and self._closing is None and not self.over:
            self._closing = asyncio.get_running_loop().call_later(self.last_words, self._close_stream)

    def _close_stream(self) -> None:
        """The answer is there, and its stream does not end: nobody waits for that."""
        if not self.over:
            self._let_go()
            self._end_of_stream(now())

    def _let_go(self) -> None:
        """What else the connection brings is of no interest."""
        self._stop_closing()
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.let_go()

    def _stop_closing(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None

    def _end_of_stream(self, at: float) -> None:
        """The stream ended without its terminal event: complete if it said that it was finished, else cut."""
        stream = self._stream
        if stream is None:
            return
        if stream.content and stream.finished:
            self.usage = stream.usage
            self.over = True
            self._listener.whole(self, stream.close(), at)
        else:
            self._fail(Kind.CUT if stream.seen else Kind.EMPTY, at)

    def _fail(self, kind: Kind, at: float) -> None:
        if self.over:
            return
        self.over = True
        self._stop_closing()
        if self._stream is not None:
            self.usage = self._stream.usage
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.cancel()
        self._listener.handle(Failed(self.number, kind, self._asked_to_wait()), at)

    def _asked_to_wait(self) -> float | None:
        """Seconds that the target asks to be left alone: its refusal's headers tell, or else its body."""
        if self._refusal is NO_HEADERS:
            return None
        there = wall()
        waited = seconds_to_wait(self.status, self._refusal, there)
        told = self._dialect.asks_to_wait(self.answer) if waited is None else None
        return waited if told is None else seconds_of(told, there)
