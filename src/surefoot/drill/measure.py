"""From what clients saw and what the journal kept to facts.

Knows: definitions. Answered: the client had a whole answer within its patience. Passed off: a broken answer that ended
as if it were whole. Told: a failed call whose client was told so in words. Detect: from the request on the wire (or the
launch, if it never got there) to the verdict. Switch: from that verdict to the next request on the wire.
Must never: count a call twice, merge percentiles, or print one from too few samples.
"""

from collections.abc import Sequence

from msgspec import Struct

from surefoot.drill.sites import PRIMARY
from surefoot.evidence.intervals import wilson
from surefoot.evidence.order import quantile_rank, quantile_ranks
from surefoot.facts import Fact, Interval, Window
from surefoot.journal.reader import AttemptEntry, CallEntry
from surefoot.load import CallResult

GATEWAY = "gateway"
DIRECT = "direct"
CONFIDENCE = 0.95
PAIR_CONFIDENCE = 0.975
"""Of each of two intervals, so that both hold together with at least 0.95 (Bonferroni)."""
FEWEST_FOR_P99 = 100
QUANTILES = (("p50", 0.50), ("p99", 0.99))
BY_RANKS = "order statistics, equal tails (Hahn & Meeker)"


class Phase(Struct, frozen=True):
    """One stretch of the run: a mode, or the healthy baseline."""

    subject: str
    window: Window
    gateway: Sequence[CallResult]
    direct: Sequence[CallResult]


class Stamp(Struct, frozen=True):
    """What every fact of a run carries."""

    seed: int
    inputs: str


