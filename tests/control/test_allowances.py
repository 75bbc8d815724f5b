"""Limits of keys against workers that are played: frames and reports wait in queues, workers die, time passes."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from surefoot.control.allowances import Allowances
from surefoot.domain.front import ClientKey, KeyLimits
from surefoot.gateway.channel import KeyReport
from surefoot.policy.allowance import Allowance, Share

KEY = ClientKey("app", b"", limits=KeyLimits(in_flight=48, per_minute=1800))
BUCKET = 180
"""What one bucket for the whole gateway would hold: a tenth of a minute's worth."""


class Played:
    """A worker that goes by its share, and whose frames and reports take as long as the test wants."""

    def __init__(self) -> None:
        self.alive = False
        self.allowance = Allowance("app")
        self.down: deque[Share] = deque()
        self.up: deque[KeyReport] = deque()

    def start(self, share: Share, at: float, *, again: bool) -> None:
        self.alive = True
        self.allowance = Allowance("app")
        self.allowance.hold(share, at, full=not again)
        self.down.clear()
        self.up.clear()


class Gateway:
    def __init__(self, workers: int) -> None:
        self.at = 1000.0
        self.begun: list[float] = []
        """When calls were let in."""
        self.dealt = Allowances(workers)
        self.dealt.deal([KEY])
        self.workers = [Played() for _ in range(workers)]
        for number in range(workers):
            self.start(number, again=False)

    def start(self, number: int, *, again: bool = True) -> None:
        self.dealt.started(number)
        self.workers[number].start(self.dealt.shares(number)[0], self.at, again=again)

    @property
    def under_way(self) -> int:
        return sum(worker.allowance.in_flight for worker in self.workers)

    def do(self, number: int, deed: str, many: int) -> None:
        worker = self.workers[number]
        key = worker.allowance
        match deed:
            case "call" if worker.alive:
                self.begun += [self.at for _ in range(many) if key.enter(self.at) is None]
            case "end":
                for _ in range(min(many, key.in_flight)):
                    key.leave()
            case "die":
                worker.alive, worker.allowance = False, Allowance("app")
                self.dealt.lost(number)
            case "start" if not worker.alive:
                self.start(number)
            case "wait":
                self.at += many / 10
            case _:
                self.speak(number, deed)

    def speak(self, number: int, deed: str) -> None:
        worker = self.workers[number]
        key = worker.allowance
        match deed:
            case "hear" if worker.down:
                key.hold(worker.down.popleft(), self.at)
            case "report" if worker.alive:
                worker.up.append(KeyReport("app", key.in_flight, key.demand(1.0), key.share))
            case "arrive" if worker.up:
                for to, shares in self.dealt.report(number, [worker.up.popleft()]).items():
                    self.workers[to].down.extend(shares)
            case _:
                pass


DEEDS = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["call", "call", "end", "hear", "report", "arrive", "die", "start", "wait"]),
    st.integers(1, 60),
)


@given(st.lists(DEEDS, max_size=80))
def test_whatever_happens_the_workers_together_never_let_in_more_than_the_limits(
    deeds: list[tuple[int, str, int]],
) -> None:
    gateway = Gateway(3)
    for number, deed, many in deeds:
        gateway.do(number, deed, many)
        assert gateway.under_way <= 48
    begun = gateway.begun
    for first in range(0, len(begun), 7):
        for last in range(first, len(begun), 11):
            assert last - first + 1 <= BUCKET + (begun[last] - begun[first]) * 30 + 1e-6


def test_a_busy_worker_is_given_what_idle_ones_do_not_use_and_they_keep_a_quarter_of_their_part() -> None:
    gateway = Gateway(3)
    for _ in range(8):
        gateway.do(0, "call", 200)
        for number in range(3):
            for deed in ("report", "arrive", "hear"):
                gateway.do(number, deed, 1)
        gateway.do(0, "wait", 10)
    shares = [worker.allowance.share for worker in gateway.workers]
    assert [share.in_flight for share in shares] == [40, 4, 4]
    assert [share.per_minute for share in shares] == [1500, 150, 150]


def test_only_limits_that_are_shared_out_are_dealt_and_unchanged_ones_stay_as_they_are() -> None:
    dealt = Allowances(2)
    dealt.started(0)
    dealt.started(1)
    small, free = ClientKey("small", b"", limits=KeyLimits(in_flight=2)), ClientKey("free", b"")
    wide = ClientKey("wide", b"", limits=KeyLimits(in_flight=100))
    dealt.deal([small, free, wide])
    assert dealt.shares(0) == [Share("wide", 50, None)]
    busy = KeyReport("wide", 50, 0, Share("wide", 50, None))
    dealt.report(1, [KeyReport("wide", 0, 0, Share("wide", 50, None))])
    assert dealt.report(0, [busy]) == {1: [Share("wide", 12, None)]}
    dealt.deal([wide])
    assert dealt.shares(1) == [Share("wide", 12, None)]
    dealt.deal([ClientKey("wide", b"", limits=KeyLimits(in_flight=60))])
    assert dealt.shares(1) == [Share("wide", 30, None)]
    dealt.deal([])
    assert dealt.report(0, [busy]) == {}
