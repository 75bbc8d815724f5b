"""Which numbers are told of a group of calls: calls, minutes of outage, availability, times, attempts, cost, places.

Names are `MEASURE.without`, `MEASURE.with`, and `MEASURE.with.lag.5m` for a lag; what is a comparison of the two has no
arm in its name: `minutes.avoided`, `minutes.avoided.lag.5m`. Knows what each number means; how it is made is known to
`numbers`, and what money is spent on to `spending`. Must never: count an unknown price as nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from surefoot.config.quantities import show_duration
from surefoot.facts import Fact
from surefoot.replay.counting.arranged import Arranged, Group, View
from surefoot.replay.counting.numbers import Measured, Numbers
from surefoot.replay.counting.spending import Spending
from surefoot.replay.counting.tally import WITHOUT, Sum, Time
from surefoot.replay.counting.toll import MICRO, Sort
from surefoot.replay.virtual.result import Integers

UNKNOWN = "unknown"
_MINUTE = 60 * MICRO


@dataclass(frozen=True, slots=True)
class Where:
    """What is declared of a target."""

    place: str = UNKNOWN
    operator: str = UNKNOWN


def arm_name(arm: int, lags: tuple[float, ...]) -> str:
    """`without`, `with`, `with.lag.5m`."""
    return "without" if arm == WITHOUT else f"with{suffix(lags[arm - 1])}"


def suffix(lag: float) -> str:
    """What follows the name of a number under a lag: nothing for none."""
    return f".lag.{show_duration(lag)}" if lag else ""


@dataclass(slots=True)
class Measures:
    """All facts of one group of calls."""

    arranged: Arranged
    group: Group
    scenario: str
    places: Mapping[str, Where]
    view: View = field(init=False)
    numbers: Numbers = field(init=False)
    calls: Integers = field(init=False)

    def __post_init__(self) -> None:
        """Lay the counts out."""
        self.view = self.arranged.view(self.group)
        self.numbers = Numbers(f"{self.scenario}.{self.group.name}", self.arranged.weights, len(self.arranged.weeks))
        self.calls = self.view.sums(WITHOUT, Sum.CALLS)

    def facts(self) -> Iterator[Fact]:
        """In the order in which they are read."""
        yield from (one.fact for one in self._measured())

    def _measured(self) -> Iterator[Measured]:
        yield self.numbers.total("calls", "calls", self.calls, int(self.calls.sum()))
        yield from self._incidents()
        for arm in range(self.arranged.tally.arms):
            yield from self._of_arm(arm)
            if arm != WITHOUT:
                yield from self._compared(arm)

    def _incidents(self) -> Iterator[Measured]:
        held, make = self.view.tolls, self.numbers
        n = int(held.incidents.sum())
        for sort in Sort:
            yield make.total(f"incidents.{sort.name.lower()}", "incidents", held.incidents[:, sort], n)
        for sort in Sort:
            of_sort = int(held.incidents[:, sort].sum())
            yield make.total(f"minutes.{sort.name.lower()}", "minutes", held.lasted[:, sort], of_sort, _MINUTE)

    def _of_arm(self, arm: int) -> Iterator[Measured]:
        name, make, n = arm_name(arm, self.arranged.tally.lags), self.numbers, int(self.calls.sum())
        failed = self.view.sums(arm, Sum.FAILED)
        yield make.total(f"failed.{name}", "calls", failed, n)
        yield make.share(f"availability.{name}", self.calls - failed, self.calls)
        seen = int(self.view.tolls.incidents[:, Sort.SEEN].sum())
        yield make.total(f"minutes.{name}", "minutes", self.view.tolls.failed[:, arm], seen, _MINUTE)
        yield make.ratio(f"attempts.{name}", "attempts per call", self.view.sums(arm, Sum.ATTEMPTS), self.calls)
        yield from Spending(self.numbers, self.view, self.group, arm).of_arm(name)
        for time in (Time.TTFT, Time.E2E) if arm == WITHOUT else Time:
            yield from make.quantiles(time.name.lower(), name, self.view.times(arm, time))
        yield from self._winners(arm, name)

    def _winners(self, arm: int, name: str) -> Iterator[Measured]:
        """Who answered, as shares of the answered calls: by target, place and operator."""
        by_target = self.view.winners(arm)
        answered = by_target.sum(axis=1)
        if not answered.sum():
            return
        targets = self.arranged.tally.targets
        for what in ("target", "place", "operator"):
            called = [one if what == "target" else getattr(self.places.get(one, Where()), what) for one in targets]
            for one in sorted(set(called)):
                share = by_target[:, [n for n, other in enumerate(called) if other == one]].sum(axis=1)
                if share.sum():
                    yield self.numbers.share(f"{what}.{one}.{name}", share, answered)

    def _compared(self, arm: int) -> Iterator[Measured]:
        late, make, n = suffix(self.arranged.tally.lags[arm - 1]), self.numbers, int(self.calls.sum())
        held = self.view.tolls
        seen = int(held.incidents[:, Sort.SEEN].sum())
        yield make.total(f"saved{late}", "calls", self.view.sums(arm, Sum.SAVED), n)
        yield make.total(f"lost{late}", "calls", self.view.sums(arm, Sum.LOST), n)
        yield make.total(f"minutes.avoided{late}", "minutes", avoided_minutes(self.view, arm), seen, _MINUTE)
        yield make.total(f"incidents.recovered{late}", "incidents", held.recovered[:, arm], seen)
        yield from Spending(self.numbers, self.view, self.group, arm).compared(late)


def avoided_minutes(view: View, arm: int) -> Integers:
    """Microseconds of outage by week that this arm does not have and the arm without has."""
    return view.tolls.failed[:, WITHOUT] - view.tolls.failed[:, arm]
