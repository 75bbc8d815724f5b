"""The open-loop load generator: calls leave on schedule, latency counts from the schedule.

Knows: the alarm, one pool per plan, the sweep that ends overdue calls.
Must never: wait for an answer before the next send (that would coordinate load with failure), or run on
without end.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from heapq import merge

from hdrh.histogram import HdrHistogram

from surefoot.load.alarm import Alarm
from surefoot.load.client import Call, ConnectionPool
from surefoot.load.plan import LoadError, LoadPlan
from surefoot.load.result import CallResult, LoadResult, new_histogram, record

_LATE_SECONDS = 0.010
_SWEEP_SECONDS = 0.020
_LEAD_SECONDS = 0.010  # between setting up and the first send
_BURST = 64  # sends per wake: when behind schedule, answers must still be read

OnResult = Callable[[CallResult], None]


async def run_load(plan: LoadPlan, on_result: OnResult | None = None, *, keep: bool = True) -> LoadResult:
    """Carry out one plan. With `keep` false, results reach only `on_result` and the histograms.

    It ends by itself: at the latest `timeout` seconds after the last intended send.
    """
    (result,) = await _Generator([plan], [on_result], _paired([plan]), keep=keep).run()
    return result


async def run_paired(
    plans: Sequence[LoadPlan], on_results: Sequence[OnResult | None] | None = None, *, keep: bool = True
) -> list[LoadResult]:
    """Carry out several plans on one schedule, so that they meet the same moments of the machine.

    Each intended time sends one call per plan; which plan goes first rotates. Raises LoadError when
    the plans' schedules differ. Results are in the order of the plans.
    """
    if not plans:
        raise LoadError("there is no plan to carry out")
    if any(_schedule(plan) != _schedule(plans[0]) for plan in plans):
        raise LoadError("paired plans need the same rate, duration, count, arrivals and seed")
    return await _Generator(plans, on_results or [None] * len(plans), _paired(plans), keep=keep).run()


async def run_staggered(plans: Sequence[LoadPlan], starts: Sequence[float]) -> list[LoadResult]:
    """Carry out several plans, each on its own schedule, the first call of each so many seconds from now.

    Results are in the order of the plans. Their histograms are one for all: making hundreds takes a noticeable while.
    """
    if not plans:
        raise LoadError("there is no plan to carry out")
    return await _Generator(plans, [None] * len(plans), _staggered(plans, starts), keep=True, together=True).run()


Sending = tuple[float, int, Sequence[int]]
"""Seconds from the start, the index of the call within its plan, and the plans that send it, in that order."""


def _paired(plans: Sequence[LoadPlan]) -> Iterator[Sending]:
    count = len(plans)
    orders = [[(first + turn) % count for turn in range(count)] for first in range(count)]
    for index, offset in enumerate(plans[0].offsets()):
        yield offset, index, orders[index % count]


def _staggered(plans: Sequence[LoadPlan], starts: Sequence[float]) -> Iterator[Sending]:
    def of(lane: int, plan: LoadPlan, start: float) -> Iterator[Sending]:
        return ((start + offset, index, [lane]) for index, offset in enumerate(plan.offsets()))

    return merge(*(of(lane, plan, start) for lane, (plan, start) in enumerate(zip(plans, starts, strict=True))))


def _schedule(plan: LoadPlan) -> tuple[object, ...]:
    return plan.rate, plan.duration, plan.count, plan.arrivals, plan.seed


_NOTHING: Sending = (math.inf, 0, ())


_Histograms = tuple[HdrHistogram, HdrHistogram, HdrHistogram]


def _histograms() -> _Histograms:
    return new_histogram(), new_histogram(), new_histogram()


class _Lane:
    """One plan under way."""

    def __init__(self, plan: LoadPlan, on_result: OnResult | None, histograms: _Histograms, *, keep: bool) -> None:
        self.timeout = plan.timeout
        self.pool = ConnectionPool(plan, self._ended)
        self.result = LoadResult([], *histograms, 0.0)
        self.live = 0
        self._on_result = on_result
        self._keep = keep
        self._overdue: deque[Call] = deque()

    def send(self, index: int, intended: float) -> None:
        """Dispatch one call."""
        late = time.monotonic() - intended
        record(self.result.lateness_histogram, late)
        self.result.late_sends += late > _LATE_SECONDS
        self.result.calls += 1
        self.live += 1
        self._overdue.append(self.pool.dispatch(CallResult(index, intended)))

    def sweep(self, now: float) -> None:
        """Time out what is overdue; calls stand in order of their intended times, so of their deadlines."""
        line = self._overdue
        while line and (line[0].over or line[0].result.intended + self.timeout <= now):
            self.pool.time_out(line.popleft(), now)

    def _ended(self, call: Call) -> None:
        result = call.result
        self.live -= 1
        self.result.ok += result.ok
        if result.ttft is not None:
            record(self.result.ttft_histogram, result.ttft)
        if result.ok:
            record(self.result.e2e_histogram, result.e2e)
        if self._keep:
            self.result.results.append(result)
        if self._on_result is not None:
            self._on_result(result)


class _Generator:
    """Sends the lanes' calls on one schedule."""

    def __init__(
        self,
        plans: Sequence[LoadPlan],
        callbacks: Sequence[OnResult | None],
        schedule: Iterator[Sending],
        *,
        keep: bool,
        together: bool = False,
    ) -> None:
        shared = _histograms()
        self._lanes = [
            _Lane(plan, callback, shared if together else _histograms(), keep=keep)
            for plan, callback in zip(plans, callbacks, strict=True)
        ]
        self._started = time.monotonic() + _LEAD_SECONDS  # once all is set up: many lanes take a while
        for lane in self._lanes:
            lane.result.started = self._started
        self._schedule = schedule
        self._next = next(schedule, _NOTHING)
        self._alarm = Alarm(self._send_due)

    async def run(self) -> list[LoadResult]:
        """Until the schedule is through and every call has ended."""
        try:
            if self._next is not _NOTHING:
                self._alarm.set(self._started + self._next[0])
            while self._next is not _NOTHING or any(lane.live for lane in self._lanes):
                await asyncio.sleep(_SWEEP_SECONDS)
                now = time.monotonic()
                for lane in self._lanes:
                    lane.sweep(now)
        finally:
            self._alarm.close()
            for lane in self._lanes:
                await lane.pool.close()
        ended = time.monotonic()
        for lane in self._lanes:
            lane.result.ended = ended
            lane.result.results.sort(key=lambda result: result.index)
        return [lane.result for lane in self._lanes]

    def _send_due(self) -> None:
        for _ in range(_BURST):
            offset, index, lanes = self._next
            intended = self._started + offset
            if intended > time.monotonic():
                break
            for lane in lanes:
                self._lanes[lane].send(index, intended)
            self._next = next(self._schedule, _NOTHING)
            if self._next is _NOTHING:
                return
        self._alarm.set(self._started + self._next[0])
