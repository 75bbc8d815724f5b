"""Them or us: when all targets stop answering at once, the fault is more likely on this side.

A breaker that opens because the gateway's own line, name server or processor is ill closes a target that is well, and
keeps it closed when the line is back. So the question is asked at the moment a breaker would trip.

Signs of *us* are failures without any answer: no connection, no handshake, a reset, silence, a late first token. A
status, whichever, proves that our side works, as an answer does. What breaks off or stalls after content says neither.

- *Every* target that was asked within the window must have failed so at its latest sign, since anybody's last answer.
  Targets that nobody asked in it are not counted: nothing is known of them, and each call that fails asks the next.
- At least two of them. If one was asked, or there is but one, it is *them*: a breaker must work there too.
- Two targets that share a cloud fail together when that cloud does. From here that looks the same as our own fault and
  is treated so, whatever `Target.domains` says: asking them is then in vain, but they are back the moment it is. A
  third target elsewhere that answers settles it.

Knows names and times. Must never open or close anything.
"""

from msgspec import Struct

from surefoot.domain.outcome import Kind
from surefoot.domain.units import Seconds

ANSWERLESS = frozenset({Kind.CONNECT, Kind.TLS, Kind.RESET, Kind.SILENCE, Kind.SLOW_FIRST_TOKEN})
"""Failures in which nothing was heard that only the provider could have said."""

ANSWERED = frozenset(
    {
        Kind.SERVER_ERROR, Kind.OVERLOAD, Kind.RATE_LIMIT, Kind.QUOTA, Kind.AUTH, Kind.MODEL_GONE, Kind.BAD_REQUEST,
        Kind.EMPTY, Kind.MALFORMED, Kind.DIVERGED, Kind.CONTENT_FILTER, Kind.CONTEXT_OVERFLOW,
    }
)  # fmt: skip
"""Failures that the provider itself told us of."""

_NEVER = float("-inf")


class ThemOrUsOptions(Struct, frozen=True):
    """How far back the signs of other targets count."""

    window: Seconds = 120.0
    """Signs that are older say nothing. Long enough for one call a minute."""


class _Signs:
    """When a target last answered, last failed without an answer, and was last suspected of being slow."""

    __slots__ = ("answered", "failed", "slow")

    def __init__(self) -> None:
        self.answered = _NEVER
        self.failed = _NEVER
        self.slow = _NEVER


class ThemOrUs:
    """What all targets of a Fleet show at once."""

    __slots__ = ("_options", "signs")

    def __init__(self, options: ThemOrUsOptions) -> None:
        self._options = options
        self.signs: dict[str, _Signs] = {}
        """By target. While it is empty there is no bad sign to refute, and successes need not be told."""

    def failed(self, target: str, kind: Kind, now: float) -> None:
        """An attempt has failed. To be told before its breaker asks `ours`."""
        if kind in ANSWERLESS:
            signs = self._of(target)
            signs.failed = max(signs.failed, now)
        elif kind in ANSWERED:
            self.succeeded(target, now)

    def succeeded(self, target: str, now: float) -> None:
        """A target has said something."""
        if self.signs:
            signs = self._of(target)
            signs.answered = max(signs.answered, now)

    def suspected(self, target: str, now: float) -> None:
        """A target is under suspicion, of whatever grade; to be told at every tick while it is."""
        signs = self._of(target)
        signs.slow = max(signs.slow, now)

    def ours(self, now: float) -> bool:
        """Whether all fail at once: then no failure may open a breaker."""
        if not self.signs:
            return False
        since = now - self._options.window
        asked = [signs for signs in self.signs.values() if max(signs.failed, signs.answered) >= since]
        answered = max((signs.answered for signs in asked), default=_NEVER)
        return len(asked) > 1 and all(signs.failed > answered for signs in asked)

    def slowed(self, now: float) -> bool:
        """Whether all are slow, or failing, at once: then suspicion may neither open a breaker nor double the load.

        A slow answer is an answer and refutes `ours`; only the answer of a target without suspicion refutes this.
        """
        if not self.signs:
            return False
        since = now - self._options.window
        asked = [s for s in self.signs.values() if max(s.failed, s.answered, s.slow) >= since]
        return len(asked) > 1 and all(s.slow >= since or s.failed > s.answered for s in asked)

    def tick(self, now: float) -> None:
        """Forget everything once no bad sign is left within the window."""
        if not self.signs:
            return
        since = now - self._options.window
        if all(max(signs.failed, signs.slow) < since for signs in self.signs.values()):
            self.signs.clear()

    def _of(self, target: str) -> _Signs:
        signs = self.signs.get(target)
        if signs is None:
            signs = self.signs[target] = _Signs()
        return signs
