"""The client's half of a retry: requests with an `Idempotency-Key`, and what tells their answers apart.

For one worker there is a house besides, with two clients that each have a key.
"""

import hashlib
import re
import socket

import msgspec
import pytest
from tests.gateway.house import CALM, KEY, SALT, House, settings_of, targets_at
from tests.gateway.raw import Answer, body_of, connect, post

from surefoot.domain.front import ClientKey, Door, Idempotency
from surefoot.gateway.channel import Settings
from surefoot.twin import Behaviour, Fixed

OTHER_KEY = "sk-test-other-9876543210"
UNHURRIED = Behaviour(ttft=Fixed(0.5), rate=Fixed(10.0), tokens=Fixed(30), seed=1)
"""Three and a half seconds for an answer: time enough for something to happen meanwhile."""

FORMS = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


def keyed(key: str, *headers: str, stream: bool = False, client: str = KEY, **more: object) -> bytes:
    return post(body_of(stream=stream, **more), f"idempotency-key: {key}", *headers, key=client)


def mark(answer: Answer) -> str | None:
    """`joined` or `replayed`."""
    found = re.search(rb"\r\nsurefoot-idempotent: (\w+)", answer.head)
    return None if found is None else found[1].decode()


def unmarked(answer: Answer) -> tuple[bytes, bytes]:
    """Head and body, but for the mark."""
    return re.sub(rb"\r\nsurefoot-idempotent: \w+", b"", answer.head), answer.body


def read_quickly(sock: socket.socket) -> Answer:
    """Read one answer of many megabytes."""
    raw = bytearray(sock.recv(1 << 20))
    found = re.search(rb"content-length: (\d+)", raw)
    size = None if found is None else raw.index(b"\r\n\r\n") + 4 + int(found[1])
    while len(raw) < size if size is not None else not raw.endswith(b"\r\n0\r\n\r\n"):
        data = sock.recv(1 << 20)
        assert data, "the answer was not whole"
        raw += data
    return Answer(bytes(raw), "whole")


def two_clients(port: int, options: Idempotency) -> Settings:
    """Two clients, one target."""
    settings = settings_of(targets_at(port), options=CALM, door=Door((), idempotency=options))
    digest = hashlib.blake2b(OTHER_KEY.encode(), digest_size=32, key=SALT).digest()
    keys = (*settings.door.keys, ClientKey("other", digest))
    return msgspec.structs.replace(settings, door=msgspec.structs.replace(settings.door, keys=keys))


def call_of(answer: Answer) -> str:
    found = re.search(rb"\r\nsurefoot-call: (\S+)", answer.head)
    assert found is not None
    return found[1].decode()


def counted(house: House, what: str) -> int:
    return house.reports[-1].counters[f"idempotency_{what}"] if house.reports else 0


def sent(house: House, request: bytes) -> socket.socket:
    """A client that has sent this and waits."""
    sock = connect(house.port)
    sock.sendall(request)
    return sock
