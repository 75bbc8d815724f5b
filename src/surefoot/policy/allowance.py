"""What one worker may let in under one key with limits: calls under way, and calls a minute.

A limit is one for the whole gateway. Each worker goes by a share of it, and the shares never add up to more than the
limit, so that no worker has to ask another one. A share of calls a minute is a token bucket (Turner, New directions in
communications, 1986) that earns and holds that share: all buckets together hold and earn what one for the whole gateway
would, so that over any stretch of time no more calls begin than that one would let in.

A limit that is too small to be shared out has a *home*: one worker that has all of it, and to which the others hand
their requests over. A worker that would hold less than one whole call could never let one in.

Time comes in by the door. Must never: know a client, or let in what it has no share of.
"""

from hashlib import blake2b

from msgspec import Struct

from surefoot.domain.front import KeyLimits

SHARED_OUT = KeyLimits(in_flight=16, per_minute=600)
"""What each worker has to get of a limit, on average, if it is to be shared out. Then one that is idle keeps a quarter
(`LEAST`): 4 calls at once, and a bucket of 15. Below that, all calls of the key are few enough for one worker."""

LEAST = 4
"""A worker keeps one in so many of its even share, however little it uses."""

BURST = 10
"""A bucket holds what it earns in one in so many parts of a minute."""

MINUTE = 60.0
"""Seconds."""

SOON = 1.0
"""Seconds after which a refused call may be sent again, where an end of another one is what is waited for."""


class Share(Struct, frozen=True, array_like=True):
    """A worker's part of one key's limits. None where there is no limit."""

    key: str
    in_flight: int | None
    per_minute: int | None


class Refused(Struct, frozen=True):
    """A call that may not begin now."""

    limit: str
    """Which one: `in_flight` or `per_minute`, as in `KeyLimits`."""
    seconds: float
    """From now, until it is worth another try."""


def home_of(key: str, limits: KeyLimits, workers: int) -> int | None:
    """The worker that has all of a key's limits, because one is too small to be shared out; None if none is."""
    for limit, enough in (
        (limits.in_flight, SHARED_OUT.in_flight),
        (limits.per_minute, SHARED_OUT.per_minute),
    ):
        if limit is not None and limit < (enough or 0) * workers:
            return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") % workers
    return None


class Allowance:
    """One key in one worker."""

    __slots__ = ("_asked", "_at", "_recent", "_tokens", "home", "in_flight", "refused", "share")

    def __init__(self, key: str, home: int | None = None) -> None:
        self.home = home
        """The worker that has all of it, if one does."""
        self.share = Share(key, 0, 0)
        """What it goes by: nothing, until it is told."""
        self.in_flight = 0
        self.refused = 0
        """Calls that were refused, since the start."""
        self._tokens = 0.0
        self._at = 0.0
        self._asked = 0
        self._recent = 0.0

    def hold(self, share: Share, at: float, *, full: bool = False) -> None:
        """Go by another share. A bucket that grows is not fuller for it, unless it is to begin `full`."""
        self._earn(at)
        self.share = share
        self._tokens = self._most if full else min(self._tokens, self._most)

    def enter(self, at: float) -> Refused | None:
        """Let a call in, which has to `leave`; or say why not."""
        self._asked += 1
        share = self.share
        if share.in_flight is not None and self.in_flight >= share.in_flight:
            self.refused += 1
            return Refused("in_flight", SOON)
        if share.per_minute is not None:
            self._earn(at)
            if self._tokens < 1.0:
                self.refused += 1
                return Refused("per_minute", self._seconds(share.per_minute))
            self._tokens -= 1.0
        self.in_flight += 1
        return None

    def leave(self) -> None:
        """A call that was let in has ended."""
        self.in_flight -= 1

    def demand(self, seconds: float) -> int:
        """How much of its calls a minute is in use, the last `seconds` counting half: what a report says of it."""
        self._recent = (self._recent + self._asked * MINUTE / seconds) / 2
        self._asked = 0
        return min(round(self._recent), self.share.per_minute or 0)

    @property
    def _most(self) -> float:
        """Tokens that the bucket holds."""
        share = (self.share.per_minute or 0) / BURST
        return share if self.home is None else max(share, 1.0)

    def _earn(self, at: float) -> None:
        rate = (self.share.per_minute or 0) / MINUTE
        self._tokens = min(self._tokens + max(at - self._at, 0.0) * rate, self._most)
        self._at = at

    def _seconds(self, per_minute: int) -> float:
        return (1.0 - self._tokens) * MINUTE / per_minute if per_minute else SOON
