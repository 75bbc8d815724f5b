"""The schema of every number that is reported. A number without its sample size, window, method and seed is not a fact.

Knows nothing of ours. Written as JSON; `VERSION` changes with the meaning of any field.
"""

from hashlib import sha256

import msgspec
from msgspec import Struct

VERSION = 1


class Fact(Struct, frozen=True, kw_only=True):
    """One number. `low` and `high` are the ends of its interval, None where there is none; then `note` says why."""

    name: str
    """What it is, dotted from the general to the particular: `mode.silence.ttft.p99`."""
    value: float | None
    """None: it could not be computed from this sample."""
    unit: str
    n: int
    """Size of the sample."""
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    method: str = ""
    """How value and interval were made."""
    note: str = ""


class Facts(Struct, frozen=True, kw_only=True):
    """One run's numbers, and all that is needed to make them again."""

    version: int = VERSION
    made: str
    """When: ISO 8601, UTC."""
    program: str
    """What made them, with its version."""
    seed: int
    window: tuple[float, float]
    """Unix times between which the samples were taken."""
    inputs: str
    """Hash of what went in: configuration and plan."""
    facts: tuple[Fact, ...]

    def named(self, name: str) -> Fact:
        """The fact of this name. Raises `KeyError` if there is none."""
        for fact in self.facts:
            if fact.name == name:
                return fact
        raise KeyError(name)


def hash_of(*inputs: bytes) -> str:
    """SHA-256 over the inputs, each with its length, in hexadecimal."""
    digest = sha256()
    for piece in inputs:
        digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()


def write(facts: Facts) -> bytes:
    """As indented JSON."""
    return msgspec.json.format(msgspec.json.encode(facts), indent=2)


def read(text: bytes) -> Facts:
    """From JSON. Raises `msgspec.ValidationError` if it is not a fact sheet of this version."""
    facts = msgspec.json.decode(text, type=Facts)
    if facts.version != VERSION:
        raise msgspec.ValidationError(f"facts of version {facts.version}; this program reads version {VERSION}")
    return facts
