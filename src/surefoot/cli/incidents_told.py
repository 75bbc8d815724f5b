"""The sheet of incidents as paragraphs and tables, for a terminal, a pipe and a page.

Knows: columns and how numbers are written. Must never: compute a number of its own, beyond its unit.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations

from surefoot.cli.tables import Grid, Part
from surefoot.config.quantities import show_duration
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


def told(found: Sheet, asked: Question) -> Iterator[Part]:
    """Everything, each table with its heading."""
    yield from _files(found)
    yield from _watched(found)
    if found.services:
        yield _services(found)
    yield from numbers(found, asked)


def numbers(found: Sheet, asked: Question) -> Iterator[Part]:
    """The tables that hold the numbers."""
    if found.watched:
        yield f"Each provider. {SELF_REPORTED}{_cut(found, asked)}"
        yield _providers(found, asked)
    if len(asked.between) > 1:
        yield from _between(found, asked)
    elif len(found.watched) > 1:
        yield "Overlap and avoided minutes: name two providers or more with --between."
    days = [fact.name for fact in found.facts.facts if fact.name.startswith("daily.")]
    if days:
        yield "Each service, by the minutes that its provider tells day by day."
        yield _days(found, days)
    elif not found.watched:
        yield "No incident was read. That is not availability: without one, nobody is known to have been watched."


def _between(found: Sheet, asked: Question) -> Iterator[Part]:
    """What providers have in common, and what the second would have been worth to the first."""
    yield "\n".join(["Down at once. Only the time counts in which both were watched:", *_common(found, asked)])
    if any(found.together.values()):
        yield _pairs(found, asked)
    yield from _cap_decides(found, asked)
    primary, fallback = asked.between[:2]
    if found.together[f"{primary}+{fallback}"]:
        yield (
            f"What {fallback} would have avoided for {primary}. Late: the first minutes of each incident, up to the "
            f"lag. Both: later, with {fallback} down too."
        )
        yield _worths(found, asked)


def _common(found: Sheet, asked: Question) -> Iterator[str]:
    for first, second in combinations(asked.between, 2):
        spans = found.together[f"{first}+{second}"]
        days = sum(end - start for start, end in spans) / _DAY
        when = ", ".join(map(_span, spans)) or "never, so that nothing can be said of both; give lists that overlap"
        yield f"- {first} and {second}: {when}{f' ({days:,.0f} days)' if spans else ''}"


def _cut(found: Sheet, asked: Question) -> str:
    """Whether the cap had any part in the numbers."""
    providers = [one.provider for one in found.mended if CAPPED in one.faults and one.provider in found.watched]
    if asked.cap is None or not providers:
        return ""
    return f" Longer incidents are cut to {show_duration(asked.cap)} (--cap), but where it says otherwise."


def _cap_decides(found: Sheet, asked: Question) -> Iterator[str]:
    """The lifts that would read differently without the cap."""
    moved = []
    for first, second in combinations(asked.between, 2):
        for reading in asked.readings:
            get = _getter(found, f"{first}+{second}.{reading}")
            ours, bare = (_ranged(get(measure), 2).partition(" ")[0] for measure in ("lift", "lift.uncapped"))
            if ours != bare:
                moved.append(f"{ours} in place of {bare} ({first} and {second}, {reading})")
    if asked.cap is not None and moved:
        yield f"The cap of {show_duration(asked.cap)} has a part in the lift: with it {'; '.join(moved)}."


def _files(found: Sheet) -> Iterator[Part]:
    rows = [(file.name, str(file.format), _count(file.entries), _unreadable(file)) for file in found.files]
    yield Grid(("file", "format", "entries", "unreadable"), rows)
    if found.faults:
        wrong = [(fault, _count(count)) for fault, count in found.faults.items()]
        yield Grid(("what is wrong, and how it is read", "incidents"), wrong)
        longest = [one for one in found.mended if CAPPED in one.faults][:_LONGEST]
        if longest:
            named = (f"{one.provider} {one.id}, {_minutes(one.minutes)} min" for one in longest)
            yield f"The longest: {'; '.join(named)}."


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


def _watched(found: Sheet) -> Iterator[Part]:
    rows = []
    for provider, one in found.watched.items():
        days = sum(end - start for start, end in one.spans) / _DAY
        gaps = ", ".join(_span(gap) for gap in one.gaps)
        ends = (one.spans[0][0], one.spans[-1][1]) if one.spans else None
        rows.append((provider, _span(ends) if ends else "never", f"{days:,.0f}", gaps or "none known"))
    if not rows:
        return
    head = "Watched, in UTC: no incident is availability only there."
    if not all(one.told for one in found.watched.values()):
        head += (
            " An end that was not told (--from, --to) is that of the lists, from their first incident to their last."
        )
    yield head
    yield Grid(("provider", "watched", "days", "gaps, not counted"), rows)


def _services(found: Sheet) -> str:
    left = ", ".join(f"{_count(count)} of {name}" for name, count in found.left_out.items())
    return f"Only incidents that name {' or '.join(found.services)}. Left out: {left or 'none'}."


def _providers(found: Sheet, asked: Question) -> Grid:
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
    return Grid(head, rows, keys=2)


def _pairs(found: Sheet, asked: Question) -> Grid:
    head = ("providers", "reading", "both down, min", "by chance", "lift", "lift without the cap")
    rows = []
    for first, second in combinations(asked.between, 2):
        for reading in asked.readings if found.together[f"{first}+{second}"] else ():
            get = _getter(found, f"{first}+{second}.{reading}")
            rows.append(
                (
                    f"{first}, {second}",
                    str(reading),
                    *(_plain(get(measure)) for measure in ("overlap", "chance")),
                    *(_ranged(get(measure), 2) for measure in ("lift", "lift.uncapped")),
                )
            )
    return Grid(head, rows, keys=2)


def _worths(found: Sheet, asked: Question) -> Grid:
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
    return Grid(head, rows, keys=2)


def _days(found: Sheet, names: list[str]) -> Grid:
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
    return Grid(head, rows)


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
    if fact is not None and fact.value is None and fact.low is not None:
        return f"none seen; over {fact.low:,.{digits}f}"
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
        return f"{100 * fact.value:.3f} %, no interval"
    return f"{100 * fact.value:.3f} % [{100 * fact.low:.3f}, {100 * fact.high:.3f}]"


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _count(value: int) -> str:
    return f"{value:,}"


def _span(span: tuple[float, float]) -> str:
    return " to ".join(datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%d %H:%M") for end in span)
