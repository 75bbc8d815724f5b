"""Random faults under load for ten minutes, and what must be true afterwards.

    python benchmarks/soak.py [--seconds 600] [--seed 1] [--rate 50]

Three twins, one of them with TLS, go through every fault that there is, each in its own time, behind a gateway with two
workers. Half of the calls are streamed. Afterwards: no call is stuck, the journal is complete, client, journal and
twins tell the same of every call and attempt, no truncated answer was given as a whole one, and no process grows.
Exits with 1 if any of this does not hold.
"""

import argparse
import asyncio
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Literal

from scipy.stats import theilslopes

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import certificates, measure
from benchmarks.gateway import Gateway, serving
from benchmarks.reconcile import Books, reconcile

from surefoot.journal import reader
from surefoot.journal.reader import CallEntry
from surefoot.load import CallResult, LoadPlan, run_load
from surefoot.twin import HEALTHY, KINDS, Behaviour, Fault, FaultPlan, Fixed, Lognormal, Rule, TwinOptions, TwinProcess
from surefoot.twin.server import Tls

TOKENS = 20
"""Tokens of every whole answer."""

LEAK = 100.0
"""Bytes a call. A process leaks if it surely grows by more: the lower end of the slope's interval is above."""

_WORKERS = 2
_TIMEOUT = 30.0
_SETTLE_SECONDS = 15.0
_SAMPLE_EVERY = 1.0
_BLOCK = 5
"""Samples of memory that are averaged before the slope is taken, since neighbours resemble one another."""
_FEWEST_BLOCKS = 12
"""Blocks in the last two thirds below which a slope says nothing: a run of a minute and a half."""
_SECONDS = {"slow_first_token": 2.5, "slow_drip": 0.3}
_CONFIGURATION = """
{targets}
[routes.chat]
targets = ["one", "two", "three"]
resume = "text"
exercise = "1%"
limits = {{ deadline = "10s", connect = "500ms", idle = "1s" }}
[policy.breaker]
open_for = "1s"
"""


@dataclass(slots=True)
class Found:
    """All that a run has found."""

    results: dict[str, CallResult] = field(default_factory=dict)
    memory: dict[int, list[tuple[float, int]]] = field(default_factory=dict)
    """Resident bytes of each process, with the seconds since the start."""
    episodes: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    journal: list[CallEntry] = field(default_factory=list)
    books: Books = field(default_factory=Books)
    violations: list[str] = field(default_factory=list)


class Deck:
    """Every fault once in a random order, then again: a run of some length leaves none out."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._cards: list[str] = []

    def draw(self, *, tls: bool) -> str:
        """The next fault that a twin with or without TLS can have."""
        if not self._cards:
            self._cards = sorted(KINDS)
            self._rng.shuffle(self._cards)
        place = next((n for n, kind in enumerate(self._cards) if tls or kind != "tls"), None)
        if place is None:  # only "tls" is left
            self._cards.clear()
            return self.draw(tls=tls)
        return self._cards.pop(place)


@contextmanager
def _twins(seed: int) -> Iterator[dict[str, tuple[TwinProcess, Path | None]]]:
    """The three providers, by target; the last one with TLS and its authority's certificate."""
    with TemporaryDirectory(prefix="soak-") as folder, ExitStack() as stack:
        made = certificates.issue(Path(folder))
        twins: dict[str, tuple[TwinProcess, Path | None]] = {}
        for number, name in enumerate(("one", "two", "three")):
            behaviour = Behaviour(
                ttft=Lognormal(0.03, p99=0.08), rate=Fixed(400.0), tokens=Fixed(TOKENS), seed=seed + number
            )
            tls = Tls(str(made.chain), str(made.key)) if name == "three" else None
            twin = stack.enter_context(TwinProcess(TwinOptions(behaviour, tls=tls, log_size=1_000_000)))
            twins[name] = (twin, made.ca if tls else None)
        yield twins


