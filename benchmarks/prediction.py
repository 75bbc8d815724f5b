"""The same calls once more: what the replay makes of a drill's own conditions, mode by mode, beside what was measured.

Conditions are taken from what was well in the drill, never from a call that is predicted:

- arrivals, streams and prompt lengths: the journal's, world by world, each world with breakers and budgets of its own;
- what a world had learned when it was opened: the first-token times of the healthy world until then;
- models of the targets: launches to first content, and token rates, of first attempts that no fault struck;
- a refusal takes as long as the head of such an answer, in the middle;
- what client and line add to the gateway's own times: pairs drawn from calls that no fault struck;
- how long an answer is: what the twin says; one that goes on with a broken text says all of it again, as no model does;
- the fault: an outage of its mode on the targets that were struck, from the moment it was ordered.

Knows the definitions of a drill: which calls are cold, whose times count. Must never: look at a struck call's times.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from random import Random
from typing import ClassVar

import numpy as np
from benchmarks.observed import Observed

from surefoot.domain.commands import Command
from surefoot.domain.outcome import Kind
from surefoot.domain.route import Watch
from surefoot.drill.plan import DrillOptions, Trial, patience_of
from surefoot.drill.stage import FIRST, RATE, SPREAD, STEP, TOKENS
from surefoot.journal.reader import AttemptEntry, CallEntry
from surefoot.policy.breaker import State
from surefoot.policy.call import Call
from surefoot.policy.first_token import FirstToken, series_of
from surefoot.policy.fleet import Fleet
from surefoot.policy.suspicion import Suspicion
from surefoot.replay.models.model import Floats, QuantileTable, TargetModel
from surefoot.replay.outages.modes import AFTER_TOKENS
from surefoot.replay.outages.outage import Outage
from surefoot.replay.virtual.arm import Arm
from surefoot.replay.virtual.batch import Batch
from surefoot.replay.virtual.driver import KINDS, Driver
from surefoot.replay.virtual.result import Results
from surefoot.twin import Distribution, Lognormal
from surefoot.twin.behaviour import sampler

POINTS = 400
"""Of a quantile table, at most."""

LEAST = 20
"""Attempts of a target from which its model is made."""

SAMPLES = 20_000
"""Of what a twin was told, where it was not measured."""

NEAR = 30
"""Pairs from which a call's is drawn."""

FOLDED = 0.3
"""Seconds after which what was learned has been folded."""

_BREAKS = frozenset({"cut", "done_unfinished", "error_later", "stall", "truncate"})
"""Faults after which the client has the beginning of an answer."""

_ROUNDING = 1e-12

_GIVEN_UP = frozenset({Kind.OVERTAKEN, Kind.SILENCE, Kind.SLOW_FIRST_TOKEN})
"""Ends of an attempt that was waited for in vain."""

_PLACES = 16
"""Calls that a world may have: each has a place of its own among the draws."""

_ANSWERED = KINDS.index(Kind.OK)


class Kept(Call):
    """A Call that can be looked at afterwards."""

    __slots__ = ()
    kept: ClassVar[list[Call]] = []

    def begin(self, now: float) -> tuple[Command, ...]:
        """It arrives."""
        self.kept.append(self)
        return super().begin(now)


class KeepingDriver(Driver):
    """A driver of such Calls."""

    make_call = Kept


@dataclass(slots=True)
class Predicted:
    """The cold calls of one mode, over all repeats of the replay. Seconds as a client counts them."""

    calls: int = 0
    mitigated: int = 0
    ttft: list[float] = field(default_factory=list)
    end_to_end: list[float] = field(default_factory=list)


# ── what was well ──────────────────────────────────────────────────────────────────────────────────────────────────


def unhurt(observed: Observed) -> Iterator[tuple[CallEntry, AttemptEntry]]:
    """Calls with a first attempt that no fault struck; without each world's first, which had no warm connection."""
    for number, entries in observed.worlds.items():
        trial = observed.trials.get(number)
        for call in entries[1:]:
            if call.route == observed.route and call.attempts:
                first = call.attempts[0]
                struck = trial is not None and call.at >= trial.began and first.target in trial.struck
                if not struck:
                    yield call, first


@dataclass(slots=True)
class _Seen:
    """The first attempts at one target that no fault struck."""

    ttft: list[float] = field(default_factory=list)
    spoke: list[bool] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)

    def note(self, one: AttemptEntry) -> None:
        """One that has ended."""
        first, ended = one.first_content, one.ended or 0.0
        self.ttft.append((ended if first is None else first) - one.started)
        self.spoke.append(first is not None)
        if first is not None and one.kind == Kind.OK and ended > first:
            self.rate.append((TOKENS - 1) / (ended - first))


