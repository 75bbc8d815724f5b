"""All that the supervisor knows: the configuration in force, what each worker reported, breakers, slots and counts.

Frames of workers come in, frames for workers go out. Pure: `now` is given, in seconds on the monotonic clock.

Must never: touch a socket, or hold more because there is more traffic.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeVar

from msgspec import Struct

from surefoot.config.configuration import Configuration
from surefoot.control.allowances import Allowances
from surefoot.control.gossip import Gossip
from surefoot.control.slots import Slots
from surefoot.control.tally import Tally
from surefoot.gateway.channel import Allow, Frame, Hear, Ready, Report, RouteReport, TargetReport
from surefoot.policy.breaker import State
from surefoot.policy.target_state import News
from surefoot.policy.witness import Witness
from surefoot.policy.zones import Zones

REMEMBERED = 16
"""Versions of before that workers may still tell something under; of older ones nothing is believed."""

Addressed = tuple[int, Frame]
"""A frame, and the number of the worker that it is for."""

Part = TypeVar("Part", TargetReport, RouteReport)


class Seat(Struct):
    """One worker's place. `version` is that of its last `Ready`; None until it said so."""

    alive: bool = False
    version: str | None = None
    report: Report | None = None
    reported_at: float = 0.0
    deaths: int = 0
    owed: int = 0
    """Calls that owe their receipts and whose records have not come, as far as it has said."""


