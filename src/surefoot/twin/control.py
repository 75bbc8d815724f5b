"""The twin's own door, on its own port: set faults, read the log, count connections.

Knows: `POST` and `GET /_twin/faults`, `GET /_twin/log?since=N`, `DELETE /_twin/log`, `GET /_twin/connections`.
Must never: be bent by a fault; it must answer while the provider's port refuses.
"""

from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import msgspec

from surefoot.twin import bodies
from surefoot.twin.behaviour import TwinError
from surefoot.twin.faults import FaultPlan
from surefoot.twin.http import HttpConnection, Request
from surefoot.twin.log import AttemptLog

_decode = msgspec.json.Decoder(FaultPlan).decode
_encode = msgspec.json.encode


class Controlled(Protocol):
    """What the door opens on."""

    log: AttemptLog

    @property
    def accepted(self) -> int:
        """TCP connections that were ever accepted."""

    @property
    def plan(self) -> FaultPlan:
        """The plan in force."""

    def set_faults(self, plan: FaultPlan) -> None:
        """Replace the plan."""


class ControlConnection(HttpConnection):
    """One connection to the control port."""

    def __init__(self, twin: Controlled) -> None:
        super().__init__()
        self._twin = twin

    def on_request(self, request: Request) -> None:
        """Answer by method and path."""
        url = urlsplit(request.target.decode("latin-1"))
        if url.path == "/_twin/faults":
            response = self._faults(request)
        elif url.path == "/_twin/log":
            response = self._log(request, url.query)
        elif url.path == "/_twin/connections" and request.method == b"GET":
            response = bodies.response(200, _encode({"accepted": self._twin.accepted}))
        else:
            response = _fail(404, "no such path; there are /_twin/faults, /_twin/log and /_twin/connections")
        if self.transport is not None:
            self.transport.write(response)
        self.answered()

    def _faults(self, request: Request) -> bytes:
        if request.method == b"POST":
            try:
                self._twin.set_faults(_decode(request.body))
            except (msgspec.DecodeError, TwinError) as error:
                return _fail(400, str(error))
        elif request.method != b"GET":
            return _fail(400, "use GET or POST")
        return bodies.response(200, _encode(self._twin.plan))

    def _log(self, request: Request, query: str) -> bytes:
        log = self._twin.log
        if request.method == b"DELETE":
            log.clear()
            return bodies.response(204, b"")
        since = parse_qs(query).get("since", ["0"])[0]
        if not since.isdecimal():
            return _fail(400, "since must be a sequence number")
        lines = b"".join(_encode(record) + b"\n" for record in log.since(int(since)))
        return bodies.response(200, lines, b"application/x-ndjson", b"x-twin-overwritten: %d\r\n" % log.overwritten)


def _fail(status: int, message: str) -> bytes:
    return bodies.response(status, _encode({"error": message}))
