"""Reads the traffic file for the driver: in order, batch by batch, each call mapped to a route of the configuration.

A file is looked through once when it is opened: which routes and models it names, what is unknown in it. What the
driver needs and the source does not say is filled in: token counts by the median of those that are known, the rest as
most calls have it. How often, is counted (`filled`), and so is what has no route (`unmapped`).

Never holds more than a batch of it in memory. Must never drop a call in silence.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from surefoot.errors import ReplayError
from surefoot.intake.parquet import JOINED_KEY
from surefoot.replay.virtual.batch import Batch

__all__ = ["Batch", "Traffic"]

BATCH = 16_384
"""Calls that are read at once."""

MEMORY = "256MB"
"""Bound of what DuckDB takes while it reads."""

TYPICAL_TOKENS = 256
"""Length of a prompt or an answer where the file does not know a single one."""

_NEEDED = ("at", "route", "model", "stream", "prompt_tokens", "completion_tokens", "max_tokens", "key")

_NAMES = "SELECT route, model, count(*) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL"
_KEYS = "SELECT DISTINCT coalesce(key, '') FROM read_parquet(?) ORDER BY ALL"
_KNOWN = """
SELECT count(*), min("at"), max("at"),
    count(stream), count(stream) FILTER (stream),
    count(prompt_tokens), median(prompt_tokens),
    count(completion_tokens) FILTER (completion_tokens > 0),
    median(completion_tokens) FILTER (completion_tokens > 0),
    count(*) FILTER (failed)
FROM read_parquet(?)
"""
_ROWS = """
SELECT "at", route, model, coalesce(key, ''), coalesce(stream, ?)::INTEGER, coalesce(prompt_tokens, ?),
    CASE WHEN completion_tokens > 0 THEN completion_tokens ELSE ? END, coalesce(max_tokens, 0)
FROM read_parquet(?)
"""

_METADATA = "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = ?"

Named = tuple[str | None, str | None]
"""What a call asked for: route and model, as the file names them."""


class Traffic:
    """One file, for one or several arms: it can be gone through any number of times.

    `routes` are those of the configuration; `mapping` leads from a name in the file, of a route or a model, to one of
    them; `otherwise` is the route of whatever has none. Raises `ReplayError` for a file that is no traffic file, a
    mapping to a route that is not there, and a file of which no call has a route.
    """

    def __init__(
        self,
        path: Path,
        routes: Collection[str],
        mapping: Mapping[str, str] | None = None,
        otherwise: str | None = None,
        size: int = BATCH,
    ) -> None:
        self._path = str(path)
        self._routes = tuple(routes)
        self._mapping = dict(mapping or {})
        self._otherwise = otherwise
        self._size = size
        for name in (*self._mapping.values(), *([otherwise] if otherwise else [])):
            if name not in self._routes:
                raise ReplayError(f"there is no route '{name}' in the configuration; it has {', '.join(self._routes)}")
        with self._opened() as connection:
            self._look_through(connection)

    def _look_through(self, connection: duckdb.DuckDBPyConnection) -> None:
        known = connection.execute(_KNOWN, [self._path]).fetchall()[0]
        self.calls = int(known[0])
        """Rows of the file."""
        self.span = (known[1], known[2])
        """Unix times of the first and the last."""
        self._streams = 2 * known[4] >= known[3]
        self._prompt = TYPICAL_TOKENS if known[6] is None else round(known[6])
        self._completion = TYPICAL_TOKENS if known[8] is None else max(round(known[8]), 1)
        self.filled = {
            "stream": self.calls - int(known[3]),
            "prompt_tokens": self.calls - int(known[5]),
            "completion_tokens": self.calls - int(known[7]),
        }
        """Calls of which a column is not known, and was filled in."""
        self.failed = int(known[9])
        """Calls that failed when they were made. Played like all others: only incidents make calls fail here."""
        told = connection.execute(_METADATA, [self._path, JOINED_KEY]).fetchall()
        self.joined = str(told[0][0]) if told else ""
        """Whether attempts were joined to calls, as the import says: `true`, `false`, `partly`; "" if it does not."""
        self._keys = tuple(row[0] for row in connection.execute(_KEYS, [self._path]).fetchall())
        self._codes: dict[Named, int] = {}
        self.unmapped: dict[str, int] = {}
        """Calls without a route, by what they ask for."""
        self.otherwise: dict[str, int] = {}
        """Calls that are given the route `otherwise`, by what they ask for."""
        for route, model, count in connection.execute(_NAMES, [self._path]).fetchall():
            found = self._route_of(route, model)
            self._codes[route, model] = -1 if found is None else self._routes.index(found)
            if not self._names_it(route, model):
                name = " / ".join(name for name in (route, model) if name) or "(no name)"
                counts = self.unmapped if found is None else self.otherwise
                counts[name] = counts.get(name, 0) + count
        if self.calls and sum(self.unmapped.values()) == self.calls:
            asked, listed = ", ".join(list(self.unmapped)[:5]), ", ".join(self._routes)
            raise ReplayError(f"no call of {self._path} has a route: they ask for {asked}; the routes are {listed}")

    def _route_of(self, route: str | None, model: str | None) -> str | None:
        for name in (route, model):
            if name is not None and name in self._mapping:
                return self._mapping[name]
        return next((name for name in (route, model) if name in self._routes), self._otherwise)

    def _names_it(self, *names: str | None) -> bool:
        """Whether a route was found by a name."""
        return any(name in self._mapping or name in self._routes for name in names)

    def __iter__(self) -> Iterator[Batch]:
        """All calls that have a route. Raises `ReplayError` where the order of arrival is not kept."""
        keys = {key: number for number, key in enumerate(self._keys)}
        first, latest = 0, float("-inf")
        with self._opened() as connection:
            reading = connection.execute(_ROWS, [self._streams, self._prompt, self._completion, self._path])
            while rows := reading.fetchmany(self._size):
                kept = [row for row in rows if self._codes[row[1], row[2]] >= 0]
                if not kept:
                    continue
                batch = self._batch(first, kept, keys)
                if batch.at[0] < latest or (np.diff(batch.at) < 0).any():
                    raise ReplayError(f"{self._path} is not in the order of arrival; write it anew: surefoot import")
                first, latest = first + len(batch), float(batch.at[-1])
                yield batch

    def _batch(self, first: int, rows: list[Any], keys: Mapping[str, int]) -> Batch:
        at, routes, models, key, stream, prompt, completion, most = zip(*rows, strict=True)
        codes = [self._codes[named] for named in zip(routes, models, strict=True)]
        columns = [np.array(column, np.int64) for column in (codes, [keys[k] for k in key], stream)]
        tokens = [np.array(column, np.int64) for column in (prompt, completion, most)]
        route, whose, streamed = columns
        return Batch(first, np.array(at), self._routes, route, self._keys, whose, streamed, *tokens)

    def _opened(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY})
        try:
            connection.execute("SET enable_progress_bar = false")  # it writes to standard output
            described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [self._path]).fetchall()
        except duckdb.Error as error:
            raise ReplayError(f"{self._path} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
        lacking = [name for name in _NEEDED if name not in {row[0] for row in described}]
        if lacking:
            raise ReplayError(
                f"{self._path} is no traffic file: it lacks {', '.join(lacking)}; `surefoot import` makes one"
            )
        return connection
