"""The demo: three sites, a real gateway before them, and a primary that fails in turn; what that is worth, as facts.

Every call is sent twice at the same moment: through the gateway, and straight to the primary, as an application without
a gateway would. Everything that is started here is ended here, also upon failure and Ctrl-C.

Knows: the order of events. Must never: print, or send anything past the loopback.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from surefoot import __version__
from surefoot.drill import local_llm
from surefoot.drill.gateway import GatewayProcess, free_ports
from surefoot.drill.measure import Phase, facts_of, over_all
from surefoot.drill.modes import HEALTHY, MODES, Mode
from surefoot.drill.sites import ON_PREM, PRIMARY, ROUTE, SITES, TOKENS, configuration, options
from surefoot.errors import StartError
from surefoot.facts import Facts, hash_of
from surefoot.journal.reader import CallEntry, calls, journal
from surefoot.load import CallResult, LoadPlan, LoadResult, run_load, run_paired
from surefoot.twin import HEALTHY as NO_FAULT
from surefoot.twin import TwinProcess

WARM_UP_CALLS = 210
"""Enough that the gateway has learned the primary's first-token times, and for a p99 of the baseline."""

HEAL_SECONDS = 15.0
"""Longest time to wait until the primary is trusted again."""

_HEAL_CALLS = 4
_HEAL_RATE = 40.0


class DemoOptions(Struct, frozen=True):
    """What the demo is told.

    `patience` is how long a client waits for its whole answer, in seconds; `rate` is calls per second on each way.
    """

    seconds_per_mode: float = 4.0
    rate: float = 30.0
    seed: int = 7
    modes: tuple[str, ...] = tuple(mode.name for mode in MODES)
    local_llm: bool = False
    patience: float = 2.0
    warm_up_calls: int = WARM_UP_CALLS


class Step(Struct, frozen=True):
    """Where the demo is: a phase's name, what is done in it, and which of how many it is."""

    phase: str
    doing: str
    number: int
    of: int


Tell = Callable[[Step], None]


def run(told: DemoOptions, tell: Tell) -> Facts:
    """Run it. Raises `StartError` if something cannot be started, or the primary is not trusted again in time."""
    began = time.time()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="surefoot-demo-")))
        house = _House(told, folder, stack)
        phases = house.play(tell)
        house.gateway.stop()  # only then is the journal complete
        kept = _journal_of(folder / "journal.db", phases)
        whole = _whole_answers(told)
        facts = [fact for phase in phases for fact in facts_of(phase, phases[0], kept[phase.name], whole)]
        facts += over_all(phases[1:], whole)
        inputs = hash_of(house.configuration.encode(), json.dumps(asdict(told), sort_keys=True).encode())
    return Facts(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        program=f"surefoot {__version__} demo",
        seed=told.seed,
        window=(began, time.time()),
        inputs=inputs,
        facts=tuple(facts),
    )


class _House:
    """The three sites and the gateway, running."""

    def __init__(self, told: DemoOptions, folder: Path, stack: ExitStack) -> None:
        self._told = told
        self._modes = [mode for mode in MODES if mode.name in told.modes]
        self._twins: dict[str, TwinProcess] = {}
        models = {site.name: "twin-1" for site in SITES}
        urls: dict[str, str] = {}
        for site in SITES:
            if told.local_llm and site is ON_PREM:
                urls[site.name] = stack.enter_context(local_llm.LocalModel()).url
                models[site.name] = local_llm.NAME
            else:
                twin = stack.enter_context(TwinProcess(options(site, told.seed)))
                self._twins[site.name], urls[site.name] = twin, twin.url
        ports = free_ports()
        slots = {ON_PREM.name: local_llm.SLOTS} if told.local_llm else {}
        self.configuration = configuration(urls, models, ports, slots)
        file = folder / "surefoot.toml"
        file.write_text(self.configuration, encoding="utf-8")
        self.gateway = stack.enter_context(GatewayProcess(file, ports))

    def play(self, tell: Tell) -> list[Phase]:
        """The baseline, then each mode."""
        of = len(self._modes) + 1
        tell(Step(HEALTHY, "warming up", 1, of))
        phases = [self._phase(HEALTHY, self._told.warm_up_calls)]
        count = max(round(self._told.rate * self._told.seconds_per_mode), 1)
        for number, mode in enumerate(self._modes, 2):
            tell(Step(mode.name, "waiting until the primary is trusted", number, of))
            self._heal()
            tell(Step(mode.name, "failing", number, of))
            phases.append(self._fail(mode, count))
        return phases

    def _fail(self, mode: Mode, count: int) -> Phase:
        primary = self._twins[PRIMARY.name]
        primary.set_faults(mode.fault)
        try:
            return self._phase(mode.name, count)
        finally:
            primary.set_faults(NO_FAULT)

    def _phase(self, name: str, count: int) -> Phase:
        plans = [
            self._plan(self.gateway.url, ROUTE, count, self._told.rate),
            self._plan(self._twins[PRIMARY.name].url, "twin-1", count, self._told.rate),
        ]
        start = time.time()
        through, straight = asyncio.run(run_paired(plans))
        return Phase(name, start, time.time(), through.results, straight.results)

    def _heal(self) -> None:
        """Send a few calls at a time until the primary answers all of them and its breaker is closed."""
        end = time.monotonic() + HEAL_SECONDS
        while time.monotonic() < end:
            plan = self._plan(self.gateway.url, ROUTE, _HEAL_CALLS, _HEAL_RATE)
            result: LoadResult = asyncio.run(run_load(plan))
            if _all_by_primary(result.results) and self.gateway.breaker(PRIMARY.name) == "closed":
                return
        raise StartError(f"the gateway did not trust the healed primary again within {HEAL_SECONDS:g} s")

    def _plan(self, url: str, model: str, count: int, rate: float) -> LoadPlan:
        return LoadPlan(
            url=url,
            rate=rate,
            count=count,
            stream=True,
            model=model,
            max_tokens=TOKENS,
            seed=self._told.seed,
            timeout=self._told.patience,
        )


def _all_by_primary(results: Sequence[CallResult]) -> bool:
    return all(result.ok and result.target == PRIMARY.name for result in results)


def _whole_answers(told: DemoOptions) -> dict[str, int]:
    """Tokens of a whole answer by site. How much the real model says is its own affair: it has no such length."""
    return {site.name: TOKENS for site in SITES if not (told.local_llm and site is ON_PREM)}


def _journal_of(path: Path, phases: Sequence[Phase]) -> dict[str, list[CallEntry]]:
    with journal(str(path)) as connection:
        return {phase.name: list(calls(connection, phase.start, phase.end)) for phase in phases}
