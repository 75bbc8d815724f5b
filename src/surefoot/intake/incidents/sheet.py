"""All that is told of a set of files: what they held, what was mended and left out, who was watched when, the numbers.

Made from gathered files and a question; `surefoot incidents` prints it. Must never: read a file or the clock.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import msgspec
from msgspec import Struct

from surefoot.errors import IntakeError
from surefoot.evidence.spans import Span
from surefoot.facts import Facts, hash_of
from surefoot.intake.incidents.account import Question, facts_of, facts_of_days
from surefoot.intake.incidents.heard import Heard
from surefoot.intake.incidents.mending import CAPPED, capped
from surefoot.intake.incidents.reading import FileOfIncidents, Gathered
from surefoot.intake.incidents.watching import Watched, Window, together, watched


class Mended(Struct, frozen=True):
    """One incident that was not right."""

    line: int
    source: str
    provider: str
    id: str
    minutes: float | None
    """As long as it is told; None: not known."""
    faults: tuple[str, ...]


class Sheet(Struct, frozen=True):
    """What is printed, or written as JSON."""

    files: tuple[FileOfIncidents, ...]
    faults: dict[str, int]
    """Incidents by what was wrong with them and how they are read."""
    mended: tuple[Mended, ...]
    services: tuple[str, ...]
    """Only incidents that name one of these count; empty: all do."""
    left_out: dict[str, int]
    """By provider, incidents in the time watched that name none of these services, or no service at all."""
    watched: dict[str, Watched]
    together: dict[str, tuple[Span, ...]]
    """By `A+B`, when both providers that were asked for were watched: what they have in common counts there alone."""
    facts: Facts


def sheet(gathered: Gathered, window: Window, services: tuple[str, ...], asked: Question, program: str) -> Sheet:
    """The sheet, without a date: `facts.made` is empty. Raises `IntakeError` for a name that no incident has."""
    seen = watched(gathered.told, window)
    _known("--between", asked.between, list(seen))
    if asked.between:
        seen = {provider: seen[provider] for provider in asked.between}
    kept = [one for one in gathered.incidents if _names(one, services)]
    _services_known(gathered.incidents, seen, services)
    numbers = facts_of(kept, seen, asked)
    told_window = () if window.start is None or window.end is None else ((window.start, window.end),)
    numbers += facts_of_days(gathered.days, told_window, asked.seed)
    wrong = _mended(gathered.incidents, asked.cap)
    return Sheet(
        files=gathered.files,
        faults=dict(Counter(fault for one in wrong for fault in one.faults).most_common()),
        mended=wrong,
        services=services,
        left_out=_left_out(gathered.incidents, seen, services),
        watched=seen,
        together={
            f"{first}+{second}": tuple(together((seen[first], seen[second])))
            for first, second in combinations(asked.between, 2)
        },
        facts=Facts(
            made="",
            program=program,
            seed=asked.seed,
            window=_reach(seen, gathered),
            inputs=hash_of(msgspec.json.encode((gathered.told, gathered.days, window, services, asked))),
            facts=tuple(numbers),
        ),
    )


def _names(one: Heard, services: tuple[str, ...]) -> bool:
    named = {service.casefold() for service in one.incident.services}
    return not services or any(service.casefold() in named for service in services)


def _left_out(incidents: Sequence[Heard], seen: dict[str, Watched], services: tuple[str, ...]) -> dict[str, int]:
    named_none = (one.incident for one in incidents if not _names(one, services))
    return dict(
        Counter(one.provider for one in named_none if one.provider in seen and seen[one.provider].at(one.start))
    )


def _known(option: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise IntakeError(f"{option}: no incident of {name}; there are some of {', '.join(known) or 'nobody'}")


def _services_known(incidents: Sequence[Heard], seen: dict[str, Watched], services: tuple[str, ...]) -> None:
    """A service that nobody names is a slip of the pen, which would look like perfect availability."""
    known = {
        service.casefold(): service
        for one in incidents
        if one.incident.provider in seen
        for service in one.incident.services
    }
    for service in services:
        if service.casefold() not in known:
            raise IntakeError(f"--services: no incident names {service}; named are {', '.join(sorted(known.values()))}")


def _mended(incidents: Sequence[Heard], cap: float | None) -> tuple[Mended, ...]:
    found = []
    for one in incidents:
        told = one.incident
        faults = capped(told, cap).faults
        if faults:
            unknown = told.end is None or told.end == told.start
            minutes = None if unknown or told.end is None else (told.end - told.start) / 60
            found.append(Mended(one.line, one.source, told.provider, told.id, minutes, faults))
    return tuple(sorted(found, key=lambda one: (CAPPED not in one.faults, -(one.minutes or 0))))


def _reach(seen: dict[str, Watched], gathered: Gathered) -> tuple[float, float]:
    spans = [span for one in seen.values() for span in one.spans]
    starts = [start for start, _ in spans] or [day.start for day in gathered.days]
    ends = [end for _, end in spans] or [day.start for day in gathered.days]
    return min(starts, default=0.0), max(ends, default=0.0)
