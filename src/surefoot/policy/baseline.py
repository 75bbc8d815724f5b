"""What is normal for one quantity of one target: the middle and the scatter of its logarithm, slowly moving.

Logarithms, because times and rates scatter by factors: twice as slow is as far off for a fast target as for a slow one.
Both figures are robust: one sample moves them only as far as one that is moderately off would.

Knows numbers alone, not what they measure. Must never learn from what its owner does not hold for healthy: when to
teach it is the owner's decision.
"""

from math import exp, fsum
from statistics import median

_PER_DEVIATION = 1.2533
"""Standard deviation of a normal quantity per mean absolute deviation: sqrt(pi/2)."""
_REACH = 2.0
"""Spreads from the middle beyond which a sample pulls no harder (Huber 1964, Robust Estimation of a Location)."""
_SCATTER = 3.0
"""Spreads beyond which a deviation widens the spread no further."""


class Baseline:
    """The middle and the spread of one quantity.

    `samples` teach it at once, then it moves by one share per lesson: as a plain mean of its lessons while these are
    few, later as a mean that forgets with the time constant `memory` (seconds). A lesson may hold any number of
    samples, so that a thousand calls a second do not make it forget any faster.
    """

    __slots__ = ("_early", "_least", "_lessons", "_memory", "_samples", "_spread", "_taught_at", "centre")

    def __init__(self, samples: int, least_spread: float, memory: float) -> None:
        self._samples = samples
        self._least = least_spread
        self._memory = memory
        self._early: list[float] = []
        self._lessons = samples
        self._spread = 0.0
        self._taught_at = 0.0
        self.centre: float | None = None
        """Middle of the logarithms; None while nothing is learned."""

    @property
    def spread(self) -> float:
        """Standard deviation of the logarithms, never below the least that counts."""
        return max(self._spread, self._least)

    def excesses(self, values: list[float], most: float) -> list[float]:
        """How far logarithms lie above the middle, in spreads, by `most` at most; 0 while nothing is learned."""
        if self.centre is None:
            return [0.0] * len(values)
        centre, spread = self.centre, self.spread
        return [min(max((value - centre) / spread, -most), most) for value in values]

    def learn(self, values: list[float], now: float) -> None:
        """Take in one lesson of logarithms, in any order."""
        if self.centre is None:
            self._begin(values)
        else:
            self._lessons += 1
            lately = 1.0 - exp((self._taught_at - now) / self._memory)
            share = min(max(1.0 / self._lessons, lately), 1.0 / (self._samples + 1))
            centre, spread = self.centre, self.spread
            reach, scatter = _REACH * spread, _SCATTER * spread
            pulls: list[float] = []
            widths: list[float] = []
            for value in values:  # one loop: this is in every tick of a replay
                off = value - centre
                pulls.append(min(max(off, -reach), reach))
                widths.append(min(abs(off), scatter))
            self.centre = centre + share * (fsum(pulls) / len(pulls))
            self._spread += share * (_PER_DEVIATION * fsum(widths) / len(widths) - self._spread)
        self._taught_at = now

    def _begin(self, values: list[float]) -> None:
        self._early += values
        if len(self._early) >= self._samples:
            self.centre = centre = median(self._early)
            self._spread = _PER_DEVIATION * fsum(abs(value - centre) for value in self._early) / len(self._early)
            self._early = []