class Meter:
    """Makes the facts of one phase. `whole` is the length of a whole answer in tokens, by who answers."""

    def __init__(self, phase: Phase, baseline: Phase, stamp: Stamp, whole: dict[str, int]) -> None:
        self._phase = phase
        self._baseline = baseline
        self._stamp = stamp
        self._whole = whole

    def facts(self, calls: Sequence[CallEntry]) -> list[Fact]:
        """All facts of the phase; `calls` is what the journal holds of the gateway in that time."""
        found: list[Fact] = []
        for arm, results in ((GATEWAY, self._phase.gateway), (DIRECT, self._phase.direct)):
            found += self._of_answers(arm, results)
            times = ttfts(results)
            for name, q in QUANTILES:
                method = "TTFT from the intended send time, of the calls that had content"
                found.append(self._quantile(arm, f"ttft_{name}", times, q, method))
        found += [self._added(name, q) for name, q in QUANTILES]
        return found + self._of_failover(calls)

    def _of_answers(self, arm: str, results: Sequence[CallResult]) -> list[Fact]:
        passed = [result for result in results if self._passed_off(result)]
        answered = sum(result.ok for result in results) - sum(result.ok for result in passed)
        told = sum(result.failure == "error_event" or result.status >= 400 for result in results)  # noqa: PLR2004 - HTTP
        lower, upper = wilson(answered, len(results), CONFIDENCE)
        interval = Interval(lower=lower, upper=upper, confidence=CONFIDENCE, method="Wilson score")
        share = answered / len(results) if results else None
        n = len(results)
        how = "whole answers within the client's patience, of all calls sent"
        return [
            self._fact(arm, "answered", share, n, "share", method=how, count=answered, interval=interval),
            self._fact(arm, "passed_off", len(passed), n, "count", method="broken answers that ended as if whole"),
            self._fact(arm, "told", told, n, "count", method="failed calls whose client was told so in words"),
        ]

    def _passed_off(self, result: CallResult) -> bool:
        if result.failure == "truncated":
            return True
        whole = self._whole.get(result.target or PRIMARY.name)
        return result.ok and whole is not None and result.tokens < whole

    def _added(self, name: str, q: float) -> Fact:
        measure = f"added_ttft_{name}"
        ours, theirs = ttfts(self._phase.gateway), ttfts(self._baseline.direct)
        n = min(len(ours), len(theirs))
        method = "difference of the quantiles through the gateway and direct to the healthy primary"
        if not enough(n, q):
            return self._none(GATEWAY, measure, n, method)
        low, point, high = bounds(ours, q, PAIR_CONFIDENCE)
        base_low, base, base_high = bounds(theirs, q, PAIR_CONFIDENCE)
        interval = Interval(
            lower=None if low is None or base_high is None else low - base_high,
            upper=None if high is None or base_low is None else high - base_low,
            confidence=CONFIDENCE,
            method=f"{BY_RANKS} of both quantiles, joined (Bonferroni)",
        )
        return self._fact(GATEWAY, measure, point - base, n, "s", method=method, interval=interval)

    def _of_failover(self, calls: Sequence[CallEntry]) -> list[Fact]:
        detects: list[float] = []
        switches: list[float] = []
        beside = 0
        for call in calls:
            for number, attempt in enumerate(call.attempts):
                if attempt.target != PRIMARY.name or attempt.verdict is None or attempt.kind == "ok":
                    continue
                detects.append(attempt.verdict - _on_the_wire(attempt))
                after = call.attempts[number + 1] if number + 1 < len(call.attempts) else None
                if after is not None and _on_the_wire(after) < attempt.verdict:
                    beside += 1
                elif after is not None and after.sent is not None:
                    switches.append(after.sent - attempt.verdict)
        found = []
        for name, q in QUANTILES:
            found.append(self._quantile(GATEWAY, f"detect_{name}", detects, q, "request on the wire to verdict"))
            found.append(self._quantile(GATEWAY, f"switch_{name}", switches, q, "verdict to next request on the wire"))
        method = "failed attempts beside which the next target had been asked before the verdict (hedged)"
        return [*found, self._fact(GATEWAY, "hedged", beside, len(detects), "count", method=method)]

    def _quantile(self, arm: str, measure: str, values: Sequence[float], q: float, method: str) -> Fact:
        n = len(values)
        if not enough(n, q):
            return self._none(arm, measure, n, method)
        low, point, high = bounds(values, q, CONFIDENCE)
        interval = Interval(lower=low, upper=high, confidence=CONFIDENCE, method=BY_RANKS)
        method = f"{method}; the smallest sample with at least {q:.0%} at or below it"
        return self._fact(arm, measure, point, n, "s", method=method, interval=interval)

    def _none(self, arm: str, measure: str, n: int, method: str) -> Fact:
        note = f"n<{FEWEST_FOR_P99}" if n else "no samples"
        return self._fact(arm, measure, None, n, "s", method=method, note=note)

    def _fact(  # noqa: PLR0913 - the one place where a fact is put together
        self,
        arm: str,
        measure: str,
        value: float | None,
        n: int,
        unit: str,
        *,
        method: str,
        count: int | None = None,
        interval: Interval | None = None,
        note: str | None = None,
    ) -> Fact:
        return Fact(
            subject=self._phase.subject,
            arm=arm,
            measure=measure,
            value=value,
            unit=unit,
            n=n,
            method=method,
            window=self._phase.window,
            seed=self._stamp.seed,
            inputs=self._stamp.inputs,
            count=count,
            interval=interval,
            note=note,
        )


def ttfts(results: Sequence[CallResult]) -> list[float]:
    """Seconds to the first content of the calls that had any."""
    return [result.ttft for result in results if result.ttft is not None]


def enough(n: int, q: float) -> bool:
    """Whether so many samples may show that quantile: one for a median, a hundred for a p99."""
    return n >= (FEWEST_FOR_P99 if q > 0.5 else 1)  # noqa: PLR2004 - the median


def bounds(values: Sequence[float], q: float, confidence: float) -> tuple[float | None, float, float | None]:
    """Lower bound, quantile and upper bound, each one of the samples. Raises `EvidenceError` without samples."""
    ordered = sorted(values)
    lower, upper = quantile_ranks(len(ordered), q, confidence)
    point = ordered[quantile_rank(len(ordered), q) - 1]
    return ordered[lower - 1] if lower else None, point, None if upper is None else ordered[upper - 1]


def _on_the_wire(attempt: AttemptEntry) -> float:
    """When its request was on the wire; its launch, if no connection ever took it."""
    return attempt.started if attempt.sent is None else attempt.sent
