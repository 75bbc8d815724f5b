"""The findings as facts, and the facts as JSON and as a table.

Knows: which ratio and which difference answers the reader's question. Must never: measure.
"""

import datetime as dt
import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import measure, ratios, systems
from benchmarks.native import ToolMissingError
from benchmarks.ratios import Estimate
from benchmarks.suite import Efficiency, Findings, Latency, Series

_BASES = ("nginx", "envoy")
_RATES = ("answers per CPU-second", "chunks per CPU-second")
_MEBI = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fact:
    """One number of the report with all that is needed to judge it."""

    row: str
    system: str
    metric: str
    unit: str
    value: Estimate
    faults: int = 0


def facts(findings: Findings) -> list[Fact]:
    """Every number that the findings support."""
    found: list[Fact] = []
    for efficiency in findings.efficiency:
        found.extend(_efficiency_facts(efficiency))
    for latency in findings.latency:
        found.extend(_latency_facts(latency))
    found.extend(_memory_facts("idle", findings.footprint.idle))
    found.extend(_memory_facts("after load", findings.footprint.loaded))
    for name, seconds in findings.startup.items():
        value = ratios.median_estimate([second * 1e3 for second in seconds])
        found.append(Fact("start-up", name, "exec to first answer", "ms", value))
    return found


def _efficiency_facts(row: Efficiency) -> Iterator[Fact]:
    for name, series in row.series.items():
        yield Fact(
            row.title,
            name,
            "answers per CPU-second",
            "1/s",
            ratios.median_estimate(series.values),
            series.faults,
        )
        if row.per_answer:
            chunks = [value * row.per_answer for value in series.values]
            yield Fact(row.title, name, "chunks per CPU-second", "1/s", ratios.median_estimate(chunks))
        yield Fact(row.title, name, "core busy", "share", ratios.median_estimate(series.busy))
        for base in _BASES:
            if base in row.series and base != name:
                value = ratios.paired_ratios(series.values, row.series[base].values)
                yield Fact(row.title, name, f"of {base}", "ratio", value)


def _latency_facts(row: Latency) -> Iterator[Fact]:
    for name, rounds in row.rounds.items():
        for label, share in (("p50", 0.5), ("p99", 0.99)):
            per_round = [ratios.quantile(values, share) * 1e3 for values in rounds if values]
            faults = row.faults[name]
            yield Fact(row.title, name, label, "ms", ratios.median_estimate(per_round), faults)
            if name != "direct" and "direct" in row.rounds:
                yield Fact(row.title, name, f"added {label}", "ms", _added(row, name, share))


def _added(row: Latency, name: str, share: float) -> Estimate:
    ours = [[value * 1e3 for value in values] for values in row.rounds[name]]
    base = [[value * 1e3 for value in values] for values in row.rounds["direct"]]
    if row.pooled:
        return ratios.pooled_difference(ours, base, share)
    return ratios.paired_differences(
        [ratios.quantile(values, share) for values in ours],
        [ratios.quantile(values, share) for values in base],
    )


def _memory_facts(when: str, found: dict[str, list[measure.Memory]]) -> Iterator[Fact]:
    for name, processes in found.items():
        parts = [("all", processes)]
        if len(processes) > 1:
            parts += [("supervisor", processes[:1]), ("worker", processes[1:])]
        for part, members in parts:
            for metric, total in (
                ("RSS", sum(each.resident for each in members)),
                ("PSS", sum(each.proportional for each in members)),
            ):
                size = total / _MEBI
                value = Estimate(size, size, size, 0.0, 1, "single reading")
                yield Fact(f"memory {when}", name, f"{metric}, {part}", "MiB", value)


def machine() -> dict[str, object]:
    """Processor, cores, kernel and the versions of everything measured."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": model[1] if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "versions": {name: _version(name) for name in systems.NAMES if name != "direct"},
    }


def _version(name: str) -> str:
    try:
        if name == "surefoot":
            return importlib.metadata.version(name)
        option = {"nginx": "-v", "envoy": "--version"}[name]
        done = subprocess.run([systems.program(name), option], check=True, capture_output=True, text=True)
    except (
        ToolMissingError,
        subprocess.CalledProcessError,
        importlib.metadata.PackageNotFoundError,
    ) as error:
        return f"unknown: {error}"
    number = re.search(r"\d+\.\d+\.\d+\S*?(?=/|\s|$)", done.stdout + done.stderr)
    return number[0] if number else "unknown"


def as_json(found: Sequence[Fact], findings: Findings, command: Sequence[str]) -> dict[str, object]:
    """The whole report, raw rounds of the closed loop included."""
    return {
        "machine": machine(),
        "command": list(command),
        "skipped": findings.skipped,
        "facts": [asdict(fact) for fact in found],
        "rounds": {
            row.title: {name: series.values for name, series in row.series.items()} for row in findings.efficiency
        },
    }


def table(found: Sequence[Fact], findings: Findings) -> str:
    """The report for people."""
    lines: list[str] = []
    for row in findings.efficiency:
        lines += _efficiency_table(row, [fact for fact in found if fact.row == row.title])
    titles = [row.title for row in findings.latency] + ["memory idle", "memory after load", "start-up"]
    for title in titles:
        lines += _list(title, [fact for fact in found if fact.row == title])
    lines += ["", *_notes(found)]
    lines += [f"skipped: {what}: {why}" for what, why in findings.skipped.items()]
    return "\n".join(lines)


def _notes(found: Sequence[Fact]) -> list[str]:
    least = min((fact.value.confidence for fact in found if fact.value.n > 1), default=ratios.CONFIDENCE)
    notes = ["direct: nothing in between; its CPU is the mock provider's own. All others: every process of the system."]
    if least < ratios.CONFIDENCE:
        notes.append(f"few rounds: some intervals are whole ranges, with a confidence of {least:.2f} only")
    else:
        notes.append("[low, high]: interval of at least 95 % (order statistics, or bootstrap over rounds)")
    return notes


def _efficiency_table(row: Efficiency, found: Sequence[Fact]) -> list[str]:
    lines = ["", f"{row.title}: closed loop, 64 connections"]
    chunks_head = f"{'chunks/CPU-s':>14}" if row.per_answer else ""
    lines.append(f"  {'':26}{'answers/CPU-s':>14}{chunks_head}{'busy':>6}  {'of nginx':24}{'of envoy':24}failed")
    for name, series in row.series.items():
        told = {fact.metric: fact.value for fact in found if fact.system == name}
        rates = "".join(f"{told[metric].value:14,.0f}" for metric in _RATES if metric in told)
        ratio_cells = "".join(f"{_interval(told.get(f'of {base}'), 3):24}" for base in _BASES)
        lines.append(f"  {name:26}{rates}{told['core busy'].value:6.2f}  {ratio_cells}{_failed(series)}")
    return lines


def _failed(series: Series) -> str:
    return f"{series.faults}" if series.faults else "-"


def _interval(value: Estimate | None, digits: int) -> str:
    if value is None:
        return ""
    return f"{value.value:.{digits}f} [{value.low:.{digits}f}, {value.high:.{digits}f}]"


def _list(title: str, found: Sequence[Fact]) -> list[str]:
    if not found:
        return []
    lines = ["", title]
    for fact in found:
        text = _interval(fact.value, 2) if fact.value.n > 1 else f"{fact.value.value:.1f}"
        faults = f"  failed: {fact.faults}" if fact.faults else ""
        lines.append(f"  {fact.system:12}{fact.metric:24}{text:>26} {fact.unit}{faults}")
    return lines
