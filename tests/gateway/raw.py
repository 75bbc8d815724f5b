"""A client of bare sockets: sends bytes as they are, returns what was on the wire and how the wire ended.

Knows enough HTTP to find where one answer ends. Must never be clever: a client library would hide what is tested.
"""

import json
import socket
from typing import Any, NamedTuple

from tests.gateway.house import KEY
from tests.leaks import LEAKS, PROMPT

MESSAGES = [{"role": "user", "content": PROMPT}]


class Answer(NamedTuple):
    """Bytes in the order read, and the end: `eof`, `reset` or `whole` (an answer is whole, the connection open)."""

    raw: bytes
    end: str

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0].lower()

    @property
    def status(self) -> int:
        return int(self.raw[9:12])

    @property
    def body(self) -> bytes:
        body = self.raw.partition(b"\r\n\r\n")[2]
        return unchunked(body) if b"transfer-encoding: chunked" in self.head else body

    @property
    def json(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


def body_of(*, stream: bool = False, **more: object) -> bytes:
    return json.dumps({"model": "chat", "messages": MESSAGES, "stream": stream} | more).encode()


def post(body: bytes, *headers: str, key: str | None = KEY, path: str = "/v1/chat/completions") -> bytes:
    """A whole request of this body."""
    lines = [f"POST {path} HTTP/1.1", "host: gateway", *headers]
    if key is not None:
        lines.append(f"authorization: Bearer {key}")
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


def chat(*, stream: bool = False, **more: object) -> bytes:
    return post(body_of(stream=stream, **more))


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def exchange(port: int, request: bytes) -> Answer:
    """Send, and read one answer."""
    with connect(port) as sock:
        sock.sendall(request)
        answer = read(sock)
    if answer.raw[9:10] in {b"4", b"5"}:
        LEAKS.note("an error that a client got", answer.raw)
    return answer


def read(sock: socket.socket, raw: bytes = b"") -> Answer:
    """Read until one answer is whole or the wire ends. A wire that stays silent is a failure: TimeoutError."""
    while not is_whole(raw):
        try:
            data = sock.recv(65536)
        except ConnectionResetError:
            return Answer(raw, "reset")
        if not data:
            return Answer(raw, "eof")
        raw += data
    return Answer(raw, "whole")


def read_to_end(sock: socket.socket) -> Answer:
    """Read until the wire ends."""
    raw = b""
    try:
        while data := sock.recv(65536):
            raw += data
    except ConnectionResetError:
        return Answer(raw, "reset")
    return Answer(raw, "eof")


def is_whole(raw: bytes) -> bool:
    head, found, body = raw.partition(b"\r\n\r\n")
    if not found or b" 100 " in head[:13]:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line[15:])
    return body.endswith(b"0\r\n\r\n") and b"transfer-encoding: chunked" in head.lower()


def unchunked(body: bytes) -> bytes:
    """The content of a chunked body, as far as it goes."""
    content = b""
    while b"\r\n" in body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        content, body = content + rest[:length], rest[length + 2 :]
    return content
