"""The twin: a provider on a real socket that misbehaves on order.

Knows: its listeners, its connections, the plan in force, the log.
Must never: import the gateway, its wire or its policy; it is the other side of the wire.
"""

import asyncio
import functools
import random
import ssl
import time
from types import TracebackType
from typing import Self

import msgspec

from surefoot.twin import bodies
from surefoot.twin.behaviour import Behaviour, Dice, TwinError
from surefoot.twin.connection import Attempt, ChatRequest, ProviderConnection, ask_of, record_of
from surefoot.twin.control import ControlConnection
from surefoot.twin.faults import CONNECTION_KINDS, HEALTHY, Chooser, Fault, FaultPlan, always
from surefoot.twin.forward import AFTER_CONTENT, Real
from surefoot.twin.http import Request
from surefoot.twin.listener import Listener
from surefoot.twin.log import AttemptLog, AttemptRecord
from surefoot.twin.script import Composer, Ending, Script

# Timers of the loop count in milliseconds and may ring half of one early.
_TIMER_ROUNDING = 0.001


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Paths of a certificate chain and its key, in PEM."""

    cert: str
    key: str


class TwinOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a twin is started with. Port 0 lets the system choose; `log_size` is in records.

    Without a control port there is no control door: whoever holds the twin in its own process needs none. With a `real`
    provider the twin stands in front of it: what no fault strikes is handed on.
    """

    behaviour: Behaviour = Behaviour()
    faults: FaultPlan = HEALTHY
    tls: Tls | None = None
    host: str = "127.0.0.1"
    port: int = 0
    control_port: int | None = 0
    log_size: int = 100_000
    real: Real | None = None


class Twin:
    """One provider. Use it as an asynchronous context manager.

    Raises TwinError on entering when a file cannot be read or a port cannot be bound.
    """

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        faults: FaultPlan | Fault | str = HEALTHY,
        tls: Tls | None = None,
        options: TwinOptions | None = None,
    ) -> None:
        if options is None:
            plan = faults if isinstance(faults, FaultPlan) else always(faults)
            options = TwinOptions(behaviour=behaviour or Behaviour(), faults=plan, tls=tls)
        self._options = options
        self.behaviour = options.behaviour
        self.log = AttemptLog(options.log_size)
        self.real = options.real
        self.models_answer = bodies.models(self.behaviour.models)
        self._dice = Dice(self.behaviour)
        self._composer = Composer(self.behaviour)
        self._rng = random.Random((self.behaviour.seed << 40) ^ 0xFA017)  # noqa: S311 - a simulation
        self._chooser = Chooser(HEALTHY, self._rng)
        self._sequence = 0
        self._connection_count = 0
        self._connections: set[ProviderConnection] = set()
        self._started = 0.0
        self._tls: ssl.SSLContext | None = None
        self._listener: Listener | None = None
        self._control: asyncio.Server | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self.port = 0
        self.control_port = 0

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except (OSError, ssl.SSLError) as error:
            await self.__aexit__(None, None, None)
            raise TwinError(f"the twin cannot start: {error}") from error
        return self

    async def _start(self) -> None:
        options = self._options
        self._started = time.monotonic()
        self._listener = Listener(options.host, options.port, functools.partial(ProviderConnection, self))
        self.port = self._listener.port
        if options.tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(options.tls.cert, options.tls.key)
            self._listener.secure(context, self._handshake_struck)
        if options.control_port is not None:
            self._control = await asyncio.get_running_loop().create_server(
                functools.partial(ControlConnection, self), options.host, options.control_port
            )
            self.control_port = self._control.sockets[0].getsockname()[1]
        self.set_faults(options.faults)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._control is not None:
            self._control.close()
        if self._listener is not None:
            await self._listener.release()
        for connection in tuple(self._connections):
            connection.hang_up(reset=False)
        await asyncio.sleep(0)  # let the aborted transports tell their protocols

    @property
    def url(self) -> str:
        """Where the provider answers, without a path."""
        return f"{'http' if self._options.tls is None else 'https'}://{self._options.host}:{self.port}"

    @property
    def control_url(self) -> str:
        """Where the control door is."""
        return f"http://{self._options.host}:{self.control_port}"

    @property
    def accepted(self) -> int:
        """TCP connections that the provider's port has ever accepted, handshakes that failed included."""
        return 0 if self._listener is None else self._listener.accepted

    @property
    def plan(self) -> FaultPlan:
        """The fault plan in force."""
        return self._chooser.plan

    def set_faults(self, plan: FaultPlan | Fault | str) -> None:
        """Replace the fault plan, at once; counts begin anew. Attempts under way keep their fate.

        Raises TwinError for a `tls` fault on a twin without TLS.
        """
        if not isinstance(plan, FaultPlan):
            plan = always(plan)
        if self._options.tls is None and any(rule.fault.kind == "tls" for rule in plan.rules):
            raise TwinError("a tls fault needs a twin with TLS")
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._chooser = Chooser(plan, self._rng)
        loop, elapsed = asyncio.get_running_loop(), self._elapsed()
        for rule in plan.rules:
            if rule.fault.kind in CONNECTION_KINDS:
                for moment in (rule.start, rule.stop):
                    if moment is not None and moment > elapsed:
                        self._timers.append(loop.call_later(moment - elapsed, self._turn))
        self._turn()

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _turn(self) -> None:
        """Bring the port and the open connections in line with the plan."""
        if self._listener is None:
            return
        elapsed = self._elapsed() + _TIMER_ROUNDING
        if self.plan.active("refuse", elapsed):
            self._listener.shut()
            for connection in tuple(self._connections):
                connection.mark("refuse")
                connection.hang_up(reset=True)
            return
        self._listener.open()
        if self.plan.active("tls", elapsed):
            # A pooled connection would never see a handshake again, nor would one that is just being opened.
            self._listener.break_off()
            for connection in tuple(self._connections):
                if not connection.busy:
                    connection.hang_up(reset=False)

    # what connections ask of their provider

    def opened(self, connection: ProviderConnection) -> int:
        """Count a connection in; its number, from 1."""
        self._connections.add(connection)
        self._connection_count += 1
        return self._connection_count

    def closed(self, connection: ProviderConnection) -> None:
        """Count a connection out."""
        self._connections.discard(connection)

    def _handshake_struck(self) -> bool:
        """Whether a fault strikes a new TLS connection; it is then logged as an attempt."""
        fault = self._chooser.for_connection(self._elapsed())
        if fault is None or fault.kind != "tls":
            return False
        self._sequence += 1
        self._connection_count += 1
        now = time.monotonic()
        self.log.add(AttemptRecord(self._sequence, self._connection_count, now, time.time(), fault=fault.kind, end=now))
        return True

    def arrived(self, connection: int, chat: ChatRequest, request: Request, nth: int) -> Attempt:
        """Log the attempt, draw its numbers and its fault, and compose what it will see."""
        self._sequence += 1
        record = record_of(self._sequence, connection, chat, request)
        fault = self._chooser.for_request(record.arrival - self._started)
        ask = ask_of(chat, request, record, nth)
        if self.real is not None and (fault is None or fault.kind in AFTER_CONTENT | {"slow_first_token"}):
            # A fault after content is noted once it strikes: a short answer may end before.
            early = None if fault is None or fault.kind in AFTER_CONTENT else fault.kind
            script = Script([], Ending.FORWARD, early)
        else:
            script = self._composer.compose(ask, self._dice.throw(self._sequence), fault)
        record.fault = script.fault
        self.log.add(record)
        attempt = Attempt(record, script)
        attempt.fault = fault
        return attempt
