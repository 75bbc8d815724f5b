"""One client connection to the twin: requests become attempts, attempts act out their scripts.

Knows: the paths a provider serves, and how to play timed steps on a transport.
Must never: choose a fault or compose an answer; it asks its `Provider`.
"""

import asyncio
import time
from typing import Protocol

import msgspec

from surefoot.twin import bodies, refusals
from surefoot.twin.faults import Fault
from surefoot.twin.forward import Forward, Real
from surefoot.twin.http import HttpConnection, Request
from surefoot.twin.log import AttemptRecord, fingerprint
from surefoot.twin.script import Ask, Ending, Script

# Timers of the loop count in milliseconds; a step due within half of one is due now.
_SLACK = 0.0005


class StreamOptions(msgspec.Struct):
    """The part of `stream_options` a provider heeds."""

    include_usage: bool = False


class ChatRequest(msgspec.Struct):
    """What of a chat completions request shapes the twin's answer."""

    model: str
    messages: msgspec.Raw
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    response_format: msgspec.Raw = msgspec.Raw()
    user: str | None = None


_decode = msgspec.json.Decoder(ChatRequest).decode


class Provider(Protocol):
    """What a connection needs of the twin it belongs to."""

    models_answer: bytes
    real: Real | None

    def opened(self, connection: "ProviderConnection") -> int:
        """Count the connection in; its number."""

    def closed(self, connection: "ProviderConnection") -> None:
        """Count the connection out."""

    def arrived(self, connection: int, chat: ChatRequest, request: Request, nth: int) -> "Attempt":
        """Log the attempt and decide what it will see."""


class Attempt:
    """A script being acted out; or a request handed on to a real provider, under a fault that may break its answer."""

    __slots__ = ("fault", "forward", "index", "record", "script", "timer")

    def __init__(self, record: AttemptRecord, script: Script) -> None:
        self.record = record
        self.script = script
        self.index = 0
        self.timer: asyncio.TimerHandle | None = None
        self.fault: Fault | None = None
        self.forward: Forward | None = None


class ProviderConnection(HttpConnection):
    """The protocol of one accepted connection."""

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self._provider = provider
        self._loop = asyncio.get_running_loop()
        self._number = 0
        self._requests = 0
        self._attempt: Attempt | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count in."""
        super().connection_made(transport)
        if not self._number:
            self._number = self._provider.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count out; an attempt still under way has lost its client."""
        attempt = self._attempt
        if attempt is not None:
            now = time.monotonic()
            attempt.record.gone_at = now
            self._end(attempt, now)
        self._provider.closed(self)
        super().connection_lost(exc)

    def on_request(self, request: Request) -> None:
        """Answer by path."""
        path = request.target.partition(b"?")[0]
        in_front = self._provider.real is not None and path.endswith(b"/chat/completions")
        if (in_front or path == b"/v1/chat/completions") and request.method == b"POST":
            self._chat(request)
        elif path == b"/v1/models" and request.method == b"GET":
            self._plain(self._provider.models_answer)
        else:
            self._plain(bodies.response(404, refusals.nothing_there(request.method, path)))

    def hang_up(self, *, reset: bool) -> None:
        """End the connection from the twin's side; an attempt under way ends with it."""
        if self._attempt is not None:
            self._end(self._attempt, time.monotonic())
        if reset:
            self.reset()
        elif self.transport is not None:
            self.transport.abort()

    def mark(self, fault: str) -> None:
        """Write a fault that struck the whole connection into the attempt under way, if any."""
        if self._attempt is not None:
            self._attempt.record.fault = fault

    def _plain(self, response: bytes) -> None:
        if self.transport is not None:
            self.transport.write(response)
        self.answered()

    def _chat(self, request: Request) -> None:
        try:
            chat = _decode(request.body)
        except msgspec.DecodeError:
            self._plain(bodies.response(400, refusals.error_body(400)))
            return
        self._requests += 1
        self._attempt = attempt = self._provider.arrived(self._number, chat, request, self._requests)
        real = self._provider.real
        if real is None or attempt.script.ending is not Ending.FORWARD:
            self._play(attempt)
            return
        attempt.forward = Forward(request, attempt.fault, self)
        attempt.forward.start(real)

    def relay(self, data: bytes, tokens: int) -> None:
        """Write what the real provider says."""
        if self.transport is not None and self._attempt is not None:
            self.transport.write(data)
            self._note(self._attempt.record, time.monotonic(), tokens)

    def over(self, ending: Ending, struck: str | None) -> None:
        """The real provider has said all that may be handed on."""
        if self._attempt is not None:
            self._attempt.record.fault = struck or self._attempt.record.fault
            self._attempt.script = self._attempt.script._replace(ending=ending)
            self._finish(self._attempt, time.monotonic())

    def _play(self, attempt: Attempt) -> None:
        """Write all steps that are due, then wait for the next one or end."""
        transport, record, steps = self.transport, attempt.record, attempt.script.steps
        if transport is None:
            return
        now = time.monotonic()
        due = now - record.arrival + _SLACK
        index, tokens = attempt.index, 0
        begin = index
        while index < len(steps) and steps[index].at <= due:
            tokens += steps[index].tokens
            index += 1
        data = steps[begin].data if index == begin + 1 else b"".join(step.data for step in steps[begin:index])
        if data:
            transport.write(data)
            self._note(record, now, tokens)
        attempt.index = index
        if index < len(steps):
            attempt.timer = self._loop.call_later(max(0.0, steps[index].at + _SLACK - due), self._play, attempt)
        else:
            self._finish(attempt, now)

    @staticmethod
    def _note(record: AttemptRecord, now: float, tokens: int) -> None:
        if record.first_byte is None:
            record.first_byte = now
        if tokens:
            record.content_tokens += tokens
            record.last_content = now
            if record.first_content is None:
                record.first_content = now

    def _finish(self, attempt: Attempt, now: float) -> None:
        ending = attempt.script.ending
        if ending is Ending.HANG:
            return
        self._end(attempt, now)
        if ending is Ending.RESET:
            self.reset()
        elif ending is Ending.CLOSE and self.transport is not None:
            self.transport.close()
        else:
            self.answered()

    def _end(self, attempt: Attempt, now: float) -> None:
        if attempt.timer is not None:
            attempt.timer.cancel()
        if attempt.forward is not None:
            attempt.forward.cancel()
        attempt.record.end = now
        self._attempt = None


def ask_of(chat: ChatRequest, request: Request, record: AttemptRecord, nth: int) -> Ask:
    """What the composer needs to know of a request."""
    limit = chat.max_completion_tokens if chat.max_completion_tokens is not None else chat.max_tokens
    return Ask(
        model=chat.model,
        stream=bool(chat.stream),
        include_usage=chat.stream_options is not None and chat.stream_options.include_usage,
        limit=None if limit is None else max(limit, 0),
        body_bytes=len(request.body),
        answer_id=b"%024x" % record.sequence,
        wall=record.wall,
        nth_on_connection=nth,
        structured=b'"json_' in bytes(chat.response_format),
    )


def record_of(sequence: int, connection: int, chat: ChatRequest, request: Request) -> AttemptRecord:
    """A fresh record, stamped with the time of arrival."""
    credential = request.headers.get(b"authorization")
    drill = request.headers.get(b"x-drill")
    return AttemptRecord(
        sequence=sequence,
        connection=connection,
        arrival=time.monotonic(),
        wall=time.time(),
        model=chat.model,
        stream=bool(chat.stream),
        authorization_sha256=None if credential is None else fingerprint(credential),
        drill=None if drill is None else drill.decode("latin-1"),
        user=chat.user,
    )
