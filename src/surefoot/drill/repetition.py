"""One drilled call: which fault met it, what became of it, and when. The paper side of a drill is made of these alone.

Knows the definitions of the four failover times. Must never measure anything: the runner does, and `coverage` counts.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec
from msgspec import Struct


class Repetition(Struct, frozen=True):
    """Times are in seconds; None where the thing did not happen or could not be seen. Money is in US dollars."""

    mode: str
    """Name of the fault, as in `drill.catalogue`."""
    route: str
    target: str
    """The target that was made to fail."""
    warm: bool
    """Whether its breaker was open already when the call arrived; such a call says nothing of detection."""
    delivered: bool
    """Whether the twin's log shows that the fault struck. Only such a repetition counts, unless it is warm."""
    mitigated: bool
    """Whether the client had a valid, whole answer within the deadline."""
    passed_off: bool
    """Whether a broken answer ended as if it were whole. Never mitigated."""
    answered_by: str | None
    kind: str
    """Outcome kind of the call."""
    attempts: int
    detect: float | None = None
    """From the fault (the request on the wire; for a stall or a cut, its last content) to the verdict, or to the moment
    at which the next target was asked beside it, if that was sooner."""
    switch: float | None = None
    """From that moment to the request to the next target on the wire."""
    fallback_ttft: float | None = None
    """From that request on the wire to its first content."""
    end_to_end: float | None = None
    """From the intended send time to the end of the answer."""
    ttft: float | None = None
    """From the intended send time to the first content that the client saw."""
    cost: float | None = None
    """Of all its attempts at the targets' prices, losers included; None where a price or a count is unknown."""
    surplus: bool = False
    """Whether it met its fault with a closed breaker when as many as were asked for had done so already. Such a call is
    in no share and no time, so that every mode has the same number; which ones are left out does not depend on how they
    ended, but on the order of the worlds and of the calls in each."""

    @property
    def unaided(self) -> bool:
        """Whether the failing target's own answer was good enough, so that no second attempt was made."""
        return self.mitigated and not self.passed_off and self.attempts == 1 and self.answered_by == self.target


def enough(repetitions: Iterable[Repetition], repeat: int, counted: "Counter[tuple[str, str]]") -> list[Repetition]:
    """The same with everything beyond `repeat` cold ones per route and mode marked as surplus.

    `counted` holds how many there were before, by route and mode, and is brought up to date.
    """
    found: list[Repetition] = []
    for one in repetitions:
        cell = one.route, one.mode
        if one.delivered and not one.warm:
            counted[cell] += 1
        beyond = one.delivered and not one.warm and counted[cell] > repeat
        found.append(msgspec.structs.replace(one, surplus=True) if beyond else one)
    return found
