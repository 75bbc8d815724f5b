"""The doorkeeper: whose key a request shows, and what its limits leave to it in this worker.

A key of the key file reads `sf_ID_SECRET` and is found by its id; one of the configuration may be any text, and is
found by the beginning of its hash. Either way one hash is made and compared with one key's in constant time, however
many there are. What was admitted is remembered until the keys change.

Knows hashes, never a secret beyond what it has admitted. Must never tell one wrong key from another.
"""

from collections.abc import Iterable
from hashlib import blake2b
from hmac import compare_digest

from surefoot.domain.front import ANYONE, NO_LIMITS, ClientKey, Door, Ring
from surefoot.gateway.channel import KeyReport, Keys, Settings
from surefoot.policy.allowance import Allowance, Share, home_of

REMEMBERED = 4096
"""Admitted `Authorization` values that are not hashed again. What is not admitted is not remembered."""

NONE = Keys(Ring(), [])
"""Where there is no key file, or it holds none."""

MARK = b"sf"
"""What a key of the key file begins with, before its id."""

PREFIX = 8
"""Bytes of a hash that a key of the configuration is found by. They tell nothing: the hash is keyed by a secret."""


class Doorkeeper:
    """See the module. `settings` say which worker this is, `keys` are those of the key file."""

    __slots__ = (
        "_admitted", "_by_id", "_by_prefix", "_door", "_full", "_open", "_refused", "_ring", "_shares", "_workers",
        "allowances", "named",
    )  # fmt: skip

    def __init__(self, settings: Settings, keys: Keys, at: float) -> None:
        self._door = settings.door
        self._open = False
        self._ring = keys.ring
        self._shares = {share.key: share for share in keys.shares}
        self._workers = settings.workers
        self._refused = 0
        self._full = not settings.again
        """Whether the bucket of a limit that is new begins full: who was here before may have spent it just now."""
        self._admitted: dict[bytes, ClientKey] = {}
        self._by_id: dict[bytes, ClientKey] = {}
        self._by_prefix: dict[bytes, ClientKey] = {}
        self.named: dict[str, ClientKey] = {}
        """Every key by its name."""
        self.allowances: dict[str, Allowance] = {}
        """Of the keys that have limits, by name. What has a home is let in nowhere else: the front hands it over."""
        self._sort(at)
        self._full = True

    @property
    def callers(self) -> list[ClientKey]:
        """The keys that production's calls come under."""
        return [ANYONE] if self._open else [key for key in self.named.values() if not key.drill]

    def key_of(self, headers: dict[bytes, bytes]) -> ClientKey | None:
        """The client's key, or `ANYONE` where none is asked for; None if it is missing or wrong."""
        shown = headers.get(b"authorization", b"")
        key = self._admitted.get(shown)
        return key if key is not None else self._look_up(shown)

    # ── what changes ───────────────────────────────────────────────────────────────────────────────────────────

    def enter(self, door: Door, at: float) -> None:
        """Go by another configuration."""
        self._door = door
        self._sort(at)

    def hold(self, keys: Keys, at: float) -> None:
        """These are the keys of the key file from now on."""
        self._ring = keys.ring
        self._shares = {share.key: share for share in keys.shares}
        self._sort(at)

    def allow(self, shares: Iterable[Share], at: float) -> None:
        """Go by these shares of limits."""
        for share in shares:
            self._shares[share.key] = share
            allowance = self.allowances.get(share.key)
            if allowance is not None and allowance.home is None:
                allowance.hold(share, at)

    def expire(self, wall: float, at: float) -> None:
        """Let go of keys whose time is over: at `wall`, as Unix time."""
        ring = self._ring
        left = tuple(key for key in ring.keys if key.expires is None or key.expires > wall)
        if len(left) < len(ring.keys):
            self._ring = Ring(ring.salt, left)
            self._sort(at)

    @property
    def refused(self) -> int:
        """Calls that limits have refused, since the start."""
        return self._refused + sum(allowance.refused for allowance in self.allowances.values())

    def report(self, seconds: float) -> list[KeyReport]:
        """How the limits that are shared out are used; `seconds` after the last report."""
        return [
            KeyReport(name, one.in_flight, one.demand(seconds), one.share)
            for name, one in self.allowances.items()
            if one.home is None
        ]

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _look_up(self, shown: bytes) -> ClientKey | None:
        if self._open:
            return ANYONE
        scheme, _, secret = shown.partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        found = self._find(secret.strip())
        if found is not None:
            if len(self._admitted) >= REMEMBERED:  # a client may spell its header in many ways
                self._admitted.clear()
            self._admitted[shown] = found
        return found

    def _find(self, secret: bytes) -> ClientKey | None:
        mark, _, rest = secret.partition(b"_")
        key = self._by_id.get(rest.partition(b"_")[0]) if mark == MARK else None
        if key is not None:
            digest = blake2b(secret, digest_size=32, key=self._ring.salt).digest()
        else:
            digest = blake2b(secret, digest_size=32, key=self._door.salt).digest()
            key = self._by_prefix.get(digest[:PREFIX])
        return key if key is not None and compare_digest(key.digest, digest) else None

    def _sort(self, at: float) -> None:
        """What is remembered is forgotten, and every key is where it is found."""
        door, ring = self._door, self._ring
        self._admitted.clear()
        self._open = not door.keys and door.keys_file is None
        self._by_id = {key.id.encode(): key for key in ring.keys}
        self._by_prefix = {key.digest[:PREFIX]: key for key in door.keys}
        self.named = {key.name: key for key in (*ring.keys, *door.keys)}
        before, self.allowances = self.allowances, {}
        for name, key in self.named.items():
            if key.limits != NO_LIMITS:
                self.allowances[name] = self._allowance(key, before.pop(name, None), at)
        self._refused += sum(allowance.refused for allowance in before.values())

    def _allowance(self, key: ClientKey, before: Allowance | None, at: float) -> Allowance:
        limits = key.limits
        home = home_of(key.name, limits, self._workers)
        allowance = Allowance(key.name) if before is None else before
        allowance.home = home
        share = self._shares.get(key.name, allowance.share)
        if home is not None:
            share = Share(key.name, limits.in_flight, limits.per_minute)
        allowance.hold(share, at, full=self._full and before is None)
        return allowance
