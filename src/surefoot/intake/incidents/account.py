"""What lists of incidents say: one fact for each number, under each reading, with its interval.

The names of facts: `PROVIDER.READING.…` for one provider, `A+B.READING.…` for what two share, `A>B.READING.LAG.…` for
what B would have avoided for A, `daily.PROVIDER/SERVICE.…` for the minutes that providers tell day by day. `uncapped`
is the same number with incidents as long as they are told.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import isfinite

from msgspec import Struct

from surefoot.evidence import percentile
from surefoot.evidence.outages import availability_interval, fallback_worth, lift_interval, mtbf, mttr
from surefoot.evidence.spans import Span, common, length
from surefoot.facts import Fact
from surefoot.intake.incident import Incident, Reading
from surefoot.intake.incidents.daily import DAY, DayOfOutages
from surefoot.intake.incidents.heard import Heard
from surefoot.intake.incidents.mending import CAP, capped, length_of
from surefoot.intake.incidents.watching import Watched, together

BOOTSTRAP = "block bootstrap over calendar weeks"
NEVER_BOTH = "never down at once: Garwood's upper bound of a count of zero"
SMALLEST_FOR_INTERVAL = 2
_CONFIDENCE = 0.95


Ends = tuple[float | None, float | None, float | None]
"""A value and the ends of its interval."""


class Question(Struct, frozen=True, kw_only=True):
    """What is asked of the incidents."""

    readings: tuple[Reading, ...] = tuple(Reading)
    between: tuple[str, ...] = ()
    """Providers whose overlap is asked for; what the second would avoid for the first, too."""
    lags: tuple[tuple[str, float], ...] = ()
    """As they are spelled, and in seconds."""
    cap: float | None = CAP
    seed: int = 7


def facts_of(incidents: Sequence[Heard], seen: dict[str, Watched], asked: Question) -> list[Fact]:
    """All numbers of the providers in `seen`, of their pairs, and of the first's fallback to the second."""
    told = [one.incident for one in incidents]
    found: list[Fact] = []
    for provider, watched in seen.items():
        for reading in asked.readings:
            found += _of_provider(f"{provider}.{reading}", _of(told, provider, reading), watched, asked)
    for first, second in combinations(asked.between, 2):
        for reading in asked.readings:
            both = together((seen[first], seen[second]))
            found += _of_pair(
                f"{first}+{second}.{reading}",
                (_of(told, first, reading), _of(told, second, reading)),
                both,
                asked,
            )
    if len(asked.between) > 1:
        found += _worths(told, seen, asked)
    return found


def facts_of_days(days: Sequence[DayOfOutages], window: Sequence[Span], seed: int) -> list[Fact]:
    """Of each service, the days told and its availability: partial and major outages, and major ones alone."""
    services: dict[str, list[DayOfOutages]] = {}
    for day in days:
        if not window or common([(day.start, day.start + DAY)], window):
            services.setdefault(f"daily.{day.provider}/{day.service}", []).append(day)
    found = []
    for name, told in sorted(services.items()):
        watched = [(day.start, day.start + DAY) for day in told]
        # When on its day an outage was is not told; a week's sum, and so the interval, does not depend on it.
        down = {
            Reading.PARTIAL: [(day.start, day.start + day.partial + day.major) for day in told],
            Reading.MAJOR: [(day.start, day.start + day.major) for day in told],
        }
        for reading, spans in down.items():
            found.append(_fact(f"{name}.{reading}.down", length(spans) / 60, "min", len(told), note="a sum"))
            share = availability_interval(spans, watched, seed=seed)
            found.append(_fact(f"{name}.{reading}.availability", share, "share", len(told), method=BOOTSTRAP))
    return found


def spans_of(incidents: Sequence[Incident], cap: float | None) -> list[Span]:
    """One span for each incident whose length is known, cut to the cap."""
    cut = (capped(one, cap) for one in incidents)
    return [(one.start, one.end) for one in cut if one.end is not None and length_of(one) is not None]


def _of(told: Sequence[Incident], provider: str, reading: Reading) -> list[Incident]:
    return [one for one in told if one.provider == provider and one.counts(reading)]


