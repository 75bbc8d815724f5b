"""Which outage of its first target a call arrives in, and how many seconds after that outage's begin.

Where several outages hold at once a call is in the one that began last: what fails then is another thing, which has to
be noticed by itself, so a lag counts from there (`evidence.outages.fallback_worth` counts alike). Begins are included,
ends are not. The gateway's own outages are every call's, where its first target is well: so the minutes in which every
target that is asked first is out are theirs, and not the gateway's. Knows intervals and nothing of how calls end.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from math import inf

import numpy as np

from surefoot.evidence.spans import Span, common, without
from surefoot.replay.outages.outage import GATEWAY, Outage
from surefoot.replay.virtual.result import Floats, Integers

NONE = -1


class Arriving:
    """The outages by target, cut at every begin and end. Calls name their target by its position in `targets`."""

    def __init__(self, outages: Sequence[Outage], targets: Sequence[str]) -> None:
        self._begin = np.array([one.start for one in outages] + [inf])
        self._of = [_cut([(n, one) for n, one in enumerate(outages) if one.target == name]) for name in targets]
        self._gateway = _cut([(n, one) for n, one in enumerate(outages) if one.target == GATEWAY])

    def find(self, target: Integers, at: Floats) -> tuple[Integers, Floats]:
        """For calls to these targets (-1 is none) at these times: index of the outage or -1, seconds after its begin.

        The seconds are infinite in none, and while the gateway is down: who asks there finds nobody, noticed or not.
        """
        outage = np.full(len(at), NONE, np.int64)
        for number, (edges, holds) in enumerate(self._of):
            asked = np.flatnonzero(target == number)
            outage[asked] = holds[np.searchsorted(edges, at[asked], side="right")]
        after = np.where(outage == NONE, inf, at - self._begin[outage])
        edges, holds = self._gateway
        down = holds[np.searchsorted(edges, at, side="right")]
        return np.where(outage == NONE, down, outage), np.where(down == NONE, after, inf)

    def held(self, first: Iterable[int] = ()) -> list[list[Span]]:
        """For each outage when it is the one that a call is in: apart from one another, for outages of one target.

        `first`: which targets calls ask first, `NONE` for calls that ask none. While all of them are out no call is in
        an outage of the gateway.
        """
        found: list[list[Span]] = [[] for _ in self._begin[:-1]]
        for edges, holds in self._of:
            for outage, span in _pieces(edges, holds):
                found[outage].append(span)
        out = self._out(first)
        for outage, span in _pieces(*self._gateway):
            found[outage] += without([span], out)
        return found

    def _out(self, first: Iterable[int]) -> list[Span]:
        """When every one of these targets is out."""
        each = [[] if one == NONE else [span for _, span in _pieces(*self._of[one])] for one in first]
        return reduce(common, each) if each else []


def _pieces(edges: Floats, holds: Integers) -> Iterator[tuple[int, Span]]:
    """The pieces in which an outage holds, and which one."""
    for piece, outage in enumerate(holds[1:-1].tolist()):
        if outage != NONE:
            yield outage, (float(edges[piece]), float(edges[piece + 1]))


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
