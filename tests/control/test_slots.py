"""Slots against workers that are played with every delay there can be: frames down and reports up wait in queues."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from surefoot.control.slots import Slots


class Played:
    """A worker that obeys its share, and whose frames and reports take as long as the test wants."""

    def __init__(self) -> None:
        self.share = 0
        self.in_flight = 0
        self.alive = False
        self.down: deque[int] = deque()
        self.up: deque[tuple[int, int]] = deque()

    def start(self, share: int) -> None:
        self.alive, self.share, self.in_flight = True, share, 0
        self.down.clear()
        self.up.clear()

    def launch(self) -> None:
        if self.alive and self.in_flight < self.share:
            self.in_flight += 1


class Gateway:
    def __init__(self, limit: int, workers: int) -> None:
        self.slots = Slots("near", limit, workers)
        self.workers = [Played() for _ in range(workers)]
        for number, worker in enumerate(self.workers):
            worker.start(self.slots.started(number).slots)

    @property
    def under_way(self) -> int:
        return sum(worker.in_flight for worker in self.workers)

    def do(self, number: int, deed: str) -> None:
        worker = self.workers[number]
        match deed:
            case "launch":
                worker.launch()
            case "end":
                worker.in_flight = max(worker.in_flight - 1, 0)
            case "hear" if worker.down:
                worker.share = worker.down.popleft()
            case "report" if worker.alive:
                worker.up.append((worker.share, worker.in_flight))
            case "arrive" if worker.up:
                for to, share in self.slots.report(number, *worker.up.popleft()):
                    self.workers[to].down.append(share.slots)
            case "die":
                worker.alive, worker.in_flight = False, 0
                self.slots.lost(number)
            case "start" if not worker.alive:
                worker.start(self.slots.started(number).slots)
            case _:
                pass

    def settle(self, rounds: int, wanted: dict[int, int]) -> None:
        """Let time pass, second by second, with workers that always want so many calls under way."""
        for _ in range(rounds):
            for number, worker in enumerate(self.workers):
                worker.in_flight = min(wanted.get(number, 0), worker.share)
                for deed in ("report", "arrive"):
                    self.do(number, deed)
            for worker in self.workers:
                while worker.down:
                    worker.share = worker.down.popleft()

    @property
    def shares(self) -> list[int]:
        return [worker.share for worker in self.workers]


DEEDS = st.sampled_from(["launch", "launch", "end", "hear", "report", "arrive", "die", "start"])


@given(
    limit=st.integers(1, 12),
    workers=st.integers(1, 4),
    deeds=st.lists(st.tuples(st.integers(0, 3), DEEDS), max_size=150),
)
def test_whatever_happens_in_whatever_order_the_limit_holds(
    limit: int, workers: int, deeds: list[tuple[int, str]]
) -> None:
    gateway = Gateway(limit, workers)
    for number, deed in deeds:
        gateway.do(number % workers, deed)
        assert gateway.under_way <= limit
        assert gateway.slots.held <= limit


def test_shares_add_up_to_the_limit_from_the_start() -> None:
    assert Gateway(10, 3).shares == [4, 3, 3]


def test_a_single_worker_has_all_the_slots() -> None:
    gateway = Gateway(7, 1)
    gateway.settle(3, {0: 7})
    assert gateway.shares == [7]


def test_a_busy_worker_is_given_what_an_idle_one_does_not_use() -> None:
    gateway = Gateway(10, 2)
    gateway.settle(6, {0: 10})
    assert gateway.shares == [9, 1]


def test_slots_come_back_when_demand_does() -> None:
    gateway = Gateway(10, 2)
    gateway.settle(6, {0: 10})
    gateway.settle(8, {0: 10, 1: 10})
    assert gateway.shares == [5, 5]


def test_shares_stay_where_nobody_is_short() -> None:
    gateway = Gateway(100, 2)
    gateway.settle(5, {0: 30, 1: 5})
    assert gateway.shares == [50, 50]


def test_what_one_gives_up_is_not_given_away_before_it_has_confirmed() -> None:
    slots = Slots("near", 10, 2)
    slots.started(0)
    slots.started(1)
    slots.report(1, 5, 0)
    told = dict(slots.report(0, 5, 5))
    assert told[1].slots == 1
    assert 0 not in told
    assert slots.report(0, 5, 5) == []
    assert dict(slots.report(1, 5, 0)) == {}  # sent before it heard of its new share
    assert dict(slots.report(1, 1, 0))[0].slots == 9


def test_with_fewer_slots_than_workers_each_gets_its_turn() -> None:
    gateway = Gateway(1, 3)
    had: set[int] = set()
    for _ in range(12):
        gateway.settle(1, {})
        had |= {number for number, share in enumerate(gateway.shares) if share}
    assert had == {0, 1, 2}


def test_a_slot_in_use_does_not_wander() -> None:
    gateway = Gateway(1, 2)
    gateway.settle(6, {0: 1})
    assert gateway.shares == [1, 0]


def test_a_dead_workers_share_waits_for_its_replacement() -> None:
    gateway = Gateway(10, 2)
    gateway.settle(6, {1: 10})
    gateway.do(1, "die")
    gateway.settle(6, {0: 10})
    assert gateway.shares[0] == 1
    gateway.do(1, "start")
    assert sum(gateway.shares) == 10
    gateway.settle(6, {0: 10})
    assert gateway.shares == [9, 1]
