"""Attempts become calls: in a database on disk, with a bound on memory, so that a log may be larger than the machine's.

Attempts that name the same call are one call. They are ordered by their time, then as they were read. The attempt that
*answered* is the first that did not fail; if none is known to have succeeded, the last one speaks for the call. Of
siblings (`intake.row`) each that did not fail ends a call. A row without either is a call of its own.

Knows SQL. `at`, `user` and some more are words of it, so that all names are quoted. Must never hold more rows in Python
than one batch, or write anything outside its folder.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from msgspec import Struct

from surefoot.errors import IntakeError
from surefoot.intake.parquet import COLUMNS
from surefoot.intake.row import Row

BATCH = 20_000
"""Rows that are handed over at once; one by one they would take ten times as long."""

GROUP = 20_480
"""Rows of the traffic file that stand together: a group is put together in memory."""

_FIELDS = {
    "file": ("INTEGER", np.int32),
    "line": ("BIGINT", np.int64),
    "call": ("VARCHAR", object),
    "siblings": ("VARCHAR", object),
    "at": ("DOUBLE", np.float64),
    "asked": ("BOOLEAN", np.bool_),
    "provider": ("VARCHAR", object),
    "model": ("VARCHAR", object),
    "route": ("VARCHAR", object),
    "stream": ("BOOLEAN", np.bool_),
    "prompt_tokens": ("INTEGER", np.int32),
    "completion_tokens": ("INTEGER", np.int32),
    "max_tokens": ("INTEGER", np.int32),
    "ttft": ("DOUBLE", np.float64),
    "duration": ("DOUBLE", np.float64),
    "failed": ("BOOLEAN", np.bool_),
    "kind": ("VARCHAR", object),
    "cost": ("DOUBLE", np.float64),
    "user": ("VARCHAR", object),
    "key": ("VARCHAR", object),
    "part": ("INTEGER", np.int32),
}
"""Columns of the table of attempts: type in the database and in a batch."""

_TABLE = ", ".join(f'"{name}" {kind}' for name, (kind, _) in _FIELDS.items())

_OWN = """concat("file", ':', "line", CASE WHEN "part" > 0 THEN concat('.', "part") END)"""
"""The name of a call that has none. A line may hold several: an export of spans does."""

_BY_TIME = '"at", "file", "line", seq'

# Windows run over siblings alone: all others would be one window of the whole log. A table that was made in an order
# keeps it, so that its row ids count attempts by time.
_ORDER = f"""
CREATE TABLE ordered AS
SELECT * EXCLUDE ("call", "siblings"), rowid AS seq, "call" AS name FROM attempts
WHERE "call" IS NOT NULL OR "siblings" IS NULL
UNION ALL
SELECT * EXCLUDE ("call", "siblings"), concat("siblings", '/', count(*) FILTER ("failed" IS NOT TRUE) OVER (
    PARTITION BY "siblings" ORDER BY {_BY_TIME} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
))
FROM (SELECT *, rowid AS seq FROM attempts WHERE "call" IS NULL AND "siblings" IS NOT NULL)
ORDER BY {_BY_TIME}
"""  # noqa: S608 - our own names

# Only numbers are gathered per call: the database can put those aside on disk when memory is short, and texts not.
_GATHER = """
CREATE TABLE gathered AS SELECT
    name,
    min("at") AS began,
    count(*) AS spoke,
    count(*) FILTER ("asked") AS attempts,
    min(rowid) AS first,
    coalesce(min(rowid) FILTER (NOT "failed"), max(rowid)) AS chosen,
    count(*) FILTER ("failed") AS failures,
    count(*) FILTER (NOT "failed") AS successes,
    max("at" + "duration") AS ended,
    count("duration") AS durations,
    CASE WHEN count("cost") = count(*) THEN round(fsum("cost"), 12) END AS cost
FROM ordered WHERE name IS NOT NULL GROUP BY name
"""

_JOINED = """
SELECT
    g.name AS "call",
    g.began AS "at",
    coalesce(f."route", c."route") AS "route",
    c."provider",
    c."model",
    coalesce(f."stream", c."stream") AS "stream",
    coalesce(c."prompt_tokens", f."prompt_tokens") AS "prompt_tokens",
    c."completion_tokens",
    coalesce(f."max_tokens", c."max_tokens") AS "max_tokens",
    c."at" - g.began + c."ttft" AS "ttft",
    CASE WHEN g.successes > 0 THEN c."at" - g.began + c."duration"
         WHEN g.durations = g.spoke THEN g.ended - g.began END AS "duration",
    CASE WHEN g.successes > 0 THEN FALSE WHEN g.failures = g.spoke THEN TRUE END AS "failed",
    c."kind",
    f."failed" AS "first_failed",
    f."kind" AS "first_kind",
    g.attempts::INTEGER AS "attempts",
    g.cost AS "cost",
    coalesce(f."user", c."user") AS "user",
    coalesce(f."key", c."key") AS "key"
FROM gathered g JOIN ordered f ON f.rowid = g.first JOIN ordered c ON c.rowid = g.chosen
"""

_ALONE = f"""
SELECT {_OWN}, "at", "route", "provider", "model", "stream", "prompt_tokens", "completion_tokens", "max_tokens",
    "ttft", "duration", "failed", "kind", "failed", "kind", "asked"::INTEGER, "cost", "user", "key"
