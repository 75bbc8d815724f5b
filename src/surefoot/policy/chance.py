"""The source of chance that policy is given. `random.Random` is one; a seed then fixes every decision."""

from typing import Protocol


class Chance(Protocol):
    """A source of random numbers."""

    def uniform(self, a: float, b: float, /) -> float:
        """Any number from a to b."""
