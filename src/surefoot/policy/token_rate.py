"""How fast a target speaks once it has begun, and below which rate an answer under way is a *slow drip*.

An answer that drips never rings an idle limit: there is always a little more. It is compared with the target's own
distribution instead. A drip is a verdict only before the commit point, so for plain calls that are watched; of a
streamed answer the rate is noted when it ends, and feeds the suspicion of its target.

Knows tokens and seconds. How tokens are counted is the driver's affair (an estimate will do), as long as it counts
those that teach and those that are judged alike.
"""

from msgspec import Struct

from surefoot.domain.units import Count, Quantile, Seconds, Share
from surefoot.policy.latest import Latest

_FASTEST = 1_000.0
"""Tokens per second above which a rate counts as this: the answer lay ready, or came in one segment."""


class TokenRateOptions(Struct, frozen=True):
    """When an answer under way is a slow drip."""

    quantile: Quantile = 0.25
    """Quantile of the learned rates that the floor is built on."""
    share: Share = 0.2
    """Below this share of the quantile an answer drips. For a healthy target that is about a seventh of its median."""
    most: Count = 10
    """Tokens per second; an answer that is faster never drips, for it is faster than it can be read."""
    samples: Count = 20
    """Answers after which the rate counts as learned."""
    memory: Count = 256
    """Latest answers that are kept."""
    answer: Count = 16
    """Tokens from which an answer teaches, if it took less than `seconds`."""
    tokens: Count = 4
    """No verdict on fewer."""
    seconds: Seconds = 5.0
    """No verdict earlier after the first content."""


class TokenRate:
    """The learned rates of one target."""

    __slots__ = ("_kept", "_options", "floor", "fresh")

    def __init__(self, options: TokenRateOptions) -> None:
        self._options = options
        self.fresh: list[tuple[int, float]] = []
        """Where answers wait for the next fold."""
        self._kept = Latest(options.memory)
        self.floor: float | None = None
        """Tokens per second below which an answer drips; None while too little is known."""

    def note(self, tokens: int, seconds: float) -> None:
        """An answer has ended: tokens after its first content, and the seconds from there to its latest.

        One that was given up for dripping counts too. So a slowness that lasts for a quarter of the memory becomes
        what is normal, and does not keep a target out for ever.
        """
        self.fresh.append((tokens, seconds))

    def fold(self) -> list[float]:
        """Take in what was noted; returns the rates that counted, in tokens per second."""
        if not self.fresh:
            return []
        options = self._options
        rates = [
            min(tokens / seconds, _FASTEST)
            for tokens, seconds in self.fresh
            if seconds > 0 and tokens >= (options.tokens if seconds >= options.seconds else options.answer)
        ]
        self.fresh.clear()
        if rates:
            self._kept.extend(rates)
            if len(self._kept) >= options.samples:
                low = self._kept.ordered[int(options.quantile * len(self._kept))]
                self.floor = min(options.share * low, float(options.most))
        return rates

    def verdict(self, tokens: int, seconds: float) -> bool:
        """Whether an answer under way is a slow drip: tokens after its first content, seconds from there to its latest.

        To its latest, not to now: a pause is the idle limit's to judge. So the question is due when a piece comes.
        """
        options = self._options
        if self.floor is None or seconds < options.seconds or tokens < options.tokens:
            return False
        return tokens < self.floor * seconds
