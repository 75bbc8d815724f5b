"""Which outages a target is in: looked up by a time that never goes back, so that a look costs one comparison.

Must never: draw. Which attempts are struck is the driver's to ask, with the call's own draw.
"""

from collections.abc import Iterable

from surefoot.replay.outages.outage import Outage

_NEVER = float("inf")


class Trouble:
    """The outages of one target. Times are the driver's: Unix seconds less `origin`."""

    __slots__ = ("_ahead", "active", "change", "widest")

    def __init__(self, outages: Iterable[tuple[int, Outage]], origin: float) -> None:
        spans = [(one.start - origin, one.end - origin, index, one) for index, one in outages if one.end > one.start]
        self._ahead = sorted(spans, key=lambda span: (-span[0], -span[2]))
        """Those that have not begun, the next one last."""
        self.active: list[tuple[float, int, Outage]] = []
        """Those that are on, as they have begun: when each ends, its index, and itself."""
        self.change = self._ahead[-1][0] if self._ahead else _NEVER
        """When `active` changes next; to be compared with `now` before each look."""
        self.widest = 0.0
        """The greatest share of calls that one of those that are on strikes: a draw from there up is struck by none."""

    def advance(self, now: float) -> None:
        """Let time pass up to now: an outage is on from its start, and no more at its end."""
        while self._ahead and self._ahead[-1][0] <= now:
            _, end, index, outage = self._ahead.pop()
            self.active.append((end, index, outage))
        self.active = [one for one in self.active if one[0] > now]
        self.widest = max((outage.share for _, _, outage in self.active), default=0.0)
        starts = self._ahead[-1][0] if self._ahead else _NEVER
        self.change = min((end for end, _, _ in self.active), default=_NEVER)
        self.change = min(self.change, starts)
