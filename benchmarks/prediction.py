"""The same calls once more: what the replay makes of a drill's own conditions, mode by mode, beside what was measured.

Conditions are taken from what was well in the drill, never from a call that is predicted:

- arrivals, streams and prompt lengths: the journal's, world by world, each world with breakers and budgets of its own;
- what a world had learned when it was opened: the first-token times of the healthy world until then;
- models of the targets: launches to first content, and token rates, of first attempts that no fault struck;
- a refusal takes what the first content takes beyond the time that the twin was told to wait;
- what client and line add to the gateway's own times: pairs drawn from calls that no fault struck;
- the fault: an outage of its mode on the targets that were struck, from the moment it was ordered.

Knows the definitions of a drill: which calls are cold, whose times count. Must never: look at a struck call's times.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from benchmarks.observed import Observed
from surefoot.domain.commands import Command
from surefoot.domain.outcome import Kind
from surefoot.domain.route import Watch
from surefoot.drill.plan import DrillOptions, Trial, patience_of
from surefoot.drill.stage import FIRST, STEP, TOKENS
from surefoot.journal.reader import AttemptEntry, CallEntry
from surefoot.policy.breaker import State
from surefoot.policy.call import Call
from surefoot.policy.first_token import FirstToken, series_of
from surefoot.policy.fleet import Fleet
from surefoot.policy.suspicion import Suspicion
from surefoot.replay.arm import Arm
from surefoot.replay.batch import Batch
from surefoot.replay.driver import KINDS, Driver
from surefoot.replay.model import Floats, QuantileTable, TargetModel
from surefoot.replay.outage import Outage
from surefoot.replay.result import Results
from surefoot.twin import Distribution, Fixed, Lognormal

POINTS = 400
"""Of a quantile table, at most."""

LEAST_TRIP = 0.0005
"""Seconds: no refusal comes sooner, however the two medians may differ by chance."""

FOLDED = 0.3
"""Seconds after which what was learned has been folded."""

_PLACES = 16
"""Calls that a world may have: each has a place of its own among the draws."""

_ANSWERED = KINDS.index(Kind.OK)


class Kept(Call):
    """A Call that can be looked at afterwards."""

    __slots__ = ()
    kept: ClassVar[list[Call]] = []

    def begin(self, now: float) -> tuple[Command, ...]:
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


def models(observed: Observed) -> dict[str, TargetModel]:
    """Of the targets that answered streamed calls, from their first attempts; who was overtaken counts as it stood."""
    ttfts: dict[str, list[float]] = defaultdict(list)
    rates: dict[str, list[float]] = defaultdict(list)
    for call, first in unhurt(observed):
        if not call.stream or first.ended is None:
            continue
        spoke = first.first_content
        ttfts[first.target].append((first.ended if spoke is None else spoke) - first.started)
        if spoke is not None and first.kind == Kind.OK and first.ended > spoke:
            rates[first.target].append((TOKENS - 1) / (first.ended - spoke))
    made = {}
    for place, target in enumerate(one for one in observed.configuration.targets if one.text is None):
        name = target.name
        if not rates[name]:
            continue
        trip = float(np.median(ttfts[name])) - median_of(observed.told, place)
        made[name] = TargetModel(
            target=name,
            ttft=((table(ttfts[name]),),),
            rate=((table(rates[name]),),),
            round_trip=max(trip, LEAST_TRIP),
            price=target.price,
            measured=f"{len(ttfts[name])} attempts that no fault struck",
        )
    return made


def table(values: Sequence[float]) -> QuantileTable:
    """The sample's own inverse distribution."""
    found = np.quantile(values, np.linspace(0.0, 1.0, min(len(values), POINTS)))
    return QuantileTable(tuple(np.maximum.accumulate(found).tolist()))


def median_of(told: DrillOptions, place: int) -> float:
    """Seconds that the twin of the target at that place was told to wait, in the middle."""
    law: Distribution = told.ttft or Fixed(FIRST + STEP * place)
    if isinstance(law, Lognormal):
        return law.median
    if isinstance(law, Fixed):
        return law.value
    raise TypeError("twins that resample a file are not predicted here")


def overheads(observed: Observed) -> dict[bool, Floats]:
    """What client and line add to the gateway's time to first content and to the end: pairs, by streamed or plain."""
    found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    entries = {call.call: call for call, first in unhurt(observed) if len(call.attempts) == 1 and first.won}
    for trial in observed.trials.values():
        for result in trial.results:
            call = entries.get(result.call or "")
            if call is None or not result.ok or result.ttft is None:
                continue
            if call.first_content is not None and call.ended is not None:
                found[call.stream].append((result.ttft - call.first_content, result.e2e - call.ended))
    every = found[True] + found[False]
    return {stream: np.array(pairs or every) for stream, pairs in found.items()}


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
                if end is not None and (one.first_content is not None or one.kind == Kind.OVERTAKEN):
                    given_up = one.first_content is None
                    self._noted[one.target].append((call.at + end, series, end - one.started, given_up))
        for noted in self._noted.values():
            noted.sort()

    def teach(self, fleet: Fleet, at: float) -> None:
        """Let the fleet begin with what was known then, as a new world of a drill does."""
        for name, state in fleet.targets.items():
            lesson = FirstToken(self._options.first_token)
            noted = self._noted[name]
            for _, series, seconds, given_up in noted[: bisect_left(noted, (at - FOLDED,))]:
                if given_up:
                    lesson.gave_up(series, seconds)
                else:
                    lesson.fresh[series](seconds)
            lesson.fold(Suspicion(self._options.suspicion))
            state.first_token.learn_from(lesson)


# ── the replay ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Prediction:
    """Of one drill. The same seed gives the same numbers."""

    def __init__(self, observed: Observed, seed: int, configuration: object = None) -> None:
        self._observed = observed
        self._seed = seed
        told = observed.configuration if configuration is None else configuration
        self._arm = Arm("with", told, models(observed))  # type: ignore[arg-type]
        self._overheads = overheads(observed)
        self._lessons = Lessons(observed)
        route = next(one for one in observed.configuration.routes if one.name == observed.route)
        self._patience = patience_of(route, observed.told)

    def by_mode(self, repeats: int) -> dict[str, Predicted]:
        """What becomes of each mode's cold calls if the drill is replayed so many times."""
        found: dict[str, Predicted] = {}
        for again in range(repeats):
            counted: dict[str, int] = defaultdict(int)
            for trial in self._observed.trials.values():
                name = trial.mode.name
                mode = found.setdefault(name, Predicted())
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
        self._lessons.teach(driver.fleet, entries[0].at)
        Kept.kept.clear()
        driver.take(batch)
        driver.advance(float("inf"))
        (results,) = driver.finished()
        line = self._overheads[trial.mode.stream]
        drawn = line[np.random.default_rng((seed, trial.number)).integers(0, len(line), len(entries))]
        for row, (entry, call) in enumerate(zip(entries, Kept.kept, strict=True)):
            if entry.at >= trial.began and _is_cold(call, trial.target):
                yield _told(results, row, drawn[row])

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
        completion_tokens=zeros + TOKENS,
        max_tokens=np.array([call.max_tokens for call in entries], np.int64),
    )


def _is_cold(call: Call, target: str) -> bool:
    struck = next((one for one in call.attempts if one.state.name == target), None)
    return struck is not None and struck.breaker is State.CLOSED


def _told(results: Results, row: int, line: Floats) -> tuple[int, float, float]:
    return int(results.kind[row]), float(results.ttft[row] + line[0]), float(results.e2e[row] + line[1])