def models(observed: Observed) -> dict[str, TargetModel]:
    """Of all targets, from their first attempts at streamed calls.

    One that was hardly ever asked first has its twin's own times: what it was told, and the line of the others.
    """
    seen: dict[str, _Seen] = defaultdict(_Seen)
    trips = []
    for call, first in unhurt(observed):
        if call.stream and first.ended is not None:
            seen[first.target].note(first)
            if first.heard is not None:
                trips.append(first.heard - first.started)
    trip = float(np.median(trips))
    made = {}
    for place, target in enumerate(one for one in observed.configuration.targets if one.text is None):
        one = seen[target.name]
        if len(one.rate) >= LEAST:
            ttft, rate = survived(one.ttft, one.spoke), table(one.rate)
            measured = f"{len(one.ttft)} attempts that no fault struck"
        else:
            ttft, rate, measured = told(observed.told, place, trip), QuantileTable((RATE,)), "what its twin was told"
        made[target.name] = TargetModel(
            target=target.name, ttft=((ttft,),), rate=((rate,),), round_trip=trip, price=target.price, measured=measured
        )
    return made


def survived(seconds: Sequence[float], spoke: Sequence[bool]) -> QuantileTable:
    """The inverse distribution of times of which some are only known to be longer: those of attempts given up.

    Kaplan & Meier (1958): of those that were waited for so long, the share that spoke then. Taken as it stood, an
    attempt that was overtaken would make its target faster than it is. The longest counts as if it had spoken.
    """
    order = np.lexsort((np.logical_not(spoke), np.array(seconds)))
    times, came = np.array(seconds)[order], np.array(spoke)[order]
    came[-1] = True
    left = np.arange(len(times), 0, -1)
    silent = np.cumprod(np.where(came, 1.0 - 1.0 / left, 1.0))
    probabilities = np.linspace(0.0, 1.0, min(len(times), POINTS))
    first = np.searchsorted(1.0 - silent, probabilities - _ROUNDING)
    values = times[np.minimum(first, len(times) - 1)]
    return QuantileTable(tuple(np.maximum.accumulate(values).tolist()))


def table(values: Sequence[float]) -> QuantileTable:
    """The sample's own inverse distribution."""
    found = np.quantile(values, np.linspace(0.0, 1.0, min(len(values), POINTS)))
    return QuantileTable(tuple(np.maximum.accumulate(found).tolist()))


def told(options: DrillOptions, place: int, trip: float) -> QuantileTable:
    """The inverse distribution that the twin of the target at that place was told, and one round trip more."""
    law: Distribution = options.ttft or Lognormal(FIRST + STEP * place, p99=(FIRST + STEP * place) * SPREAD)
    draw = sampler(law)
    rng = Random(options.seed)  # noqa: S311 - times, not secrets
    return table([draw(rng) + trip for _ in range(SAMPLES)])


class Line:
    """What client and line add to the gateway's time to first content and to the end, at that time of the drill."""

    def __init__(self, observed: Observed) -> None:
        found: list[tuple[float, float, float]] = []
        entries = {call.call: call for call, first in unhurt(observed) if len(call.attempts) == 1 and first.won}
        drilled = [result for trial in observed.trials.values() for result in trial.results]
        for result in (*observed.heard, *drilled):
            call = entries.get(result.call or "")
            if call is None or not result.ok or result.ttft is None:
                continue
            if call.first_content is not None and call.ended is not None:
                found.append((call.at, result.ttft - call.first_content, result.e2e - call.ended))
        self._pairs = np.array(sorted(found))

    def draw(self, at: float, rng: np.random.Generator) -> Floats:
        """One pair of those nearest in time: a machine that others use is not always equally busy."""
        pairs = self._pairs
        first = int(np.searchsorted(pairs[:, 0], at)) - NEAR // 2
        first = max(min(first, len(pairs) - NEAR), 0)
        chosen: Floats = pairs[first + int(rng.integers(min(NEAR, len(pairs)))), 1:]
        return chosen


class Lessons:
    """What the healthy world had learned at any time, of every target."""

    def __init__(self, observed: Observed) -> None:
        self._options = observed.configuration.options
        watched = {one.name for one in observed.configuration.routes if one.watch is Watch.AUTO}
        self._noted: dict[str, list[tuple[float, int, float, bool]]] = defaultdict(list)
        for call in observed.steady:
            series = series_of(call.bucket, stream=call.stream or call.route in watched)
            for one in call.attempts:
                end = one.ended if one.first_content is None else one.first_content
                if end is not None and (one.first_content is not None or one.kind in _GIVEN_UP):
                    given_up = one.first_content is None
                    self._noted[one.target].append((call.at + end, series, end - one.started, given_up))
        for noted in self._noted.values():
            noted.sort()
        self._lessons: dict[float, dict[str, FirstToken]] = {}
        """By the time until when."""

    def teach(self, fleet: Fleet, at: float) -> None:
        """Let the fleet begin with what was known then, as a new world of a drill does."""
        if at not in self._lessons:
            self._lessons[at] = {name: self._lesson(noted, at) for name, noted in self._noted.items()}
        for name, lesson in self._lessons[at].items():
            fleet.targets[name].first_token.learn_from(lesson)

    def _lesson(self, noted: list[tuple[float, int, float, bool]], at: float) -> FirstToken:
        """In the order in which it was learned: the latest samples are kept, and delays follow from them."""
        lesson, suspicion = FirstToken(self._options.first_token), Suspicion(self._options.suspicion)
        until_then = noted[: bisect_left(noted, (at - FOLDED,))]
        for given_up, those in groupby(until_then, key=lambda one: one[3]):
            for _, series, seconds, _ in those:
                if given_up and seconds >= lesson.table[series].hedge:
                    lesson.gave_up(series, seconds)
                elif not given_up:
                    lesson.fresh[series](seconds)
            lesson.fold(suspicion)
        return lesson


