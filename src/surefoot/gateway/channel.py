"""The channel between the supervisor and one worker: framed msgpack over a Unix socket pair.

    supervisor ── Keys, Configure, Hear, Allow, Drill, Settled, Drain ──▶ worker  (down)
    supervisor ◀── Ready, Records, Tell, Obeyed, Report ── worker      (up)

A frame is four bytes of length, big endian, and as many bytes of msgpack: a tagged struct, written as an array. Both
ends come from one installation and are started together, so the frames carry no version of their own.

Knows: how frames are spelled, cut and put together again.
Must never: wait, decide, or show a credential when a frame is printed.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, Encoder

from surefoot.domain.front import Door, Ring
from surefoot.domain.jurisdiction import Jurisdiction
from surefoot.domain.place import Zone
from surefoot.domain.receipt import ReceiptOptions
from surefoot.domain.record import CallRecord
from surefoot.domain.route import Route
from surefoot.domain.target import Endpoint, Target
from surefoot.errors import ChannelError
from surefoot.policy.allowance import Share
from surefoot.policy.first_token import Delays
from surefoot.policy.options import PolicyOptions
from surefoot.policy.target_state import News

LENGTH = 4
"""Bytes that say how long a frame is."""

LARGEST = 64 * 1024 * 1024
"""Longest frame that is believed, in bytes. A batch of records is some 300 KB; more than this is noise, not a frame."""

HIGH_WATER = 1024 * 1024
"""Bytes waiting to be written, above which a channel is congested; it is free again below a quarter of it."""


class Settings(Struct, frozen=True):
    """All that a worker needs to serve: one version of the configuration and its own place in the gateway."""

    version: str
    """Hash of the configuration."""
    door: Door
    targets: tuple[Target, ...]
    routes: tuple[Route, ...]
    options: PolicyOptions
    credentials: dict[str, str]
    """Secret by target. Never printed."""
    workers: int
    """How many workers there are."""
    worker: int
    """Which of them this is, from 0."""
    seed: int
    trace: str | None
    """File that the policy's inputs are recorded to. Each worker appends its own number."""
    prefix: str
    """Begins every call's identity; unique to each start of each worker."""
    meeting: str = ""
    """Name at which the workers of this gateway find one another; empty if they do not."""
    zones: dict[str, Zone] = {}
    """Every zone by name."""
    jurisdictions: tuple[Jurisdiction, ...] = ()
    again: bool = False
    """Whether another process has filled this worker's place before, and may have let calls in until just now."""
    receipts: ReceiptOptions | None = None
    """None where no receipts are kept."""
    suspended: dict[str, str] = {}
    """Targets that nobody asks, and why: known before any connection is opened."""

    def __repr__(self) -> str:
        return f"<Settings {self.version} of worker {self.worker + 1} of {self.workers}>"


class Configure(Struct, frozen=True, array_like=True, tag="configure"):
    """Serve under these settings from now on; calls in flight go on under their own."""

    settings: Settings


class Keys(Struct, frozen=True, array_like=True, tag="keys"):
    """These are the keys of the key file from now on, and no others; calls under way end as they would have.

    Told before the settings, so that no request comes before its key.
    """

    ring: Ring
    shares: list[Share]
    """Of every limit that is shared out, be its key in the file or in the configuration."""


class Allow(Struct, frozen=True, array_like=True, tag="allow"):
    """Go by these shares of keys' limits from now on."""

    shares: list[Share]


class Hear(Struct, frozen=True, array_like=True, tag="hear"):
    """What other workers, or the supervisor, have found out."""

    news: News


class Drill(Struct, frozen=True, array_like=True, tag="drill"):
    """Calls under a canary key run in these worlds from now on, and in no others; without any the drill is over."""

    serial: int
    """Number of the order, from 1; `Obeyed` repeats it."""
    seconds: float
    """From now; then the drill ends by itself."""
    credentials: bool
    """Whether the endpoints are told the targets' credentials, because they stand in front of the real ones."""
    worlds: dict[int, dict[str, Endpoint]]
    """By number, from 1: where each target is to be reached in that world. One that is there already goes on."""
    like: int | None = None
    """New worlds begin with the first-token times that this one has learned, 0 being production; None with none."""


class Settled(Struct, frozen=True, array_like=True, tag="settled"):
    """So many more calls of this worker's have their receipts on the disk, of those that owed them."""

    calls: int
    writing: bool
    """False while nothing can be written."""


class Drain(Struct, frozen=True, array_like=True, tag="drain"):
    """Accept no more connections, let the calls in flight end within `Door.drain`, then leave."""


Down = Keys | Configure | Hear | Allow | Drill | Settled | Drain


class Ready(Struct, frozen=True, array_like=True, tag="ready"):
    """The worker accepts connections under this version of the configuration."""

    version: str


class Records(Struct, frozen=True, array_like=True, tag="records"):
    """A batch of calls that have ended."""

    calls: list[CallRecord]
    """Each as `domain.record.CALL_FIELDS` lists it; what was a tuple inside of it arrives as a list."""
    dropped: int
    """Records that were dropped since the last batch, because the channel was congested."""
    owed: list[CallRecord] = []
    """Calls that owe their receipts; never dropped."""
    forgotten: int = 0
    """Calls that owed them and left no record, by a fault of ours."""


class Tell(Struct, frozen=True, array_like=True, tag="tell"):
    """What the other workers, or the supervisor, should hear."""

    news: list[News]
    version: str
    """Of the configuration whose targets it is about."""


class Obeyed(Struct, frozen=True, array_like=True, tag="obeyed"):
    """The worker drills as it was last told."""

    serial: int


