"""A target outside is the only healthy one, and nobody who is bound ever comes there: not even a connection.

    python benchmarks/forbidden.py [--calls 10000] [--control 500] [--rate 60] [--workers 2] [--seed 1]

Every failure mode of the catalogue strikes the allowed providers, two at a time, under streamed and plain calls of four
keys on five routes, with headers that would widen if they could. Hedges, resumes, exercise, probes and warm connections
are on; the gateway reloads and a worker is killed on the way. Afterwards the provider outside has accepted no
connection, the one behind another gateway was asked nothing, and no record names either (`bounds.py`). Then the same
with nothing that binds, for fewer calls: it has to come to both, else the first half proved nothing. Exits with 1 if
any of this does not hold.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import bounds, certificates, measure
from benchmarks.bounds import OUTSIDE, TLS_TWIN, Addresses, Phase
from benchmarks.gateway import Gateway, serving

from surefoot.domain.commands import Reason
from surefoot.domain.outcome import Kind
from surefoot.drill.catalogue import MODES
from surefoot.journal import reader
from surefoot.journal.reader import AttemptEntry, CallEntry
from surefoot.load import CallResult, run_staggered
from surefoot.policy.breaker import State
from surefoot.twin import Behaviour, Fixed, TwinOptions, TwinProcess
from surefoot.twin.server import Tls

REASONS = frozenset({Reason.FALLBACK, Reason.HEDGE, Reason.RESUME})
"""Why there have to have been attempts, beside first ones, for a run to mean anything."""

_FORBIDDEN = 403
_SETTLE_SECONDS = 15.0
_LOOK_EVERY = 0.2
_REFUSED = (Kind.CONNECT, Kind.RESET)


@dataclass(slots=True)
class Scene:
    """What is up."""

    twins: dict[str, TwinProcess]
    gateway: Gateway
    at: Addresses
    behind: str
    binding: bool


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of Unix time in which a provider had a fault, and what its log held before."""

    twin: str
    mode: str
    fault: str
    began: float
    ended: float
    since: int


@dataclass(slots=True)
class Found:
    """All that a run has found."""

    results: list[CallResult] = field(default_factory=list)
    journal: list[CallEntry] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    """Requests and connections that met the fault of a mode, by the mode's name."""
    connections: int = 0
    """TCP connections that the provider outside has accepted."""
    asked: int = 0
    """Requests that it got."""
    asked_beyond: int = 0
    """Requests that the one behind the other gateway got."""
    deaths: int = 0
    reloads: int = 0
    stuck: int = 0

    @property
    def attempts(self) -> list[AttemptEntry]:
        """All that the journal holds."""
        return [attempt for call in self.journal for attempt in call.attempts]

    @property
    def named(self) -> int:
        """Attempts in the journal, and answers to clients, that name a target outside."""
        answered = sum(result.target in OUTSIDE for result in self.results)
        return answered + sum(attempt.target in OUTSIDE for attempt in self.attempts)


@contextmanager
def _scene(workers: int, *, binding: bool) -> Iterator[Scene]:
    """Four providers and two gateways, one behind the other."""
    with TemporaryDirectory(prefix="forbidden-") as folder, ExitStack() as stack:
        made = certificates.issue(Path(folder))
        behaviour = Behaviour(ttft=Fixed(0.01), rate=Fixed(400.0), tokens=Fixed(bounds.TOKENS))
        twins: dict[str, TwinProcess] = {}
        for name in ("far", "beyond", bounds.PLAIN_TWIN, TLS_TWIN):
            tls = Tls(str(made.chain), str(made.key)) if name == TLS_TWIN else None
            twins[name] = stack.enter_context(TwinProcess(TwinOptions(behaviour, tls=tls, log_size=1_000_000)))
        at = Addresses({name: twin.url for name, twin in twins.items()}, made.ca)
        behind = stack.enter_context(serving(bounds.back(at))).url.removesuffix("/v1")
        front = bounds.front(at, behind, binding=binding)
        gateway = stack.enter_context(serving(front, workers, bounds.environment()))
        yield Scene(twins, gateway, at, behind, binding)


async def _run(scene: Scene, phases: list[Phase], options: argparse.Namespace, calls: int, found: Found) -> None:
    """Phase after phase. Who called in one may still wait in the next: that is one more way to fail."""
    rng = Random(options.seed)  # noqa: S311 - a simulation
    loads = []
    since = dict.fromkeys((bounds.PLAIN_TWIN, TLS_TWIN), 0)
    for number, phase in enumerate(phases):
        share = calls * (number + 1) // len(phases) - calls * number // len(phases)
        seconds = share / options.rate
        if not share:
            continue
        for name, mode in phase.modes.items():
            since[name] = max([since[name], *(record.sequence for record in scene.twins[name].log(since[name]))])
            await asyncio.to_thread(scene.twins[name].set_faults, mode.fault)
        began = time.time()
        plans = bounds.plans(scene.gateway.url, phase, share, seconds, rng)
        loads.append(asyncio.create_task(run_staggered(plans, bounds.starts(plans))))
        if number and phase.turn != phases[number - 1].turn:
            scene.gateway.reload(bounds.front(scene.at, scene.behind, binding=scene.binding, turn=phase.turn))
        if number == len(phases) // 4:
            os.kill(measure.tree(scene.gateway.process.pid)[1], signal.SIGKILL)
        await asyncio.sleep(seconds)
        found.windows += [
            Window(name, mode.name, mode.fault.kind, began, time.time(), since[name])
            for name, mode in phase.modes.items()
        ]
    for load in loads:
        found.results += [one for lane in await load for one in lane.results]


