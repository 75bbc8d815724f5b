"""The connections to one target: those that are free, and the opening of new ones.

Last used, first taken: the few that are in use stay warm and the others age out. Foreign errors of connecting become
a `Kind` here and nowhere else.
"""

import asyncio
import errno
import ssl
from collections.abc import Callable
from functools import partial

from surefoot.domain.outcome import Kind
from surefoot.domain.target import Endpoint
from surefoot.wire.client import ClientConnection
from surefoot.wire.clock import now

IDLE_LIMIT = 60.0
"""Seconds after which a free connection is closed. Providers close theirs after one to several minutes, and a close
that crosses
a request costs a repeat."""

LINGER = 1.0
"""Seconds that a target has, after its last word, to end its answer before the connection is closed."""

_OUT_OF_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

Connected = Callable[[ClientConnection | None, Kind | None], None]
"""Told the open connection, or why there is none."""


class Pool:
    """Connections to one endpoint. `extra` bounds nothing: how many attempts a target gets is the policy's to say."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.opened = 0
        self._free: list[ClientConnection] = []
        self._all: set[ClientConnection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._closed = False
        self._warming: Callable[[], object] | None = None
        self._tls = tls_context(endpoint.ca_file) if endpoint.tls else None

    def take(self) -> ClientConnection | None:
        """A warm connection, if there is one."""
        free = self._free
        while free:
            connection = free.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    def open(self, connected: Connected) -> Callable[[], object]:
        """Open a connection; `connected` is called once, later. Returns what cancels it (then it is not called)."""
        task = asyncio.get_running_loop().create_task(self._open(connected))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return task.cancel

    def warm(self) -> None:
        """See to it that one connection is free."""
        if not self._free and not self._opening and not self._closed:
            self._warming = self.open(self._keep)

    def sweep(self, at: float) -> None:
        """Close what has been free for too long, the oldest first, and what never ends its last answer."""
        for connection in [member for member in self._all if at - member.let_go_at > LINGER]:
            connection.cancel()
        while self._free and at - self._free[0].idle_since > IDLE_LIMIT:
            self._free.pop(0).transport.close()

    def close(self) -> None:
        """Close what is free; what is in use, or is being opened for a call, ends with its request."""
        self._closed = True
        if self._warming is not None:
            self._warming()
        for connection in self._free:
            connection.transport.close()
        self._free.clear()

    def give_back(self, connection: ClientConnection) -> None:
        """The connection is free again."""
        if self._closed:
            connection.transport.close()
            return
        connection.idle_since = now()
        self._free.append(connection)

    def forget(self, connection: ClientConnection) -> None:
        """The connection is gone."""
        self._all.discard(connection)
        if connection in self._free:
            self._free.remove(connection)

    def _keep(self, connection: ClientConnection | None, kind: Kind | None) -> None:  # noqa: ARG002 - nobody waits
        if connection is not None:
            self.give_back(connection)

    async def _open(self, connected: Connected) -> None:
        endpoint = self.endpoint
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                partial(ClientConnection, self),
                endpoint.host,
                endpoint.port,
                ssl=self._tls,
                server_hostname=endpoint.host if self._tls else None,
            )
        except OSError as error:
            connected(
                None, Kind.TLS if isinstance(error, ssl.SSLError | ssl.CertificateError) else _kind_of(error, self._tls)
            )
            return
        self.opened += 1
        self._all.add(connection)
        connected(connection, None)


def _kind_of(error: OSError, tls: ssl.SSLContext | None) -> Kind:
    """A connection that is cut inside the handshake is a failure of TLS; everything before it is one of connecting."""
    if error.errno in _OUT_OF_ROOM:
        return Kind.NO_ROOM
    cut = isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError)
    return Kind.TLS if cut and tls is not None else Kind.CONNECT


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Trusts the system's authorities, or only those of the file."""
    return ssl.create_default_context(cafile=ca_file)


def server_tls_context(certificate: str, private_key: str) -> ssl.SSLContext:
    """For a listener."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, private_key)
    return context