def _of_provider(name: str, told: list[Incident], seen: Watched, asked: Question) -> Iterator[Fact]:
    begun = [one for one in told if seen.at(one.start)]
    watched = seen.spans
    time = length(watched)
    if not time:
        return
    n = len(begun)
    yield _fact(f"{name}.incidents", n, "incidents", n, note="a count; those that began in the time watched")
    yield _fact(f"{name}.mtbf", _in(3600, mtbf(n, time)), "h", n, method="time watched / incidents, Garwood")
    known = [lasted for one in begun if (lasted := length_of(capped(one, asked.cap))) is not None]
    yield from _durations(name, known)
    down, uncapped = (spans_of(told, cap) for cap in (asked.cap, None))
    if n and not down:
        for measure, unit in (("down", "min"), ("down.uncapped", "min"), ("availability", "share")):
            yield _fact(f"{name}.{measure}", None, unit, n, note="of no incident the length is known")
        return
    yield _fact(f"{name}.down", length(common(down, watched)) / 60, "min", n, note="a sum")
    yield _fact(f"{name}.down.uncapped", length(common(uncapped, watched)) / 60, "min", n, note="a sum")
    share = availability_interval(down, watched, seed=asked.seed)
    yield _fact(f"{name}.availability", share, "share", n, method=BOOTSTRAP)


def _durations(name: str, known: list[float]) -> Iterator[Fact]:
    n = len(known)
    minutes = [seconds / 60 for seconds in known]
    if n < SMALLEST_FOR_INTERVAL:
        for measure in ("mttr", "p50", "p90"):
            yield _fact(f"{name}.{measure}", None, "min", n, note="fewer than two incidents of known length")
        return
    yield _fact(f"{name}.mttr", mttr(minutes), "min", n, method="mean, Student")
    for q, measure in ((0.5, "p50"), (0.9, "p90")):
        yield _fact(f"{name}.{measure}", percentile(minutes, q), "min", n, method="order statistics")


def _of_pair(
    name: str, told: tuple[list[Incident], list[Incident]], watched: Sequence[Span], asked: Question
) -> Iterator[Fact]:
    time = length(watched)
    if not time:
        yield _fact(f"{name}.lift", None, "times", 0, note="never watched together")
        return
    for suffix, cap in (("", asked.cap), (".uncapped", None)):
        first, second = (common(spans_of(incidents, cap), watched) for incidents in told)
        shared = common(first, second)
        chance = length(first) * length(second) / time
        n = len(shared)
        yield _fact(f"{name}.overlap{suffix}", length(shared) / 60, "min", n, note="a sum")
        yield _fact(f"{name}.chance{suffix}", chance / 60, "min", n, note="if they were independent")
        found = lift_interval(first, second, watched, seed=asked.seed)
        method = BOOTSTRAP if n else NEVER_BOTH
        yield _fact(f"{name}.lift{suffix}", found, "times", n, method=method, note="" if found else "never down")


def _worths(told: Sequence[Incident], seen: dict[str, Watched], asked: Question) -> Iterator[Fact]:
    primary, fallback = asked.between[:2]
    watched = together((seen[primary], seen[fallback]))
    if not length(watched):
        return
    for reading in asked.readings:
        ours, theirs = _of(told, primary, reading), _of(told, fallback, reading)
        for word, lag in asked.lags:
            name = f"{primary}>{fallback}.{reading}.{word}"
            yield from _worth(name, (ours, theirs), watched, lag, asked)


def _worth(
    name: str, told: tuple[list[Incident], list[Incident]], watched: Sequence[Span], lag: float, asked: Question
) -> Iterator[Fact]:
    n = len(common(spans_of(told[0], asked.cap), watched))
    for suffix, cap in (("", asked.cap), (".uncapped", None)):
        primary, fallback = (spans_of(incidents, cap) for incidents in told)
        found = fallback_worth(primary, fallback, watched, lag=lag, seed=asked.seed)
        method = BOOTSTRAP if found.both else f"{BOOTSTRAP}; {NEVER_BOTH}"
        yield _fact(f"{name}.down{suffix}", found.down / 60, "min", n, note="a sum")
        yield _fact(f"{name}.late{suffix}", found.late / 60, "min", n, note="a sum")
        yield _fact(f"{name}.both{suffix}", found.both / 60, "min", n, note="a sum")
        yield _fact(f"{name}.avoided{suffix}", _in(60, found.avoided), "min", n, method=method)
        yield _fact(f"{name}.availability{suffix}", found.availability, "share", n, method=BOOTSTRAP)
        yield _fact(f"{name}.residual{suffix}", found.residual, "share", n, method=method)


def _in(unit: float, told: Ends) -> Ends:
    """The three in another unit; what is infinite is not known."""
    value, low, high = (None if end is None or not isfinite(end) else end / unit for end in told)
    return value, low, high


def _fact(name: str, told: Ends | float | None, unit: str, n: int, *, method: str = "", note: str = "") -> Fact:
    value, low, high = told if isinstance(told, tuple) else (told, None, None)
    has_ends = low is not None or high is not None
    return Fact(
        name=name,
        value=value,
        unit=unit,
        n=n,
        low=low,
        high=high,
        confidence=_CONFIDENCE if has_ends else None,
        method=method if value is not None or has_ends else "",
        note=note or ("" if has_ends else "no interval: too little was watched or seen"),
    )