def _settle(gateway: Gateway, found: Found) -> None:
    """Until nothing is under way, and what the gateway tells of itself then."""
    end = time.monotonic() + _SETTLE_SECONDS
    while True:
        told = gateway.status()
        found.stuck = sum(worker["in_flight"] or 0 for worker in told["workers"])
        if not found.stuck or time.monotonic() > end:
            break
        time.sleep(_LOOK_EVERY)
    found.deaths = sum(worker["deaths"] for worker in told["workers"])
    found.reloads = sum(told["reloads"].values())


def _read(scene: Scene, found: Found) -> None:
    """The three accounts: the journal, the providers' logs, and the listeners' own count."""
    scene.gateway.stop()
    with reader.journal(str(scene.gateway.journal)) as connection:
        found.journal = list(reader.calls(connection))
    found.connections = scene.twins["far"].accepted()
    found.asked, found.asked_beyond = len(scene.twins["far"].log()), len(scene.twins["beyond"].log())
    logs = {name: scene.twins[name].log() for name in (bounds.PLAIN_TWIN, TLS_TWIN)}
    for window in found.windows:
        if window.fault == "refuse":  # whom nobody could reach has nothing in its log
            found.struck[window.mode] += sum(
                attempt.target == window.twin
                and attempt.kind in _REFUSED
                and window.began <= call.at + attempt.started <= window.ended
                for call in found.journal
                for attempt in call.attempts
            )
        else:
            found.struck[window.mode] += sum(
                record.sequence > window.since and record.fault == window.fault and record.wall <= window.ended
                for record in logs[window.twin]
            )


def violations(found: Found, calls: int) -> list[str]:
    """What must not be, and what has to have been for the rest to mean anything."""
    reasons = {attempt.reason for attempt in found.attempts}
    wrong = {
        f"the provider outside has accepted {found.connections} connections": found.connections,
        f"the provider outside was asked {found.asked} times": found.asked,
        f"the provider outside, behind another gateway, was asked {found.asked_beyond} times": found.asked_beyond,
        f"{found.named} attempts and answers name a target outside": found.named,
        f"{len(found.results)} calls were made, not {calls}": len(found.results) != calls,
        f"{found.stuck} calls are stuck": found.stuck,
        "there was no probe": all(attempt.breaker == State.CLOSED for attempt in found.attempts),
        "nobody was refused with a 403": all(result.status != _FORBIDDEN for result in found.results),
        f"{found.deaths} workers died, not one": found.deaths != 1,
        f"{found.reloads} reloads came about": found.reloads < 2,
    }
    wrong |= {f"the mode {mode.name} struck nobody": not found.struck[mode.name] for mode in MODES}
    wrong |= {f"there was no attempt for the reason {reason}": reason not in reasons for reason in REASONS}
    return [sentence for sentence, is_so in wrong.items() if is_so]


def shortcomings(found: Found) -> Iterator[str]:
    """Where the run without anything that binds has not come: then the other one could not have failed."""
    for count, what in (
        (found.connections, "came to a connection with the provider outside"),
        (found.asked, "asked the provider outside"),
        (found.asked_beyond, "asked the provider outside that is behind another gateway"),
    ):
        if not count:
            yield f"with nothing that binds no call {what}"


def summary(found: Found) -> Iterator[str]:
    """What the run was."""
    ended = Counter(str(result.status) if result.ok else result.failure for result in found.results)
    yield f"calls: {len(found.results)}; as clients saw them: {dict(ended.most_common())}"
    yield f"calls by kind, in the journal: {dict(Counter(call.kind for call in found.journal).most_common())}"
    yield f"attempts: {len(found.attempts)}; by target: {dict(Counter(a.target for a in found.attempts).most_common())}"
    yield f"attempts by reason: {dict(Counter(a.reason for a in found.attempts).most_common())}"
    probes = sum(attempt.breaker != State.CLOSED for attempt in found.attempts)
    yield f"probes: {probes}; workers killed: {found.deaths}; reloads: {found.reloads}"
    least = min(MODES, key=lambda mode: found.struck[mode.name])
    struck = sum(found.struck[mode.name] > 0 for mode in MODES)
    yield f"modes: {struck} of {len(MODES)} struck, each {found.struck[least.name]} times or more ({least.name})"
    yield (
        f"outside: {found.connections} connections accepted, {found.asked} requests; "
        f"behind the other gateway {found.asked_beyond} requests"
    )


def run(options: argparse.Namespace, calls: int, *, binding: bool) -> Found:
    """One run from start to end."""
    found = Found()
    with _scene(options.workers, binding=binding) as scene:
        asyncio.run(_run(scene, bounds.phases(), options, calls, found))
        _settle(scene.gateway, found)
        _read(scene, found)
    return found


def main() -> int:
    """Both runs; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--control", type=int, default=500, help="calls of the run with nothing that binds")
    parser.add_argument("--rate", type=float, default=60.0, help="calls a second")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = run(options, options.calls, binding=True)
    for line in summary(found):
        print(line)
    wrong = violations(found, options.calls)
    free = run(options, options.control, binding=False)
    print(f"with nothing that binds: {len(free.results)} calls, {free.connections} connections accepted, ", end="")
    print(f"{free.asked} requests; behind the other gateway {free.asked_beyond} requests")
    wrong += shortcomings(free)
    for sentence in wrong:
        print(f"VIOLATION: {sentence}")
    print("forbidden: " + ("all of it holds" if not wrong else f"{len(wrong)} violations"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
