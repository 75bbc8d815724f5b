"""In front of a real provider: the request goes on to it, and its answer streams back, as far as a fault lets it.

Each request gets a connection of its own to the provider, so that what the twin does to one touches no other; it costs
a handshake.

Knows: how to hand HTTP on, and how a fault after some content breaks an answer that is not ours.
Must never: keep or log a credential that passes through, or ask the provider again.
"""

import asyncio
import re
import ssl
from typing import Protocol, cast

import httptools
import msgspec

from surefoot.twin import bodies, refusals
from surefoot.twin.faults import Fault
from surefoot.twin.http import Request
from surefoot.twin.script import Ending

AFTER_CONTENT = frozenset({"stall", "cut", "truncate", "done_unfinished", "error_later"})
"""Kinds that strike an answer of the provider's; all others but a slow start strike before it is asked."""

_CONTENT = re.compile(rb'"(?:content|reasoning|reasoning_content|arguments)": ?"[^"]')
_OF_THE_HOP = frozenset(
    {b"connection", b"content-length", b"host", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
_REASON = b"From Upstream"


class Real(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the real provider listens."""

    host: str
    port: int
    tls: bool
    ca_file: str | None = None


class Back(Protocol):
    """The way back to whoever asked."""

    def relay(self, data: bytes, tokens: int) -> None:
        """Write bytes, and count the events with content in them."""

    def over(self, ending: Ending, struck: str | None) -> None:
        """Nothing more will come; `struck` is the kind of fault that ended it."""


class Forward(asyncio.Protocol):
    """One request on its way, and its answer on the way back."""

    def __init__(self, request: Request, fault: Fault | None, back: Back) -> None:
        self._request = request
        self._fault = fault
        self._back: Back | None = back
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._stream = False
        self._held = b""
        self._tokens = 0

    def start(self, real: Real) -> None:
        """Connect and ask, after the fault's delay if it is a slow start."""
        self._task = asyncio.get_running_loop().create_task(self._ask(real))

    def cancel(self) -> None:
        """Whoever asked is gone, or has been told enough: the provider is let go."""
        self._back = None
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def _ask(self, real: Real) -> None:
        fault = self._fault
        if fault is not None and fault.kind == "slow_first_token":
            await asyncio.sleep(fault.delay)
        tls = ssl.create_default_context(cafile=real.ca_file) if real.tls else None
        try:
            await asyncio.get_running_loop().create_connection(lambda: self, real.host, real.port, ssl=tls)
        except OSError:  # the provider is not there: whoever asked sees what it would have seen
            self._end(Ending.RESET)
            return
        request = self._request
        kept = [(name, value) for name, value in request.headers.items() if name not in _OF_THE_HOP]
        host = f"[{real.host}]" if ":" in real.host else real.host
        own = [(b"host", f"{host}:{real.port}".encode()), (b"connection", b"close")]
        lines = [b"%b: %b\r\n" % pair for pair in [*own, *kept]]
        head = b"%b %b HTTP/1.1\r\n%bcontent-length: %d\r\n\r\n"
        if self._transport is not None:
            self._transport.write(head % (request.method, request.target, b"".join(lines), len(request.body)))
            self._transport.write(request.body)

    # ── what the provider says ─────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._end(Ending.RESET)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Ended before its time: so does what we hand on."""
        self._end(Ending.CLOSE)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect what is not of this hop alone."""
        if name.lower() not in _OF_THE_HOP:
            self._headers.append((name, value))
        if name.lower() == b"content-type":
            self._stream = value.lower().startswith(b"text/event-stream")

    def on_headers_complete(self) -> None:
        """Hand the head on; the body goes in chunks of our own."""
        lines = b"".join(b"%b: %b\r\n" % pair for pair in self._headers)
        status = self._parser.get_status_code()
        self._relay(b"HTTP/1.1 %d %b\r\n%btransfer-encoding: chunked\r\n\r\n" % (status, _REASON, lines), 0)

    def on_body(self, data: bytes) -> None:
        """Hand whole events on as they come; a plain answer once it is whole."""
        self._held += data
        while self._stream and self._back is not None:
            event, gap, rest = self._held.partition(b"\n\n")
            if not gap:
                return
            self._held = rest
            tokens = 1 if _CONTENT.search(event) else 0
            self._tokens += tokens
            self._relay(bodies.chunk(event + gap), tokens)
            if self._struck() and self._tokens >= cast("Fault", self._fault).after_tokens:
                self._break_off()

    def on_message_complete(self) -> None:
        """The answer is whole."""
        struck = self._struck() and not self._stream  # a stream that is whole by now was too short to be struck
        if struck:
            self._held = self._held[: len(self._held) // 2]
        if self._held:
            self._relay(bodies.chunk(self._held), 0 if struck else 1)
        if struck:
            self._break_off()
            return
        self._relay(bodies.LAST_CHUNK, 0)
        self._end(Ending.KEEP)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _struck(self) -> bool:
        return self._fault is not None and self._fault.kind in AFTER_CONTENT

    def _break_off(self) -> None:
        fault = cast("Fault", self._fault)
        if fault.kind == "error_later":
            self._relay(bodies.chunk(refusals.error_event(fault, fault.code)) + bodies.LAST_CHUNK, 0)
        elif fault.kind in bodies.EARLY_ENDS:
            self._relay(bodies.EARLY_ENDS[fault.kind], 0)
        endings = {"stall": Ending.HANG, "cut": Ending.RESET if fault.cut_by == "reset" else Ending.CLOSE}
        self._end(endings.get(fault.kind, Ending.KEEP), fault.kind)

    def _relay(self, data: bytes, tokens: int) -> None:
        if self._back is not None:
            self._back.relay(data, tokens)

    def _end(self, ending: Ending, struck: str | None = None) -> None:
        back, self._back = self._back, None
        if self._transport is not None:
            self._transport.abort()
        if back is not None:
            back.over(ending, struck)
