"""From drilled calls to coverage: per mode what became of them, how fast and for how much; then the three coverages.

A repetition counts if the twin's log shows that the fault struck, or if it is warm. *Cold* ones met the fault: the
breaker was closed. *Warm* ones found it open and went elsewhere at once. The two are told apart everywhere, and
coverage weighs the cold ones alone: how many of a drill's calls are warm is the drill's choice and says nothing of the
fallback.

Only the modes that were chosen are told of and weighed, and the fact `modes` says which. One of them without a cold
repetition is untested: its share is unknown, neither 0 nor 1. Modes without a rate are told of, but not weighed. One
sheet of facts is about one route.

Facts are named `mode.NAME.cold|warm.MEASURE`, `mode.NAME.events|impact|weight` and `coverage.modes|events|risk`.
Must never: count what did not strike, call an unknown price nothing, or leave a default rate unmarked.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from surefoot import __version__
from surefoot.config.rates import Rate, Rates
from surefoot.drill.quantiles import CONFIDENCE, quantiles
from surefoot.drill.repetition import Repetition
from surefoot.drill.weights import coverages, weights
from surefoot.errors import EvidenceError
from surefoot.evidence.covering import Counted
from surefoot.evidence.intervals import wilson
from surefoot.evidence.means import mean, mean_difference
from surefoot.facts import Fact, Facts

COLD = "cold"
WARM = "warm"

QUANTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))

UNTESTED = "untested"
"""What the note of a share begins with of which nothing is known."""

FORBIDDEN = "forbidden"
BY_LAW = "the jurisdiction forbids the fallback: weighed as 0"
"""The note of a share that is none because nobody who was left may serve."""

MEASURES = {
    "detect": "from the fault to the verdict, or to the moment at which another target was asked beside it, if sooner",
    "switch": "from that moment to the request to the next target on the wire",
    "fallback_ttft": "from that request on the wire to its first content",
    "ttft": "from the intended send time to the first content that the client saw",
    "end_to_end": "from the intended send time to the end of the answer",
}
"""The times of a repetition, by the name of its field."""

OF_WARM = ("ttft", "end_to_end")
"""A warm call has no fault to detect and nothing to switch from."""


class Drill(Struct, frozen=True, kw_only=True):
    """What was drilled on one route, and what it is weighed by."""

    repetitions: Sequence[Repetition]
    baseline: Sequence[Repetition] = ()
    """Calls of the steady state, when nothing failed: what a call costs then."""
    modes: Sequence[str]
    """Those that were chosen, drilled or not."""
    catalogue: Sequence[str] = ()
    """All that could have been chosen; empty: `modes` is all of it."""
    repeat: int = 0
    """Cold repetitions that were asked for."""
    partial: str = ""
    """Why the drill was not completed; such a one has no coverage."""
    struck: Mapping[str, Sequence[str]] = {}
    """By mode, the targets that failed together."""
    targets: int = 0
    """How many the route has."""
    rates: Rates
    forbidden: frozenset[str] = frozenset()
    """Modes whose fallback the jurisdiction forbids: it covers nothing there."""
    why_untested: Mapping[str, str] = {}
    """Why a mode could not be drilled here, where that is known."""
    seed: int
    made: str
    """When: ISO 8601, UTC."""
    window: tuple[float, float]
    """Unix times of the first and last call."""
    inputs: str
    """Hash of configuration and plan."""


def facts_of(drill: Drill) -> Facts:
    """All facts of a drill. Raises `EvidenceError` for a repetition of a mode that was not chosen."""
    stray = sorted({one.mode for one in drill.repetitions} - set(drill.modes))
    if stray:
        raise EvidenceError(f"drilled, but not chosen: {', '.join(stray)}")
    by_mode: dict[str, list[Repetition]] = {mode: [] for mode in drill.modes}
    for one in drill.repetitions:
        by_mode[one.mode].append(one)
    found = [fact for mode, drilled in by_mode.items() for fact in _of_mode(mode, drilled, drill)]
    found += _over_all(drill)
    rates = weighed(drill)
    rows = [_counted(rate, cold(by_mode[rate.mode]), drill) for rate in rates]
    found += coverages(rows, rates, drill.seed, scope(drill), drill.partial)
    return Facts(
        made=drill.made,
        program=f"surefoot {__version__} drill",
        seed=drill.seed,
        window=drill.window,
        inputs=drill.inputs,
        facts=tuple(found),
    )


def cold(repetitions: Sequence[Repetition]) -> list[Repetition]:
    """Those that met the fault with a closed breaker, up to as many as were asked for."""
    return [one for one in repetitions if one.delivered and not one.warm and not one.surplus]


def warm(repetitions: Sequence[Repetition]) -> list[Repetition]:
    """Those that found the breaker open."""
    return [one for one in repetitions if one.warm]


def scope(drill: Drill) -> str:
    """Of which modes coverage is, where it is not of all that the catalogue knows; else empty."""
    chosen, those, known = len(drill.modes), len(weighed(drill)), len(drill.catalogue)
    if chosen >= known:
        return f"of {those} weighed modes of {chosen}" if 0 < those < chosen and known else ""
    what = f"of the {chosen} mode{'s' * (chosen != 1)} chosen"
    return what if those == chosen else f"of the {those} weighed {what}"


def _of_mode(mode: str, repetitions: Sequence[Repetition], drill: Drill) -> Iterator[Fact]:
    start = f"mode.{mode}"
    for state, counted, measures in ((COLD, cold(repetitions), MEASURES), (WARM, warm(repetitions), OF_WARM)):
        yield from _of_answers(f"{start}.{state}", counted, _note_of_share(mode, counted, drill))
        for measure in measures:
            values = [value for one in counted if (value := getattr(one, measure)) is not None]
            how = f"{MEASURES[measure]}, of the calls that had one"
            yield from quantiles(f"{start}.{state}.{measure}", values, how, QUANTILES)
        yield _cost(f"{start}.{state}.cost", counted)
        yield _added_cost(f"{start}.{state}.added_cost", counted, drill.baseline)
    missed = sum(not (one.delivered or one.warm) for one in repetitions)
    yield _count(f"{start}.not_delivered", missed, len(repetitions), "calls that the fault did not strike; not counted")
    yield _passed_off(f"{start}.passed_off", repetitions)
    if mode in drill.struck:
        yield Fact(
            name=f"{start}.struck",
            value=len(drill.struck[mode]),
            unit="targets",
            n=drill.targets,
            method="targets of the route that failed together",
            note=", ".join(drill.struck[mode]),
        )
    rate = drill.rates.of.get(mode)
    if rate is not None:
        all_risk = sum(one.per_year * one.impact for one in weighed(drill))
        yield from weights(start, rate, drill.rates.unit, all_risk)


def _of_answers(start: str, counted: Sequence[Repetition], note: str) -> Iterator[Fact]:
    n = len(counted)
    k = sum(one.mitigated and not one.passed_off for one in counted)
    how = "valid, whole answers within the deadline, of all calls that counted"
    yield _count(f"{start}.mitigated_calls", k, n, how)
    yield share(f"{start}.mitigated", k, n, how, note)
    own = sum(one.unaided for one in counted)
    yield _count(f"{start}.unaided", own, n, "mitigated by the failing target's own answer: no second attempt was made")
    passed = sum(one.passed_off for one in counted)
    yield _count(f"{start}.passed_off", passed, n, "broken answers that ended as if they were whole")


def share(name: str, k: int, n: int, how: str, note: str = "") -> Fact:
    """So many of n, with Wilson's score interval; without a value if n is 0."""
    low, high = wilson(k, n, CONFIDENCE) if n else (None, None)
    return Fact(
        name=name,
        value=k / n if n else None,
        unit="share",
        n=n,
        low=low,
        high=high,
        confidence=CONFIDENCE if n else None,
        method=f"{how}; Wilson score interval",
        note=note,
    )


