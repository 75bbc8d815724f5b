"""Limits of client keys, dealt out to the workers so that together they never let in more, not even for a moment.

Calls at once are slots, as those of a target are, and so are calls a minute: a worker confirms that it goes by a
smaller share before what it gave up goes to another one (`control.slots`). A limit that is too small to be shared out
is not dealt: its home has all of it (`policy.allowance`).

Pure: reports come in, shares to be told are returned. Must never: send anything itself.
"""

from collections.abc import Iterable

from surefoot.control.slots import Slots
from surefoot.domain.front import ClientKey, KeyLimits
from surefoot.gateway.channel import KeyReport
from surefoot.policy.allowance import LEAST, Share, home_of


class _Dealt:
    """One key's limits."""

    def __init__(self, key: ClientKey, workers: int) -> None:
        self.key = key.name
        self.limits = key.limits
        self._in_flight = _slots(key.name, key.limits.in_flight, workers)
        self._per_minute = _slots(key.name, key.limits.per_minute, workers)

    @property
    def all(self) -> list[Slots]:
        return [slots for slots in (self._in_flight, self._per_minute) if slots is not None]

    def share(self, worker: int) -> Share:
        return Share(self.key, _share(self._in_flight, worker), _share(self._per_minute, worker))

    def report(self, worker: int, report: KeyReport) -> set[int]:
        """The workers whose share has changed."""
        changed: set[int] = set()
        for slots, share, used in (
            (self._in_flight, report.share.in_flight, report.in_flight),
            (self._per_minute, report.share.per_minute, report.per_minute),
        ):
            if slots is not None and share is not None:
                changed.update(to for to, _ in slots.report(worker, share, used))
        return changed


class Allowances:
    """The limits of all keys, over a fixed number of workers."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._alive: set[int] = set()
        self._dealt: dict[str, _Dealt] = {}

    def deal(self, keys: Iterable[ClientKey]) -> None:
        """These are the keys from now on. Where limits have not changed, shares stay as they are."""
        before, self._dealt = self._dealt, {}
        for key in keys:
            if not _limited(key.limits) or home_of(key.name, key.limits, self._workers) is not None:
                continue
            dealt = before.get(key.name)
            if dealt is None or dealt.limits != key.limits:
                dealt = _Dealt(key, self._workers)
                for slots in dealt.all:
                    for worker in self._alive:
                        slots.started(worker)
            self._dealt[key.name] = dealt

    def shares(self, worker: int) -> list[Share]:
        """What this worker goes by, or is about to."""
        return [dealt.share(worker) for dealt in self._dealt.values()]

    def started(self, worker: int) -> None:
        """A worker starts, with nothing under way."""
        self._alive.add(worker)
        for dealt in self._dealt.values():
            for slots in dealt.all:
                slots.started(worker)

    def lost(self, worker: int) -> None:
        """A worker is gone. Its shares wait for its replacement."""
        self._alive.discard(worker)
        for dealt in self._dealt.values():
            for slots in dealt.all:
                slots.lost(worker)

    def report(self, worker: int, reports: Iterable[KeyReport]) -> dict[int, list[Share]]:
        """A worker reports the shares that it goes by. Returns those that are to be told, by worker."""
        told: dict[int, list[Share]] = {}
        for report in reports:
            dealt = self._dealt.get(report.key)
            if dealt is not None:
                for to in dealt.report(worker, report):
                    told.setdefault(to, []).append(dealt.share(to))
        return told


def _limited(limits: KeyLimits) -> bool:
    return limits.in_flight is not None or limits.per_minute is not None


def _slots(key: str, limit: int | None, workers: int) -> Slots | None:
    return None if limit is None else Slots(key, limit, workers, max(1, limit // (LEAST * workers)))


def _share(slots: Slots | None, worker: int) -> int | None:
    return None if slots is None else slots.share(worker).slots
