"""A drill that is watched more closely than one is kept: every world with what struck it, and the journal itself.

A folder of it holds what the drill keeps of every run, and beside that `trials.json`, `heard.json`, `told.json`
and `journal.db`.

Knows: how a drill is run, kept and read again. Must never: change what is drilled, or judge it.
"""

import os
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import uvloop

from surefoot.config.configuration import Configuration
from surefoot.config.rates import default_rates
from surefoot.domain.route import Route
from surefoot.drill.house import live
from surefoot.drill.plan import GREETINGS, DrillOptions, Trial
from surefoot.drill.repetition import Repetition
from surefoot.drill.runner import Runner, Tell
from surefoot.drill.shelf import REPETITIONS, WHOLE, last_run
from surefoot.drill.shelf import calls as repetitions
from surefoot.drill.stage import Stage
from surefoot.drill.venue import STEADY_WORLD, Venue, own
from surefoot.drill.wave import Caller
from surefoot.drill.written import keep_all
from surefoot.errors import DrillError
from surefoot.facts import Facts
from surefoot.journal.reader import CallEntry, calls, journal
from surefoot.load import CallResult

RUNS, TRIALS, HEARD, TOLD, JOURNAL = "runs", "trials.json", "heard.json", "told.json", "journal.db"


BESIDE = 30.0
"""Healthy calls a second beside the drill."""


class Listening(Caller, frozen=True):
    """A caller that remembers what clients saw of healthy calls: before, beside and at the beginning of each world."""

    heard: list[CallResult] = msgspec.field(default_factory=list)

    async def healthy(self, route: Route, count: int, *, stream: bool) -> list[CallResult]:
        """Calls in the world in which nothing is wrong."""
        return self._keep(await super().healthy(route, count, stream=stream))

    async def beside(self, route: Route, rate: float) -> list[CallResult]:
        """A second of them: so many that a stall of the machine is not missed."""
        return self._keep(await super().beside(route, max(rate, BESIDE)))

    async def all(self, trials: Sequence[Trial], count: int) -> list[list[CallResult]]:
        """So many calls in each world."""
        results = await super().all(trials, count)
        if count == GREETINGS and not trials[0].began:
            self._keep([one for lane in results for one in lane])
        return results

    def _keep(self, results: list[CallResult]) -> list[CallResult]:
        self.heard.extend(results)
        return results


class Watching(Runner):
    """A runner that remembers its worlds and its healthy calls."""

    def __init__(self, venue: Venue, told: DrillOptions, tell: Tell) -> None:
        super().__init__(venue, told, tell)
        self._caller = self.caller = Listening(venue, told)
        self.trials: list[Trial] = []

    async def _wave(self, stage: Stage, group: Sequence[Trial]) -> None:
        self.trials += group
        await super()._wave(stage, group)


@dataclass(frozen=True, slots=True)
class Observed:
    """One drill, read again."""

    configuration: Configuration
    told: DrillOptions
    route: str
    trials: dict[int, Trial]
    """By the number of the world."""
    worlds: dict[int, list[CallEntry]]
    """The journal of each, in the order of arrival; that in which nothing was ever wrong among them."""
    heard: list[CallResult]
    """What clients saw of healthy calls."""
    facts: Facts
    repetitions: list[Repetition]

    @property
    def steady(self) -> list[CallEntry]:
        """The calls of the world in which nothing was ever wrong."""
        return self.worlds[STEADY_WORLD]


def drill(file: Path, told: DrillOptions, out: Path, tell: Tell = lambda _: None) -> None:
    """Drill, and keep it in a new folder. Raises `DrillError` where it was not completed."""
    out.mkdir(parents=True)
    with own(file, os.environ, forward=False) as venue:
        runner = Watching(venue, told, tell)
        uvloop.run(runner.run())
        with journal(venue.journal) as source, closing(sqlite3.connect(out / JOURNAL)) as kept:
            source.backup(kept)
    if runner.found.status != WHOLE:
        raise DrillError(f"the drill was {runner.found.status}: {runner.found.why}")
    (out / TRIALS).write_bytes(msgspec.json.encode(runner.trials))
    (out / HEARD).write_bytes(msgspec.json.encode(runner.caller.heard))
    (out / TOLD).write_bytes(msgspec.json.encode(told))
    keep_all(runner.found, told, default_rates(), file, out / RUNS, None)


def read(file: Path, folder: Path) -> Observed:
    """A drill of one route of that file, as it was kept. Raises `DrillError` where it is not one."""
    told = msgspec.json.decode((folder / TOLD).read_bytes(), type=DrillOptions)
    trials = msgspec.json.decode((folder / TRIALS).read_bytes(), type=list[Trial])
    heard = msgspec.json.decode((folder / HEARD).read_bytes(), type=list[CallResult])
    route = told.routes[0]
    run = last_run(folder / RUNS / route)
    if run is None:
        raise DrillError(f"{folder} holds no whole drill of the route {route}")
    worlds: dict[int, list[CallEntry]] = defaultdict(list)
    with journal(str(folder / JOURNAL)) as connection:
        for call in calls(connection):
            worlds[call.drill].append(call)
    for entries in worlds.values():
        entries.sort(key=lambda call: call.at)
    configuration = live(file, os.environ, forward=False)
    (file,) = (folder / RUNS / route).glob(f"*/{REPETITIONS}")
    return Observed(
        configuration, told, route, {one.number: one for one in trials}, dict(worlds), heard, run[1], repetitions(file)
    )