class TargetReport(Struct, frozen=True, array_like=True):
    """One target as one worker sees it."""

    target: str
    in_flight: int
    breaker: str
    """A `policy.breaker.State`."""
    until: float
    """Seconds, from now, until the breaker lets a probe through; 0 when it is closed."""
    delays: list[Delays]
    """What is learned, one entry per series: `FirstToken.table`."""
    samples: int
    slots: int
    """The share of the target's slots that this worker goes by; counts as confirmed by this report."""
    suspicion: int = 0
    """A `policy.suspicion.Grade`."""


class RouteReport(Struct, frozen=True, array_like=True):
    """One route as one worker sees it. Counts are since the worker's start, or since the route came to be."""

    route: str
    calls: int
    spent: int
    """Second attempts (hedges and repeats) that the route's budget has paid for."""
    refused: int
    """Second attempts that it could not pay for."""
    saved: float
    """Second attempts that it could pay for now."""


class KeyReport(Struct, frozen=True, array_like=True):
    """One key whose limits are shared out, as one worker sees it."""

    key: str
    in_flight: int
    per_minute: int
    """Calls a minute that its clients ask for, as far as its share lets them."""
    share: Share
    """What this worker goes by; counts as confirmed by this report."""


class Report(Struct, frozen=True, array_like=True, tag="report"):
    """How a worker is, once a second."""

    in_flight: int
    """Calls under way."""
    connections: int
    """Client connections that are open."""
    targets: list[TargetReport]
    routes: list[RouteReport]
    counters: dict[str, int]
    """Anything else that is counted, since the worker's start, by names that the worker chooses."""
    dropped: int
    """Records dropped since the worker's start."""
    kept_answers: int = 0
    """Answers that are held for retries, under way or ended."""
    kept_memory: int = 0
    """Bytes that they take."""
    owed: int = 0
    """Calls that owe their receipts, and whose records were not sent yet: those under way, and a few that ended."""
    ours: bool = False
    """Whether every target fails at once, so that breakers stay closed: `policy.them_or_us`."""
    keys: list[KeyReport] = []


Up = Ready | Records | Tell | Obeyed | Report
Frame = Down | Up
Heard = TypeVar("Heard")


class Channel(asyncio.Protocol, Generic[Heard]):
    """One end of the channel. `on_frame` gets every frame in order; `on_lost` is called once, when no more will come.

    `on_lost` is given a `ChannelError` if a frame could not be read, an `OSError` if the socket broke, None if the
    other end closed.
    """

    def __init__(
        self,
        on_frame: Callable[[Heard], None],
        on_lost: Callable[[Exception | None], None],
        kind: "Decoder[Heard]",
        largest: int = LARGEST,
    ) -> None:
        self.congested = False
        """More waits to be written than should: hold back, or drop and count."""
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._decode = kind.decode
        self._largest = largest
        self._encode = Encoder().encode
        self._transport: asyncio.Transport | None = None
        self._pending = bytearray()
        self._fault: ChannelError | None = None

    def send(self, *frames: Struct) -> bool:
        """Send frames in one write, congested or not. False if the channel is lost and they went nowhere."""
        if self._transport is None or self._transport.is_closing():
            return False
        payloads = [self._encode(frame) for frame in frames]
        self._transport.write(b"".join([part for p in payloads for part in (len(p).to_bytes(LENGTH, "big"), p)]))
        return True

    def close(self) -> None:
        """Write what waits, then close; `on_lost` follows."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, whatever waits; `on_lost` follows."""
        if self._transport is not None:
            self._transport.abort()

    def hold(self) -> None:
        """Read no more, so that the other end cannot write any more either."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # ── what asyncio calls ─────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ours."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)

    def pause_writing(self) -> None:
        """The other end reads more slowly than we write."""
        self.congested = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self.congested = False

    def data_received(self, data: bytes) -> None:
        """Cut what came into frames; the rest waits for more."""
        self._pending += data
        try:
            self._cut()
        except (DecodeError, ChannelError) as error:  # DecodeError includes a frame of the wrong shape
            self._fault = ChannelError(f"a frame between supervisor and worker cannot be read: {error}")
            self._pending.clear()
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """No more frames will come."""
        self._transport = None
        on_lost, self._on_lost, self._on_frame = self._on_lost, _nobody, _nobody
        on_lost(self._fault or exc)  # an end that hears by itself is freed now, and not by the next collection

    def _cut(self) -> None:
        pending = self._pending
        at = 0
        while self._fault is None and len(pending) - at >= LENGTH:
            length = int.from_bytes(pending[at : at + LENGTH], "big")
            if length > self._largest:
                raise ChannelError(f"it claims to be {length} bytes long")
            end = at + LENGTH + length
            if end > len(pending):
                break
            frame = self._decode(bytes(pending[at + LENGTH : end]))
            at = end
            self._on_frame(frame)
        del pending[:at]


def _nobody(_: object) -> None:
    """Who listens to a channel that is lost."""


def worker_end(on_frame: Callable[[Down], None], on_lost: Callable[[Exception | None], None]) -> Channel[Down]:
    """The end that hears what the supervisor says."""
    return Channel[Down](on_frame, on_lost, cast("Decoder[Down]", Decoder[Any](Down)))


def supervisor_end(on_frame: Callable[[Up], None], on_lost: Callable[[Exception | None], None]) -> Channel[Up]:
    """The end that hears what a worker says."""
    return Channel[Up](on_frame, on_lost, cast("Decoder[Up]", Decoder[Any](Up)))


async def attach(channel: Channel[Heard], end: socket.socket) -> None:
    """Put one end on its socket of the pair, which the running loop owns from now on."""
    end.setblocking(False)
    await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=end)
