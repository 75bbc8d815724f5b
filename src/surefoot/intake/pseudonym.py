"""End users under a name that only the owner of the salt could find out again: HMAC-SHA-256 (RFC 2104), 16 characters.

The same user has the same name wherever the same salt was given, so that imports and surveys can be joined. 64 bits
of the hash are kept: among a million users two share a name with a probability of 3 in 10^8 (n² / 2^65).

Must never write a salt or a user's own name anywhere.
"""

from functools import lru_cache
from hashlib import sha256
from hmac import digest
from pathlib import Path
from secrets import token_bytes

from surefoot.errors import IntakeError

LEAST = 16
"""Bytes of a salt, at least: who can guess the salt can try all users."""

KEPT = 8


class Pseudonyms:
    """Names under one salt."""

    def __init__(self, salt: bytes | None = None) -> None:
        """Without a salt one is drawn, and nobody can ever join these names with others."""
        self._salt = salt or token_bytes(32)
        self.of = lru_cache(maxsize=100_000)(self._of)

    def _of(self, user: str) -> str:
        return digest(self._salt, user.encode("utf-8", "surrogatepass"), sha256)[:KEPT].hex()


def read_salt(path: Path) -> bytes:
    """The bytes of a file, without white space around them. Raises `IntakeError`, saying what to do."""
    try:
        salt = path.read_bytes().strip()
    except OSError as error:
        raise IntakeError(f"--salt: {path} cannot be read: {error.strerror}; {MAKE.format(path)}") from error
    if len(salt) < LEAST:
        raise IntakeError(f"--salt: {path} has fewer than {LEAST} bytes; {MAKE.format(path)}")
    return salt


MAKE = "make one with: openssl rand -hex 32 > {}"
