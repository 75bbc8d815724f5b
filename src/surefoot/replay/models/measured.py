"""First-token times and token rates as somebody measured them, out of a CSV or Parquet file or out of the traffic.

    rate = (tokens - 1) / (time to the end - time to the first token)

which is undefined for fewer than two tokens. Where a file has no first-token times they are inferred: durations grow
with the answer's length by the Theil-Sen slope (the median slope of all pairs; Sen 1968, Estimates of the regression
coefficient based on Kendall's tau), and what is left of each duration is its time to the first token.

Knows columns and units. What cannot be used is counted by its reason. Must never: guess a unit.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from surefoot.domain.outcome import Kind
from surefoot.domain.target import Target
from surefoot.errors import EvidenceError, ReplayError
from surefoot.replay.models.model import Floats
from surefoot.replay.models.naming import runs, same_model

FASTEST = 5_000.0
"""Tokens a second. No provider announces more than some 3,000 (2026); what came faster came in one piece: no rate."""

MOST = 500_000
"""Calls of one target that are looked at; of more, every second, third, ... one, all along the traffic."""

_PAIRED = 1_000
"""Durations of which all pairs are taken for a slope: half a million pairs."""

_COLUMNS = ("ttft", "total", "rate", "prompt_tokens", "completion_tokens", "at")
_NOT_FAILED = frozenset({"", "0", "false", "no", "none", "ok"})

_CALLED = """SELECT provider, model, count(*) FROM read_parquet($file) GROUP BY ALL ORDER BY ALL"""
_FAILED, _ANOTHERS, _CUT_OFF = range(1, 4)
_WHY = {_FAILED: "failed", _ANOTHERS: "answered by another attempt", _CUT_OFF: "cut off before the first token"}
"""Why a call of the traffic tells nothing of its target's times."""

_ENDED_BY_US = ", ".join(f"'{kind}'" for kind in (Kind.CANCELLED, Kind.CLIENT_GONE, Kind.SHUTDOWN))
"""Endings after which an answer may have gone on: its end is not the target's, its first token is."""

_SILENT = ", ".join(f"'{kind}'" for kind in (Kind.OVERTAKEN, Kind.SILENCE, Kind.SLOW_FIRST_TOKEN))
"""Endings of an attempt that was waited for in vain."""

# Where the first attempt is known not to have failed, its times are the call's, whatever was launched beside it: to
# leave out those that won although they were hedged would leave out a target's slowest.
_CALLS = f"""SELECT
    "at", CASE WHEN coalesce(stream, true) THEN ttft END ttft,
    CASE WHEN coalesce(kind NOT IN ({_ENDED_BY_US}), true) THEN duration END total, prompt_tokens, completion_tokens,
    CASE WHEN failed THEN {_FAILED} WHEN first_failed OR (attempts > 1 AND first_failed IS NULL) THEN {_ANOTHERS}
        WHEN kind IN ({_ENDED_BY_US}) AND (ttft IS NULL OR NOT stream) THEN {_CUT_OFF} ELSE 0 END AS why
FROM read_parquet($file, file_row_number = true)
WHERE provider IS NOT DISTINCT FROM $provider AND model IS NOT DISTINCT FROM $model AND file_row_number % $every = 0"""  # noqa: S608 - our own words

_GIVEN_UP = f"SELECT count(*) FROM read_parquet($file) WHERE first_kind IN ({_SILENT})"  # noqa: S608 - likewise


class Source(Struct, frozen=True, kw_only=True):
    """A file and what its columns are. A duration's unit is a factor to seconds."""

    file: Path
    unit: float
    ttft: str | None = None
    total: str | None = None
    """From the launch to the end of the answer."""
    rate: str | None = None
    """Tokens per second after the first."""
    prompt_tokens: str | None = None
    completion_tokens: str | None = None
    at: str | None = None
    """A timestamp, in UTC unless it has a zone, or Unix seconds."""
    failed: str | None = None
    """Rows are left out where this is anything but nothing, false, 0 or `ok`."""
    where: dict[str, str] = {}
    """Rows are left out where a column is not this, as text."""

    @property
    def columns(self) -> dict[str, str]:
        """The file's column by what it is."""
        named = {name: getattr(self, name) for name in (*_COLUMNS, "failed")}
        return {name: column for name, column in named.items() if column is not None}


class Series(Struct, frozen=True):
    """Values of one quantity with what they can be kept apart by; None where that is not known."""

    values: Floats
    at: Floats | None
    prompt_tokens: NDArray[np.int64] | None


class Measured(Struct, frozen=True):
    """What a source tells of one target."""

    ttft: Series
    rate: Series
    paired: tuple[Series, Series] | None
    """Both of those that have both; None where first-token times are inferred from durations."""
    left_out: dict[str, int]
    inferred: bool
    """Whether the first-token times are what is left of durations."""


