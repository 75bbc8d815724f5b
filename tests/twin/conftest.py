"""A raw-socket client for the twin: what it returns is what was on the wire, and how the wire ended."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from surefoot.twin import HEALTHY, Behaviour, Fault, FaultPlan, Fixed, TwinOptions, TwinProcess, always

TOKENS = 8
Ask = Callable[..., "Seen"]


class Seen(NamedTuple):
    """Bytes in the order read, and the end: `eof`, `reset` or `open` (nothing more came in time)."""

    raw: bytes
    end: str
    seconds: float

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0].lower()

    @property
    def status(self) -> int:
        return int(self.raw[9:12])

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def tokens(self) -> int:
        return self.raw.count(b'"delta":{"content":"')

    @property
    def json(self) -> dict[str, object]:
        answer: dict[str, object] = json.loads(self.body)
        return answer


def request_bytes(*, stream: bool = False, close: bool = True, headers: str = "", **more: object) -> bytes:
    body = {"model": "twin-1", "messages": [{"role": "user", "content": "hello"}], "stream": stream} | more
    data = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: twin\r\ncontent-length: {len(data)}\r\n{headers}"
    return head.encode() + (b"connection: close\r\n" if close else b"") + b"\r\n" + data


def read_to_end(sock: socket.socket, patience: float) -> Seen:
    begin, raw, end = time.monotonic(), b"", "eof"
    sock.settimeout(patience)
    try:
        while data := sock.recv(65536):
            raw += data
    except ConnectionResetError:
        end = "reset"
    except TimeoutError:
        end = "open"
    return Seen(raw, end, time.monotonic() - begin)


@pytest.fixture(scope="session")
def shared_twin() -> Iterator[TwinProcess]:
    behaviour = Behaviour(rate=Fixed(200.0), tokens=Fixed(TOKENS), seed=1)
    with TwinProcess(TwinOptions(behaviour=behaviour)) as process:
        yield process


@pytest.fixture
def twin(shared_twin: TwinProcess) -> TwinProcess:
    shared_twin.set_faults(HEALTHY)
    shared_twin.clear_log()
    return shared_twin


@pytest.fixture
def ask(twin: TwinProcess) -> Ask:
    def send(*, patience: float = 5.0, **request: object) -> Seen:
        with socket.create_connection(("127.0.0.1", twin.port), timeout=5) as sock:
            sock.sendall(request_bytes(**request))  # type: ignore[arg-type]
            return read_to_end(sock, patience)

    return send


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        limit = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < limit, "it never came about"

    return wait


def json_fault(**fields: object) -> FaultPlan:
    return always(Fault(**fields))  # type: ignore[arg-type]


def parses(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except json.JSONDecodeError:
        return False
    return True
