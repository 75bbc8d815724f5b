"""What is spent on calls, and what each recovery cost: apart for calls in outages, and for all others.

    added     what all calls cost more than without
    recovery  of that, what calls in outages did: attempts that failed, and answers that there are without none of
    steady    the rest: what fallback, hedges and exercise cost while nothing is out

A recovered call cost the recovery's spend, by the calls in outages that were saved less those that were lost: a call
that is answered no more costs nothing any more, and would make the others look cheap. With the steady spend it is *all
in*. Standing costs (commitments, keep-warm) are in neither: the replay does not know them.
Must never: count an unknown price as nothing, or a call that was lost as a saving.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

import numpy as np

from surefoot.evidence.intervals import garwood
from surefoot.evidence.loss import cost_per_recovery
from surefoot.facts import Fact
from surefoot.replay.counting.arranged import OUTAGES, Group, View
from surefoot.replay.counting.numbers import Numbers
from surefoot.replay.counting.tally import NANO, WITHOUT, Sum
from surefoot.replay.virtual.result import Integers

_SPENT = {"": "what calls in outages cost more than without", ".all_in": "what all calls cost more than without"}


@dataclass(frozen=True, slots=True)
class Spending:
    """Of one group of calls, in one arm."""

    make: Numbers
    view: View
    group: Group
    arm: int

    def of_arm(self, name: str) -> Iterator[Fact]:
        """What all attempts cost, and what those cost that did not win."""
        unpriced = self._unpriced(self.view, self.arm)
        yield self._money(f"cost.{name}", self.view.sums(self.arm, Sum.COST), unpriced)
        yield self._money(f"losers.{name}", self.view.sums(self.arm, Sum.EXTRA), unpriced)

    def compared(self, late: str) -> Iterator[Fact]:
        """What was added, on what, and for each recovery. `late` ends the names under a lag."""
        unpriced = max(self._unpriced(self.view, arm) for arm in (self.arm, WITHOUT))
        added = self._added(self.view)
        yield self._money(f"cost.added{late}", added, unpriced)
        if not self.group.everything:
            yield from self._for_each(self.view, added, unpriced, "", late)
            return
        struck = self.view.of.view(OUTAGES)
        of_struck = max(self._unpriced(struck, arm) for arm in (self.arm, WITHOUT))
        recovery = self._added(struck)
        yield self._money(f"cost.recovery{late}", recovery, of_struck)
        yield self._money(f"cost.steady{late}", added - recovery, unpriced)
        yield from self._for_each(struck, recovery, of_struck, "", late)
        yield from self._for_each(self.view, added, unpriced, ".all_in", late)

    def _for_each(self, view: View, added: Integers, unpriced: int, sort: str, late: str) -> Iterator[Fact]:
        spent = int(added.sum()) / NANO
        saved, lost = (int(view.sums(self.arm, what).sum()) for what in (Sum.SAVED, Sum.LOST))
        incidents = int(view.tolls.recovered[:, self.arm].sum())
        for what, recovered, gone in (("call", saved, lost), ("incident", incidents, 0)):
            name = f"cost.per_recovered_{what}{sort}{late}"
            if unpriced:
                yield self.make.missing(name, "dollars", self._calls, self._no_price(unpriced))
            elif spent < 0:
                yield self.make.missing(name, "dollars", recovered, "nothing: these calls cost less than without")
            else:
                yield self._per_recovery(name, _SPENT[sort], spent, recovered, gone)

    def _per_recovery(self, name: str, what: str, spent: float, recovered: int, lost: int) -> Fact:
        point, low, high = per_recovery(spent, recovered, lost)
        less = f" less the {lost} lost, the interval by the far ends of both" if lost else ""
        how = f"{what}, by what was recovered{less}; Garwood's interval of the count"
        why = "infinite: none was recovered" if not lost else f"infinite: {recovered} saved, {lost} lost"
        return self.make.plain(name, "dollars", point, recovered, (low, high), (how, why))

    def _added(self, view: View) -> Integers:
        return view.sums(self.arm, Sum.COST) - view.sums(WITHOUT, Sum.COST)

    @staticmethod
    def _unpriced(view: View, arm: int) -> int:
        """Calls whose cost is not known."""
        return int(view.sums(arm, Sum.UNPRICED).sum())

    @property
    def _calls(self) -> int:
        return int(self.view.sums(WITHOUT, Sum.CALLS).sum())

    def _money(self, name: str, by_week: Integers, unpriced: int) -> Fact:
        if unpriced:
            return self.make.missing(name, "dollars", self._calls, self._no_price(unpriced))
        return self.make.total(name, "dollars", by_week, self._calls, NANO)

    def _no_price(self, unpriced: int) -> str:
        return f"unknown: {unpriced} of {self._calls} calls asked a target without a price"


def per_recovery(spent: float, saved: int, lost: int) -> tuple[float, float, float]:
    """Dollars for each call that was saved, net of the lost, with an interval of 95 %; infinite where none is left.

    Without any lost it is `evidence.cost_per_recovery`. Both counts are Poisson; with lost ones the ends are those of
    Garwood's intervals that lie farthest apart, so that the interval is rather too wide. Raises `EvidenceError` for
    a negative spend or count.
    """
    if not lost:
        found = cost_per_recovery(spent, saved)
        return found.point, found.low, found.high
    (fewest_saved, most_saved), (fewest_lost, most_lost) = garwood(saved), garwood(lost)
    counts = np.array([saved - lost, most_saved - fewest_lost, fewest_saved - most_lost])
    point, low, high = (spent / count if count > 0 else inf for count in counts.tolist())
    return point, low, high
