"""Whom an answer goes to: a client's connection, several that share one answer, or another worker that passes it on.

An exchange knows no more of its client than this.
"""

from typing import Protocol

from surefoot.wire.server import Incoming, Served


class Recipient(Protocol):
    """`wire.server.ServerConnection` says what each method does on the wire."""

    incoming: Incoming
    """The request that is being answered."""
    served: Served | None
    """What the request has become; told when the recipient leaves, is slow, or has caught up."""

    def answer(self, status: int, body: bytes, headers: bytes = b"", content_type: bytes = b"application/json") -> None:
        """A whole answer. `headers` are whole lines."""

    def start(self, status: int, headers: bytes, first: bytes) -> None:
        """The head of a stream and its first piece, which is never empty."""

    def write(self, piece: bytes) -> None:
        """One more piece of a stream, never empty."""

    def finish(self, piece: bytes = b"") -> None:
        """The last piece of a stream, and its proper end."""

    def break_off(self, piece: bytes) -> None:
        """The last piece of a stream that failed, and no proper end."""


class Client(Recipient, Protocol):
    """A single one of them."""

    def abandon(self) -> None:
        """Let go of it at once, whatever it has not had."""
