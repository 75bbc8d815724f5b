"""What is learned of a target's time to first token (TTFT), and the two delays that follow from it.

- The *hedge delay* is an early quantile: past it the next target is asked as well, if the budget allows.
- The *first-token limit* is a late one, times a margin: past it the attempt has failed.

Both are learned per target and prompt-length bucket, apart for streamed calls (whose first content comes early) and
plain ones (whose first content is the whole answer). Samples are folded in batches by `Fleet.tick`, not one by one. An
attempt that was given up counts with the time it had already waited: leaving it out would teach that the target is fast
(survivorship).
"""

from msgspec import Struct

from surefoot.domain.request import BUCKETS
from surefoot.domain.units import Count, Factor, Quantile, Seconds
from surefoot.policy.latest import Latest
from surefoot.policy.suspicion import Suspicion

_WIDTH = len(BUCKETS) + 1
"""Of the table: prompt lengths that are learned apart."""


class FirstTokenOptions(Struct, frozen=True):
    """Bounds of the learned delays. Plain calls, whose first content is the whole answer, have bounds of their own."""

    hedge_quantile: Quantile = 0.95
    """Quantile of the learned TTFT at which the next target is asked as well."""
    limit_quantile: Quantile = 0.99
    """Quantile that the first-token limit is built on."""
    margin: Factor = 1.5
    """The first-token limit is this many times the limit quantile."""
    samples: Count = 20
    """Samples after which a bucket counts as learned."""
    memory: Count = 256
    """Latest samples that are kept per bucket."""
    hedge_floor: Seconds = 0.1
    """Never hedge earlier, on streamed calls."""
    limit_floor: Seconds = 0.5
    """Never give up earlier, on streamed calls."""
    hedge: Seconds = 1.5
    """Hedge delay of a streamed call while nothing is learned."""
    limit: Seconds = 3.0
    """First-token limit of a streamed call while nothing is learned."""
    plain_hedge_floor: Seconds = 1.0
    """Never hedge earlier, on plain calls."""
    plain_limit_floor: Seconds = 3.0
    """Never give up earlier, on plain calls."""
    plain_hedge: Seconds = 15.0
    """Hedge delay of a plain call while nothing is learned."""
    plain_limit: Seconds = 30.0
    """First-token limit of a plain call while nothing is learned."""
    cap: Seconds = 120.0
    """Neither delay is ever longer."""


class Delays(Struct, frozen=True):
    """What is known of one bucket: seconds, and whether it was learned."""

    hedge: float
    limit: float
    median: float | None = None
    """None while nothing is learned."""


class _Bucket:
    """The latest samples of one bucket."""

    __slots__ = ("delays", "fresh", "given_up", "kept")

    def __init__(self, memory: int) -> None:
        self.fresh: list[float] = []
        self.given_up: list[float] = []
        self.kept = Latest(memory)
        self.delays: Delays | None = None
        """As they follow from `kept`; None while too little is."""


