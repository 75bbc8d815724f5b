"""Where a candidate stands in the impact matrix, on which side of the user's two limits, and how surely.

x is the p99 of the fallback, end to end; good is at or below the limit. y is risk-weighted coverage; good is at or
above it. A box is the two intervals. If it crosses a line the candidate is undecided, and what would decide it is told:
an interval's width goes with 1/sqrt(n), so if the end beyond the line is h away from the value, and the line is d away,

    n' = n h_s^2 / (d^2 - h_0^2),    h^2 = h_s^2 + h_0^2

samples are needed in all, where h_0 is the part of the width that no further sample takes away. Times are measured on
the axis that is drawn: in logarithms. It is a forecast, which takes the value to stay where it is.

Must never: call a candidate better on a point whose interval says nothing.
"""

from enum import StrEnum
from math import ceil, inf, log

from msgspec import Struct

from surefoot.evidence.order import P99
from surefoot.facts import Fact

PROVISIONAL = 3
"""Below so many weekly runs a verdict is provisional."""
FEWEST_BOUNDED = ceil(log(0.025) / log(P99))
"""The fewest samples whose p99 has an upper end: 1 - 0.99^n >= 0.975."""


class Side(StrEnum):
    """Of a limit."""

    MEETS = "meets"
    MISSES = "misses"
    CROSSES = "crosses"
    UNKNOWN = "unknown"
    """There is no number."""


class Need(Struct, frozen=True, kw_only=True):
    """What would decide on which side of a limit a number is."""

    more: int | None
    """Samples more; None: no number of them."""
    share: float
    """Of the samples that there are: 0.5 is half as many again. What it is in weeks of such traffic follows."""
    at_least: bool = False
    """Whether it may still not be enough."""
    why: str = ""
    """Why none would do."""


class Line(Struct, frozen=True, kw_only=True):
    """A limit and how a number is held against it."""

    limit: float
    above: bool
    """Whether good is above it."""
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """On the axis."""
        return log(value) if self.logarithmic else value

    def side(self, fact: Fact) -> Side:
        """Good has its whole interval on the good side, the limit itself included."""
        if fact.value is None:
            return Side.UNKNOWN
        low = -inf if fact.low is None else fact.low
        high = inf if fact.high is None else fact.high
        if self.above:
            return Side.MEETS if low >= self.limit else Side.MISSES if high < self.limit else Side.CROSSES
        return Side.MEETS if high <= self.limit else Side.MISSES if low > self.limit else Side.CROSSES

    def need(self, fact: Fact, rest: Fact | None = None) -> Need | None:
        """What would decide a number that crosses. `rest`: the same number if its own samples were without end."""
        if self.side(fact) is not Side.CROSSES or fact.value is None:
            return None
        end = fact.high if fact.value < self.limit else fact.low
        if end is None:
            return self._unbounded(fact)
        distance = abs(self.at(self.limit) - self.at(fact.value))
        if not distance:
            return Need(more=None, share=inf, why="the value is the limit itself")
        width = self._width(fact.value, end)
        floor = 0.0
        if rest is not None and rest.value is not None:
            other = rest.high if fact.value < self.limit else rest.low
            floor = min(0.0 if other is None else self._width(rest.value, other), width)
        if floor >= distance:
            return Need(
                more=None, share=inf, why="what each mode weighs is too uncertain; count more events of your own"
            )
        factor = (width**2 - floor**2) / (distance**2 - floor**2)
        more = max(ceil(fact.n * (factor - 1) - 1e-9), 1)
        return Need(more=more, share=more / max(fact.n, 1))

    def _width(self, value: float, end: float) -> float:
        if self.logarithmic or end > 0:
            return abs(self.at(end) - self.at(value))
        return abs(end - value)

    def _unbounded(self, fact: Fact) -> Need:
        if fact.low is None and fact.high is None:
            return Need(more=None, share=inf, why=fact.note or "there is no interval")
        more = max(FEWEST_BOUNDED - fact.n, 1)
        return Need(more=more, share=more / max(fact.n, 1), at_least=True)


class Limits(Struct, frozen=True):
    """The quadrant lines."""

    p99: float
    """Seconds."""
    coverage: float

    @property
    def of_p99(self) -> Line:
        """The upright one."""
        return Line(limit=self.p99, above=False, logarithmic=True)

    @property
    def of_coverage(self) -> Line:
        """The level one."""
        return Line(limit=self.coverage, above=True)


class Placed(Struct, frozen=True, kw_only=True):
    """One candidate in the matrix."""

    name: str
    p99: Fact
    coverage: Fact
    weekly: int
    """Weekly runs that both numbers come from: weeks in which it was measured, the fewer of the two."""
    p99_side: Side
    coverage_side: Side
    p99_need: Need | None
    coverage_need: Need | None
    weeks: int
    """Calendar weeks of the traffic."""
    drilled: bool
    """Whether coverage is that of drills."""

    @property
    def sides(self) -> tuple[Side, Side]:
        """Of the p99 and of coverage."""
        return self.p99_side, self.coverage_side

    @property
    def drawn(self) -> bool:
        """Whether it has both numbers."""
        return Side.UNKNOWN not in self.sides

    @property
    def undecided(self) -> bool:
        """Whether its box crosses a line."""
        return Side.CROSSES in self.sides

    @property
    def provisional(self) -> bool:
        """Whether it comes from fewer than three weekly runs."""
        return self.weekly < PROVISIONAL

    @property
    def verdict(self) -> str:
        """In a few words."""
        if not self.drawn:
            return "not placed"
        if self.undecided:
            return "undecided"
        return _QUADRANTS[self.sides]


_QUADRANTS = {
    (Side.MEETS, Side.MEETS): "meets both limits",
    (Side.MEETS, Side.MISSES): "fast enough, covers too little",
    (Side.MISSES, Side.MEETS): "covers enough, too slow",
    (Side.MISSES, Side.MISSES): "meets neither limit",
}


def placed(
    name: str, pair: tuple[Fact, Fact], limits: Limits, weeks: tuple[int, int], rest: Fact | None = None
) -> Placed:
    """Place a candidate by its p99 and coverage. `weeks`: weekly runs, and calendar weeks of the traffic.

    `rest`: its coverage as it would be after drills without end; None where it is not from drills.
    """
    p99, coverage = pair
    return Placed(
        name=name,
        p99=p99,
        coverage=coverage,
        weekly=weeks[0],
        weeks=weeks[1],
        p99_side=limits.of_p99.side(p99),
        coverage_side=limits.of_coverage.side(coverage),
        p99_need=limits.of_p99.need(p99),
        coverage_need=limits.of_coverage.need(coverage, rest),
        drilled=rest is not None,
    )
