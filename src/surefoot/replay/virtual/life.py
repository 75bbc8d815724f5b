"""What the driver holds of a call that is under way, and of each of its attempts.

Bare records, moved by the driver alone. Times are on its virtual clock. Must never decide anything.
"""

from surefoot.policy.call import Call
from surefoot.replay.models.capacity import Capacity
from surefoot.replay.outages.modes import Play, Way
from surefoot.replay.virtual.books import Books

NEVER = float("inf")


class Life:
    """One call: the driver's counterpart of the gateway's exchange."""

    __slots__ = ("alarm", "books", "call", "delivered", "idle", "legs", "over", "row", "spoke", "winner")

    def __init__(self, books: Books, row: int, call: Call, idle: float) -> None:
        self.books = books
        self.row = row
        self.call = call
        self.idle = idle
        """The idle limit of its route."""
        self.legs: list[Leg] = []
        self.winner: Leg | None = None
        self.spoke: float | None = None
        """When the client had its first content."""
        self.delivered = 0
        """Tokens that it had when its answer broke, if that goes on elsewhere."""
        self.alarm = NEVER
        """The earliest time at which it will be woken, as far as that is on the agenda."""
        self.over = False

    def part(self) -> None:
        """Legs and call know one another: parted, they are freed now and not by the next collection."""
        self.legs = []
        self.winner = None


class Leg:
    """One attempt: the counterpart of the gateway's leg."""

    __slots__ = (
        "begins", "good", "life", "next_at", "number", "over", "place", "play", "shown", "smooth", "step", "target",
        "way",
    )  # fmt: skip

    def __init__(self, life: Life, number: int, target: int, way: Way, play: Play, begins: float) -> None:
        self.life = life
        self.number = number
        self.target = target
        """Index, as the configuration lists it."""
        self.way = way
        self.play = play
        self.step = 0
        """Of its play, the next one."""
        self.begins: float | None = begins
        """When the target took it up; None while it waits in the target's queue."""
        self.next_at = NEVER
        """When its next step comes."""
        self.good = False
        """Whether the target does what its model says: no outage strikes it, no limit, and it is no static one."""
        self.smooth = False
        """Whether, once it has begun to speak, no clock of the Call can find anything wrong before it is whole."""
        self.place: Capacity[Leg] | None = None
        """Where it holds a place, or waits for one until it begins."""
        self.shown = 0
        """Tokens of a broken answer that its prompt holds."""
        self.over = False

    def said(self, now: float) -> tuple[int, float]:
        """Tokens that it has said by now, and when the last of them came."""
        begins = now if self.begins is None else self.begins
        count, last = self.play.said(now - begins)
        return count, begins + last


class Shadow(Leg):
    """Holds the place that an attempt would have had, had no outage struck it, for as long. Nobody hears of it."""

    __slots__ = ("of",)

    def __init__(self, leg: Leg, now: float) -> None:
        """Of an attempt whose play is still the healthy one."""
        super().__init__(leg.life, leg.number, leg.target, leg.way, leg.play, now)
        self.of: Leg | None = None
        """The attempt, if it has to wait until its shadow has the place."""

    def until(self, now: float) -> float:
        """When it is over if it begins now: whole, or given up by the call's idle limit or its deadline."""
        life, play = self.life, self.play
        lasts = play.steps[-1].after if play.gap <= life.idle else play.first + life.idle
        return min(now + lasts, life.call.deadline)