def columns_of(file: Path) -> list[str]:
    """The names of a file's columns. Raises `ReplayError` if it cannot be read."""
    with duckdb.connect() as base:
        return list(_opened(base, file).columns)


def read_measured(source: Source) -> Measured:
    """Everything in a source. Raises `ReplayError` if it cannot be read, or if nothing in it can be used."""
    with duckdb.connect() as base:
        relation = _opened(base, source.file)
        try:
            for column, word in source.where.items():
                text = duckdb.ColumnExpression(column).cast(duckdb.sqltype("VARCHAR"))
                relation = relation.filter(text == duckdb.ConstantExpression(word))
            types = dict(zip(relation.columns, map(str, relation.types), strict=True))
            chosen = [
                _expression(name, column, types.get(column, "")).alias(name) for name, column in source.columns.items()
            ]
            found = relation.select(*chosen).fetchnumpy()
        except duckdb.Error as error:
            raise ReplayError(f"{source.file}: {_first_line(error)}") from error
    columns = {name: _floats(column) for name, column in found.items() if name != "failed"}
    for name in {"ttft", "total"} & columns.keys():
        columns[name] = columns[name] * source.unit
    failed = _failed(found["failed"]) if "failed" in found else None
    try:
        return measured(columns, failed)
    except EvidenceError as error:
        raise ReplayError(f"{source.file}: {error}") from error


def called(traffic: Path) -> list[tuple[str | None, str | None, int]]:
    """Providers and models that the traffic names, with their calls. Raises `ReplayError` if it cannot be read."""
    try:
        with duckdb.connect() as base:
            return base.execute(_CALLED, {"file": str(traffic)}).fetchall()
    except duckdb.Error as error:
        raise ReplayError(f"{traffic}: {_first_line(error)}") from error


def given_up(traffic: Path) -> int:
    """Calls whose first attempt was given up while it was silent: its time is longer than any that was measured.

    The traffic names the target that answered, and not the one that did not: nobody knows whose times they are.
    """
    with duckdb.connect() as base:
        ((count,),) = base.execute(_GIVEN_UP, {"file": str(traffic)}).fetchall()
    return int(count)


