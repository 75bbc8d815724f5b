"""The sheet of incidents as tables for a terminal and for pages.

Knows: columns and how numbers are written. Must never: compute a number of its own, beyond its unit.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations

from surefoot.cli.tables import table
from surefoot.facts import Fact
from surefoot.intake.incidents.account import Question
from surefoot.intake.incidents.mending import CAPPED
from surefoot.intake.incidents.reading import FileOfIncidents
from surefoot.intake.incidents.sheet import Sheet

SELF_REPORTED = (
    "Providers write these lists themselves, late at both ends, each by its own standard: their rates do not compare. "
    "Incidents of unknown length count and add no minutes, so that availability is at most this. In brackets: 95 % "
    "intervals."
)
_DAY = 86_400
_LONGEST = 3
"""So many of the longest incidents are named."""


def told(found: Sheet, asked: Question) -> str:
    """Everything, each table with its heading."""
    parts = [_files(found), _watched(found)]
    if found.services:
        parts.append(_services(found))
    parts += list(numbers(found, asked))
    return "\n\n".join(part for part in parts if part)


def numbers(found: Sheet, asked: Question) -> Iterator[str]:
    """The tables that hold the numbers."""
    if found.watched:
        yield f"Each provider. {SELF_REPORTED}\n\n{_providers(found, asked)}"
    if len(asked.between) > 1:
        yield f"Down at once.\n\n{_pairs(found, asked)}"
        primary, fallback = asked.between[:2]
        yield (
            f"What {fallback} would have avoided for {primary}. Late: the first minutes of each incident, up to the "
            f"lag. Both: later, with {fallback} down too.\n\n{_worths(found, asked)}"
        )
    elif len(found.watched) > 1:
        yield "Overlap and avoided minutes: name two providers or more with --between."
    days = [fact.name for fact in found.facts.facts if fact.name.startswith("daily.")]
    if days:
        yield f"Each service, by the minutes that its provider tells day by day.\n\n{_days(found, days)}"


def _files(found: Sheet) -> str:
    rows = [(file.name, str(file.format), _count(file.entries), _unreadable(file)) for file in found.files]
    parts = [table(("file", "format", "entries", "unreadable"), rows)]
    if found.faults:
        wrong = ((fault, _count(count)) for fault, count in found.faults.items())
        parts.append(table(("what is wrong, and how it is read", "incidents"), wrong))
        longest = [one for one in found.mended if CAPPED in one.faults][:_LONGEST]
        if longest:
            named = (f"{one.provider} {one.id}, {_minutes(one.minutes)} min" for one in longest)
            parts.append(f"The longest: {'; '.join(named)}.")
    return "\n\n".join(parts)


def _unreadable(file: FileOfIncidents) -> str:
    reasons: dict[str, list[int]] = {}
    for one in file.unreadable:
        reasons.setdefault(one.why, []).append(one.line)
    named = (f"{why}: {_count(len(lines))} ({_ranges(lines)})" for why, lines in reasons.items())
    return "; ".join(named) or "none"


def _ranges(lines: list[int]) -> str:
    """Line numbers, neighbours taken together."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][-1] + 1:
            runs[-1][1:] = [line]
        else:
            runs.append([line])
    return f"{'lines' if len(lines) > 1 else 'line'} {', '.join('-'.join(map(str, run)) for run in runs)}"


def _watched(found: Sheet) -> str:
    rows = []
    for provider, one in found.watched.items():
        days = sum(end - start for start, end in one.spans) / _DAY
        gaps = ", ".join(_span(gap) for gap in one.gaps)
        ends = (one.spans[0][0], one.spans[-1][1]) if one.spans else None
        rows.append((provider, _span(ends) if ends else "never", f"{days:,.0f}", gaps or "none known"))
    if not rows:
        return ""
    head = "Watched: no incident is availability only there."
    if not all(one.told for one in found.watched.values()):
        head += (
            " An end that was not told (--from, --to) is that of the lists, from their first incident to their last."
        )
    return f"{head}\n\n{table(('provider', 'watched', 'days', 'gaps, not counted'), rows)}"


def _services(found: Sheet) -> str:
    left = ", ".join(f"{_count(count)} of {name}" for name, count in found.left_out.items())
    return f"Only incidents that name {' or '.join(found.services)}. Left out: {left or 'none'}."


