"""One wave of a drill: many worlds side by side, each with its own breakers, and one fault in each.

Knows: what is called when, and where the three accounts of a call are read.
Must never: let a fault outlast its wave.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from surefoot.domain.route import Route
from surefoot.drill.guard import ANSWER_TOKENS
from surefoot.drill.joining import Evidence, healthy, repetitions
from surefoot.drill.plan import AFTERWARDS, BURST, GREETINGS, SPACING, DrillOptions, Trial, patience_of
from surefoot.drill.repetition import Repetition
from surefoot.drill.stage import TOKENS, Stage
from surefoot.drill.venue import STEADY_WORLD, Venue
from surefoot.journal.reader import CallEntry, calls, journal
from surefoot.load import CallResult, LoadPlan, run_load, run_staggered

WARMED = 1.1
"""Seconds after which the worker has warmed a connection to the next target (`SWEEP_EVERY`, and a tick)."""

WRITTEN_WITHIN = 5.0
"""Seconds that the journal gets to hold a wave's calls."""

LOOK_EVERY = 0.1
"""Seconds between looks whether it does."""

MARGIN = 60.0
"""Seconds that an order outlasts what a wave should take, so that a drill whose runner died ends by itself."""

PROMPT_BYTES = 100


class Caller(Struct, frozen=True):
    """Sends a drill's calls, each to its world."""

    venue: Venue
    told: DrillOptions
    late: list[float] = []
    """Seconds after its intended time at which each drilled call left."""

    CALLS = GREETINGS + BURST + AFTERWARDS
    """Calls of a trial."""

    async def healthy(self, route: Route, count: int, *, stream: bool) -> list[CallResult]:
        """Calls in the world in which nothing is wrong."""
        rate = min(self.told.rate, 50.0)
        return (await run_load(self._plan(STEADY_WORLD, route.name, count, rate=rate, stream=stream))).results

    async def beside(self, route: Route, rate: float) -> list[CallResult]:
        """A second of healthy calls."""
        return (await run_load(self._plan(STEADY_WORLD, route.name, int(rate), rate=rate, stream=True))).results

    async def all(self, trials: Sequence[Trial], count: int) -> list[list[CallResult]]:
        """So many calls in each world, the worlds one after the other as the rate allows."""
        plans = [
            self._plan(
                trial.number, trial.route, count, rate=1.0 / SPACING, stream=trial.mode.stream, ask=trial.mode.ask
            )
            for trial in trials
        ]
        starts = [number * count / self.told.rate for number in range(len(plans))]
        results = [found.results for found in await run_staggered(plans, starts)]
        self.late.extend(one.sent - one.intended for lane in results for one in lane if one.sent is not None)
        return results

    async def baseline(self, since: float) -> list[Repetition]:
        """The healthy calls that the journal holds since then."""
        found = await asyncio.to_thread(_read, self.venue.journal, {STEADY_WORLD}, since)
        targets = {target.name: target for target in self.venue.configuration.targets}
        return [healthy(call, targets) for call in found[STEADY_WORLD]]

    def patience(self, route: str) -> float:
        """Seconds that a client of this route waits."""
        return patience_of(next(one for one in self.venue.configuration.routes if one.name == route), self.told)

    def longest(self, worlds: int) -> float:
        """Seconds that a wave of so many worlds can take at most, unless the machine is too slow for it."""
        return worlds * self.CALLS / self.told.rate + WARMED + 2 * self.told.patience + WRITTEN_WITHIN

    def _plan(self, world: int, route: str, count: int, *, rate: float, stream: bool, ask: str = "") -> LoadPlan:
        return LoadPlan(
            url=self.venue.url,
            rate=rate,
            count=count,
            stream=stream,
            model=route,
            prompt_bytes=(PROMPT_BYTES,),
            body=body_of(route, ask) if ask else None,
            max_tokens=ANSWER_TOKENS,
            headers={"authorization": f"Bearer {self.venue.key}", "surefoot-drill": str(world)},
            seed=self.told.seed,
            timeout=self.patience(route),
            ca_file=self.venue.ca,
        )


def body_of(route: str, ask: str) -> bytes:
    """A plain call that asks for something besides."""
    text = "the quick brown fox " * (PROMPT_BYTES // 20)
    messages = f'[{{"role":"user","content":"{text}"}}]'
    return f'{{"model":"{route}","messages":{messages},"max_tokens":{ANSWER_TOKENS},{ask}}}'.encode()


async def play(stage: Stage, caller: Caller, trials: Sequence[Trial], tell: Callable[[str], None]) -> list[Repetition]:
    """Play a wave and count it; each step is told. Raises `DrillError` where the gateway does not go along."""
    venue, told = caller.venue, caller.told
    try:
        tell("opening worlds")
        worlds = await stage.hire(trials)
        longest = len(trials) * Caller.CALLS / told.rate + 3 * told.patience + MARGIN
        await venue.order(
            {STEADY_WORLD: stage.well(), **worlds},
            seconds=longest,
            like=None if told.fresh else STEADY_WORLD,
            forward=told.in_front,
        )
        tell("greeting")
        await caller.all(trials, GREETINGS)
        await asyncio.sleep(WARMED)
        began = time.time()
        for trial in trials:
            trial.began = began
        stage.strike(trials)
        tell("failing")
        bursts = await caller.all(trials, BURST)
        tell("still failing")
        later = await caller.all(trials, AFTERWARDS)
        stage.heal()
        tell("counting")
        for trial, first, second in zip(trials, bursts, later, strict=True):
            trial.results = first + second
        entries = await _entries(venue.journal, trials, began)
        return await _counted(stage, caller, trials, entries)
    finally:
        await stage.dismiss()


async def _counted(
    stage: Stage, caller: Caller, trials: Sequence[Trial], entries: dict[int, list[CallEntry]]
) -> list[Repetition]:
    targets = {target.name: target for target in caller.venue.configuration.targets}
    whole = None if caller.told.in_front else TOKENS
    made: list[Repetition] = []
    for trial in trials:
        evidence = Evidence(trial, entries[trial.number], list(stage.twin(trial).log))
        await asyncio.sleep(0)  # healthy calls go on beside it, and their twins are in this process
        made += repetitions(evidence, targets, caller.patience(trial.route), whole)
    return made


async def _entries(path: str, trials: Sequence[Trial], since: float) -> dict[int, list[CallEntry]]:
    """What the journal holds of these worlds, once it holds all that was sent, or after a while."""
    expected = sum(result.sent is not None for trial in trials for result in trial.results)
    limit = time.monotonic() + WRITTEN_WITHIN
    while True:
        found = await asyncio.to_thread(_read, path, {trial.number for trial in trials}, since)
        if sum(map(len, found.values())) >= expected or time.monotonic() > limit:
            return found
        await asyncio.sleep(LOOK_EVERY)


def _read(path: str, numbers: set[int], since: float) -> dict[int, list[CallEntry]]:
    found: dict[int, list[CallEntry]] = {number: [] for number in numbers}
    with journal(path) as connection:
        for call in calls(connection, since):
            if call.drill in found:
                found[call.drill].append(call)
    return found