def of_traffic(traffic: Path, target: Target, names: list[tuple[str | None, str | None, int]]) -> Measured | None:
    """What the traffic tells of a target by calls that its first attempt answered; None if it tells nothing.

    An answer that was cut off by the client or by the gateway tells its first token, and not how long it takes.
    `names` are those that `called` found. Where the traffic names no provider, the model's name decides.
    """
    ours = [
        (provider, model, calls)
        for provider, model, calls in names
        if model is not None and same_model(model, target.model) and (provider is None or runs(provider, target))
    ]
    if not ours:
        return None
    every = -(-sum(calls for _, _, calls in ours) // MOST)
    with duckdb.connect() as base:
        parts = [
            base.execute(
                _CALLS, {"file": str(traffic), "provider": provider, "model": model, "every": every}
            ).fetchnumpy()
            for provider, model, _ in ours
        ]
    found = {name: np.concatenate([_floats(part[name]) for part in parts]) for name in parts[0]}
    why = found.pop("why")
    left_out = {words: count for code, words in _WHY.items() if (count := int((why == code).sum()))}
    try:
        kept = measured({name: column[why == 0] for name, column in found.items()})
    except EvidenceError:
        return None
    return replace(kept, left_out=left_out | kept.left_out)


def measured(columns: Mapping[str, Floats], failed: NDArray[np.bool_] | None = None) -> Measured:
    """Series out of columns: `ttft` and `total` in seconds, `rate`, `prompt_tokens`, `completion_tokens`, `at`.

    NaN is "not said". Raises `EvidenceError` if no row can be used.
    """
    left_out: Counter[str] = Counter()
    if failed is not None and failed.any():
        left_out["failed"] = int(failed.sum())
        columns = {name: column[~failed] for name, column in columns.items()}
    ttft = columns.get("ttft")
    inferred = ttft is None or not np.isfinite(ttft).any()
    if inferred:
        ttft, slope = _inferred(columns)
    else:
        slope = None
    if ttft is None or not len(ttft):
        raise EvidenceError("nothing can be used: it needs rows that did not fail, with ttft or with total and tokens")
    rate = _rates(columns, ttft, slope, left_out)
    good = np.isfinite(ttft) & (ttft > 0)
    if not good.all():
        left_out["without a first-token time above 0"] = int((~good).sum())
    if not good.any():
        raise EvidenceError("nothing can be used: no row has a first-token time above 0")
    told = np.isfinite(rate)
    of_ttft, of_rate = _series(ttft, good, columns), _series(rate, told, columns)
    for of_whom, series, usable in (("", of_ttft, good), ("of rates: ", of_rate, told)):
        if without := int(usable.sum()) - len(series.values):
            left_out[f"{of_whom}without the hour or the length that others have"] = without
    both = None if inferred else (_series(ttft, good & told, columns), _series(rate, good & told, columns))
    return Measured(of_ttft, of_rate, both, dict(left_out), inferred)


def _inferred(columns: Mapping[str, Floats]) -> tuple[Floats | None, float | None]:
    """First-token times as what durations leave, and the seconds per token; None without durations or lengths."""
    total, tokens = columns.get("total"), columns.get("completion_tokens")
    if total is None or tokens is None:
        return None, None
    known = np.flatnonzero(np.isfinite(total) & np.isfinite(tokens) & (tokens >= 1))
    few = known[:: -(-len(known) // _PAIRED)] if len(known) else known
    if len(np.unique(tokens[few])) < 2:  # noqa: PLR2004 - a slope needs two lengths
        return np.where(np.isfinite(tokens), total, np.nan), None
    slope = max(_slope(tokens[few], total[few]), 0.0)
    return total - slope * (tokens - 1), slope or None


def _slope(x: Floats, y: Floats) -> float:
    """Median of the slopes of all pairs with different x (Sen 1968, J. Am. Stat. Assoc. 63).

    Not `scipy.stats.theilslopes`: to import that package takes longer than many a replay.
    """
    run, rise = np.subtract.outer(x, x), np.subtract.outer(y, y)
    ahead = run > 0
    return float(np.median(rise[ahead] / run[ahead]))


def _rates(columns: Mapping[str, Floats], ttft: Floats, slope: float | None, left_out: Counter[str]) -> Floats:
    """Tokens per second of each row; NaN where there is none."""
    given, total, tokens = columns.get("rate"), columns.get("total"), columns.get("completion_tokens")
    if given is not None:
        rate = given
    elif slope is not None:
        rate = np.where(np.isfinite(ttft), 1 / slope, np.nan)
    elif total is not None and tokens is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where((tokens > 1) & (total >= ttft), (tokens - 1) / (total - ttft), np.nan)
        if before := int(((tokens > 1) & (total < ttft)).sum()):
            left_out["of rates: ended before the first token"] = before
    else:
        return np.full(len(ttft), np.nan)
    at_once, none = rate > FASTEST, rate <= 0
    for why, which in (("came in one piece", at_once), ("not above 0", none)):
        if which.any():
            left_out[f"of rates: {why}"] = int(which.sum())
    return np.where(at_once | none, np.nan, rate)


def _series(values: Floats, good: NDArray[np.bool_], columns: Mapping[str, Floats]) -> Series:
    at, prompts = columns.get("at"), columns.get("prompt_tokens")
    known = good.copy()
    for column in (at, prompts):  # what has no hour or no length cannot be kept apart, if others have
        if column is not None and np.isfinite(column[good]).any():
            known &= np.isfinite(column)
    return Series(
        values[known], _known(at, known), None if (p := _known(prompts, known)) is None else p.astype(np.int64)
    )


def _known(column: Floats | None, chosen: NDArray[np.bool_]) -> Floats | None:
    if column is None or not np.isfinite(column[chosen]).all():
        return None
    return column[chosen]


def _opened(base: duckdb.DuckDBPyConnection, file: Path) -> duckdb.DuckDBPyRelation:
    try:
        if file.suffix == ".parquet":
            return base.read_parquet(str(file))
        return base.read_csv(str(file))
    except duckdb.Error as error:
        raise ReplayError(f"{file} cannot be read as CSV or Parquet: {_first_line(error)}") from error


def _expression(name: str, column: str, kind: str) -> duckdb.Expression:
    found = duckdb.ColumnExpression(column)
    if name == "failed":
        return found.cast(duckdb.sqltype("VARCHAR"))
    if name == "at" and kind.startswith("TIMESTAMP"):
        found = duckdb.FunctionExpression("epoch", found)
    return found.cast(duckdb.sqltype("DOUBLE"))


def _floats(column: Any) -> Floats:
    """As doubles; what is missing is NaN."""
    return np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan)


def _failed(column: Any) -> NDArray[np.bool_]:
    words = np.ma.filled(np.ma.asarray(column), "")
    return np.array([_says_failed(str(word)) for word in words], np.bool_)


def _says_failed(word: str) -> bool:
    word = word.strip().casefold()
    try:
        return float(word) != 0 and word != "nan"
    except ValueError:
        return word not in _NOT_FAILED


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def left_out_told(left_out: Mapping[str, int]) -> Iterator[str]:
    """What was left out, a few words each."""
    for reason, count in left_out.items():
        yield f"{count:,} {reason}"
