"""What the traffic asks for in time: its span, its busiest hour and minute, and how much each route has of it.

Read by DuckDB, which keeps counts and never the calls; the busiest minute in one pass, batch by batch.
"""

from pathlib import Path

import duckdb
import numpy as np
from msgspec import Struct

from surefoot.errors import ReplayError
from surefoot.replay.models.model import Floats, Integers
from surefoot.replay.traffic import MEMORY, TYPICAL_TOKENS

HOUR = 3_600.0
MINUTE = 60.0
_BATCH = 65_536

_WHOLE = """SELECT count(*), min("at"), max("at"), median(prompt_tokens),
    median(completion_tokens) FILTER (completion_tokens > 0)
FROM read_parquet($file)"""
_HOUR = 'SELECT floor("at" / 3600) h, count(*) n FROM read_parquet($file) GROUP BY h ORDER BY n DESC, h LIMIT 1'
_ROUTES = "SELECT coalesce(route, '') r, count(*) n FROM read_parquet($file) GROUP BY r ORDER BY n DESC, r"
_TOKENS = """SELECT "at",
    coalesce(prompt_tokens, $prompt) + CASE WHEN completion_tokens > 0 THEN completion_tokens ELSE $completion END
FROM read_parquet($file)"""


_LENGTHS = """SELECT "at", coalesce(prompt_tokens, $prompt),
    CASE WHEN completion_tokens > 0 THEN completion_tokens ELSE $completion END
FROM read_parquet($file, file_row_number = true) WHERE file_row_number % $every = 0"""

SAMPLED = 4_096
"""Calls whose lengths are kept, at most; of more, every second, third, ... one, all along the traffic."""


class Lengths(Struct, frozen=True):
    """Some of the calls, all along the traffic: Unix times, tokens of prompts and of answers."""

    at: Floats
    prompt: Integers
    completion: Integers


class Demand(Struct, frozen=True, kw_only=True):
    """The traffic as a whole. Times are Unix seconds; unknown token counts are filled in as `replay.traffic` does."""

    calls: int
    start: float
    """Of the first call."""
    end: float
    """Of the last call."""
    busiest_hour: float
    """When the clock hour with the most calls begins; the earliest of several."""
    busiest_calls: int
    peak_requests: float
    """Calls in the busiest minute, whenever it begins. A token bucket that holds as many never refuses this traffic:
    in a time w it has at most ceil(w / 60) times as many, and the bucket gives (1 + w / 60) times."""
    peak_tokens: float
    """Tokens in the minute that has most of them, prompts and answers together."""
    largest_call: float = 0.0
    """Tokens of the call that has most of them."""
    lengths: Lengths
    routes: dict[str, int]
    """Calls by the route that the traffic names, the busiest first; "" where it names none."""

    @property
    def span(self) -> tuple[float, float]:
        """First and last call."""
        return self.start, self.end


def demand_of(traffic: Path) -> Demand:
    """Read it. Raises `ReplayError` if the file cannot be read, is no traffic, or has no calls."""
    named = {"file": str(traffic)}
    try:
        with duckdb.connect(config={"threads": 1, "memory_limit": MEMORY}) as base:
            ((calls, start, end, prompt, completion),) = base.execute(_WHOLE, named).fetchall()
            if not calls:
                raise ReplayError(f"{traffic} has no calls: there is nothing to replay")
            ((begun, busiest),) = base.execute(_HOUR, named).fetchall()
            routes = dict(base.execute(_ROUTES, named).fetchall())
            filled = {
                "prompt": TYPICAL_TOKENS if prompt is None else round(prompt),
                "completion": TYPICAL_TOKENS if completion is None else round(completion),
            }
            every = -(-calls // SAMPLED)
            lengths = _lengths(base.execute(_LENGTHS, named | filled | {"every": every}).fetchall())
            minute, largest = _minute(base.execute(_TOKENS, named | filled))
    except duckdb.Error as error:
        why = str(error).partition("\n")[0]
        raise ReplayError(f"{traffic} is no traffic file: {why}; `surefoot import` writes one") from error
    return Demand(
        calls=calls,
        start=start,
        end=end,
        busiest_hour=begun * HOUR,
        busiest_calls=busiest,
        peak_requests=minute.calls,
        peak_tokens=minute.tokens,
        largest_call=largest,
        lengths=lengths,
        routes=routes,
    )


class Busiest:
    """The most calls, and the most tokens, within any time of one length; told batch by batch, in order."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: Floats = np.empty((2, 0))
        """Those of the last batch that may lie together with the next: they are seen twice."""
        self.calls = 0.0
        self.tokens = 0.0

    def add(self, at: Floats, tokens: Floats) -> None:
        """More calls: their times and tokens."""
        if not len(at):
            return
        both = np.concatenate([self._kept, np.array([at, tokens], np.float64)], axis=1)
        at, gone = both[0], np.concatenate([[0.0], np.cumsum(both[1])])
        since = np.searchsorted(at, at - self._seconds)
        upto = np.arange(1, len(at) + 1)
        self.calls = max(self.calls, float((upto - since).max()))
        self.tokens = max(self.tokens, float((gone[upto] - gone[since]).max()))
        self._kept = both[:, at >= at[-1] - self._seconds]


def _minute(reading: duckdb.DuckDBPyConnection) -> tuple[Busiest, float]:
    """The busiest minute, and the tokens of the largest call."""
    minute, largest = Busiest(MINUTE), 0.0
    while rows := reading.fetchmany(_BATCH):
        at, tokens = np.array(rows, np.float64).T
        minute.add(at, tokens)
        largest = max(largest, float(tokens.max()))
    return minute, largest


def _lengths(rows: list[tuple[float, int, int]]) -> Lengths:
    at, prompt, completion = zip(*rows, strict=True)
    return Lengths(np.array(at, np.float64), np.array(prompt, np.int64), np.array(completion, np.int64))
