"""What becomes of a request with an `Idempotency-Key`: a call of its own, part of one under way, or an answer again.

A key is known per client key and path. It belongs to one worker, by its hash, so that all workers go by one memory; a
request that comes to another worker is handed over to the owner (`gateway.handover`). Without an owner that answers
the door, the worker serves it by its own memory: a gateway that lacks a worker answers, and may ask a provider twice.

Must never look into a body beyond its hash.
"""

from collections.abc import Callable
from hashlib import blake2b

from surefoot.dialects.dialect import Complaint
from surefoot.domain.front import ClientKey
from surefoot.gateway.answers import Answers
from surefoot.gateway.binder import NARROWING
from surefoot.gateway.channel import Settings
from surefoot.gateway.complaints import refusal
from surefoot.gateway.handover import Relay
from surefoot.gateway.recipient import Client, Recipient
from surefoot.gateway.shared import JOINED, REPLAYED
from surefoot.wire.clock import now
from surefoot.wire.server import Incoming, Served

HEADER = b"idempotency-key"
LONGEST = 255
"""Characters of a key: room for any identifier in use (a UUID has 36), and a bound on what is hashed and handed on."""

_VISIBLE = frozenset(range(0x21, 0x7F))

Call = Callable[[Recipient, Incoming, ClientKey], Served | None]
Complain = Callable[[Recipient, Complaint], Served | None]


class Resends:
    """See the module. `call` makes a call of a request, `complain` answers it with an error."""

    def __init__(self, call: Call, complain: Complain, settings: Settings) -> None:
        self.answers = Answers(settings.door.idempotency, settings.workers, now)
        self._call = call
        self._complain = complain
        self._settings = settings

    def enter(self, settings: Settings) -> None:
        """Go by another configuration; what is kept stays."""
        self._settings = settings
        self.answers.set(settings.door.idempotency, settings.workers)

    def request(self, client: Client, incoming: Incoming, key: ClientKey) -> Served | None:
        """A request with an `Idempotency-Key`, of the client with this key."""
        settings = self._settings
        if not settings.meeting or self._unkept(incoming):
            return self.here(client, incoming, key)
        owner = owner_of(scope_of(key.name, incoming.path, incoming.headers[HEADER]), settings.workers)
        if owner == settings.worker:
            return self.here(client, incoming, key)
        relay = Relay(client, lambda: self._without_owner(client, incoming, key))
        return relay.hand_over(settings.meeting, owner, incoming, key.name)

    def here(self, client: Client, incoming: Incoming, key: ClientKey) -> Served | None:
        """The same, at its owner."""
        answers = self.answers
        if answers.off:
            return self._call(client, incoming, key)
        if self._unkept(incoming):
            answers.counts["refused"] += 1
            return self._complain(client, wrong_key())
        scope = scope_of(key.name, incoming.path, incoming.headers[HEADER])
        fingerprint = fingerprint_of(incoming)
        known = answers.find(scope)
        if known is None:
            shared = answers.begin(scope, fingerprint, incoming)
            if shared is None:
                return self._call(client, incoming, key)
            follower = shared.join(client)
            self._call(shared, incoming, key)
            return follower
        if known.fingerprint != fingerprint:
            answers.counts["conflicts"] += 1
            return self._complain(client, reused_key())
        answers.counts["replayed" if known.over else "joined"] += 1
        return known.join(client, REPLAYED if known.over else JOINED)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _unkept(self, incoming: Incoming) -> bool:
        """Whether nothing is kept under this key: nothing ever is, or it has not the form of one."""
        key = incoming.headers[HEADER]
        return self.answers.off or not 0 < len(key) <= LONGEST or not _VISIBLE.issuperset(key)

    def _without_owner(self, client: Client, incoming: Incoming, key: ClientKey) -> Served | None:
        self.answers.counts["owner_away"] += 1
        return self.here(client, incoming, key)


def scope_of(name: str, path: bytes, key: bytes) -> bytes:
    """What a key is known by: whose it is, for which path, and itself (BLAKE2b, 16 bytes)."""
    return blake2b(b"\0".join((name.encode(), path.partition(b"?")[0], key)), digest_size=16).digest()


def owner_of(scope: bytes, workers: int) -> int:
    """The worker that a key belongs to."""
    return int.from_bytes(scope[:8], "big") % workers


def fingerprint_of(incoming: Incoming) -> bytes:
    """What has to be the same in a retry: the body, and where it may be processed (BLAKE2b, 16 bytes)."""
    said = [incoming.headers.get(name, b"") for name in NARROWING]
    return blake2b(b"\0".join((*said, incoming.body)), digest_size=16).digest()


def wrong_key() -> Complaint:
    """400: no key of a form that can be kept."""
    message = f"Idempotency-Key has to be 1 to {LONGEST} visible ASCII characters, without spaces. A UUID is good."
    return refusal(400, "invalid_idempotency_key", message)


def reused_key() -> Complaint:
    """422: the key stands for another request."""
    message = (
        "This Idempotency-Key was used for another request, with another body, or bound otherwise by a "
        "surefoot- header. "
        "Send each new request with a new key, and only its retries with the same one."
    )
    return refusal(422, "idempotency_key_reused", message)
