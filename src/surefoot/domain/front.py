"""The front door: where clients connect and which keys they show."""

from typing import Annotated

from msgspec import Meta, Struct

from surefoot.domain.units import Seconds, Size


class Listener(Struct, frozen=True):
    """One address that clients connect to; with both files given it speaks TLS."""

    host: str
    port: int
    certificate: str | None = None
    private_key: str | None = None


class ClientKey(Struct, frozen=True):
    """A client's key as the gateway keeps it: a name, and a keyed hash of the secret (BLAKE2b, 32 bytes)."""

    name: str
    digest: bytes
    drill: bool = False
    """A canary key: calls under it are drilled calls, and reach targets only while a drill is on."""


class Idempotency(Struct, frozen=True):
    """Answers that are kept for a client's retries with the same `Idempotency-Key`, over the whole gateway."""

    window: Seconds = 600.0
    """Time after its end for which an answer is kept."""
    keys: Annotated[int, Meta(ge=0, le=1_000_000, extra={"unit": "count"})] = 10_000
    """Most keys that are held at once; 0 turns it off, and the header is ignored."""
    memory: Size = 64 * 1024 * 1024
    """Most memory that their answers take."""
    answer: Size = 4 * 1024 * 1024
    """Longest answer that is kept; a longer one cannot be joined or replayed."""


class Door(Struct, frozen=True):
    """All that is asked of a request before it is read."""

    listeners: tuple[Listener, ...]
    keys: tuple[ClientKey, ...] = ()
    """Empty: every caller is admitted (allowed on loopback only)."""
    salt: bytes = b""
    """Key of the hash, drawn anew at each start of the supervisor."""
    body_limit: int = 32 * 1024 * 1024
    """Largest request body, in bytes."""
    header_limit: int = 64 * 1024
    """Largest request head, in bytes."""
    read_timeout: float = 30.0
    """Seconds that a client may take to send one whole request."""
    idle_timeout: float = 300.0
    """Seconds that a connection may stay open between requests."""
    drain: float = 30.0
    """Seconds that calls in flight are given when the gateway stops."""
    idempotency: Idempotency = Idempotency()
