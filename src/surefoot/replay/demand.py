"""What the traffic asks for in time: its span, its busiest hour and minute, and how much each route has of it.

Read by DuckDB, which keeps counts and never the calls.
"""

from pathlib import Path

import duckdb
from msgspec import Struct

from surefoot.errors import ReplayError

HOUR = 3_600.0
_WHOLE = 'SELECT count(*), min("at"), max("at") FROM read_parquet($file)'
_HOUR = 'SELECT floor("at" / 3600) h, count(*) n FROM read_parquet($file) GROUP BY h ORDER BY n DESC, h LIMIT 1'
_PEAK = """SELECT max(n), max(t) FROM (
    SELECT sum(n) OVER minute n, sum(t) OVER minute t
    FROM (
        SELECT floor("at" / 5) b, count(*) n, sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)) t
        FROM read_parquet($file) GROUP BY b
    )
    WINDOW minute AS (ORDER BY b RANGE BETWEEN 12 PRECEDING AND CURRENT ROW)
)"""
"""In steps of five seconds; thirteen of them hold any minute, so that no minute has more."""
_ROUTES = "SELECT coalesce(route, '') r, count(*) n FROM read_parquet($file) GROUP BY r ORDER BY n DESC, r"


class Demand(Struct, frozen=True, kw_only=True):
    """The traffic as a whole. Times are Unix seconds."""

    calls: int
    start: float
    """Of the first call."""
    end: float
    """Of the last call."""
    busiest_hour: float
    """When the clock hour with the most calls begins; the earliest of several."""
    busiest_calls: int
    peak_requests: float
    """Calls in the busiest minute, whenever it begins. A token bucket that holds as many never refuses this traffic."""
    peak_tokens: float
    """Tokens in the minute that has most of them, prompts and answers together."""
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
        with duckdb.connect() as base:
            whole, hour, peak = (base.execute(text, named).fetchall() for text in (_WHOLE, _HOUR, _PEAK))
            routes = dict(base.execute(_ROUTES, named).fetchall())
    except duckdb.Error as error:
        why = str(error).partition("\n")[0]
        raise ReplayError(f"{traffic} is no traffic file: {why}; `surefoot import` writes one") from error
    if not hour:
        raise ReplayError(f"{traffic} has no calls: there is nothing to replay")
    (calls, start, end), (begun, busiest), (requests, tokens) = whole[0], hour[0], peak[0]
    return Demand(
        calls=calls,
        start=start,
        end=end,
        busiest_hour=begun * HOUR,
        busiest_calls=busiest,
        peak_requests=float(requests),
        peak_tokens=float(tokens),
        routes=routes,
    )