class FirstToken:
    """The learned first-token times of one target."""

    __slots__ = ("_all_learned", "_buckets", "_defaults", "_options", "fresh", "noted", "table")

    def __init__(self, options: FirstTokenOptions) -> None:
        self._options = options
        self._buckets = [_Bucket(options.memory) for _ in range(2 * _WIDTH)]
        self.noted = [notes for bucket in self._buckets for notes in (bucket.fresh, bucket.given_up)]
        """Where samples wait for the next fold."""
        self.fresh = [bucket.fresh.append for bucket in self._buckets]
        """`fresh[series](seconds)` notes one sample: a bound append, the cheapest note there is."""
        self.table: list[Delays] = []
        self._defaults = [self._default(plain=plain) for plain in (False, True)]
        self._all_learned = [False, False]
        """Of streamed and of plain calls, whether every bucket has delays of its own."""
        for plain in (False, True):
            self._spread(plain=plain)

    def gave_up(self, series: int, waited: float) -> None:
        """Note what was waited in vain: the content would have taken that long at least."""
        self._buckets[series].given_up.append(waited)

    def fold(self, suspicion: Suspicion) -> None:
        """Take in the fresh samples, and show them to suspicion."""
        if not any(self.noted):
            return
        for series, bucket in enumerate(self._buckets):
            if bucket.fresh or bucket.given_up:
                self._fold(series, bucket, suspicion)

    def _fold(self, series: int, bucket: _Bucket, suspicion: Suspicion) -> None:
        for samples, censored in ((bucket.fresh, False), (bucket.given_up, True)):
            for seconds in samples:
                suspicion.note_first_token(series, seconds, censored=censored)
            bucket.kept.extend(samples)
            samples.clear()
        plain = series >= _WIDTH
        bucket.delays = self._learn(bucket, plain=plain)
        if bucket.delays is not None:
            self.table[series] = bucket.delays
        if not self._all_learned[plain]:  # else nobody takes a neighbour's
            self._spread(plain=plain)

    def learn_from(self, other: "FirstToken") -> None:
        """Take over what another one has learned, as if its folded samples had been seen here."""
        for series, (bucket, known) in enumerate(zip(self._buckets, other._buckets, strict=True)):  # noqa: SLF001 - one of us
            bucket.kept.extend(known.kept)
            bucket.delays = self._learn(bucket, plain=series >= _WIDTH)
        for plain in (False, True):
            self._spread(plain=plain)

    def samples(self) -> int:
        """How many samples are kept, over all buckets."""
        return sum(len(bucket.kept) for bucket in self._buckets)

    def _spread(self, *, plain: bool) -> None:
        """Fill that half of `table`: each series' own delays if learned, else its nearest learned neighbour's.

        Where only longer or shorter prompts are known, a longer one's times are safe to take and a shorter one's only
        as a lower bound: they never take a longer prompt below the defaults.
        """
        first = plain * _WIDTH
        learned = [bucket.delays for bucket in self._buckets[first : first + _WIDTH]]
        self._all_learned[plain] = None not in learned
        default = self._defaults[plain]
        self.table[first : first + _WIDTH] = [
            own if own is not None else _nearest(learned, index, default) for index, own in enumerate(learned)
        ]

    def _default(self, *, plain: bool) -> Delays:
        options = self._options
        hedge, limit = (options.plain_hedge, options.plain_limit) if plain else (options.hedge, options.limit)
        limit = min(limit, options.cap)
        return Delays(min(hedge, limit), limit)  # the Call relies on it that no limit comes before its hedge delay

    def _learn(self, bucket: _Bucket, *, plain: bool) -> Delays | None:
        options = self._options
        count = len(bucket.kept)
        if count < options.samples:
            return None
        ordered = bucket.kept.ordered
        hedge_floor = options.plain_hedge_floor if plain else options.hedge_floor
        limit_floor = options.plain_limit_floor if plain else options.limit_floor
        hedge = min(max(_quantile(ordered, options.hedge_quantile), hedge_floor), options.cap)
        limit = min(max(options.margin * _quantile(ordered, options.limit_quantile), limit_floor, hedge), options.cap)
        return Delays(hedge, limit, _quantile(ordered, 0.5))


def series_of(bucket: int, *, stream: bool) -> int:
    """Index into `FirstToken.table` and `FirstToken.fresh`."""
    return bucket if stream else bucket + _WIDTH


def _nearest(learned: list[Delays | None], index: int, default: Delays) -> Delays:
    for longer in learned[index + 1 :]:
        if longer is not None:
            return longer
    for shorter in reversed(learned[:index]):
        if shorter is not None:
            return Delays(max(shorter.hedge, default.hedge), max(shorter.limit, default.limit), shorter.median)
    return default


def _quantile(ordered: list[float], q: float) -> float:
    """The smallest sample with at least a share q at or below it (the inverse of the empirical distribution)."""
    rank = -int(-(q * len(ordered)) // 1)
    return ordered[max(rank, 1) - 1]
