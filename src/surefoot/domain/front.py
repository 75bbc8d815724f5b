"""The front door: where clients connect and which keys they show."""

from typing import Annotated

from msgspec import Meta, Struct

from surefoot.domain.units import Count, Seconds, Size


class Listener(Struct, frozen=True):
    """One address that clients connect to; with both files given it speaks TLS."""

    host: str
    port: int
    certificate: str | None = None
    private_key: str | None = None


class KeyLimits(Struct, frozen=True):
    """What one key may take, over the whole gateway. None is no limit."""

    in_flight: Count | None = None
    """Calls under way at once."""
    per_minute: Count | None = None
    """Calls a minute, as a token bucket that holds a tenth of a minute's worth, and at least one."""


class ClientKey(Struct, frozen=True):
    """A client's key as the gateway keeps it: a name, a keyed hash of the secret (BLAKE2b, 32 bytes), and its scope."""

    name: str
    digest: bytes
    drill: bool = False
    """A canary key: calls under it are drilled calls, and reach targets only while a drill is on."""
    tenant: str | None = None
    """On whose behalf it calls."""
    routes: tuple[str, ...] | None = None
    """Routes that it may ask for; None is all."""
    jurisdictions: tuple[str, ...] = ()
    """Jurisdictions that bind all its calls."""
    classes: tuple[str, ...] = ()
    """Classes of data that all its calls are taken to carry."""
    regions: tuple[str, ...] = ()
    """Zones in which the people live whom the data of all its calls is about."""
    limits: KeyLimits = KeyLimits()


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
