"""Made-up arms of a replay, call by call, for tallies and summaries."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import nan
from typing import Any

import numpy as np

from surefoot.domain.outcome import Kind
from surefoot.replay.outages.outage import Outage
from surefoot.replay.virtual.driver import KINDS
from surefoot.replay.virtual.result import Results

MONDAY = datetime(2024, 6, 3, tzinfo=UTC).timestamp()
"""0:00 UTC on the first day of 2024-W23."""
WEEK = 7 * 86_400.0
HOUR = 3600.0

PRIMARY, SPARE = 0, 1
TARGETS = ("primary", "spare")

Call = dict[str, Any]


def ok(**more: Any) -> Call:
    """A call that the primary answers in 2 s for a cent."""
    return {"kind": Kind.OK, "ttft": 0.5, "e2e": 2.0, "winner": PRIMARY, "cost": 0.01, **more}


def failed(**more: Any) -> Call:
    """A call that the primary refuses."""
    return {"kind": Kind.SERVER_ERROR, "ttft": nan, "e2e": 0.1, "winner": -1, "cost": 0.0, "detect": 0.1, **more}


def saved(**more: Any) -> Call:
    """One that the spare answers after that, for two cents."""
    return ok(winner=SPARE, ttft=0.7, e2e=2.5, attempts=2, cost=0.02, detect=0.1, switch=0.0, **more)


def results(at: Sequence[float], calls: Sequence[Call]) -> Results:
    """One arm's batch."""

    def column(name: str, default: float) -> Any:
        return [call.get(name, default) for call in calls]

    def whole(name: str, default: int) -> Any:
        return np.array(column(name, default), np.int64)

    def floats(name: str, default: float) -> Any:
        return np.array(column(name, default), np.float64)

    return Results(
        at=np.array(at, np.float64),
        kind=np.array([KINDS.index(call["kind"]) for call in calls], np.int64),
        ttft=floats("ttft", nan),
        e2e=floats("e2e", nan),
        first=whole("first", PRIMARY),
        winner=whole("winner", -1),
        attempts=whole("attempts", 1),
        cost=floats("cost", nan),
        extra=floats("extra", 0.0),
        outage=whole("outage", -1),
        detect=floats("detect", nan),
        switch=floats("switch", nan),
    )


def outage(start: float, end: float, **more: Any) -> Outage:
    """One of the primary; from and to in hours after `MONDAY`."""
    told = {"target": "primary", "mode": "server_error", "provider": "acme", "incident": f"i{start:g}", **more}
    return Outage(start=MONDAY + start * HOUR, end=MONDAY + end * HOUR, **told)
