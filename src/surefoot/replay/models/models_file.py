"""A file of target models: how fast targets are and how much they take, by hand or from a measured file.

    [targets.azure-eu]                                  # a target of the configuration
    ttft = { p50 = "400ms", p99 = "2s" }                # a lognormal through these quantiles, or one constant
    rate = { p1 = 15, p50 = 60 }                        # tokens per second
    together = -0.3                                     # a call's first-token time and rate, -1 to 1
    minute_share = 0.2                                  # of the spread of first-token times that a minute's calls share
    minutes_of = "azure"                                # targets that name the same are slow in the same minutes
    requests_per_minute = 600
    tokens_per_minute = 400_000
    servers = 40                                        # answers under way at once, then up to `queue` wait
    queue = 100
    price = { input = "$0.25/MTok", output = "$2/MTok" }
    round_trip = "80ms"                                 # until it says no, where it does so at once

    [[targets.azure-eu.cells]]                          # where it is otherwise; the first that holds
    prompt_tokens = "> 4096"
    hours = "8..17"                                     # UTC, both included
    ttft = { p50 = "900ms", p99 = "5s" }

    [targets.local.measured]                            # resampled; a quantity is given or measured, not both
    file = "runs.csv.gz"
    unit = "ms"                                         # of the durations in it
    ttft = "ttft_ms"
    total = "e2e_ms"
    completion_tokens = "n_out"

Everything may be left out; what is, is not assumed here. All faults are told at once, each with its path.
Must never: guess a unit, or take a word that it does not know.
"""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from msgspec import Struct
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from surefoot.config import forms
from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.config.forms import Bounds, quantity
from surefoot.config.quantities import quoted
from surefoot.config.reading import read_table, read_toml
from surefoot.config.shape import PriceTable
from surefoot.config.table import File, Seconds, Table, Text
from surefoot.domain.request import BUCKETS
from surefoot.domain.route import When
from surefoot.domain.units import Price
from surefoot.errors import ConfigError, EvidenceError, ReplayError
from surefoot.replay.models.fitting import HOURS_OF_DAY, LENGTH_CLASSES, lognormal
from surefoot.replay.models.measured import Source, columns_of
from surefoot.replay.models.model import QuantileTable, Tables

_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
_HOURS = re.compile(r"(\d{1,2})\s*\.\.\s*(\d{1,2})")
Limit = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]


class Unit(StrEnum):
    """What durations of a measured file are in."""

    SECONDS = "s"
    MILLISECONDS = "ms"


def _quantile(word: object) -> str:
    found = _QUANTILE.fullmatch(word) if isinstance(word, str) else None
    if found is None or float(found[1]) == 0:
        raise ValueError(f'is no quantile: write p50, p99 or "p99.9", not {quoted(word)}')
    return found[0]


def _rising(quantiles: dict[str, float]) -> dict[str, float]:
    try:
        lognormal({float(name[1:]) / 100: value for name, value in quantiles.items()})
    except EvidenceError as error:
        raise ValueError(str(error)) from None
    return quantiles


def _hours(value: object) -> tuple[int, ...]:
    found = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or max(int(found[1]), int(found[2])) >= HOURS_OF_DAY:
        raise ValueError(f'hours of the day in UTC, both included: write "8..17" or "22..5", not {quoted(value)}')
    first, last = int(found[1]), int(found[2])
    return tuple((first + step) % HOURS_OF_DAY for step in range((last - first) % HOURS_OF_DAY + 1))


def _by_bucket(when: When) -> When:
    bounds = {when.least - 1 if when.least else 0, when.most or 0}
    if not bounds <= {0, *BUCKETS}:
        words = ", ".join(map(str, BUCKETS))
        raise ValueError(f"has to begin and end where the classes of lengths do: {words}")
    return when


Quantile = Annotated[str, BeforeValidator(_quantile)]
Times = Annotated[dict[Quantile, Seconds], AfterValidator(_rising)]
Rates = Annotated[dict[Quantile, Limit], AfterValidator(_rising)]


class CellTable(Table):
    """A part of the hours and lengths."""

    prompt_tokens: Annotated[When, forms.TOKENS, AfterValidator(_by_bucket)] = When()
    hours: Annotated[tuple[int, ...], BeforeValidator(_hours)] = tuple(range(HOURS_OF_DAY))
    ttft: Times | None = None
    rate: Rates | None = None


class MeasuredTable(Table):
    """A measured file and what its columns are."""

    file: File
    unit: Annotated[Unit, forms.choice(Unit)]
    ttft: Text | None = None
    total: Text | None = None
    rate: Text | None = None
    prompt_tokens: Text | None = None
    completion_tokens: Text | None = None
    at: Text | None = None
    failed: Text | None = None
    where: dict[str, Text] = {}  # noqa: RUF012 - pydantic copies defaults

    @model_validator(mode="after")
    def _tells_times(self) -> Self:
        if self.ttft is None and (self.total is None or self.completion_tokens is None):
            raise ValueError("needs `ttft`, or `total` and `completion_tokens` to infer it from")
        return self


class ModelTable(Table):
    """One target."""

    ttft: Times | None = None
    rate: Rates | None = None
    cells: list[CellTable] = []  # noqa: RUF012 - pydantic copies defaults
    together: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False, strict=True)] | None = None
    minute_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)] | None = None
    minutes_of: Text | None = None
    round_trip: Seconds | None = None
    """Time to a refusal."""
    servers: Annotated[int, quantity("count", Bounds(ge=1, le=1_000_000))] | None = None
    queue: Annotated[int, quantity("count", Bounds(ge=0, le=1_000_000))] | None = None
    requests_per_minute: Limit | None = None
    tokens_per_minute: Limit | None = None
    price: PriceTable | None = None
    measured: MeasuredTable | None = None


