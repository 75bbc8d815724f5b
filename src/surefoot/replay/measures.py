"""Which numbers are told of a group of calls: calls, minutes of outage, availability, times, attempts, cost, places.

Names are `MEASURE.without`, `MEASURE.with`, and `MEASURE.with.lag.5m` for a lag; what is a comparison of the two has no
arm in its name: `minutes.avoided`, `minutes.avoided.lag.5m`. Knows what each number means; how it is made is known to
`numbers`. Must never: count an unknown price as nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from surefoot.config.quantities import show_duration
from surefoot.evidence.loss import cost_per_recovery
from surefoot.facts import Fact
from surefoot.replay.arranged import Arranged, Group, View
from surefoot.replay.numbers import Numbers
from surefoot.replay.result import Integers
from surefoot.replay.tally import NANO, WITHOUT, Sum, Time
from surefoot.replay.toll import MICRO

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
        self.numbers = Numbers(self.view, f"{self.scenario}.{self.group.name}")
        self.calls = self.view.sums(WITHOUT, Sum.CALLS)

    def facts(self) -> Iterator[Fact]:
        """In the order in which they are read."""
        yield self.numbers.total("calls", "calls", self.calls, int(self.calls.sum()))
        yield from self._incidents()
        for arm in range(self.arranged.tally.arms):
            yield from self._of_arm(arm)
            if arm != WITHOUT:
                yield from self._compared(arm)

    def _incidents(self) -> Iterator[Fact]:
        held, make = self.view.tolls, self.numbers
        seen, unseen = (int(count) for count in held.incidents.sum(axis=0))
        yield make.total("incidents.seen", "incidents", held.incidents[:, 0], seen + unseen)
        yield make.total("incidents.unseen", "incidents", held.incidents[:, 1], seen + unseen)
        yield make.total("minutes.seen", "minutes", held.outage, seen, _MINUTE)
        yield make.total("minutes.unseen", "minutes", held.unseen, unseen, _MINUTE)

    def _of_arm(self, arm: int) -> Iterator[Fact]:
        name, make, n = arm_name(arm, self.arranged.tally.lags), self.numbers, int(self.calls.sum())
        failed = self.view.sums(arm, Sum.FAILED)
        yield make.total(f"failed.{name}", "calls", failed, n)
        yield make.ratio(f"availability.{name}", "share", self.calls - failed, self.calls)
        seen = int(self.view.tolls.incidents[:, 0].sum())
        yield make.total(f"minutes.{name}", "minutes", self.view.tolls.failed[:, arm], seen, _MINUTE)
        yield make.ratio(f"attempts.{name}", "attempts per call", self.view.sums(arm, Sum.ATTEMPTS), self.calls)
        unpriced = self._unpriced(arm)
        yield self._money(f"cost.{name}", self.view.sums(arm, Sum.COST), unpriced)
        yield self._money(f"losers.{name}", self.view.sums(arm, Sum.EXTRA), unpriced)
        for time in (Time.TTFT, Time.E2E) if arm == WITHOUT else Time:
            yield from make.quantiles(time.name.lower(), name, self.view.times(arm, time))
        yield from self._winners(arm, name)

    def _winners(self, arm: int, name: str) -> Iterator[Fact]:
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
                    yield self.numbers.ratio(f"{what}.{one}.{name}", "share", share, answered)

    def _compared(self, arm: int) -> Iterator[Fact]:
        late, make, n = suffix(self.arranged.tally.lags[arm - 1]), self.numbers, int(self.calls.sum())
        held = self.view.tolls
        seen = int(held.incidents[:, 0].sum())
        saved = self.view.sums(arm, Sum.SAVED)
        yield make.total(f"saved{late}", "calls", saved, n)
        yield make.total(f"lost{late}", "calls", self.view.sums(arm, Sum.LOST), n)
        yield make.total(f"minutes.avoided{late}", "minutes", avoided_minutes(self.view, arm), seen, _MINUTE)
        yield make.total(f"incidents.recovered{late}", "incidents", held.recovered[:, arm], seen)
        added = self.view.sums(arm, Sum.COST) - self.view.sums(WITHOUT, Sum.COST)
        unpriced = max(self._unpriced(arm), self._unpriced(WITHOUT))
        yield self._money(f"cost.added{late}", added, unpriced)
        for what, recovered in (("call", saved), ("incident", held.recovered[:, arm])):
            name = f"cost.per_recovered_{what}{late}"
            if unpriced:
                yield make.missing(name, "dollars", n, _no_price(unpriced, n))
            else:
                yield self._per_recovery(name, int(added.sum()) / NANO, int(recovered.sum()))

    def _unpriced(self, arm: int) -> int:
        """Calls whose cost is not known."""
        return int(self.view.sums(arm, Sum.UNPRICED).sum())

    def _money(self, name: str, by_week: Integers, unpriced: int) -> Fact:
        n = int(self.calls.sum())
        if unpriced:
            return self.numbers.missing(name, "dollars", n, _no_price(unpriced, n))
        return self.numbers.total(name, "dollars", by_week, n, NANO)

    def _per_recovery(self, name: str, spent: float, recovered: int) -> Fact:
        if spent < 0:
            return self.numbers.missing(
                name, "dollars", recovered, "nothing: all calls together cost less than without"
            )
        point, low, high = cost_per_recovery(spent, recovered)
        how = "what the calls cost more than without, by what was recovered; Garwood's interval of the count"
        return self.numbers.plain(name, "dollars", point, recovered, (low, high), how)


def avoided_minutes(view: View, arm: int) -> Integers:
    """Microseconds of outage by week that this arm does not have and the arm without has."""
    return view.tolls.failed[:, WITHOUT] - view.tolls.failed[:, arm]


def _no_price(unpriced: int, n: int) -> str:
    return f"unknown: {unpriced} of {n} calls asked a target without a price"