def _note_of_share(mode: str, counted: Sequence[Repetition], drill: Drill) -> str:
    if mode in drill.forbidden:
        return BY_LAW
    if counted:
        return ""
    return f"{UNTESTED}: {drill.why_untested[mode]}" if mode in drill.why_untested else UNTESTED


def _cost(name: str, counted: Sequence[Repetition]) -> Fact:
    how = "mean over all attempts of a call, losers included; interval of Student's t"
    costs, note = _costs(counted)
    if costs is None:
        return Fact(name=name, value=None, unit="USD", n=len(counted), method=how, note=note)
    if len(costs) == 1:
        return Fact(name=name, value=costs[0], unit="USD", n=1, method=how, note="one call has no interval")
    value, low, high = mean(costs, CONFIDENCE)
    return Fact(name=name, value=value, unit="USD", n=len(costs), low=low, high=high, confidence=CONFIDENCE, method=how)


def _added_cost(name: str, counted: Sequence[Repetition], baseline: Sequence[Repetition]) -> Fact:
    how = "mean cost of a call less that of a call in the steady state; interval of Welch's t"
    costs, note = _costs(counted)
    usual, note_of_usual = _costs(baseline)
    if costs is None or usual is None:
        why = note if costs is None else f"steady state: {note_of_usual}"
        return Fact(name=name, value=None, unit="USD", n=len(counted), method=how, note=why)
    n = min(len(costs), len(usual))
    if n == 1:
        return Fact(name=name, value=None, unit="USD", n=n, method=how, note="one call has no interval")
    value, low, high = mean_difference(costs, usual, CONFIDENCE)
    return Fact(name=name, value=value, unit="USD", n=n, low=low, high=high, confidence=CONFIDENCE, method=how)