class Picture:
    """What is known. `workers` is how many there are to be."""

    def __init__(self, configuration: Configuration, workers: int) -> None:
        self.configuration = configuration
        self.seats = [Seat() for _ in range(workers)]
        self.draining = False
        self.tally = Tally()
        self.reloads: Counter[str] = Counter()
        """Reloads by "ok" and "refused"."""
        self.allowances = Allowances(workers)
        """Limits of client keys."""
        self._gossip = Gossip()
        self._alike_since: dict[str, frozenset[str]] = {}
        """By the version of an earlier configuration, the targets that are judged now as they were then."""
        self._slots: dict[str, Slots] = {}
        self._counters: Counter[str] = Counter()
        self._dropped = 0
        self._deal_slots()
        self.allowances.deal((*configuration.door.keys, *configuration.ring.keys))

    # ── what happens ───────────────────────────────────────────────────────────────────────────────────────────

    def started(self, worker: int, now: float) -> list[Frame]:
        """A worker starts: what it must hear right after its settings."""
        self.seats[worker].alive = True
        self.allowances.started(worker)
        shares: list[Frame] = [Hear(slots.started(worker)) for slots in self._slots.values()]
        return shares + [Hear(news) for news in self._gossip.for_newcomer(now)]

    def lost(self, worker: int) -> None:
        """A worker is gone; what it had counted stays counted."""
        seat = self.seats[worker]
        if seat.report is not None:
            self._counters.update(seat.report.counters)
            self._dropped += seat.report.dropped
        self.seats[worker] = Seat(deaths=seat.deaths + (not self.draining))
        self._gossip.lost(worker)
        self.allowances.lost(worker)
        for slots in self._slots.values():
            slots.lost(worker)

    def is_ready(self, worker: int, frame: Ready) -> None:
        """A worker accepts connections."""
        self.seats[worker].version = frame.version

    def still(self, version: str, news: Iterable[News]) -> list[News]:
        """Of what was found under some version, that which is about targets as they are now.

        A worker that has not applied a reload yet may tell of others, that only have the name in common.
        """
        if version == self.configuration.version:
            return list(news)
        alike = self._alike_since.get(version, frozenset())
        return [one for one in news if one.target in alike]

    def tell(self, worker: int, news: Iterable[News], now: float) -> list[Addressed]:
        """A worker has found something out."""
        told = [self._gossip.tell(worker, one, self._alive(), now) for one in news]
        return [(to, Hear(one.news)) for one in told if one is not None for to in one.workers]

    def report(self, worker: int, report: Report, now: float) -> list[Addressed]:
        """A worker says how it is."""
        seat = self.seats[worker]
        seat.report, seat.reported_at, seat.owed = report, now, report.owed
        answer: list[Addressed] = []
        for target in report.targets:
            if target.breaker == State.HALF_OPEN:
                self._gossip.probing(worker, target.target, now)
            slots = self._slots.get(target.target)
            if slots is not None:
                shares = slots.report(worker, target.slots, target.in_flight)
                answer += [(to, Hear(share)) for to, share in shares]
        told = self.allowances.report(worker, report.keys)
        return answer + [(to, Allow(shares)) for to, shares in told.items()]

    def reconfigure(self, configuration: Configuration) -> dict[int, list[Frame]]:
        """Another configuration is in force. What each worker must hear right after its new settings."""
        before, self.configuration = self.configuration, configuration
        alike = _judged_alike(before, configuration)
        since = {version: names & alike for version, names in self._alike_since.items()} | {before.version: alike}
        self._alike_since = dict([*since.items()][-REMEMBERED:])
        self._gossip.only((target.name for target in configuration.targets), alike)
        self._deal_slots()
        self.allowances.deal((*configuration.door.keys, *configuration.ring.keys))
        return {worker: [Hear(slots.share(worker)) for slots in self._slots.values()] for worker in self._alive()}

    def readmit(self, target: str) -> list[Addressed]:
        """A person lifts a suspension; nobody is to be told if there is none."""
        lifted = self._gossip.readmit(target)
        return [] if lifted is None else [(worker, Hear(lifted)) for worker in self._alive()]

    # ── what is asked ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def ready(self) -> bool:
        """Whether every worker accepts connections and none is about to stop."""
        return not self.draining and all(seat.version is not None for seat in self.seats)

    @property
    def reports(self) -> list[Report]:
        """The last report of every worker that has made one."""
        return [seat.report for seat in self.seats if seat.report is not None]

    @property
    def counters(self) -> Counter[str]:
        """What the workers count, those that are gone included."""
        return sum((Counter(report.counters) for report in self.reports), self._counters.copy())

    @property
    def ours(self) -> bool:
        """Whether any worker sees every target fail at once."""
        return any(report.ours for report in self.reports)

    @property
    def suspended(self) -> dict[str, str]:
        """Targets that nobody asks, and what each one's answer has contradicted."""
        return self._gossip.suspended

    @property
    def dropped(self) -> int:
        """Records that workers had to drop."""
        return self._dropped + sum(report.dropped for report in self.reports)

    def targets(self) -> dict[str, list[TargetReport]]:
        """What the workers say of each target that is configured."""
        names = [target.name for target in self.configuration.targets]
        return _by_name(names, ((part.target, part) for report in self.reports for part in report.targets))

    def routes(self) -> dict[str, list[RouteReport]]:
        """What the workers say of each route that is configured."""
        names = [route.name for route in self.configuration.routes]
        return _by_name(names, ((part.route, part) for report in self.reports for part in report.routes))

    def _alive(self) -> list[int]:
        return [worker for worker, seat in enumerate(self.seats) if seat.alive]

    def _deal_slots(self) -> None:
        """Deal anew where a limit is new or another one; elsewhere shares stay as they are."""
        before, self._slots = self._slots, {}
        for target in self.configuration.targets:
            if target.max_in_flight is None:
                continue
            slots = before.get(target.name)
            if slots is None or slots.limit != target.max_in_flight:
                slots = Slots(target.name, target.max_in_flight, len(self.seats))
                for worker in self._alive():
                    slots.started(worker)
            self._slots[target.name] = slots


def _judged_alike(one: Configuration, other: Configuration) -> frozenset[str]:
    """The targets that are the same, and whose answers are held against zones that make the same of them."""
    before, after = (
        {target.name: Witness(target, Zones(each.zones)) for target in each.targets} for each in (one, other)
    )
    return frozenset(name for name in before.keys() & after.keys() if before[name].alike(after[name]))


def _by_name(names: Iterable[str], parts: Iterator[tuple[str, Part]]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {name: [] for name in names}
    for name, part in parts:
        if name in found:
            found[name].append(part)
    return found