def _providers(found: Sheet, asked: Question) -> str:
    head = (
        *("provider", "reading", "incidents", "MTBF, h", "of known length", "MTTR, min", "p50, min", "p90, min"),
        *("down, min", "without the cap", "availability"),
    )
    rows = []
    for provider in found.watched:
        for reading in asked.readings:
            get = _getter(found, f"{provider}.{reading}")
            if get("incidents") is None:
                continue
            rows.append(
                (
                    provider,
                    str(reading),
                    _plain(get("incidents")),
                    _ranged(get("mtbf"), 0),
                    _count(_n(get("mttr"))),
                    *(_ranged(get(measure), 0) for measure in ("mttr", "p50", "p90")),
                    *(_plain(get(measure)) for measure in ("down", "down.uncapped")),
                    _share(get("availability")),
                )
            )
    return table(head, rows)


def _pairs(found: Sheet, asked: Question) -> str:
    head = ("providers", "reading", "both down, min", "by chance", "lift", "lift without the cap")
    rows = []
    for first, second in combinations(asked.between, 2):
        for reading in asked.readings:
            get = _getter(found, f"{first}+{second}.{reading}")
            rows.append(
                (
                    f"{first}, {second}",
                    str(reading),
                    *(_plain(get(measure)) for measure in ("overlap", "chance")),
                    *(_ranged(get(measure), 2) for measure in ("lift", "lift.uncapped")),
                )
            )
    return table(head, rows)


def _worths(found: Sheet, asked: Question) -> str:
    primary, fallback = asked.between[:2]
    head = (
        *("reading", "lag", "down, min", "late", "both", "avoided, min", "avoided without the cap"),
        *("availability alone", "residual availability"),
    )
    rows = []
    for reading in asked.readings:
        for word, _ in asked.lags:
            get = _getter(found, f"{primary}>{fallback}.{reading}.{word}")
            rows.append(
                (
                    str(reading),
                    word,
                    *(_plain(get(measure)) for measure in ("down", "late", "both")),
                    *(_ranged(get(measure), 0) for measure in ("avoided", "avoided.uncapped")),
                    *(_share(get(measure)) for measure in ("availability", "residual")),
                )
            )
    return table(head, rows)


def _days(found: Sheet, names: list[str]) -> str:
    services = dict.fromkeys(name.rsplit(".", 2)[0] for name in names)
    head = ("service", "days", "partial + major, min", "availability", "major, min", "availability")
    rows = []
    for service in services:
        get = _getter(found, service)
        rows.append(
            (
                service.removeprefix("daily."),
                _count(_n(get("partial.down"))),
                *(_plain(get("partial.down")), _share(get("partial.availability"))),
                *(_plain(get("major.down")), _share(get("major.availability"))),
            )
        )
    return table(head, rows)


class _getter:  # noqa: N801 - a function that remembers the sheet
    """A fact by the rest of its name, or None."""

    def __init__(self, found: Sheet, begin: str) -> None:
        self._facts = {
            fact.name.removeprefix(f"{begin}."): fact for fact in found.facts.facts if fact.name.startswith(begin)
        }

    def __call__(self, rest: str) -> Fact | None:
        return self._facts.get(rest)


def _n(fact: Fact | None) -> int:
    return 0 if fact is None else fact.n


def _plain(fact: Fact | None) -> str:
    return "-" if fact is None else _minutes(fact.value)


def _ranged(fact: Fact | None, digits: int) -> str:
    if fact is None or fact.value is None:
        return "-"
    if fact.low is None and fact.high is None:
        return f"{fact.value:,.{digits}f}"
    return f"{fact.value:,.{digits}f} [{_end(fact.low, digits)}, {_end(fact.high, digits)}]"


def _end(value: float | None, digits: int) -> str:
    return "none" if value is None else f"{value:,.{digits}f}"


def _share(fact: Fact | None) -> str:
    if fact is None or fact.value is None:
        return "-"
    if fact.low is None or fact.high is None:
        return f"{100 * fact.value:.3f} %"
    return f"{100 * fact.value:.3f} % [{100 * fact.low:.3f}, {100 * fact.high:.3f}]"


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _count(value: int) -> str:
    return f"{value:,}"


def _span(span: tuple[float, float]) -> str:
    return " to ".join(datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%d %H:%M") for end in span)
