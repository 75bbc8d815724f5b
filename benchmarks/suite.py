"""The rows of the benchmark: which load, on which stand, in which order, and what is kept of it.

A *stand* is one mock provider with every system under test running in front of it at once. A *round* puts the
same load on each of them in turn, beginning with another one each time, so that drift meets all alike.
Knows: the rows. Must never: print, or drop a failed answer in silence.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import measure, native, systems
from benchmarks.bodies import Bodies
from benchmarks.certificates import Certificate
from benchmarks.native import Load, Outcome, Programs, ToolMissingError, Upstream
from benchmarks.systems import System

ROWS = ("plain1k", "plain30k", "tls", "stream", "open", "memory", "startup")
CHUNKS = 50
_INTERVAL_US = 10_000
_OPEN_RATE = 1_000.0
_OPEN_STREAM_RATE = 40.0
_OPEN_SECONDS = 1.0
_WARM_SECONDS = 0.2
_LOAD_SECONDS = 1.5
_STARTS = 6  # the fewest that have a 95 % interval
_IDLE_SECONDS = 1.0
WORKER = "surefoot (worker alone)"


@dataclass(slots=True)
class Series:
    """One system's samples in one row, round by round."""

    values: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    faults: int = 0


@dataclass(slots=True)
class Efficiency:
    """A closed-loop row: `values` are answers per CPU second, `busy` is CPU seconds per second of load."""

    title: str
    per_answer: int
    series: dict[str, Series] = field(default_factory=dict)


@dataclass(slots=True)
class Latency:
    """An open-loop row: seconds of every answer, per system and round; what they count to is in the title."""

    title: str
    pooled: bool
    rounds: dict[str, list[list[float]]] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Footprint:
    """Memory of a system's processes, root first, idle and after load."""

    idle: dict[str, list[measure.Memory]] = field(default_factory=dict)
    loaded: dict[str, list[measure.Memory]] = field(default_factory=dict)


