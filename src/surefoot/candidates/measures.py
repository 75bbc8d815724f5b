"""All that is measured of one candidate in one replay: p99, coverage, availability, cost, who answered, what is shared.

Names are what follows `CANDIDATE.READING.`. Knows what each number means; how it is made is known to `numbers`.
Must never: count an unknown price as nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from surefoot.candidates.covered import Modes, by_mode, coverages, modes_of
from surefoot.candidates.sharing import Pair, told
from surefoot.domain.target import Target
from surefoot.replay.counting.arranged import EVERYTHING, Arranged, View
from surefoot.replay.counting.numbers import Measured, Numbers
from surefoot.replay.counting.tally import NANO, WITHOUT, Sum, Tally, Time
from surefoot.replay.virtual.result import Integers

FALLBACK = "fallback.end_to_end.p99"
OVERALL = "end_to_end.p99"
RISK = "coverage.risk"
INCIDENTS = "incidents"
AVAILABLE = "availability"
PER_CALL, PER_MONTH, ADDED, LOSERS = "cost.per_call", "cost.per_month", "cost.added_per_month", "cost.losers_per_month"

COMPARED = (FALLBACK, OVERALL, RISK, AVAILABLE, PER_CALL, PER_MONTH, ADDED)
"""Of which differences between candidates are told."""

ANSWERED = ("target", "place", "operator", "transfer")
"""By what the answers are shared out."""

MONTH = 365.25 / 12 * 86_400
UNKNOWN = "unknown"
_WITH = 1


@dataclass(slots=True)
class Replayed:
    """One candidate under one reading."""

    tally: Tally
    prefix: str
    seed: int
    arranged: Arranged = field(init=False)
    meter: Numbers = field(init=False)
    view: View = field(init=False)
    calls: Integers = field(init=False)
    modes: Modes = field(init=False)

    def __post_init__(self) -> None:
        """Lay the counts out. Raises `ReplayError` for a tally without a call."""
        self.arranged = Arranged(self.tally, self.seed)
        self.meter = Numbers(self.prefix, self.arranged.weights, len(self.arranged.weeks))
        self.view = self.arranged.view(EVERYTHING)
        self.calls = self.view.sums(WITHOUT, Sum.CALLS)
        self.modes = modes_of(self.arranged)

    @property
    def weeks(self) -> int:
        """Calendar weeks of the traffic."""
        return len(self.arranged.weeks)

    @property
    def weekly(self) -> int:
        """Weeks in which a call fell back."""
        return int(self.view.times(_WITH, Time.FALLBACK).any(axis=1).sum())

    def measured(self, targets: Sequence[Target], pairs: Sequence[Pair]) -> dict[str, Measured]:
        """Everything by name, in the order in which it is read."""
        found = [*self._times(), *self._covered(), *self._cost(), *self._answered(targets)]
        found += [one for pair in pairs for one in told(pair, self.arranged, self.meter)]
        return {one.fact.name.removeprefix(f"{self.prefix}."): one for one in found}

    def _times(self) -> Iterator[Measured]:
        how = "of the calls whose first target was struck and that another one answered"
        yield self.meter.p99(FALLBACK, self.view.times(_WITH, Time.FALLBACK), how)
        yield self.meter.p99(OVERALL, self.view.times(_WITH, Time.E2E), "of all answered calls")

    def _covered(self) -> Iterator[Measured]:
        yield from coverages(self.modes, self.meter, self.tally.last - self.tally.first).values()
        yield self.meter.count(INCIDENTS, "incidents", int(self.modes.events.sum()), "in which calls failed without")
        yield from by_mode(self.modes, self.meter)
        for name, arm in ((AVAILABLE, _WITH), (f"{AVAILABLE}.without", WITHOUT)):
            answered = self.calls - self.view.sums(arm, Sum.FAILED)
            yield self.meter.share(name, answered, self.calls, "answered calls of all")

    def _cost(self) -> Iterator[Measured]:
        cost, bare = (self.view.sums(arm, Sum.COST) for arm in (_WITH, WITHOUT))
        n = int(self.calls.sum())
        unpriced = int(max(self.view.sums(arm, Sum.UNPRICED).sum() for arm in (_WITH, WITHOUT)))
        seconds = self.tally.last - self.tally.first
        why = f"unknown: {unpriced} of {n} calls asked a target without a price" if unpriced else ""
        if why:
            yield from (self.meter.missing(name, "dollars", n, why) for name in (PER_CALL, PER_MONTH, ADDED, LOSERS))
            return
        how = "what all attempts of a call cost, losers included; a mean over calls"
        yield self.meter.ratio(PER_CALL, "dollars", cost, self.calls, NANO, how)
        monthly = (
            (PER_MONTH, cost, "what all attempts cost"),
            (ADDED, cost - bare, "what all attempts cost more than without fallback"),
            (LOSERS, self.view.sums(_WITH, Sum.EXTRA), "what attempts other than the winner cost"),
        )
        for name, by_week, what in monthly:
            if seconds:
                how = f"{what}, in a month of {MONTH / 86_400:.4g} days as the traffic is"
                yield self.meter.total(name, "dollars", by_week, n, NANO * seconds / MONTH, how)
            else:
                yield self.meter.missing(name, "dollars", n, "one call has no month")

    def _answered(self, targets: Sequence[Target]) -> Iterator[Measured]:
        by_target = self.view.winners(_WITH)
        answered = by_target.sum(axis=1)
        if not answered.any():
            return
        known = {target.name: facets(target) for target in targets}
        for number, what in enumerate(ANSWERED):
            words = [known[name][number] for name in self.tally.targets]
            for word in sorted(set(words)):
                share = by_target[:, [n for n, other in enumerate(words) if other == word]].sum(axis=1)
                if share.any():
                    how = f"of the answered calls, by the {what} that answered"
                    yield self.meter.share(f"{what}.{word}", share, answered, how)


def facets(target: Target) -> tuple[str, str, str, str]:
    """Name, place, operator and transfer tool; what is not declared is unknown."""
    place = target.place
    return target.name, place.where() or UNKNOWN, place.operator or UNKNOWN, place.transfer or UNKNOWN


def of_kind(measured: Mapping[str, Measured], what: str) -> dict[str, Measured]:
    """Those of the measures whose name begins with a word, by the rest of their name."""
    return {name.removeprefix(f"{what}."): one for name, one in measured.items() if name.startswith(f"{what}.")}
