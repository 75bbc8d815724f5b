"""What the twin saw and did: one record per attempt, in a bounded ring.

Knows: the shape of a record and how many records the ring has let go.
Must never: hold a credential; an authorization header is kept as a hash only.
"""

import hashlib
from collections import deque
from collections.abc import Iterator

import msgspec


class AttemptRecord(msgspec.Struct):
    """One attempt. Times are seconds of the machine's monotonic clock; `wall` is Unix time of arrival.

    `fault` is the kind that really struck, or None. `gone_at` is when the client went away before the
    attempt had ended by itself. `end` is None while the attempt is under way.
    """

    sequence: int
    connection: int
    arrival: float
    wall: float
    model: str | None = None
    stream: bool = False
    fault: str | None = None
    first_byte: float | None = None
    first_content: float | None = None
    last_content: float | None = None
    end: float | None = None
    gone_at: float | None = None
    content_tokens: int = 0
    authorization_sha256: str | None = None
    drill: str | None = None
    user: str | None = None
    """The request's own `user` field: what a caller names its calls by."""


class AttemptLog:
    """A ring of the newest `size` records; what it lets go is counted in `overwritten`."""

    def __init__(self, size: int) -> None:
        self._ring: deque[AttemptRecord] = deque(maxlen=size)
        self.overwritten = 0

    def __len__(self) -> int:
        return len(self._ring)

    def __iter__(self) -> Iterator[AttemptRecord]:
        return iter(tuple(self._ring))

    def add(self, record: AttemptRecord) -> None:
        """Take a record; it goes on changing until its attempt has ended."""
        if len(self._ring) == self._ring.maxlen:
            self.overwritten += 1
        self._ring.append(record)

    def since(self, sequence: int) -> list[AttemptRecord]:
        """Records with a sequence number above `sequence`, oldest first."""
        return [record for record in self._ring if record.sequence > sequence]

    def clear(self) -> None:
        """Forget all records and the count of those overwritten; sequence numbers go on."""
        self._ring.clear()
        self.overwritten = 0


def fingerprint(credential: bytes) -> str:
    """The first 16 hex digits of the credential's SHA-256: enough to tell two apart, useless to replay."""
    return hashlib.sha256(credential).hexdigest()[:16]
