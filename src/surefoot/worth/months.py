"""Monthly uptime under each of the three readings of an incident: as a risk file tells it, or from lists of incidents.

Months are those of the calendar, in UTC. Knows that a month that nobody watched has no uptime, not 100 %, and that the
incidents are those that a replay plays: about answering a chat by API, unless the file asks for every service.
Must never: fill a gap, or leave an incident out without counting it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.errors import IntakeError
from surefoot.evidence.spans import Span, lengths_within, union
from surefoot.intake.incident import Reading
from surefoot.intake.incidents.account import spans_of
from surefoot.intake.incidents.mending import CAP, length_of
from surefoot.intake.incidents.reading import Gathered, How, gather
from surefoot.intake.incidents.watching import Watched, Window, watched
from surefoot.replay.outages.planning import is_elsewhere
from surefoot.worth.borrowed import YEAR
from surefoot.worth.shape import UptimeTable

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
LONGEST = 1_200
"""Months: a century."""


class Months(Struct, frozen=True):
    """Months in order."""

    first: str
    count: int
    source: str
    uptimes: dict[Reading, list[float]]
    """In percent of each month."""
    outages: dict[Reading, list[float]] | None = None
    """Minutes of each outage that began in them, those that overlap or touch as one; None of months told by hand."""
    unknown: dict[Reading, int] = {}
    """Outages of unknown length that began in them, beside those."""
    said: dict[Reading, str] = {}
    """What was counted and what was not, in words; empty of months told by hand."""
    years: float = 0.0
    """How long they are together."""


def read_months(told: UptimeTable, beside: Path, faults: Faults) -> Months | None:
    """The months; None, with the faults, if there are none. Lists of incidents lie `beside` the risk file."""
    for key in ("first", "last"):
        word = getattr(told, key)
        if word is not None and MONTH.fullmatch(word) is None:
            faults.add(path_of("uptime", key), f'a month is year and month, "2026-01", not "{word}"')
            return None
    return _by_hand(told, faults) if told.incidents is None else _from_incidents(told, beside, faults)


def _by_hand(told: UptimeTable, faults: Faults) -> Months | None:
    lists = {Reading.ANY: told.any, Reading.PARTIAL: told.partial, Reading.MAJOR: told.major}
    given = {reading: months for reading, months in lists.items() if months is not None}
    if len(given) < len(lists) or told.source is None:
        faults.add("uptime", "needs any, partial, major and source, or incidents, provider and last")
        return None
    if told.every_service:
        faults.add("uptime.every_service", "is of incidents; of months told by hand leave it out")
    counts = {len(months) for months in given.values()}
    if len(counts) > 1:
        faults.add("uptime", f"the readings are of {', '.join(map(str, sorted(counts)))} months; tell each of the same")
        return None
    for at, months in enumerate(zip(*given.values(), strict=True)):
        if list(months) != sorted(months):
            faults.add(path_of("uptime", "any", at), "fewer incidents count from any to partial to major: uptime rises")
    return Months(told.first, counts.pop(), told.source, given)


def _from_incidents(told: UptimeTable, beside: Path, faults: Faults) -> Months | None:
    if told.provider is None or told.last is None or told.any or told.partial or told.major:
        faults.add("uptime", "incidents need provider and last, and stand in place of any, partial and major")
        return None
    if not told.first <= told.last or _number(told.last) - _number(told.first) >= LONGEST:
        faults.add("uptime.last", f"{told.last} has to be in or after {told.first}, and within {LONGEST} months")
        return None
    try:
        found = gather([str(beside / name) for name in told.incidents or ()], How())
    except IntakeError as error:
        faults.add("uptime.incidents", str(error))
        return None
    seen = watched(found.told, Window())
    if told.provider not in seen:
        faults.add("uptime.provider", f"there is no incident of `{told.provider}`; {did_you_mean(told.provider, seen)}")
        return None
    edges = list(_edges(told.first, told.last))
    _check_watched(edges, seen[told.provider], faults)
    unreadable = sum(len(file.unreadable) for file in found.files)
    source = f"{told.source or ', '.join(told.incidents or ())}; {told.provider}, incidents cut to {CAP / 3600:g} h"
    source += f", {unreadable} entries unreadable" if unreadable else ""
    by_reading = {reading: _down(found, told, reading, (edges[0], edges[-1])) for reading in Reading}
    return Months(
        first=told.first,
        count=len(edges) - 1,
        source=source,
        uptimes={reading: _uptimes(down.spans, edges) for reading, down in by_reading.items()},
        outages={reading: down.minutes for reading, down in by_reading.items()},
        unknown={reading: down.unknown for reading, down in by_reading.items()},
        said={reading: _said(down) for reading, down in by_reading.items()},
        years=(edges[-1] - edges[0]) / YEAR,
    )


class _Down(NamedTuple):
    """Of a provider under one reading."""

    spans: list[Span]
    minutes: list[float]
    """Of each that begins in the months."""
    unknown: int
    """So many begin in them besides, of unknown length."""
    elsewhere: int
    """So many incidents in them are about another service, and left out."""


def _down(found: Gathered, told: UptimeTable, reading: Reading, within: Span) -> _Down:
    theirs = [one.incident for one in found.incidents if one.incident.provider == told.provider]
    theirs = [one for one in theirs if one.counts(reading)]
    counted = theirs if told.every_service else [one for one in theirs if not is_elsewhere(one)]
    spans = union(spans_of(counted, CAP))
    points = {one.start for one in counted if length_of(one) is None}
    alone = [at for at in points if not any(start <= at <= end for start, end in spans)]
    return _Down(
        spans,
        [(end - start) / 60 for start, end in spans if _begins(start, within)],
        sum(_begins(at, within) for at in alone),
        sum(_begins(one.start, within) for one in theirs) - sum(_begins(one.start, within) for one in counted),
    )


def _begins(at: float, within: Span) -> bool:
    return within[0] <= at < within[1]


def _said(down: _Down) -> str:
    return (
        f"outages of known length {len(down.minutes)}, of unknown length {down.unknown} (in the rate, in no uptime); "
        f"left out, about another service than a chat by API, {down.elsewhere}"
    )


def _uptimes(spans: list[Span], edges: list[float]) -> list[float]:
    down = lengths_within(spans, np.array(edges))
    return [float(percent) for percent in 100 * (1 - down / np.diff(edges))]


def _check_watched(edges: list[float], seen: Watched, faults: Faults) -> None:
    unseen = [start for start, end in pairwise(edges) if not any(a <= start and end <= b for a, b in seen.spans)]
    if unseen:
        months = ", ".join(f"{datetime.fromtimestamp(start, UTC):%Y-%m}" for start in unseen[:6])
        more = f" and {len(unseen) - 6} more" if len(unseen) > 6 else ""  # noqa: PLR2004 - of those that are named
        reach = "; ".join(
            " to ".join(f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d}" for t in span) for span in seen.spans
        )
        faults.add("uptime.first", f"not wholly watched by the incidents' sources: {months}{more}; they reach {reach}")


def _number(month: str) -> int:
    year, of_year = month.split("-")
    return int(year) * 12 + int(of_year) - 1


def _edges(first: str, last: str) -> Iterator[float]:
    for number in range(_number(first), _number(last) + 2):
        yield datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()
