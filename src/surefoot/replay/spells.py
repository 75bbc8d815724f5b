"""Which outage of its first target a call lies in, and how long that target had been out when it arrived.

Outages of one target that overlap or touch are one *spell*: whoever has moved away because of the first has moved away
from the second as well, so a lag counts from the spell's begin. Where several outages hold, a call lies in the one that
began last. Starts are included, ends are not. Knows intervals and nothing of calls' ends.
"""

from collections.abc import Sequence
from math import inf

import numpy as np

from surefoot.replay.outage import Outage
from surefoot.replay.result import Floats, Integers

NONE = -1


class Spells:
    """The outages by target, cut at every start and end. Positions in `targets` are what calls name their target by."""

    def __init__(self, outages: Sequence[Outage], targets: Sequence[str]) -> None:
        self._of = [_cut([(n, one) for n, one in enumerate(outages) if one.target == name]) for name in targets]

    def find(self, target: Integers, at: Floats) -> tuple[Integers, Floats]:
        """For calls to these targets (-1 is none) at these times: index of the outage or -1, seconds into the spell.

        The seconds are infinite outside of any spell.
        """
        outage = np.full(len(at), NONE, np.int64)
        into = np.full(len(at), inf)
        for number, (edges, holds, begun) in enumerate(self._of):
            if len(edges):
                asked = np.flatnonzero(target == number)
                piece = np.searchsorted(edges, at[asked], side="right")
                outage[asked] = holds[piece]
                into[asked] = np.where(holds[piece] == NONE, inf, at[asked] - begun[piece])
        return outage, into


def _cut(outages: list[tuple[int, Outage]]) -> tuple[Floats, Integers, Floats]:
    """Edges in order; for the piece before each and after the last one: the outage that holds, the spell's begin."""
    starts = sorted((one.start, n, one.end) for n, one in outages if one.end > one.start)
    edges = sorted({edge for start, _, end in starts for edge in (start, end)})
    holds, begun = [NONE], [inf]
    active: list[tuple[float, int, float]] = []
    waiting = iter([*starts, (inf, NONE, inf)])
    following = next(waiting)
    for edge in edges:
        ended = max((end for _, _, end in active), default=-inf)
        active = [one for one in active if one[2] > edge]
        if following[0] == edge and not active and ended < edge:
            begun.append(edge)
        else:
            begun.append(begun[-1])
        while following[0] == edge:
            active.append(following)
            following = next(waiting)
        holds.append(max(active)[1] if active else NONE)
    return np.array(edges), np.array(holds, np.int64), np.array(begun)
