"""The house under test: a real worker process, driven over its channel as the supervisor drives it, before any twins.

Knows the frames and where the worker listens. Keeps every record and report, so that a test can ask how a call went.
Must never reach into the worker: what a test learns of it comes over a socket.
"""

import hashlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from surefoot.domain.front import ClientKey, Door, Listener
from surefoot.domain.record import ATTEMPT_FIELDS, CALL_FIELDS
from surefoot.domain.route import Limits, Route, Rung
from surefoot.domain.target import Endpoint, Target
from surefoot.gateway.channel import LENGTH, Configure, Down, Drain, Ready, Records, Report, Settings, Tell, Up
from surefoot.policy.breaker import BreakerOptions
from surefoot.policy.first_token import FirstTokenOptions
from surefoot.policy.options import PolicyOptions
from surefoot.policy.suspicion import SuspicionOptions
from surefoot.policy.target_state import News

KEY = "sk-test-0123456789"
SALT = b"s" * 32
NAMES = ("primary", "backup", "third")
PATIENCE = 10.0
"""Seconds after which something that should come about has not. Never waited out by a test that passes."""

STEADY = BreakerOptions(streak=1000, certain=1000, open_for=0.001, longest=0.001)
"""Breakers that as good as stay closed: a test of one failure is not to be about the next call."""

UNSUSPECTING = SuspicionOptions(samples=1_000_000)
"""On a busy machine every target is slow at times: a test of something else is not to be about that."""

CALM = PolicyOptions(FirstTokenOptions(hedge=30.0, limit=60.0, samples=100_000), suspicion=UNSUSPECTING)
"""Nothing is late."""

BRISK = PolicyOptions(
    FirstTokenOptions(hedge=10.0, limit=0.3, plain_hedge=10.0, plain_limit=0.3, samples=100_000),
    STEADY,
    suspicion=UNSUSPECTING,
)
"""Gives up fast, and hedges never."""

Found = TypeVar("Found")


def until(look: Callable[[], Found | None], patience: float = PATIENCE) -> Found:
    """What `look` finds, as soon as it finds something true."""
    limit = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < limit, "it never came about"
        time.sleep(0.002)  # a poll of the outside world, bounded by the deadline


def endpoint(port: int, ca_file: str | None = None) -> Endpoint:
    return Endpoint("localhost" if ca_file else "127.0.0.1", port, ca_file is not None, "/v1", ca_file=ca_file)


def targets_at(*ports: int, ca_file: str | None = None) -> tuple[Target, ...]:
    """Targets of the usual names, in this order."""
    return tuple(
        Target(name, "twin", f"{name}-model", "openai-chat", endpoint(port, ca_file))
        for name, port in zip(NAMES, ports, strict=False)
    )


def settings_of(
    targets: Sequence[Target],
    *,
    limits: Limits | None = None,
    options: PolicyOptions = BRISK,
    door: Door | None = None,
    hedge: float = 0.1,
    trace: str | None = None,
    **of_route: object,
) -> Settings:
    """One route `chat` over all the targets, in their order; a static one stands in for errors."""
    digest = hashlib.blake2b(KEY.encode(), digest_size=32, key=SALT).digest()
    front = msgspec.structs.replace(
        door or Door(()), listeners=(Listener("127.0.0.1", 0),), keys=(ClientKey("tester", digest),), salt=SALT
    )
    static = next((t.name for t in targets if t.text is not None), None)
    rungs = tuple(Rung(t.name) for t in targets if t.text is None)
    route = Route("chat", rungs, limits=limits or Limits(), hedge=hedge, static=static, **of_route)  # type: ignore[arg-type]
    secrets = {target.name: f"secret-of-{target.name}" for target in targets}
    return Settings("v1", front, tuple(targets), (route,), options, secrets, 1, 0, 7, trace, "call-")


class House:
    """One worker. Use it as a context manager; leaving it ends the process."""

    program: tuple[str, ...] = ("-m", "surefoot.gateway.worker")
    """What the interpreter runs."""
    errors: int | None = None
    """File descriptor for what the worker logs; None for that of the tests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.records: dict[str, dict[str, Any]] = {}
        self.reports: list[Report] = []
        self.news: list[News] = []
        self._ours, self._theirs = socket.socketpair()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._ready = threading.Event()
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        fds = [self._theirs.fileno(), self._listener.fileno()]
        command = [sys.executable, *self.program, *map(str, fds)]
        self.process = subprocess.Popen(command, pass_fds=fds, stderr=self.errors)
        self._theirs.close()
        self._listener.close()
        self._hearing.start()
        self.tell(Configure(self.settings))
        try:
            assert self._ready.wait(PATIENCE), "the worker never said that it is ready"
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE)
        self._hearing.join(PATIENCE)
        self._ours.close()

    def tell(self, frame: Down) -> None:
        payload = msgspec.msgpack.encode(frame)
        self._ours.sendall(len(payload).to_bytes(LENGTH, "big") + payload)

    def leave_alone(self) -> None:
        """The supervisor is gone, as far as the worker can tell."""
        self._ours.shutdown(socket.SHUT_RDWR)

    def drain(self) -> None:
        """Tell the worker to finish, and wait until it has left by itself."""
        self.tell(Drain())
        assert self.process.wait(PATIENCE) == 0
        self._hearing.join(PATIENCE)

    def record(self, call: str) -> dict[str, Any]:
        """The record of a call, its attempts as dictionaries; waits for it."""
        return until(lambda: self.records.get(call))

    def memory(self) -> int:
        """Resident bytes of the worker."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:  # noqa: PTH123 - a kernel's view
            return int(file.read().split()[1]) * 4096

    def lives(self) -> bool:
        return self.process.poll() is None

    def _hear(self) -> None:
        decoder = msgspec.msgpack.Decoder(Up)
        with self._ours.makefile("rb") as file:
            while len(length := file.read(LENGTH)) == LENGTH:
                self._take(decoder.decode(file.read(int.from_bytes(length, "big"))))

    def _take(self, frame: Up) -> None:
        match frame:
            case Ready():
                self._ready.set()
            case Records(calls=calls):
                for call in calls:
                    told = dict(zip(CALL_FIELDS, call, strict=True))
                    attempts: Any = told["attempts"]
                    told["attempts"] = [dict(zip(ATTEMPT_FIELDS, one, strict=True)) for one in attempts]
                    self.records[str(told["call"])] = told
            case Report():
                self.reports.append(frame)
            case Tell(news=news):
                self.news += news
            case _:
                pass
