"""Which outage of its first target a call arrives in, and how many seconds after that outage's begin.

Where several outages hold at once a call is in the one that began last: what fails then is another thing, which has to
be noticed by itself, so a lag counts from there (`evidence.outages.fallback_worth` counts alike). Begins are included,
ends are not. The gateway's own outages are every call's, where its first target is well.
Knows intervals and nothing of how calls end.
"""

from collections.abc import Iterable, Sequence
from math import inf

import numpy as np

from surefoot.evidence.spans import Span
from surefoot.replay.outage import GATEWAY, Outage
from surefoot.replay.result import Floats, Integers

NONE = -1


class Arriving:
    """The outages by target, cut at every begin and end. Calls name their target by its position in `targets`."""

    def __init__(self, outages: Sequence[Outage], targets: Sequence[str]) -> None:
        self._begin = np.array([one.start for one in outages] + [inf])
        self._of = [_cut([(n, one) for n, one in enumerate(outages) if one.target == name]) for name in targets]
        self._gateway = _cut([(n, one) for n, one in enumerate(outages) if one.target == GATEWAY])

    def find(self, target: Integers, at: Floats) -> tuple[Integers, Floats]:
        """For calls to these targets (-1 is none) at these times: index of the outage or -1, seconds after its begin.

        The seconds are never those of an outage of the gateway, and infinite in none.
        """
        outage = np.full(len(at), NONE, np.int64)
        for number, (edges, holds) in enumerate(self._of):
            asked = np.flatnonzero(target == number)
            outage[asked] = holds[np.searchsorted(edges, at[asked], side="right")]
        after = np.where(outage == NONE, inf, at - self._begin[outage])
        edges, holds = self._gateway
        return np.where(outage == NONE, holds[np.searchsorted(edges, at, side="right")], outage), after

    def held(self) -> list[list[Span]]:
        """For each outage when it is the one that a call is in: apart from one another, for outages of one target."""
        found: list[list[Span]] = [[] for _ in self._begin[:-1]]
        for edges, holds in (*self._of, self._gateway):
            for piece, outage in enumerate(holds[1:-1].tolist()):
                if outage != NONE:
                    found[outage].append((float(edges[piece]), float(edges[piece + 1])))
        return found


def _cut(outages: Iterable[tuple[int, Outage]]) -> tuple[Floats, Integers]:
    """Every begin and end in order, and for the piece before each and after the last one the outage that holds."""
    begins = sorted((one.start, n, one.end) for n, one in outages if one.end > one.start)
    edges = sorted({edge for start, _, end in begins for edge in (start, end)})
    holds = [NONE]
    active: list[tuple[float, int, float]] = []
    for edge in edges:
        while begins and begins[0][0] <= edge:
            active.append(begins.pop(0))
        active = [one for one in active if one[2] > edge]
        holds.append(max(active)[1] if active else NONE)
    return np.array(edges), np.array(holds, np.int64)
