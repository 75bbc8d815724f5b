"""Predicted beside measured: whether what the replay says of each mode lies inside the drill's intervals.

Knows: which facts of a drill are compared, and how many of them fall outside by chance alone. Must never: widen one.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from benchmarks.observed import Observed
from benchmarks.prediction import Predicted
from msgspec import Struct
from scipy.stats import binom

from surefoot.drill.coverage import cold
from surefoot.drill.quantiles import CONFIDENCE, fewest
from surefoot.drill.repetition import Repetition
from surefoot.evidence.intervals import wilson
from surefoot.evidence.order import rank_of
from surefoot.facts import Fact

COVERAGE = "mitigated"
SOON = "soon"
WITHIN = 1.0
"""Seconds: coverage is judged once more as a client would who waits no longer. With the drill's own patience nearly all
modes are covered wholly or not at all, which is easily predicted."""
TIMES = ("ttft", "end_to_end")
DEMANDED = ("p99",)
SHOWN = {"p50": 0.50, "p99": 0.99}
_ROUNDING = 1e-9
"""By which a bound of Wilson's interval may miss 0 or 1."""


class Compared(Struct, frozen=True):
    """One number of one mode, measured and predicted."""

    measured: float | None
    low: float | None
    high: float | None
    predicted: float | None

    @property
    def inside(self) -> bool | None:
        """Whether the prediction is inside the drill's interval; None where neither has such a number.

        An interval without an upper bound (too few calls) is open there. Only one of them having it is outside.
        """
        if self.measured is None and self.predicted is None:
            return None
        if self.measured is None or self.predicted is None or self.low is None:
            return False
        high = float("inf") if self.high is None else self.high
        return self.low - _ROUNDING <= self.predicted <= high + _ROUNDING


class Row(Struct, frozen=True):
    """One mode."""

    mode: str
    measured_calls: int
    predicted_calls: int
    numbers: dict[str, Compared]
    """By name: `mitigated`, `ttft.p50` and the like."""

    def outside(self, names: Sequence[str]) -> list[str]:
        """Those of these numbers that the drill's intervals do not hold."""
        return [name for name in names if self.numbers[name].inside is False]


DEMANDS = (COVERAGE, *(f"{time}.{level}" for time in TIMES for level in DEMANDED))
"""What has to be inside: coverage and both 99th percentiles."""


def rows(observed: Observed, predicted: Mapping[str, Predicted]) -> Iterator[Row]:
    """One for each mode of the drill, in its order."""
    counted = cold(observed.repetitions)
    for mode, one in predicted.items():
        start = f"mode.{mode}.cold"
        share = observed.facts.named(f"{start}.{COVERAGE}")
        numbers = {COVERAGE: _beside(share, one.mitigated / one.calls if one.calls else None)}
        numbers[SOON] = _soon([call for call in counted if call.mode == mode], one)
        for time in TIMES:
            values = sorted(getattr(one, time))
            expected = len(values) * share.n / max(one.calls, 1)
            for level, q in SHOWN.items():
                there = values and expected >= fewest(q)  # as the drill refuses a quantile of too few
                value = values[rank_of(q, len(values)) - 1] if there else None
                numbers[f"{time}.{level}"] = _beside(observed.facts.named(f"{start}.{time}.{level}"), value)
        yield Row(mode, share.n, one.calls, numbers)


def _soon(counted: Sequence[Repetition], one: Predicted) -> Compared:
    """Whole, valid answers within a second, of all cold calls."""
    times = [call.end_to_end for call in counted if call.mitigated and call.end_to_end is not None]
    soon = sum(seconds <= WITHIN for seconds in times)
    low, high = wilson(soon, len(counted), CONFIDENCE)
    predicted = sum(seconds <= WITHIN for seconds in one.end_to_end)
    return Compared(soon / len(counted), low, high, predicted / max(one.calls, 1))


def _beside(fact: Fact, predicted: float | None) -> Compared:
    return Compared(fact.value, fact.low, fact.high, predicted)


def outside_by_chance(found: Sequence[Row], names: Sequence[str] = DEMANDS) -> tuple[int, int, float]:
    """How many numbers there are, how many are outside, and how likely so many or more are by chance alone.

    If the replay were exactly right, each would be outside with at most 1 - 0.95; taken as independent, that is a
    binomial distribution. Numbers of one mode are not quite independent: its times come from the same calls.
    """
    judged = [row.numbers[name].inside for row in found for name in names]
    there = sum(one is not None for one in judged)
    outside = sum(one is False for one in judged)
    return there, outside, float(binom.sf(outside - 1, there, 1 - CONFIDENCE))


def lateness(observed: Observed) -> float:
    """Seconds after its intended time at which a drilled call left, 99th percentile."""
    late = [
        one.sent - one.intended for trial in observed.trials.values() for one in trial.results if one.sent is not None
    ]
    return float(np.quantile(late, 0.99))
