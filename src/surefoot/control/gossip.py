"""What one worker has found out and the others must hear, and who may probe a target whose breaker is open.

Pure: `now` is given, and what is to be sent is returned.

Knows: which breakers are open, until when, which targets are suspended and why, and which worker holds the permit for a
target's one probe.
Must never: send anything itself, or make a breaker's decision.
"""

from collections.abc import Iterable

from msgspec import Struct

from surefoot.policy.target_state import Closed, News, Opened, ProbePermit, ProbeWanted, Readmitted, Suspended

PERMIT = 5.0
"""Seconds for which a permit is good if nothing is heard of the probe."""

STILL_PROBING = 3.0
"""Seconds for which a worker's report that it is probing keeps the permit: three times the time between reports."""


class Told(Struct, frozen=True):
    """News that is to be sent to these workers."""

    news: News
    workers: tuple[int, ...]


class Gossip:
    """What has been heard so far. Workers are numbers."""

    def __init__(self) -> None:
        self._open_until: dict[str, float] = {}
        self._permits: dict[str, tuple[int, float]] = {}
        self.suspended: dict[str, str] = {}
        """Targets that nobody asks, and what each one's answer has contradicted."""

    def tell(self, teller: int, news: News, workers: Iterable[int], now: float) -> Told | None:
        """A worker tells something, while `workers` are alive. Returns what has to be passed on."""
        match news:
            case Opened(target=target, seconds=seconds):
                self._permits.pop(target, None)
                self._open_until[target] = max(self._open_until.get(target, now), now + seconds)
            case Closed(target=target):
                self._permits.pop(target, None)
                self._open_until.pop(target, None)
            case ProbeWanted(target=target):
                return self._grant(teller, target, now)
            case Suspended(target=target, why=why):
                self.suspended.setdefault(target, why)
            case _:  # permits and shares go down only
                return None
        others = tuple(worker for worker in workers if worker != teller)
        return Told(news, others) if others else None

    def probing(self, worker: int, target: str, now: float) -> None:
        """A worker reports that its probe of this target is under way: its permit lasts until the next report."""
        holder, until = self._permits.get(target, (worker, now))
        if holder == worker:
            self._permits[target] = (worker, max(until, now + STILL_PROBING))

    def lost(self, worker: int) -> None:
        """A worker is gone, and its probes with it."""
        self._permits = {target: permit for target, permit in self._permits.items() if permit[0] != worker}

    def for_newcomer(self, now: float) -> list[News]:
        """What a worker that has just started must hear: breakers that have not closed since.

        Who is suspended stands in its settings: it connects to some targets as soon as it has these.
        """
        return [Opened(target, max(until - now, 0.0)) for target, until in self._open_until.items()]

    def readmit(self, target: str) -> Readmitted | None:
        """A person lifts a suspension. Returns what all workers must hear; None if it was not suspended."""
        return None if self.suspended.pop(target, None) is None else Readmitted(target)

    def only(self, targets: Iterable[str], unchanged: Iterable[str]) -> None:
        """The configuration has changed: forget every other target, and who is suspended and judged otherwise now."""
        known = set(targets)
        same = set(unchanged)
        self.suspended = {target: why for target, why in self.suspended.items() if target in same}
        self._open_until = {target: until for target, until in self._open_until.items() if target in known}
        self._permits = {target: permit for target, permit in self._permits.items() if target in known}

    def _grant(self, worker: int, target: str, now: float) -> Told | None:
        holder, until = self._permits.get(target, (worker, now))
        if holder != worker and until > now:
            return None
        self._permits[target] = (worker, now + PERMIT)
        return Told(ProbePermit(target, PERMIT), (worker,))
