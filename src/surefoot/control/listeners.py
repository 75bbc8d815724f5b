"""The sockets that clients connect to: one per listener and worker, opened here and inherited by the workers.

The supervisor keeps every socket open as long as it serves. When a worker dies, the connections that the kernel has
queued for it stay queued and are accepted by its replacement, instead of being refused.

Knows: addresses, and SO_REUSEPORT, by which the kernel spreads connections over the workers.
Must never: accept a connection.
"""

import socket
from collections.abc import Sequence

from surefoot.domain.front import Listener
from surefoot.errors import StartError

BACKLOG = 4096
"""Connections that the kernel queues for a worker; it cuts this down to `net.core.somaxconn`."""


class Listening:
    """The bound sockets of all workers. Raises `StartError` if an address cannot be had."""

    def __init__(self, listeners: Sequence[Listener], workers: int) -> None:
        self._listeners = tuple(listeners)
        self._sockets: list[list[socket.socket]] = [[] for _ in range(workers)]
        self.addresses: list[str] = []
        """Where clients connect, as URLs, in the order of the listeners; with the ports that the system chose."""
        try:
            for listener in listeners:
                self._bind(listener)
        except StartError:
            self.close()
            raise

    def of_worker(self, worker: int) -> list[socket.socket]:
        """The sockets of one worker, in the order of the listeners."""
        return self._sockets[worker]

    def same_addresses(self, listeners: Sequence[Listener]) -> bool:
        """Whether these listeners stand where ours do, so that they can be served without a restart."""
        return [(n.host, n.port) for n in listeners] == [(n.host, n.port) for n in self._listeners]

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """As they were configured when the sockets were bound."""
        return self._listeners

    def close(self) -> None:
        """Listen no more: once the workers have closed theirs, connections are refused."""
        for sockets in self._sockets:
            for listening in sockets:
                listening.close()
            sockets.clear()

    def _bind(self, listener: Listener) -> None:
        if listener.port:
            # SO_REUSEPORT would let a second gateway of the same user take half of the first one's connections.
            bound(listener.host, listener.port).close()
        port = listener.port
        for sockets in self._sockets:
            listening = bound(listener.host, port, shared=True)
            sockets.append(listening)
            port = listening.getsockname()[1]
        for sockets in self._sockets:
            sockets[-1].listen(BACKLOG)
        self.addresses.append(url_of(listener.host, port, tls=listener.certificate is not None))


def bound(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A TCP socket bound to an address; with `shared`, others like it may be bound to it too. Raises `StartError`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            made.setblocking(False)
            made.bind(address)
        except OSError:
            made.close()
            raise
    except OSError as error:
        raise StartError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return made


def url_of(host: str, port: int, *, tls: bool = False) -> str:
    """How a client writes an address."""
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
