"""What keeps a drill harmless: the steady state, the rule that aborts it, and the purse.

Steady: every one of a number of healthy calls through the gateway got its whole answer within a bound. Aborted: of the
latest healthy calls beside the drill too many did not, or most were late.

Must never: let a drill begin without a steady state, or spend more than the cap.
"""

from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from surefoot.config.configuration import Configuration
from surefoot.domain.units import Price
from surefoot.errors import DrillError
from surefoot.load import CallResult

WINDOW = 20
"""Latest healthy calls that the abort rule looks at."""

FEWEST = 5
"""Calls below which it says nothing."""

PROMPT_TOKENS, ANSWER_TOKENS = 60, 32
"""Of every drilled call to a real target, at most: what the calls are made of, and what they ask for."""

MILLION = 1_000_000


class Steady(Struct, frozen=True):
    """The healthy calls of one look."""

    asked: int
    answered: int
    """Whole answers within `within` seconds."""
    within: float
    slowest: float | None
    """Seconds of the slowest whole answer; None without any."""
    start: float
    end: float
    """Unix times."""

    @property
    def met(self) -> bool:
        """Whether the gateway was well."""
        return self.asked > 0 and self.answered == self.asked

    @property
    def sentence(self) -> str:
        """What was seen."""
        slowest = "" if self.slowest is None else f", the slowest answer took {self.slowest:.3g} s"
        return f"{self.answered} of {self.asked} healthy calls were answered within {self.within:g} s{slowest}"


def steady(results: Sequence[CallResult], within: float, start: float, end: float) -> Steady:
    """What these calls say."""
    times = [result.e2e for result in results if result.ok]
    good = sum(time <= within for time in times)
    return Steady(len(results), good, within, max(times, default=None), start, end)


class AbortRule:
    """Fed with the healthy calls beside the drill, in the order of their ends."""

    def __init__(self, share: float, within: float) -> None:
        self._share = share
        self._within = within
        self._latest: deque[bool] = deque(maxlen=WINDOW)

    def note(self, result: CallResult) -> str | None:
        """Why the drill must be aborted now, or None."""
        self._latest.append(result.ok and result.e2e <= self._within)
        bad = self._latest.count(False)
        if len(self._latest) < FEWEST or bad <= self._share * len(self._latest):
            return None
        return f"{bad} of the latest {len(self._latest)} healthy calls were not answered within {self._within:g} s"


class Purse:
    """What the drill may spend at real targets. Raises `DrillError` where cap or prices are unknown."""

    def __init__(self, configuration: Configuration, cap: float | None) -> None:
        if cap is None:
            raise DrillError(
                "in front of real targets every call costs money: say how much at most, such as --spend-cap 1"
            )
        unknown = [target.name for target in configuration.targets if target.text is None and target.price is None]
        if unknown:
            raise DrillError(f"in front of real targets every price must be known; missing: {', '.join(unknown)}")
        prices = [target.price for target in configuration.targets if target.price is not None]
        attempts = max(route.limits.attempts for route in configuration.routes)
        self.dearest = attempts * max(cost(price, PROMPT_TOKENS, ANSWER_TOKENS) for price in prices)
        """Dollars that one call can cost at most, with all its attempts."""
        self.cap = cap
        self.reserved = 0.0

    def reserve(self, calls: int) -> bool:
        """Set the most that so many calls can cost aside; False if the cap does not allow that."""
        wanted = self.reserved + calls * self.dearest
        if wanted > self.cap:
            return False
        self.reserved = wanted
        return True


def cost(price: Price, prompt_tokens: int, completion_tokens: int) -> float:
    """Dollars. A price is in dollars per million tokens."""
    return (price.input * prompt_tokens + price.output * completion_tokens) / MILLION
