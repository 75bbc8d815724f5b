"""From what clients saw and what the journal kept to facts.

Knows the definitions. Answered: the client had a whole answer within its patience. Passed off: a broken answer that
ended as if it were whole. Told: a failed call whose client was told so in words. Detect: from the request on the wire
(or the launch, if no connection took it) to the verdict. Switch: from that verdict to the next request on the wire. An
attempt that a hedge overtook has no verdict: it counts as hedged, with the delay after which the next target was asked.
Must never: count a call twice, merge percentiles, or print one from too few samples.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from surefoot.domain.outcome import OUTCOMES, Kind
from surefoot.drill.quantiles import CONFIDENCE, difference, quantiles
from surefoot.drill.sites import PRIMARY
from surefoot.evidence.intervals import wilson
from surefoot.facts import Fact
from surefoot.journal.reader import AttemptEntry, CallEntry
from surefoot.load import CallResult

GATEWAY = "gateway"
DIRECT = "direct"
ALL_MODES = "all_modes"
QUANTILES = (("p50", 0.50), ("p99", 0.99))


class Phase(Struct, frozen=True):
    """One stretch of the run: a mode, or the healthy baseline. `start` and `end` are Unix times."""

    name: str
    start: float
    end: float
    gateway: Sequence[CallResult]
    direct: Sequence[CallResult]


def facts_of(phase: Phase, baseline: Phase, calls: Sequence[CallEntry], whole: dict[str, int]) -> list[Fact]:
    """All facts of a phase, each named `PHASE.ARM.MEASURE`.

    `calls` is what the journal holds of it; `whole` the length of a whole answer in tokens, by who answers.
    """
    found: list[Fact] = []
    for arm, results in ((GATEWAY, phase.gateway), (DIRECT, phase.direct)):
        start = f"{phase.name}.{arm}"
        found += _of_answers(start, results, whole)
        how = "from the intended send time to the first content, of the calls that had any"
        found += quantiles(f"{start}.ttft", ttfts(results), how, QUANTILES)
    start = f"{phase.name}.{GATEWAY}"
    found += [_added(f"{start}.added_ttft.{name}", phase, baseline, q) for name, q in QUANTILES]
    return found + _of_failover(start, calls)


def over_all(phases: Sequence[Phase], whole: dict[str, int]) -> Iterator[Fact]:
    """What became of the calls of several phases together: facts named `ALL_MODES.ARM.MEASURE`."""
    yield from _of_answers(f"{ALL_MODES}.{GATEWAY}", [one for phase in phases for one in phase.gateway], whole)
    yield from _of_answers(f"{ALL_MODES}.{DIRECT}", [one for phase in phases for one in phase.direct], whole)


def ttfts(results: Sequence[CallResult]) -> list[float]:
    """Seconds to the first content of the calls that had any."""
    return [result.ttft for result in results if result.ttft is not None]


def _of_answers(start: str, results: Sequence[CallResult], whole: dict[str, int]) -> Iterator[Fact]:
    n = len(results)
    passed = [result for result in results if _passed_off(result, whole)]
    answered = sum(result.ok for result in results) - sum(result.ok for result in passed)
    told = sum(result.failure == "error_event" or result.status >= 400 for result in results)  # noqa: PLR2004 - HTTP
    how = "whole answers within the client's patience, of all calls sent"
    yield _count(f"{start}.answered_calls", answered, n, how)
    low, high = wilson(answered, n, CONFIDENCE)
    yield Fact(
        name=f"{start}.answered",
        value=answered / n,
        unit="share",
        n=n,
        low=low,
        high=high,
        confidence=CONFIDENCE,
        method=f"{how}; Wilson score interval",
    )
    yield _count(f"{start}.passed_off", len(passed), n, "broken answers that ended as if they were whole")
    yield _count(f"{start}.told", told, n, "failed calls whose client was told so in words")


def _passed_off(result: CallResult, whole: dict[str, int]) -> bool:
    if result.failure == "truncated":
        return True
    length = whole.get(result.target or PRIMARY.name)
    return result.ok and length is not None and result.tokens < length


def _added(name: str, phase: Phase, baseline: Phase, q: float) -> Fact:
    """The quantile through the gateway less that of the healthy primary, asked directly."""
    how = "quantile of TTFT through the gateway less that direct to the healthy primary"
    return difference(name, (ttfts(phase.gateway), ttfts(baseline.direct)), q, how)


def _of_failover(start: str, calls: Sequence[CallEntry]) -> list[Fact]:
    failures = list(_failures(calls))
    detects: list[float] = []
    switches: list[float] = []
    hedges: list[float] = []
    for attempt, after in failures:
        if attempt.verdict is not None:
            detects.append(attempt.verdict - _on_the_wire(attempt))
        if after is None or after.sent is None:
            continue
        if attempt.verdict is None or after.sent < attempt.verdict:
            hedges.append(after.sent - _on_the_wire(attempt))
        else:
            switches.append(after.sent - attempt.verdict)
    how = "failed attempts of the primary beside which the next target was asked before any verdict"
    return [
        *quantiles(f"{start}.detect", detects, "from the request on the wire to the verdict", QUANTILES),
        *quantiles(
            f"{start}.switch",
            switches,
            "from the verdict to the next request on the wire, by the loop's clock",
            QUANTILES,
        ),
        *quantiles(f"{start}.hedge_after", hedges, "from the request on the wire to the one beside it", QUANTILES),
        _count(f"{start}.hedged", len(hedges), len(failures), how),
    ]


def _failures(calls: Sequence[CallEntry]) -> Iterator[tuple[AttemptEntry, AttemptEntry | None]]:
    """Each attempt in which the primary failed by its own fault, with the attempt after it, if there was one."""
    for call in calls:
        for number, attempt in enumerate(call.attempts):
            failed = attempt.kind is not None and OUTCOMES[Kind(attempt.kind)].counted
            if attempt.target == PRIMARY.name and failed:
                yield attempt, call.attempts[number + 1] if number + 1 < len(call.attempts) else None


def _on_the_wire(attempt: AttemptEntry) -> float:
    return attempt.started if attempt.sent is None else attempt.sent


def _count(name: str, count: int, n: int, how: str) -> Fact:
    return Fact(name=name, value=count, unit="calls", n=n, method=how)
