"""The order of events of a drill.

    steady? ──▶ waves: open worlds, greet, strike, burst, afterwards, heal, read ──▶ steady?
                     beside them, healthy calls that can abort it

Whatever ends it (its end, the abort rule, a cap, a signal), every fault is healed and the gateway's drill is over.

Knows: the order, the caps, and when to stop.
Must never: inject anything before the steady state was met, or print.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from msgspec import Struct, field
from msgspec.structs import replace

from surefoot.config.configuration import Configuration
from surefoot.control.drilling import LONGEST
from surefoot.domain.route import Order, Route
from surefoot.drill.catalogue import Mode, chosen
from surefoot.drill.guard import AbortRule, Purse, Steady, steady
from surefoot.drill.pace import Pace, Progress
from surefoot.drill.plan import (
    BURST,
    DrillOptions,
    Trial,
    Untested,
    asked_by,
    check_reach,
    routes_of,
    struck_with,
    waves,
    worlds_for,
)
from surefoot.drill.repetition import Repetition, enough
from surefoot.drill.stage import Stage
from surefoot.drill.venue import STEADY_WORLD, Venue
from surefoot.drill.wave import Caller, play
from surefoot.errors import DrillError
from surefoot.load import CallResult

ROUNDS = 3
"""How often worlds are added for modes that lack repetitions."""

LEARNED, LEARNED_BY_LATENCY = 22, 36
"""Healthy calls after which a target's times are learned (`policy.first_token.samples`, and two to be sure). A route by
latency asks each of its targets until that is so, and a quarter of a second of calls more, until it has been folded."""

GLANCE = 10
"""Healthy calls of a look at the steady state, where nothing has to be learned."""

BESIDE_RATE, BESIDE_RATE_IN_FRONT = 5.0, 1.0
"""Healthy calls per second beside the drill; real ones cost money."""

FOLDED = 0.3
"""Seconds after which what was learned has been folded (`FOLD_EVERY` of the worker, and a tick)."""


Tell = Callable[[Progress], None]


class Played(Struct):
    """One mode on one route, as far as it was played. Unix times."""

    route: str
    mode: str
    target: str
    struck: tuple[str, ...]
    worlds: int = 0
    start: float = 0.0
    end: float = 0.0


class DrillRun(Struct, kw_only=True):
    """What became of a drill. Times are Unix seconds. It is whole at any moment, also when the drill was cut short."""

    config: str
    """Hash of the configuration."""
    routes: tuple[str, ...]
    modes: tuple[str, ...]
    """Those that were chosen."""
    targets: dict[str, int]
    """How many each route has."""
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By route, those that the canary key may ask."""
    start: float
    end: float = 0.0
    status: str = "interrupted"
    """`completed`, `failed` (the steady state was not met before), `aborted` or `interrupted`."""
    why: str = ""
    """Why it was not completed."""
    before: Steady | None = None
    after: Steady | None = None
    healed: tuple[float, float] | None = None
    """When every fault was taken away and the gateway's drill was ended."""
    played: dict[tuple[str, str], Played] = field(default_factory=dict)
    """By route and mode, in the order in which they are played."""
    repetitions: list[Repetition] = field(default_factory=list)
    baseline: list[Repetition] = field(default_factory=list)
    """Healthy calls, before anything was injected: what a call costs and takes then."""
    untested: list[Untested] = field(default_factory=list)
    lateness: float | None = None
    """Seconds after its intended time at which a drilled call left, 99th percentile. If it is not small, the machine
    was too busy for the times to mean anything."""
    reserved: float | None = None
    """Dollars that the calls to real targets can have cost at most; None where there were none."""


