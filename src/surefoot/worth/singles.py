"""How long single incidents of a replay were without the fallback, out of the folder that it was kept in.

Knows the table of incidents, and that its minutes have to be those of the facts. Must never: put the mean in place of
single incidents where they cannot be had.
"""

from collections.abc import Sequence
from math import isclose
from pathlib import Path

import duckdb

from surefoot.replay.counting.kept import INCIDENTS

_NEAR = 1e-3
"""How far the sum of single incidents may lie from the fact, which is rounded: relative."""
_BY_HAND = "tell lasts by hand"


def lengths(folder: Path, group: str, seen: float, minutes: float) -> tuple[float, ...]:
    """Minutes of each incident of a group, `any.all`, in which a call came: its length times the share that failed.

    `seen` and `minutes` are the facts, their number and their sum. Raises `ValueError` with what is wrong.
    """
    table = folder / INCIDENTS
    if not table.is_file():
        raise ValueError(
            f"tells of single incidents in {INCIDENTS}, which is not beside its facts: name the replay's whole folder, "
            f"or {_BY_HAND}"
        )
    try:
        found = _read(table, *_filter(group))
    except duckdb.Error as error:
        why = str(error).splitlines()[0]
        raise ValueError(f"has no table of incidents in {INCIDENTS}: {why}; replay again, or {_BY_HAND}") from error
    if len(found) != round(seen) or not isclose(sum(found), minutes, rel_tol=_NEAR):
        raise ValueError(
            f"has {seen:g} incidents of {minutes:.6g} minutes, and {INCIDENTS} has {len(found)} of {sum(found):.6g}: "
            f"one failed in several modes, or the files are of two replays; {_BY_HAND}"
        )
    return tuple(found)


def _filter(group: str) -> tuple[str, str, str]:
    """Scenario, provider and mode of a group; empty: every one (`replay.counting.arranged`)."""
    scenario, _, rest = group.partition(".")
    provider, _, mode = (
        rest.removeprefix("provider.").partition(".mode.") if rest.startswith("provider.") else ("",) * 3
    )
    return scenario, provider, rest.removeprefix("mode.") if rest.startswith("mode.") else mode


def _read(table: Path, scenario: str, provider: str, mode: str) -> list[float]:
    with duckdb.connect() as base:
        rows = base.execute(
            """
            SELECT minutes_of_outage FROM read_parquet($table)
            WHERE scenario = $scenario AND arm = 'without' AND calls > 0 AND ($provider = '' OR provider = $provider)
              AND ($mode = '' OR list_contains(string_split(modes, ', '), $mode))
            ORDER BY start, incident, provider
            """,
            {"table": str(table), "scenario": scenario, "provider": provider, "mode": mode},
        ).fetchall()
    return [float(row[0]) for row in rows]


def level(minutes: Sequence[float], mean: float) -> float:
    """How long each incident has to be felt, none longer than it lasts, so that the mean of them is `mean`.

    The r with `mean(min(minutes, r)) = mean`, found from the shortest on; the longest, if no r is enough.
    """
    short, total = 0.0, mean * len(minutes)
    ordered = sorted(minutes)
    for number, length in enumerate(ordered):
        if short + length * (len(ordered) - number) >= total:
            return max((total - short) / (len(ordered) - number), 0.0)
        short += length
    return ordered[-1]