@dataclass(slots=True)
class Findings:
    """All that a run has found."""

    efficiency: list[Efficiency] = field(default_factory=list)
    latency: list[Latency] = field(default_factory=list)
    footprint: Footprint = field(default_factory=Footprint)
    startup: dict[str, list[float]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bench:
    """One run: what is measured with what, and for how long."""

    programs: Programs
    bodies: Bodies
    certificate: Certificate
    names: Sequence[str]
    pairs: int
    seconds: float
    progress: Callable[[str], None]
    findings: Findings = field(default_factory=Findings)

    def run(self, rows: Sequence[str]) -> Findings:
        """Measure `rows` (of `ROWS`) and return what was found."""
        if {"plain1k", "plain30k", "stream", "open", "memory"} & set(rows):
            self._plain_stand(rows)
        if "tls" in rows:
            self._tls_stand()
        if "open" in rows:
            self._paced_stand()
        if "startup" in rows:
            self._startup()
        return self.findings

    def _plain_stand(self, rows: Sequence[str]) -> None:
        with (
            native.mock(self.programs, chunks=CHUNKS) as upstream,
            self._stand(upstream, self.names) as stand,
        ):
            if "memory" in rows:
                time.sleep(_IDLE_SECONDS)
                self.findings.footprint.idle.update(_memories(stand))
            if "plain1k" in rows:
                self._efficiency(stand, "1 KB request", self._load(self.bodies.plain1k))
            if "plain30k" in rows:
                self._efficiency(stand, "30 KB request", self._load(self.bodies.plain30k))
            if "stream" in rows:
                self._efficiency(stand, f"stream of {CHUNKS} chunks", self._load(self.bodies.stream, stream=True))
            if "open" in rows:
                load = Load(self.bodies.plain1k, _OPEN_SECONDS, rate=_OPEN_RATE)
                self._latency(stand, f"latency, 1 KB, open loop at {_OPEN_RATE:,.0f}/s", load, pooled=False)
            if "memory" in rows:
                self._load_for_memory(stand)

    def _tls_stand(self) -> None:
        if not self.programs.tls:
            self.findings.skipped["TLS rows"] = "no OpenSSL headers for the mock (Debian: libssl-dev)"
            return
        self.findings.skipped["direct, TLS rows"] = "the generator speaks plain HTTP"
        names = [name for name in self.names if name != "direct"]
        mock = native.mock(self.programs, chunks=CHUNKS, certificate=self.certificate)
        with mock as upstream, self._stand(upstream, names) as stand:
            self._efficiency(stand, "1 KB request, TLS upstream", self._load(self.bodies.plain1k))
            self._efficiency(stand, "30 KB request, TLS upstream", self._load(self.bodies.plain30k))
            title = f"stream of {CHUNKS} chunks, TLS upstream"
            self._efficiency(stand, title, self._load(self.bodies.stream, stream=True))

    def _paced_stand(self) -> None:
        mock = native.mock(self.programs, chunks=CHUNKS, interval_us=_INTERVAL_US)
        with mock as upstream, self._stand(upstream, self.names) as stand:
            load = Load(self.bodies.stream, _OPEN_SECONDS, rate=_OPEN_STREAM_RATE, stream=True)
            pace = f"{CHUNKS} chunks, {_INTERVAL_US // 1000} ms apart"
            title = f"TTFT, open loop at {_OPEN_STREAM_RATE:.0f} streams/s, {pace}"
            self._latency(stand, title, load, pooled=True)

    @contextlib.contextmanager
    def _stand(self, upstream: Upstream, names: Sequence[str]) -> Iterator[list[System]]:
        with contextlib.ExitStack() as stack:
            stand = []
            for name in names:
                if name in self.findings.skipped:
                    continue
                try:
                    system, _ = stack.enter_context(systems.running(name, upstream, self.bodies.plain1k))
                except (ToolMissingError, RuntimeError) as error:
                    self.findings.skipped[name] = str(error)
                    self.progress(f"skipped {name}: {error}")
                    continue
                if self._put(system, "warm-up", Load(self.bodies.plain1k, _WARM_SECONDS)):
                    stand.append(system)
            yield stand

    def _load(self, body: Path, *, stream: bool = False) -> Load:
        return Load(body, self.seconds, stream=stream)

    def _rounds(self, title: str, stand: Sequence[System]) -> Iterator[System]:
        for number in range(self.pairs):
            self.progress(f"{title}: round {number + 1} of {self.pairs}")
            start = number % len(stand)
            for system in (*stand[start:], *stand[:start]):
                if self._of(system, title) not in self.findings.skipped:
                    yield system

    @staticmethod
    def _of(system: System, title: str) -> str:
        return f"{system.name}, {title}"

    def _put(self, system: System, title: str, load: Load) -> Outcome | None:
        """One load; a system that breaks down under it leaves the row, and the report says why."""
        try:
            return native.run(self.programs, _port(system, load), load)
        except RuntimeError as error:
            self.findings.skipped[self._of(system, title)] = str(error)
            return None

    def _efficiency(self, stand: Sequence[System], title: str, load: Load) -> None:
        row = Efficiency(title, CHUNKS if load.stream else 0)
        for system in self._rounds(title, stand):
            before = measure.cpu(system.pid)
            outcome = self._put(system, title, load)
            if outcome is None:
                continue
            spent = measure.settled_cpu(system.pid, system.settle).since(before)
            _keep(row.series.setdefault(system.name, Series()), outcome, spent.total, load)
            if system.name == "surefoot":
                _keep(row.series.setdefault(WORKER, Series()), outcome, spent.below_root, load)
        row.series = {name: each for name, each in row.series.items() if len(each.values) == self.pairs}
        self.findings.efficiency.append(row)

    def _latency(self, stand: Sequence[System], title: str, load: Load, *, pooled: bool) -> None:
        row = Latency(title, pooled)
        for system in self._rounds(title, stand):
            outcome = self._put(system, title, load)
            if outcome is None:
                continue
            values = outcome.first_content if load.stream else outcome.latencies
            row.rounds.setdefault(system.name, []).append(values)
            row.faults[system.name] = row.faults.get(system.name, 0) + _faults(outcome, load)
        row.rounds = {name: each for name, each in row.rounds.items() if len(each) == self.pairs and all(each)}
        self.findings.latency.append(row)

    def _load_for_memory(self, stand: Sequence[System]) -> None:
        for system in stand:
            for load in (
                Load(self.bodies.plain30k, _LOAD_SECONDS),
                Load(self.bodies.stream, _LOAD_SECONDS, stream=True),
            ):
                self._put(system, "memory after load", load)
        self.findings.footprint.loaded.update(_memories(stand))

    def _startup(self) -> None:
        names = [name for name in self.names if name != "direct" and name not in self.findings.skipped]
        with native.mock(self.programs, chunks=CHUNKS) as upstream:
            for number in range(_STARTS):
                self.progress(f"start-up: round {number + 1} of {_STARTS}")
                for name in names:
                    self._start_once(name, upstream)

    def _start_once(self, name: str, upstream: Upstream) -> None:
        try:
            with systems.running(name, upstream, self.bodies.plain1k) as (_, seconds):
                self.findings.startup.setdefault(name, []).append(seconds)
        except (ToolMissingError, RuntimeError) as error:
            self.findings.skipped[f"{name}, start-up"] = str(error)


def _port(system: System, load: Load) -> int:
    return system.stream_port if load.stream else system.port


def _memories(stand: Sequence[System]) -> dict[str, list[measure.Memory]]:
    return {system.name: measure.memory(system.pid) for system in stand if system.name != "direct"}


def _faults(outcome: Outcome, load: Load) -> int:
    """Failed answers, and streams that did not bring every chunk."""
    missing = outcome.count * CHUNKS - outcome.content_chunks if load.stream else 0
    return outcome.faults + abs(missing)


def _keep(series: Series, outcome: Outcome, cpu_seconds: float, load: Load) -> None:
    series.values.append(outcome.count / max(cpu_seconds, 1e-9))
    series.busy.append(cpu_seconds / max(outcome.seconds, 1e-9))
    series.faults += _faults(outcome, load)