class ModelsTable(Table):
    """The whole file."""

    targets: dict[str, ModelTable]


class Given(Struct, frozen=True, kw_only=True):
    """What the file says of one target; None is nothing."""

    ttft: Tables | None = None
    rate: Tables | None = None
    measured: Source | None = None
    together: float | None = None
    minute_share: float | None = None
    minutes_of: str | None = None
    round_trip: float | None = None
    servers: int | None = None
    queue: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    price: Price | None = None

    @property
    def bounded(self) -> bool:
        """Whether it says how much the target takes."""
        return any(one is not None for one in (self.servers, self.requests_per_minute, self.tokens_per_minute))


def read_models(path: Path, targets: Iterable[str]) -> dict[str, Given]:
    """What a file says of targets, by name. Raises `ConfigError` with every fault, each with its path.

    `targets` are the names that there are. Files in it are found from where it is.
    """
    faults = Faults()
    raw = read_toml(path, "leave --models away to go by the traffic alone")
    file = read_table(raw, ModelsTable, faults)
    if file is not None:
        known = list(targets)
        for name, table in file.targets.items():
            _check(name, table, known, path.parent, faults)
    if file is None or faults.found:
        raise ConfigError([f"{path}: {fault}" for fault in faults.found])
    return {name: _given(table, path.parent) for name, table in file.targets.items()}


def _check(name: str, table: ModelTable, known: list[str], base: Path, faults: Faults) -> None:
    """What is wrong with a target whose form is right."""
    path = path_of("targets", name)
    if name not in known:
        faults.add(path, f"the configuration has no such target; {did_you_mean(name, known)}")
    if table.queue is not None and table.servers is None:
        faults.add(f"{path}.queue", "needs `servers`: nobody waits where there is no bound")
    if table.minutes_of is not None and table.minute_share is None and _tables(table, "ttft") is not None:
        faults.add(
            f"{path}.minutes_of",
            "needs `minute_share` beside a `ttft` by hand: how much of the spread these minutes have",
        )
    for which in ("ttft", "rate"):
        in_cells = [number for number, cell in enumerate(table.cells) if getattr(cell, which) is not None]
        if in_cells and getattr(table, which) is None and not _all_of_it(table, which):
            faults.add(f"{path}.{which}", "is required beside cells that do not hold for every hour and length")
        if table.measured and getattr(table.measured, which) and (in_cells or getattr(table, which) is not None):
            faults.add(f"{path}.measured.{which}", f"is given by hand too; leave one `{which}` away")
    if table.measured is not None:
        _check_measured(f"{path}.measured", table.measured, base, faults)


def _check_measured(path: str, table: MeasuredTable, base: Path, faults: Faults) -> None:
    try:
        columns = columns_of(base / table.file)
    except ReplayError as error:
        faults.add(f"{path}.file", str(error))
        return
    named = {f"{path}.{what}": column for what, column in _source(table, base).columns.items()}
    named |= {f"{path}.{path_of('where', column)}": column for column in table.where}
    for where, column in named.items():
        if column not in columns:
            faults.add(where, f'{table.file} has no column "{column}"; {did_you_mean(column, columns)}')


def _given(table: ModelTable, base: Path) -> Given:
    return Given(
        ttft=_tables(table, "ttft"),
        rate=_tables(table, "rate"),
        measured=None if table.measured is None else _source(table.measured, base),
        together=table.together,
        minute_share=table.minute_share,
        minutes_of=table.minutes_of,
        round_trip=table.round_trip,
        servers=table.servers,
        queue=table.queue,
        requests_per_minute=table.requests_per_minute,
        tokens_per_minute=table.tokens_per_minute,
        price=None if table.price is None else Price(table.price.input, table.price.output),
    )


def _source(table: MeasuredTable, base: Path) -> Source:
    named: dict[str, Any] = {
        name: getattr(table, name) for name in MeasuredTable.model_fields if name not in {"file", "unit"}
    }
    return Source(file=base / table.file, unit=1.0 if table.unit is Unit.SECONDS else 0.001, **named)


def _tables(table: ModelTable, which: str) -> Tables | None:
    """By hour and length; one class where there are no cells."""
    base = getattr(table, which)
    own = None if base is None else _table_of(base)
    made = [(cell, _table_of(quantiles)) for cell in table.cells if (quantiles := getattr(cell, which)) is not None]
    if not made:
        return None if own is None else ((own,),)
    rows = []
    for hour in range(HOURS_OF_DAY):
        row = [next((one for cell, one in made if _holds(cell, hour, length)), own) for length in range(LENGTH_CLASSES)]
        rows.append(tuple(one for one in row if one is not None))
    return tuple(rows)


def _table_of(quantiles: dict[str, float]) -> QuantileTable:
    return lognormal({float(name[1:]) / 100: value for name, value in quantiles.items()})


def _all_of_it(table: ModelTable, which: str) -> bool:
    cells = [cell for cell in table.cells if getattr(cell, which) is not None]
    return all(any(_holds(cell, *place) for cell in cells) for place in _places())


def _places() -> Iterator[tuple[int, int]]:
    return ((hour, length) for hour in range(HOURS_OF_DAY) for length in range(LENGTH_CLASSES))


def _holds(cell: CellTable, hour: int, length: int) -> bool:
    """Whether a cell is about an hour and a class of lengths."""
    longest = BUCKETS[length] if length < len(BUCKETS) else BUCKETS[-1] + 1
    return hour in cell.hours and cell.prompt_tokens.holds(longest)
