"""How receipts are kept: the proof, for each attempt, of where it went, and why it might go there."""

from typing import Annotated

from msgspec import Meta, Struct

from surefoot.domain.units import Seconds

Room = Annotated[int, Meta(ge=1, le=10_000_000, extra={"unit": "count"})]
Every = Annotated[int, Meta(ge=1, le=1_000_000_000, extra={"unit": "count"})]


class ReceiptOptions(Struct, frozen=True):
    """What `[receipts]` says, as far as the gateway goes by it."""

    path: str
    key: str | None = None
    """Private key that signs checkpoints; None makes none."""
    required: bool = False
    """Whether every call is refused whose receipts cannot be queued. A jurisdiction may oblige to it besides."""
    room: Room = 20_000
    """Most calls, over the whole gateway, whose receipts are owed and not yet on the disk: those under way included."""
    every: Every = 10_000
    """Receipts after which a checkpoint is made."""
    period: Seconds = 600.0
    """Time after which one is made, if there were any."""