class Runner:
    """One drill. `found` fills as it goes. Raises `DrillError` for what cannot be drilled at all."""

    def __init__(self, venue: Venue, told: DrillOptions, tell: Tell) -> None:
        self._venue = venue
        self._told = told
        self._tell = tell
        self._caller = Caller(venue, told)
        self._routes = routes_of(venue.configuration, told.routes)
        self._modes = chosen(told.modes)
        self._purse = Purse(venue.configuration, told.spend_cap) if told.in_front else None
        self._first: dict[tuple[str, bool], str] = {}
        """The target that a route asks first when all is well, streamed and plain."""
        self._number = STEADY_WORLD
        self._counted: Counter[tuple[str, str]] = Counter()
        """Cold repetitions that there were, by route and mode: those beyond what was asked for included."""
        self._pace = Pace()
        self._at = Progress(doing="starting")
        self.found = DrillRun(
            config=venue.configuration.version,
            routes=tuple(route.name for route in self._routes),
            modes=tuple(mode.name for mode in self._modes),
            targets={route.name: len({rung.target for rung in route.rungs}) for route in self._routes},
            asked={route.name: asked_by(venue.configuration, route) for route in self._routes},
            start=time.time(),
        )

    async def run(self) -> None:
        """Run it, to whatever end."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            if task is not None:
                loop.add_signal_handler(number, task.cancel)
        found = self.found
        try:
            async with Stage(self._venue.configuration, self._told) as stage:
                try:
                    await self._run(stage)
                finally:
                    began = time.time()
                    stage.heal()
                    await self._end()
                    found.healed = (began, time.time())
        except asyncio.CancelledError:
            found.status, found.why = "interrupted", "a signal ended it"
        except DrillError as error:
            found.status, found.why = "aborted", str(error)
        finally:
            found.end = time.time()
            late = sorted(self._caller.late)
            found.lateness = late[int(0.99 * (len(late) - 1))] if late else None
            found.reserved = None if self._purse is None else self._purse.reserved
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def _run(self, stage: Stage) -> None:
        found = self.found
        await self._venue.order(
            {STEADY_WORLD: stage.well()},
            seconds=min(self._told.time_cap, LONGEST),  # each wave orders again
            like=None,
            forward=self._told.in_front,
        )
        self._step("is the gateway well?")
        found.before = await self._look(learn=not self._told.fresh)
        if not found.before.met:
            found.status, found.why = "failed", f"{found.before.sentence}; nothing was injected"
            return
        found.baseline = await self._caller.baseline(found.start)
        found.status, found.why = await self._guarded(stage)
        stage.heal()
        self._at = replace(self._at, modes=(), wave=0, of=0)
        self._step("is the gateway well again?")
        found.after = await self._look(learn=False)

    async def _guarded(self, stage: Stage) -> tuple[str, str]:
        """Run the waves as long as the healthy calls beside them and the time cap allow."""
        work = asyncio.create_task(self._waves(stage))
        guard = asyncio.create_task(self._beside())
        left = self.found.start + self._told.time_cap - time.time()
        try:
            await asyncio.wait({work, guard}, timeout=max(left, 0.0), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
                return "completed", ""
            return "aborted", guard.result() if guard.done() else f"the time cap of {self._told.time_cap:g} s is over"
        finally:
            for task in (work, guard):
                task.cancel()
                with suppress(asyncio.CancelledError, DrillError):
                    await task

    async def _end(self) -> None:
        with suppress(DrillError):
            await self._venue.order({}, seconds=1.0, like=None, forward=False)

    # ── the steady state ───────────────────────────────────────────────────────────────────────────────────────

    async def _look(self, *, learn: bool) -> Steady:
        """Healthy calls on every route, one route after the other; with `learn` as many as it takes to learn."""
        start = time.time()
        results: list[CallResult] = []
        for route in self._routes:
            for stream in sorted({mode.stream for mode in self._modes}, reverse=True):
                if learn:
                    by_latency = route.order is Order.LATENCY
                    results += await self._calls(
                        route, LEARNED_BY_LATENCY * len(route.rungs) if by_latency else LEARNED, stream=stream
                    )
                    await asyncio.sleep(FOLDED)
                answers = await self._calls(route, GLANCE, stream=stream)
                results += answers
                shown = [one.target for one in (answers[:1] if self._told.fresh else answers) if one.target]
                if shown:
                    self._first.setdefault((route.name, stream), Counter(shown).most_common(1)[0][0])
        return steady(results, self._told.steady, start, time.time())

    async def _calls(self, route: Route, count: int, *, stream: bool) -> list[CallResult]:
        self._spend(count)
        return await self._caller.healthy(route, count, stream=stream)

    async def _beside(self) -> str:
        """Healthy calls beside the drill; returns once they say that it must be aborted."""
        rule = AbortRule(self._told.abort_share, self._told.steady)
        rate = BESIDE_RATE_IN_FRONT if self._told.in_front else BESIDE_RATE
        while True:
            self._spend(int(rate))
            self._step(self._at.doing)  # once a second, so that time is seen to pass
            for result in await self._caller.beside(self._routes[0], rate):
                why = rule.note(result)
                if why is not None:
                    return why

    def _spend(self, calls: int) -> None:
        if self._purse is not None and not self._purse.reserve(calls):
            raise DrillError(f"the spend cap of ${self._purse.cap:g} does not pay for {calls} further calls")

    # ── the waves ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _waves(self, stage: Stage) -> None:
        streak = self._venue.configuration.options.breaker.streak
        missing = {cell: worlds_for(self._told.repeat, min(streak, BURST)) for cell in self._cells()}
        self._at = replace(self._at, total=self._told.repeat * len(missing))
        for _ in range(ROUNDS):
            groups = list(waves(self._trials(missing), self._told.worlds))
            self._pace.round([(len(group), self._caller.longest(len(group))) for group in groups])
            for number, group in enumerate(groups, 1):
                names = tuple(dict.fromkeys(trial.mode.name for trial in group))
                self._at = replace(self._at, modes=names, wave=number, of=len(groups))
                await self._wave(stage, group)
            self._at = replace(self._at, modes=(), wave=0, of=0)
            missing = self._missing(missing)
            if not missing:
                return

    async def _wave(self, stage: Stage, group: Sequence[Trial]) -> None:
        self._spend(len(group) * Caller.CALLS)
        began = time.time()
        self._pace.wave_begins(began)
        played = await play(stage, self._caller, group, self._step)
        self.found.repetitions += enough(played, self._told.repeat, self._counted)
        self._note(group, began)
        self._pace.wave_ends(time.time())
        self._at = replace(self._at, done=sum(min(count, self._told.repeat) for count in self._counted.values()))

    def _step(self, doing: str) -> None:
        """Tell where the drill is."""
        now = time.time()
        rest, at_most = self._pace.rest(now)
        self._at = replace(self._at, doing=doing, elapsed=now - self.found.start, rest=rest, at_most=at_most)
        self._tell(self._at)

    def _cells(self) -> list[tuple[Route, Mode]]:
        """What is drilled; what cannot be is noted."""
        cells: list[tuple[Route, Mode]] = []
        for route in self._routes:
            for mode in self._modes:
                if self._told.in_front and not mode.in_front:
                    why = "only a twin in place of the target can produce it"
                    self.found.untested.append(Untested(route.name, mode.name, why))
                else:
                    cells.append((route, mode))
        return cells

    def _trials(self, missing: dict[tuple[Route, Mode], int]) -> list[Trial]:
        made: list[Trial] = []
        configuration = self._venue.configuration
        for (route, mode), worlds in missing.items():
            target = self._first[route.name, mode.stream]
            struck = struck_with(configuration, route, target, self._told.reach or mode.reach)
            for _ in range(worlds):
                self._number += 1
                made.append(Trial(self._number, route.name, mode, target, struck))
        return made

    def _note(self, group: Sequence[Trial], began: float) -> None:
        for trial in group:
            key = trial.route, trial.mode.name
            played = self.found.played.setdefault(key, Played(*key, trial.target, trial.struck, start=began))
            played.worlds += 1
            played.end = time.time()

    def _missing(self, before: Iterable[tuple[Route, Mode]]) -> dict[tuple[Route, Mode], int]:
        """Worlds that are still wanting, as many as those so far let expect; for a mode that never struck, none."""
        missing: dict[tuple[Route, Mode], int] = {}
        for route, mode in before:
            key = route.name, mode.name
            count = self._counted[key]
            if not count:
                self.found.untested.append(Untested(*key, "its fault never reached a call"))
            elif count < self._told.repeat:
                missing[route, mode] = worlds_for(self._told.repeat - count, count / self.found.played[key].worlds)
        return missing


def faults_of(configuration: Configuration, told: DrillOptions) -> list[str]:
    """What can be known to be wrong before anything is started, each fault with the option that it is about."""
    checks: list[tuple[str, Callable[[], object]]] = [
        ("--route", lambda: routes_of(configuration, told.routes)),
        ("--reach", lambda: check_reach(configuration, told.reach)),
        ("--modes", lambda: chosen(told.modes)),
    ]
    if told.in_front:
        checks.append(("--in-front", lambda: Purse(configuration, told.spend_cap)))
    faults: list[str] = []
    for option, look in checks:
        try:
            look()
        except DrillError as error:
            faults.append(f"{option}: {error}")
    return faults


def drill(venue: Venue, told: DrillOptions, tell: Tell) -> DrillRun:
    """Run a drill. Raises `DrillError` for what cannot be drilled at all; else what it found says how it ended."""
    runner = Runner(venue, told, tell)
    import uvloop  # noqa: PLC0415 - where it cannot be had nothing is drilled

    uvloop.run(runner.run())
    return runner.found
