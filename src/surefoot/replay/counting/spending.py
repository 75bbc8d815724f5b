"""What is spent on calls, and what each recovery cost: apart for calls in outages, and for all others.

    added     what all calls cost more than without
    recovery  of that, what calls in outages did: attempts that failed, and answers that there are without none of
    steady    the rest: what fallback, hedges and exercise cost while nothing is out

A recovered call cost the recovery's spend, by the calls in outages that were saved less those that were lost: a call
that is answered no more costs nothing any more, and would make the others look cheap. With the steady spend it is *all
in*. Its interval is of weeks drawn again: calls of one outage are saved together, and are no Poisson count. Incidents
are one. Standing costs (commitments, keep-warm) are in neither: the replay does not know them.
Must never: count an unknown price as nothing, or a call that was lost as a saving.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, isfinite, nan

import numpy as np

from surefoot.evidence.loss import cost_per_recovery
from surefoot.replay.counting.arranged import OUTAGES, Group, View
from surefoot.replay.counting.numbers import Measured, Numbers
from surefoot.replay.counting.tally import NANO, WITHOUT, Sum
from surefoot.replay.virtual.result import Floats, Integers

_SPENT = {"": "what calls in outages cost more than without", ".all_in": "what all calls cost more than without"}


@dataclass(frozen=True, slots=True)
class Spending:
    """Of one group of calls, in one arm."""

    make: Numbers
    view: View
    group: Group
    arm: int

    def of_arm(self, name: str) -> Iterator[Measured]:
        """What all attempts cost, and what those cost that did not win."""
        unpriced = self._unpriced(self.view, self.arm)
        yield self._money(f"cost.{name}", self.view.sums(self.arm, Sum.COST), unpriced)
        yield self._money(f"losers.{name}", self.view.sums(self.arm, Sum.EXTRA), unpriced)

    def compared(self, late: str) -> Iterator[Measured]:
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

    def _for_each(self, view: View, added: Integers, unpriced: int, sort: str, late: str) -> Iterator[Measured]:
        spent = int(added.sum()) / NANO
        saved, lost = (view.sums(self.arm, what) for what in (Sum.SAVED, Sum.LOST))
        incidents = int(view.tolls.recovered[:, self.arm].sum())
        for what, recovered in (("call", int(saved.sum())), ("incident", incidents)):
            name = f"cost.per_recovered_{what}{sort}{late}"
            if unpriced:
                yield self.make.missing(name, "dollars", self._calls, self._no_price(unpriced))
            elif spent < 0:
                yield self.make.missing(name, "dollars", recovered, "nothing: these calls cost less than without")
            elif what == "call":
                yield self._per_call(name, _SPENT[sort], added, saved, lost)
            else:
                yield self._per_incident(name, _SPENT[sort], spent, recovered)

    def _per_call(self, name: str, what: str, added: Integers, saved: Integers, lost: Integers) -> Measured:
        """By week drawn again, spend and calls together."""
        many, gone = int(saved.sum()), int(lost.sum())
        weights = self.view.of.weights
        value = float(per_recovery(added.sum(keepdims=True) / NANO, (saved - lost).sum(keepdims=True))[0])
        resampled = None if weights is None else per_recovery((weights @ added) / NANO, weights @ (saved - lost))
        how = f"{what}, by what was recovered{f' less the {gone} lost' if gone else ''}"
        why = f"infinite: {many} saved, {gone} lost" if gone else "infinite: none was recovered"
        return self.make.made(name, "dollars", (value if isfinite(value) else None, many), how, resampled, why)

    def _per_incident(self, name: str, what: str, spent: float, recovered: int) -> Measured:
        point, low, high = cost_per_recovery(spent, recovered)
        words = f"{what}, by what was recovered; Garwood's interval of the count", "infinite: none was recovered"
        return self.make.plain(name, "dollars", point, recovered, (low, high), words)

    def _added(self, view: View) -> Integers:
        return view.sums(self.arm, Sum.COST) - view.sums(WITHOUT, Sum.COST)

    @staticmethod
    def _unpriced(view: View, arm: int) -> int:
        """Calls whose cost is not known."""
        return int(view.sums(arm, Sum.UNPRICED).sum())

    @property
    def _calls(self) -> int:
        return int(self.view.sums(WITHOUT, Sum.CALLS).sum())

    def _money(self, name: str, by_week: Integers, unpriced: int) -> Measured:
        if unpriced:
            return self.make.missing(name, "dollars", self._calls, self._no_price(unpriced))
        return self.make.total(name, "dollars", by_week, self._calls, NANO)

    def _no_price(self, unpriced: int) -> str:
        return f"unknown: {unpriced} of {self._calls} calls asked a target without a price"


def per_recovery(spent: Floats, recovered: Integers) -> Floats:
    """Dollars for each call that was saved, net of the lost, draw by draw.

    Infinite where money was spent and none is left; NaN where none is left and none was spent, or some was spared.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(recovered > 0, spent / recovered, np.where(spent > 0, inf, nan))
