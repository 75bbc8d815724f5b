"""A target's `max_in_flight`, dealt out to the workers so that together they never exceed it, not even for a moment.

A share that shrinks is told first. What it gives up goes to another worker only after the next report of the one that
shrank says that it goes by its new share and has no more calls under way than that. Only one change of a share is on
its way at a time, so a report cannot be taken for the answer to another change.

Shares follow demand: a worker that has used up its share is given more of what others do not use. With fewer slots than
workers some have none; since a worker without a slot shows no demand, idle slots then wander from report to report.

Pure: reports come in, shares to be told are returned. Must never: send anything itself.
"""

from collections.abc import Iterable

from surefoot.policy.target_state import SlotShare

TIGHT = 4
"""Shares are dealt anew when a worker has less than one in so many of its slots free."""


class _Hand:
    """One worker's part of one target's slots."""

    __slots__ = ("alive", "held", "in_flight", "served", "settled", "share")

    def __init__(self, share: int) -> None:
        self.share = share
        """What the worker was last told."""
        self.held = share
        """What it may have under way at most, until a report says less: never below `share`."""
        self.in_flight = 0
        self.settled = False
        """Whether a report has said that it goes by `share`."""
        self.alive = False
        self.served = 0
        """When it was last given its first slot, as a count: who waited longest is served next."""

    @property
    def tight(self) -> bool:
        return self.alive and (self.share - self.in_flight) * TIGHT < max(self.share, TIGHT)

    def demand(self, limit: int, least: int) -> int:
        """What it could use: all there is, if it is tight, else the least share with which it is not."""
        return limit if self.tight else max(least, self.in_flight + max(1, -(-self.in_flight // (TIGHT - 1))))

    def tell(self, share: int) -> None:
        self.held = max(self.held, share)
        self.share = share
        self.settled = False


class Slots:
    """The slots of one target, over a fixed number of workers. One that runs short of nothing keeps `least`."""

    def __init__(self, target: str, limit: int, workers: int, least: int = 1) -> None:
        self.target = target
        self.limit = limit
        self._least = least
        self._served = 0
        even, rest = divmod(limit, workers)
        self._hands = [_Hand(even + (worker < rest)) for worker in range(workers)]

    @property
    def held(self) -> int:
        """Upper bound of what all workers together may have under way."""
        return sum(hand.held for hand in self._hands)

    def share(self, worker: int) -> SlotShare:
        """What this worker goes by, or is about to."""
        return SlotShare(self.target, self._hands[worker].share)

    def started(self, worker: int) -> SlotShare:
        """A worker starts, with nothing under way: it gets the share that its place has."""
        hand = self._hands[worker]
        hand.in_flight, hand.held, hand.settled, hand.alive = 0, hand.share, False, True
        return self.share(worker)

    def lost(self, worker: int) -> None:
        """A worker is gone. Its share waits for its replacement."""
        self._hands[worker].alive = False

    def report(self, worker: int, share: int, in_flight: int) -> list[tuple[int, SlotShare]]:
        """A worker reports the share that it goes by. Returns the shares that are to be told, and to whom."""
        hand = self._hands[worker]
        hand.in_flight = in_flight
        if share == hand.share:
            hand.settled = True
            hand.held = max(hand.share, min(hand.held, in_flight))
        if not any(hand.tight for hand in self._hands):
            return []
        return list(self._deal())

    def _deal(self) -> Iterable[tuple[int, SlotShare]]:
        wanted = self._wanted()
        for worker, (hand, want) in enumerate(zip(self._hands, wanted, strict=True)):
            if hand.settled and hand.alive and want < hand.share:
                hand.tell(want)
                yield worker, self.share(worker)
        free = self.limit - self.held
        for worker, (hand, want) in enumerate(zip(self._hands, wanted, strict=True)):
            share = min(want, max(hand.held, hand.share + free))
            if hand.settled and hand.alive and share > hand.share:
                free -= max(share - hand.held, 0)
                if not hand.share:
                    self._served += 1
                    hand.served = self._served
                hand.tell(share)
                yield worker, self.share(worker)

    def _wanted(self) -> list[int]:
        """The shares as demand would have them: max-min fair, where the demand of a tight worker has no bound.

        Bertsekas and Gallager, Data Networks, 1992, section 6.5.2: the least demand is served first, by an equal part.
        """
        alive = [worker for worker, hand in enumerate(self._hands) if hand.alive]
        wanted = [hand.share for hand in self._hands]
        left = self.limit - sum(hand.share for hand in self._hands if not hand.alive)
        if left < len(alive):
            return self._wander(wanted, alive, left)
        demands = sorted((self._hands[worker].demand(self.limit, self._least), worker) for worker in alive)
        for served, (demand, worker) in enumerate(demands):
            wanted[worker] = min(demand, left // (len(demands) - served))
            left -= wanted[worker]
        return wanted

    def _wander(self, wanted: list[int], alive: list[int], left: int) -> list[int]:
        """Fewer slots than workers: what is free, then what is idle, goes to those that have waited longest."""
        without = sorted((w for w in alive if not wanted[w]), key=lambda worker: self._hands[worker].served)
        free = left - sum(wanted[worker] for worker in alive)
        for worker in without[:free]:
            wanted[worker] = 1
        idle = [worker for worker in alive if self._hands[worker].share and not self._hands[worker].in_flight]
        for giver, _ in zip(idle, without[free:], strict=False):
            wanted[giver] -= 1
        return wanted
