"""How far a drill is, and how long it may still take.

Knows: what has been counted, what is left, and how long the waves took that are over.
Must never: read a clock, or promise: before a wave is over there is only an upper bound, which is told as one.
"""

from msgspec import Struct


class Progress(Struct, frozen=True, kw_only=True):
    """Where the drill is. Times in seconds."""

    doing: str
    """The step, in words."""
    modes: tuple[str, ...] = ()
    """What strikes just now."""
    wave: int = 0
    of: int = 0
    """Waves of this round; 0 outside of any."""
    done: int = 0
    total: int = 0
    """Repetitions that count, and how many are asked for."""
    elapsed: float = 0.0
    rest: float | None = None
    """None while nothing is known of it."""
    at_most: bool = False
    """Whether `rest` is an upper bound."""


class Pace:
    """Told of each wave. `now` is any clock's seconds, the same one throughout."""

    def __init__(self) -> None:
        self._left: list[tuple[int, float]] = []
        self._began: float | None = None
        self._worlds = 0
        self._took = 0.0

    def round(self, waves: list[tuple[int, float]]) -> None:
        """These waves are to come: worlds, and the longest each can take."""
        self._left = list(waves)

    def wave_begins(self, now: float) -> None:
        """The first of those that are left."""
        self._began = now

    def wave_ends(self, now: float) -> None:
        """It is over."""
        worlds, _ = self._left.pop(0)
        if self._began is not None:
            self._worlds += worlds
            self._took += now - self._began
        self._began = None

    def rest(self, now: float) -> tuple[float | None, bool]:
        """Seconds that are left of this round, and whether that is an upper bound; none once it has proved wrong."""
        if not self._left:
            return None, False
        if self._worlds:
            left = sum(worlds for worlds, _ in self._left) * self._took / self._worlds
        else:
            left = sum(longest for _, longest in self._left)
        left -= 0.0 if self._began is None else now - self._began
        return (left, not self._worlds) if left > 0 else (None, False)
