"""A suspicion on given time and given samples, for the tests of what it makes of them."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from math import exp
from random import Random

from hypothesis import settings

from surefoot.policy.suspicion import Grade, Suspicion, SuspicionOptions

LAW = settings(derandomize=True, max_examples=30, deadline=None, database=None)
SERIES = 1
USUAL = 0.5
SIGMA = 0.4
"""Spread of the logarithm of first-token times, as hosted models have it."""


class Watched:
    """A suspicion on given time, and every grade it had: one sample per step, unless told otherwise."""

    def __init__(
        self, seed: int = 1, usual: float = USUAL, sigma: float = SIGMA, options: SuspicionOptions | None = None
    ) -> None:
        self.suspicion = Suspicion(options or SuspicionOptions())
        self.now = 1_000.0
        self.grades = [Grade.CALM]
        self.opens = 0
        self._rng = Random(seed)  # noqa: S311 - samples, not a secret
        self._usual = usual
        self._sigma = sigma

    def grade(self) -> Grade:
        return self.suspicion.grade

    @property
    def changes(self) -> int:
        return sum(before is not after for before, after in pairwise(self.grades))

    def time(self, slowdown: float = 1.0) -> float:
        return slowdown * self._usual * exp(self._rng.gauss(0.0, self._sigma))

    def tick(self, after: float = 1.0) -> None:
        self.now += after
        self.opens += self.suspicion.tick(self.now)
        self.grades.append(self.suspicion.grade)

    def sees(self, number: int, slowdown: float = 1.0, every: float = 1.0) -> "Watched":
        for _ in range(number):
            self.suspicion.note_first_token(SERIES, self.time(slowdown))
            self.tick(every)
        return self

    def sees_until(self, grade: Grade, slowdown: Callable[[int], float], most: int = 1_000, every: float = 1.0) -> int:
        """Samples until this grade is reached."""
        for number in range(1, most + 1):
            self.sees(1, slowdown(number), every)
            if self.grade() is grade:
                return number
        raise AssertionError(f"not {grade.name} after {most} samples, but {self.grade().name}")


def exact(times: Iterable[float]) -> Suspicion:
    """A suspicion that has seen 30 times of USUAL, and then these, one a second."""
    suspicion = Suspicion(SuspicionOptions())
    for second, seconds in enumerate([USUAL] * 30 + list(times)):
        suspicion.note_first_token(SERIES, seconds)
        suspicion.tick(float(second))
    return suspicion
