"""Exercise: a small, capped share of calls begins at a fallback, so that it is known to work before it is needed.

A fallback that nobody asks has cold connections, unlearned times, and perhaps a credential that has run out. The share
is a token bucket (`policy.budget`), paid by the route's own calls, so an exercise is never more than its share of them
over any stretch, plus what was saved up. When the next one is due is drawn by chance, so that it does not keep step
with traffic that has a rhythm of its own.

Knows candidates and their health. Must never add an attempt: the call begins elsewhere, and falls back as any other.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from surefoot.domain.units import Seconds
from surefoot.policy.breaker import Breaker, State
from surefoot.policy.chance import Chance
from surefoot.policy.suspicion import Grade

SAVED = 2.0
"""Most calls that can be saved up for, and the latest point at which one is due; the earliest is half of it."""


class ExerciseOptions(Struct, frozen=True):
    """Which calls may begin at a fallback."""

    deadline: Seconds = 60.0
    """Calls with less time than this left are not used: they may need a second target, and both may be slow."""


class Exercisable(Protocol):
    """What is looked at; `policy.target_state.TargetState` is one."""

    @property
    def breaker(self) -> Breaker:
        """Closed, or it is no exercise but a probe."""

    @property
    def grade(self) -> Grade:
        """Calm, or the call would suffer for it."""

    @property
    def in_flight(self) -> int:
        """Attempts under way."""

    @property
    def slots(self) -> int:
        """Most of them."""


AnyTarget = TypeVar("AnyTarget", bound=Exercisable)


class Exercise:
    """The exercise of one route's fallbacks in one worker. Not to be made where the share is 0."""

    __slots__ = ("_due", "_options", "_rng", "_saved", "_share")

    def __init__(self, share: float, options: ExerciseOptions, rng: Chance) -> None:
        self._share = share
        self._options = options
        self._rng = rng
        self._saved = 0.0
        self._due = rng.uniform(SAVED / 2, SAVED)

    def begin_at(self, admitted: Sequence[AnyTarget], remaining: float) -> AnyTarget | None:
        """The fallback at which this call is to begin; None for the usual one. To be asked once per call.

        `admitted` are the targets that the facts of the request admit, in the route's order, the usual first one first;
        `remaining` are the seconds up to the call's deadline. A route that has itself fallen back is not exercised.
        """
        if len(admitted) < 2 or remaining < self._options.deadline:  # noqa: PLR2004 - one and another
            return None
        self._saved = min(self._saved + self._share, SAVED)
        if self._saved < self._due or not _well(admitted[0]):
            return None
        fallbacks = [target for target in admitted if target is not admitted[0] and _well(target)]
        if not fallbacks:
            return None
        self._saved -= 1.0
        self._due = self._rng.uniform(SAVED / 2, SAVED)
        return fallbacks[min(int(self._rng.uniform(0, len(fallbacks))), len(fallbacks) - 1)]


def _well(target: Exercisable) -> bool:
    calm = target.grade is Grade.CALM and target.breaker.state is State.CLOSED
    return calm and target.in_flight < target.slots