# ── the replay ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Prediction:
    """Of one drill. The same seed gives the same numbers."""

    def __init__(self, observed: Observed, seed: int) -> None:
        self._observed = observed
        self._seed = seed
        self._arm = Arm("with", observed.configuration, models(observed))
        self._line = Line(observed)
        self._lessons = Lessons(observed)
        route = next(one for one in observed.configuration.routes if one.name == observed.route)
        self._opened: dict[float, float] = {}
        """When the worlds of a wave were opened, by the time at which its faults began."""
        for trial in observed.trials.values():
            first = observed.worlds[trial.number][0].at
            self._opened[trial.began] = min(first, self._opened.get(trial.began, first))
        self._patience = patience_of(route, observed.told)

    def by_mode(self, repeats: int) -> dict[str, Predicted]:
        """What becomes of each mode's cold calls if the drill is replayed so many times."""
        found: dict[str, Predicted] = {}
        for again in range(repeats):
            counted: dict[str, int] = defaultdict(int)
            for trial in self._observed.trials.values():
                name = trial.mode.name
                mode = found.setdefault(name, Predicted())
                if counted[name] >= self._observed.told.repeat:
                    continue  # what there is beyond is surplus in the drill too
                for cold in self._world(trial, self._seed + again):
                    counted[name] += 1
                    if counted[name] <= self._observed.told.repeat:
                        self._count(mode, *cold)
        return found

    def _world(self, trial: Trial, seed: int) -> Iterator[tuple[int, float, float]]:
        """One world replayed: outcome, time to first content and time to the end of each of its cold calls."""
        entries = self._observed.worlds[trial.number]
        batch = _batch(trial, entries)
        outages = [
            Outage(target=name, start=trial.began, end=entries[-1].at + 3_600.0, mode=trial.mode.name)
            for name in trial.struck
        ]
        driver = KeepingDriver(self._arm, outages, float(batch.at[0]) // 1.0 - 3_600.0, seed)
        self._lessons.teach(driver.fleet, self._opened[trial.began])
        Kept.kept.clear()
        driver.take(batch)
        driver.advance(float("inf"))
        (results,) = driver.finished()
        rng = np.random.default_rng((seed, trial.number))
        for row, (entry, call) in enumerate(zip(entries, Kept.kept, strict=True)):
            if entry.at >= trial.began and _is_cold(call, trial.target):
                yield _told(results, row, self._line.draw(entry.at, rng))

    def _count(self, mode: Predicted, kind: int, ttft: float, end_to_end: float) -> None:
        mode.calls += 1
        mode.mitigated += kind == _ANSWERED and end_to_end <= self._patience
        if not np.isnan(ttft):
            mode.ttft.append(ttft)
        if kind == _ANSWERED:
            mode.end_to_end.append(end_to_end)


def _batch(trial: Trial, entries: Sequence[CallEntry]) -> Batch:
    zeros = np.zeros(len(entries), np.int64)
    return Batch(
        first=trial.number * _PLACES,
        at=np.array([call.at for call in entries]),
        routes=(trial.route,),
        route=zeros,
        keys=("",),
        key=zeros,
        stream=np.array([call.stream for call in entries], np.int64),
        prompt_tokens=np.array([call.prompt_tokens for call in entries], np.int64),
        completion_tokens=zeros + _length(trial),
        max_tokens=np.array([call.max_tokens for call in entries], np.int64),
    )


def _length(trial: Trial) -> int:
    """Tokens of an answer: whoever goes on with a broken one says as many as a whole one has."""
    breaks = trial.mode.stream and trial.mode.fault.kind in _BREAKS
    return TOKENS + AFTER_TOKENS if breaks else TOKENS


def _is_cold(call: Call, target: str) -> bool:
    struck = next((one for one in call.attempts if one.state.name == target), None)
    return struck is not None and struck.breaker is State.CLOSED


def _told(results: Results, row: int, line: Floats) -> tuple[int, float, float]:
    return int(results.kind[row]), float(results.ttft[row] + line[0]), float(results.e2e[row] + line[1])