def _costs(calls: Sequence[Repetition]) -> tuple[list[float] | None, str]:
    """The cost of every call, or None and why: if one is unknown, the mean of the others would say nothing of all."""
    known = [one.cost for one in calls if one.cost is not None]
    if not calls:
        return None, "no calls"
    unknown = len(calls) - len(known)
    return (None, f"unknown for {unknown} of {len(calls)} calls") if unknown else (known, "")


def weighed(drill: Drill) -> list[Rate]:
    """The rates of the modes that coverage counts."""
    return [drill.rates.of[mode] for mode in drill.modes if mode in drill.rates.of]


def _passed_off(name: str, repetitions: Sequence[Repetition]) -> Fact:
    """Looked for in every call that met its fault or an open breaker, those beyond what was asked for included."""
    looked_at = [one for one in repetitions if one.delivered or one.warm]
    passed = sum(one.passed_off for one in looked_at)
    return _count(name, passed, len(looked_at), "broken answers that ended as if they were whole; must be 0")


def _over_all(drill: Drill) -> Iterator[Fact]:
    tested = {one.mode for one in cold(drill.repetitions)}
    everything = list(drill.catalogue or drill.modes)
    how = "modes that were chosen, of those that the catalogue knows"
    yield _modes("modes", list(drill.modes), len(everything), how)
    yield _passed_off("passed_off", drill.repetitions)
    all_calls = len(drill.repetitions)
    missed = sum(not (one.delivered or one.warm) for one in drill.repetitions)
    yield _count("not_delivered", missed, all_calls, "calls that the fault did not strike; not counted")
    surplus = sum(one.surplus for one in drill.repetitions)
    yield _count(
        "surplus", surplus, all_calls, "cold calls beyond those asked for; only looked at for passed-off answers"
    )
    colds = Counter(one.mode for one in cold(drill.repetitions))
    short = [f"{mode} {count}" for mode, count in colds.items() if count < drill.repeat]
    yield _modes("short", short, len(colds), f"modes with fewer than {drill.repeat} cold repetitions")
    names = [rate.mode for rate in weighed(drill)]
    left = [mode for mode in names if mode not in tested]
    yield _modes(UNTESTED, left, len(names), "modes without a cold repetition")
    by_law = [mode for mode in drill.modes if mode in drill.forbidden]
    yield _modes(FORBIDDEN, by_law, len(drill.modes), "modes after which the jurisdiction leaves nobody to answer")
    defaults = [rate.mode for rate in weighed(drill) if rate.default]
    yield _modes("default_rates", defaults, len(names), "modes whose rate and impact are defaults, not the user's")


def _counted(rate: Rate, counted: Sequence[Repetition], drill: Drill) -> Counted:
    k = sum(one.mitigated and not one.passed_off for one in counted)
    return Counted(rate.mode, rate.events, rate.impact, k, len(counted), rate.mode in drill.forbidden)


def _modes(name: str, modes: Sequence[str], n: int, how: str) -> Fact:
    return Fact(name=name, value=len(modes), unit="modes", n=n, method=how, note=", ".join(modes))


def _count(name: str, count: int, n: int, how: str) -> Fact:
    return Fact(name=name, value=count, unit="calls", n=n, method=how)
