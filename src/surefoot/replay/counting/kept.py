"""What is kept of a replay: a folder with its facts, its tables as Parquet, and what it assumed.

    facts.json          every number, with sample, method and interval
    numbers.parquet     the same as rows: scenario, group, provider, mode, measure, arm, lag
    incidents.parquet   each incident of each scenario: calls, what failed, minutes, under each lag
    weeks.parquet       each calendar week of each scenario: calls, failures, attempts, cost, under each lag
    moves.parquet       which assumption moves the minutes avoided, the largest first
    assumptions.json    what was assumed, what each part of each target's model stands on, what was left out

The same inputs and seed give the same bytes: rows are in a fixed order, and nothing is dated by a clock.
Must never: begin a replay whose outcome could not be kept, or compute a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from surefoot.config.folder import make_writable
from surefoot.errors import StartError
from surefoot.facts import write
from surefoot.replay.counting.measures import arm_name
from surefoot.replay.counting.summary import Move, Played, Summary, Told
from surefoot.replay.counting.tally import ALL, NANO, Sum, name_of
from surefoot.replay.counting.toll import tolls

FACTS = "facts.json"
ASSUMPTIONS = "assumptions.json"

INCIDENTS = "incidents.parquet"
TABLES = ("numbers", "incidents", "weeks", "moves")
FILES = (FACTS, ASSUMPTIONS, *(f"{name}.parquet" for name in TABLES))
"""All that `keep` writes."""

Rows = list[tuple[Any, ...]]

_NUMBERS = {
    "scenario": "VARCHAR", "group": "VARCHAR", "provider": "VARCHAR", "mode": "VARCHAR", "measure": "VARCHAR",
    "arm": "VARCHAR", "lag": "VARCHAR", "value": "DOUBLE", "unit": "VARCHAR", "n": "BIGINT", "low": "DOUBLE",
    "high": "DOUBLE", "confidence": "DOUBLE", "method": "VARCHAR", "note": "VARCHAR",
}  # fmt: skip
_INCIDENTS = {
    "scenario": "VARCHAR", "incident": "VARCHAR", "provider": "VARCHAR", "modes": "VARCHAR", "start": "DOUBLE",
    "stop": "DOUBLE", "minutes": "DOUBLE", "sort": "VARCHAR", "arm": "VARCHAR", "calls": "BIGINT", "failed": "BIGINT",
    "saved": "BIGINT", "lost": "BIGINT", "minutes_of_outage": "DOUBLE",
}  # fmt: skip
_WEEKS = {
    "scenario": "VARCHAR", "week": "VARCHAR", "arm": "VARCHAR", "calls": "BIGINT", "failed": "BIGINT",
    "saved": "BIGINT", "lost": "BIGINT", "attempts": "BIGINT", "cost": "DOUBLE", "unpriced": "BIGINT",
}  # fmt: skip
_MOVES = {
    "assumption": "VARCHAR", "value": "VARCHAR", "base": "DOUBLE", "varied": "DOUBLE", "effect": "DOUBLE",
    "low": "DOUBLE", "high": "DOUBLE",
}  # fmt: skip


def ready(out: Path, without: Sequence[str] = ()) -> None:
    """See that a replay can be kept in `out`, which is made if need be. Raises `StartError` with what to do.

    `without`: files that must not be there yet.
    """
    there = [name for name in without if (out / name).exists()]
    if there:
        raise StartError(f"--out: {out} has a {there[0]} already; name another folder, or write over it with --force")
    make_writable(out)


def keep(out: Path, summary: Summary, played: Sequence[Played], assumptions: Mapping[str, Any]) -> None:
    """Write all of it. Raises `StartError` where that cannot be done."""
    told = [one for one in played if one.scenario]
    tables: tuple[tuple[dict[str, str], Rows], ...] = (
        (_NUMBERS, [_number(told) for told in summary.told]),
        (_INCIDENTS, [row for one in told for row in _incidents(one)]),
        (_WEEKS, [row for one in told for row in _weeks(one)]),
        (_MOVES, [_move(move) for move in summary.moves]),
    )
    try:
        (out / FACTS).write_bytes(write(summary.facts) + b"\n")
        text = msgspec.json.format(msgspec.json.encode(assumptions, order="deterministic"), indent=2)
        (out / ASSUMPTIONS).write_bytes(text + b"\n")
        for name, (columns, rows) in zip(TABLES, tables, strict=True):
            _parquet(out / f"{name}.parquet", columns, rows)
    except (OSError, duckdb.Error) as error:
        raise StartError(f"--out: {out} could not be written: {error}") from error


def _parquet(path: Path, columns: Mapping[str, str], rows: Rows) -> None:
    """One table, in the order of its rows."""
    given = {name: [row[number] for row in rows] for number, name in enumerate(columns)}
    picked = ", ".join(f'unnest(${name}::{form}[]) AS "{name}"' for name, form in columns.items())
    with duckdb.connect() as base:
        base.execute("SET threads = 1")  # else the order of row groups is chance
        base.execute(f"CREATE TABLE told AS SELECT {picked}", given)
        base.table("told").write_parquet(str(path), compression="zstd")


def _number(told: Told) -> tuple[Any, ...]:
    group, fact = told.group, told.fact
    measure, _, lag = fact.name.removeprefix(f"{told.scenario}.{group.name}.").partition(".lag.")
    arm = next((word for word in ("without", "with") if measure.endswith(f".{word}")), "")
    return (
        told.scenario, group.name, group.provider, group.mode, measure.removesuffix(f".{arm}" if arm else ""), arm,
        lag, fact.value, fact.unit, fact.n, fact.low, fact.high, fact.confidence, fact.method, fact.note,
    )  # fmt: skip


def _incidents(one: Played) -> Iterator[tuple[Any, ...]]:
    for toll in tolls(one.tally):
        for arm in range(one.tally.arms):
            yield (
                one.scenario, toll.incident, toll.provider, ", ".join(toll.modes), toll.start, toll.end,
                toll.seconds / 60, toll.sort.name.lower(), arm_name(arm, one.tally.lags), toll.calls,
                int(toll.failed[arm]), int(toll.saved[arm]), int(toll.lost[arm]),
                toll.minutes(arm) if toll.seen else None,
            )  # fmt: skip


def _weeks(one: Played) -> Iterator[tuple[Any, ...]]:
    for week, pair in sorted(one.tally.weeks):
        if pair != ALL:
            continue
        for arm, sums in enumerate(one.tally.weeks[week, pair].sums.tolist()):
            yield (
                one.scenario, name_of(week), arm_name(arm, one.tally.lags), sums[Sum.CALLS], sums[Sum.FAILED],
                sums[Sum.SAVED], sums[Sum.LOST], sums[Sum.ATTEMPTS],
                None if sums[Sum.UNPRICED] else sums[Sum.COST] / NANO, sums[Sum.UNPRICED],
            )  # fmt: skip


def _move(move: Move) -> tuple[Any, ...]:
    return move.assumption, move.value, move.base, move.varied, move.effect, move.low, move.high
