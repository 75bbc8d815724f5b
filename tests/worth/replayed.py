"""The table of single incidents that a replay keeps beside its facts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

Row = tuple[float, str, str]
"""Minutes without the fallback, provider and modes."""


def keep_incidents(folder: Path, told: Mapping[str, Sequence[float | Row]]) -> None:
    """By scenario the incidents in which a call came. Each also stands under another arm, and one more was unseen."""
    rows: list[tuple[object, ...]] = []
    for scenario, incidents in told.items():
        for number, one in enumerate(incidents):
            minutes, provider, modes = one if isinstance(one, tuple) else (one, "acme", "http_500")
            for arm, felt in (("without", minutes), ("with", 0.5)):
                rows.append((scenario, f"{number:05}", provider, modes, float(number), arm, 10, felt))
        rows.append((scenario, "unseen", "acme", "http_500", 1e6, "without", 0, None))
    with duckdb.connect() as base:
        base.execute(
            "CREATE TABLE told (scenario VARCHAR, incident VARCHAR, provider VARCHAR, modes VARCHAR, start DOUBLE,"
            " arm VARCHAR, calls BIGINT, minutes_of_outage DOUBLE)"
        )
        if rows:
            base.executemany("INSERT INTO told VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        base.table("told").write_parquet(str(folder / "incidents.parquet"))
