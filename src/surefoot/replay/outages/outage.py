"""An outage as the replay plays it: from when to when, which target, how it fails there, and for which share of calls.

Made from incidents under one reading (`outages.planning`), or by a stress; read by the driver. Times are Unix seconds.
"""

from msgspec import Struct

GATEWAY = ":gateway"
"""In place of a target: the gateway itself is down, and a call that arrives then finds nobody. No target's name."""


class Outage(Struct, frozen=True, kw_only=True):
    """A span in which one target fails in one way: from its start on, and no more at its end."""

    target: str
    """Name of the target in the configuration, or `GATEWAY`."""
    start: float
    end: float
    mode: str
    """How it fails, by the name of a failure mode (`replay.outages.modes`, the names that drills use)."""
    share: float = 1.0
    """Share of the attempts in it that are struck, drawn per call and target with the call's own draw."""
    incident: str = ""
    """What it was made from: the id of an incident, or `stress:` and its name."""
    provider: str = ""
