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
    """Calls a minute, as a token bucket that holds a tenth of a minute's worth, and at least one: over any stretch of
    time no more calls begin than it holds and earns in that time (`policy.allowance`)."""


NO_LIMITS = KeyLimits()


class ClientKey(Struct, frozen=True):
    """A client's key as the gateway keeps it: a name, a keyed hash of the secret (BLAKE2b, 32 bytes), and its scope."""

    name: str
    digest: bytes
    """Of all that the client shows, `sf_`, id and secret; the hash's key is the salt of where the key is kept."""
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
    limits: KeyLimits = NO_LIMITS
    id: str = ""
    """Between `sf_` and the secret, for a key of the key file: how it is found. Empty for one of the configuration."""
    expires: float | None = None
    """Unix time from which it is no key any more."""


ANYONE = ClientKey("", b"")
"""Whose calls are made where no key is asked for."""


class Ring(Struct, frozen=True):
    """The keys of the key file, as it was last read."""

    salt: bytes = b""
    """Key of their hashes; drawn once, when the file is made."""
    keys: tuple[ClientKey, ...] = ()


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
    """Those of the configuration. Without any, and without a key file, every caller is admitted (on loopback only)."""
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
    keys_file: str | None = None
    """Where further keys are kept. With it a key is asked for even while it holds none."""