def _configuration(twins: dict[str, tuple[TwinProcess, Path | None]]) -> str:
    parts = [
        f'[targets.{name}]\nprovider = "openai-compatible"\nbase_url = "{twin.url}/v1"\nmodel = "twin-1"\n'
        + ("" if ca is None else f'ca = "{ca}"\n')
        for name, (twin, ca) in twins.items()
    ]
    return _CONFIGURATION.format(targets="".join(parts))


def _plan_of(kind: str, rng: random.Random) -> FaultPlan:
    share = 1.0 if kind == "refuse" else rng.choice((0.3, 0.7, 1.0))
    cut_by: Literal["close", "mid_event", "reset"] = rng.choice(("close", "mid_event", "reset"))
    stale_at: Literal["after_answer", "next_request"] = rng.choice(("after_answer", "next_request"))
    fault = Fault(
        kind, seconds=_SECONDS.get(kind), after_tokens=rng.randrange(1, TOKENS), cut_by=cut_by, stale_at=stale_at
    )
    return FaultPlan((Rule(fault, probability=share),))


async def _misbehave(name: str, twin: TwinProcess, deck: Deck, rng: random.Random, end: float, found: Found) -> None:
    """One twin's life until `end`: well for a while, then not."""
    while time.monotonic() < end:
        await asyncio.sleep(rng.uniform(0.5, 3.0))
        kind = deck.draw(tls=name == "three")
        found.episodes[kind] += 1
        await asyncio.to_thread(twin.set_faults, _plan_of(kind, rng))
        await asyncio.sleep(rng.uniform(0.5, 2.5))
        await asyncio.to_thread(twin.set_faults, HEALTHY)


async def _watch_memory(gateway: Gateway, end: float, found: Found) -> None:
    began = time.monotonic()
    while (at := time.monotonic()) < end:
        for memory in measure.memory(gateway.process.pid):
            found.memory.setdefault(memory.pid, []).append((at - began, memory.resident))
        await asyncio.sleep(_SAMPLE_EVERY)


async def _run(
    gateway: Gateway, twins: dict[str, tuple[TwinProcess, Path | None]], options: argparse.Namespace, found: Found
) -> None:
    end = time.monotonic() + options.seconds
    rng = random.Random(options.seed)  # noqa: S311 - a simulation
    deck = Deck(rng)
    plans = [
        LoadPlan(
            url=gateway.url, rate=options.rate / 2, duration=options.seconds, arrivals="poisson", stream=stream,
            model="chat", timeout=_TIMEOUT, seed=options.seed + stream, label="stream" if stream else "plain",
        )
        for stream in (False, True)
    ]  # fmt: skip
    loads = [asyncio.create_task(run_load(plan)) for plan in plans]
    lives = [_misbehave(name, twin, deck, random.Random(rng.random()), end, found) for name, (twin, _) in twins.items()]  # noqa: S311 - likewise
    await asyncio.gather(_watch_memory(gateway, end, found), *lives, *loads)
    for plan, load in zip(plans, loads, strict=True):
        found.results |= {f"{plan.label}-{one.index}": one for one in load.result().results}


def _settle(gateway: Gateway, found: Found) -> None:
    """Nothing may be under way once every client has its answer, and the journal has to take everything."""
    end = time.monotonic() + _SETTLE_SECONDS
    while True:
        told = gateway.status()
        under_way = sum(worker["in_flight"] or 0 for worker in told["workers"])
        attempts = sum(target["in_flight"] for target in told["targets"])
        if not under_way and not attempts:
            break
        if time.monotonic() > end:
            found.violations.append(f"{under_way} calls and {attempts} attempts are stuck")
            break
        time.sleep(_SAMPLE_EVERY)
    deaths = sum(worker["deaths"] for worker in told["workers"])
    if deaths or told["telemetry_dropped"]:
        found.violations.append(f"{deaths} workers died, {told['telemetry_dropped']} records were dropped")


