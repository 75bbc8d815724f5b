"""The latest samples of one quantity, kept in order of size as they come: a quantile is a look, and no sorting.

Knows numbers alone. Must never hold more than it was told to.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator


class Latest:
    """At most so many; the oldest go first. `ordered` are the same, the smallest first; it may be read at any time."""

    __slots__ = ("_arrived", "_most", "ordered")

    def __init__(self, most: int) -> None:
        self._most = most
        self._arrived: deque[float] = deque()
        self.ordered: list[float] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self.ordered)

    def __iter__(self) -> Iterator[float]:
        """As they came."""
        return iter(self._arrived)

    def extend(self, values: Iterable[float]) -> None:
        """Take in some, in the order in which they came."""
        arrived, ordered = self._arrived, self.ordered
        for value in values:
            if len(arrived) == self._most:
                del ordered[bisect_left(ordered, arrived.popleft())]
            arrived.append(value)
            insort(ordered, value)