FROM ordered WHERE name IS NULL
"""  # noqa: S608 - likewise


class Joined(Struct, frozen=True):
    """What was made of the rows."""

    calls: int
    named: int
    """Rows that name their call, or a parent."""
    siblings: int
    """Of those, the ones that name a parent only."""
    retried: int
    """Calls of more than one attempt."""
    again: int
    """Attempts that succeeded though another one of their call had: the source may name several calls alike."""
    first_failed: int
    failed: int
    known: dict[str, int]
    """By column, in how many calls it is known."""
    first: float
    last: float
    """Unix times of the first and the last call."""


class Attempts:
    """The table of attempts, open for more."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.count = 0
        self._connection = connection
        self._line, self._part = (0, 0), 0
        self._again = 0
        self._batch: list[tuple[Any, ...]] = []
        connection.execute("SET enable_progress_bar = false")  # it would be drawn on standard output
        connection.execute(f"CREATE TABLE attempts ({_TABLE})")

    def add(self, file: int, row: Row, user: str | None) -> None:
        """One more, of the input with this number. `user` is a pseudonym."""
        self.count += 1
        self._part = self._part + 1 if (file, row.line) == self._line else 0
        self._line = file, row.line
        self._batch.append(
            (
                file, row.line, row.call, row.siblings, row.at, row.asked, row.provider, row.model, row.route,
                row.stream, row.prompt_tokens, row.completion_tokens, row.max_tokens, row.ttft, row.duration,
                row.failed, row.kind, row.cost, user, row.key, self._part,
            )
        )  # fmt: skip
        if len(self._batch) >= BATCH:
            self._flush()

    def write(self, out: Path, metadata: dict[str, str]) -> None:
        """Join them and write the traffic file."""
        self._flush()
        pairs = ", ".join(f"{_quoted(key)}: {_quoted(text)}" for key, text in metadata.items())
        run = self._connection.execute
        run(_ORDER)
        run("DROP TABLE attempts")
        run(_GATHER)
        (again,) = self._one("SELECT sum(successes - 1) FROM gathered WHERE successes > 1")
        self._again = int(again or 0)
        # A step of its own, like the last: joining and sorting at once would need the memory of both.
        run(f"CREATE TABLE calls AS {_JOINED} UNION ALL {_ALONE}")
        run("DROP TABLE ordered")
        run("DROP TABLE gathered")
        written = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP}, KV_METADATA {{{pairs}}}"
        run('CREATE VIEW sorted AS SELECT * FROM calls ORDER BY "at", "call"')
        run(f"COPY sorted TO {_quoted(str(out))} ({written})")

    def named(self) -> tuple[int, int]:
        """How many of them name their call or a parent, and how many of those a parent only."""
        self._flush()
        only_parent = """count(*) FILTER ("call" IS NULL AND "siblings" IS NOT NULL)"""
        named, siblings = self._one(f'SELECT count(coalesce("call", "siblings")), {only_parent} FROM attempts')  # noqa: S608 - likewise
        return int(named), int(siblings)

    def joined(self, out: Path, named: tuple[int, int]) -> Joined:
        """What stands in the file that was written."""
        counts = ", ".join(f'count("{name}")' for name in COLUMNS)
        found = self._one(
            'SELECT count(*), count(*) FILTER ("attempts" > 1), count(*) FILTER ("first_failed"),'  # noqa: S608 - likewise
            f' count(*) FILTER ("failed"), min("at"), max("at"), {counts} FROM read_parquet({_quoted(str(out))})'
        )
        calls, retried, first_failed, failed, first, last, *known = found
        return Joined(
            calls=calls,
            named=named[0],
            siblings=named[1],
            retried=retried,
            again=self._again,
            first_failed=first_failed,
            failed=failed,
            known=dict(zip(COLUMNS, known, strict=True)),
            first=first,
            last=last,
        )

    def _one(self, query: str) -> tuple[Any, ...]:
        return tuple(self._connection.execute(query).fetchall()[0])

    def _flush(self) -> None:
        if not self._batch:
            return
        columns = zip(*self._batch, strict=True)
        batch = {
            name: _column(values, kind) for (name, (_, kind)), values in zip(_FIELDS.items(), columns, strict=True)
        }
        self._connection.register("batch", batch)
        self._connection.execute("INSERT INTO attempts SELECT * FROM batch")
        self._connection.unregister("batch")
        self._batch = []


@contextmanager
def attempts(folder: Path, memory: int) -> Iterator[Attempts]:
    """An empty table of attempts in a folder of its own, with so many bytes of memory; what is more goes to disk.

    Raises `IntakeError` if the database has no room left.
    """
    # One thread: the order of additions and so every digit of the result is the same each time.
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory} B",
        "threads": 1,
        "temp_directory": str(folder / "spill"),
    }
    connection = None
    try:
        connection = duckdb.connect(str(folder / "attempts.duckdb"), config=settings)
        yield Attempts(connection)
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise IntakeError(
            f"calls could not be joined: {first}; give more --memory, or put --out on a disk with more room"
        ) from error
    finally:
        if connection is not None:
            connection.close()


def _column(values: tuple[Any, ...], kind: Any) -> Any:
    """One column of a batch; None is masked, and in texts it is itself."""
    if kind is object:
        return np.array([value and value.encode(errors="replace").decode() for value in values], dtype=object)
    missing = np.fromiter((value is None for value in values), np.bool_, len(values))
    if not missing.any():
        return np.array(values, dtype=kind)
    return np.ma.array(np.array([0 if value is None else value for value in values], dtype=kind), mask=missing)


def _quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