def _read(gateway: Gateway, twins: dict[str, tuple[TwinProcess, Path | None]], found: Found) -> None:
    code = gateway.stop()
    if code:
        found.violations.append(f"the gateway ended with {code}")
    with reader.journal(str(gateway.journal)) as connection:
        found.journal = list(reader.calls(connection))
        found.violations += [f"{loss.records} records lost: {loss.reason}" for loss in reader.losses(connection)]
    seen = {name: twin.log() for name, (twin, _) in twins.items()}
    found.struck = Counter(record.fault for log in seen.values() for record in log if record.fault)
    found.books = reconcile(found.results, found.journal, seen, TOKENS)
    found.violations += found.books.shown()


def slope(samples: Sequence[tuple[float, int]]) -> tuple[float, float, float] | None:
    """Bytes a second over the last two thirds, with a 95 % interval; None if they are too few.

    Median of the slopes between any two blocks of samples (Theil, 1950; interval by Sen, 1968), so that a step, such as
    a cache that was filled once, does not pass for growth.
    """
    later = samples[len(samples) // 3 :]
    blocks = [later[n : n + _BLOCK] for n in range(0, len(later) - _BLOCK + 1, _BLOCK)]
    if len(blocks) < _FEWEST_BLOCKS:
        return None
    found = theilslopes(
        [mean(y for _, y in block) for block in blocks], [mean(x for x, _ in block) for block in blocks]
    )
    return float(found.slope), float(found.low_slope), float(found.high_slope)


def _memory_lines(found: Found, rate: float) -> Iterator[str]:
    names = itertools.chain(["supervisor"], (f"worker {n}" for n in itertools.count(1)))
    for name, (_, samples) in zip(names, found.memory.items(), strict=False):
        first, last = samples[len(samples) // 3][1], samples[-1][1]
        line = f"memory of {name}: {first / 2**20:.1f} MiB after a third, {last / 2**20:.1f} MiB at the end"
        grown = slope(samples)
        if grown is None:
            yield f"{line}; too short for a slope"
            continue
        value, low, high = (each / rate for each in grown)
        yield f"{line}; slope {value:.0f} bytes a call [{low:.0f}, {high:.0f}], bound {LEAK:.0f}"
        if low > LEAK:
            found.violations.append(f"{name} grows by {value:.0f} bytes a call [{low:.0f}, {high:.0f}]")


def _summary(found: Found, rate: float) -> Iterator[str]:
    ok = sum(result.ok for result in found.results.values())
    yield f"calls: {len(found.results)}, ok {ok}; in the journal {len(found.journal)}"
    yield f"calls by kind: {dict(Counter(call.kind for call in found.journal).most_common())}"
    attempts = Counter(attempt.kind for call in found.journal for attempt in call.attempts)
    yield f"attempts by kind: {dict(attempts.most_common())}"
    yield f"faults that struck: {dict(found.struck.most_common())}"
    missing = sorted(set(KINDS) - set(found.episodes))
    yield f"episodes: {sum(found.episodes.values())}; never drawn: {', '.join(missing) or 'none'}"
    books = found.books
    yield f"attempts in journal and twins' logs: {books.matched}; unread {books.unread}; sent again {books.resent}"
    yield from _memory_lines(found, rate)


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=50.0, help="calls a second, half of them streamed")
    options = parser.parse_args()
    found = Found()
    with _twins(options.seed) as twins, serving(_configuration(twins), _WORKERS) as gateway:
        asyncio.run(_run(gateway, twins, options, found))
        _settle(gateway, found)
        _read(gateway, twins, found)
    for line in _summary(found, options.rate):
        print(line)
    for violation in found.violations:
        print(f"VIOLATION: {violation}")
    print("soak: " + ("all of it holds" if not found.violations else f"{len(found.violations)} violations"))
    return 1 if found.violations else 0


if __name__ == "__main__":
    sys.exit(main())
