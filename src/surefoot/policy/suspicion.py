"""Suspicion of one target: a slow decline is noticed and traffic moved before any limit rings.

Every first-token time is compared with what is normal for its series, every token rate with the target's own, in
logarithms and in units of their usual spread (`policy.baseline`). The mean of these *excesses* since the last step is
added up by a one-sided CUSUM (Page 1954, Continuous Inspection Schemes, Biometrika 41):

    sum = max(0, sum x fade + excess - drift)

A target that is as it was pulls the sum to zero; one that is slower than the drift lets it grow without end. There are
three sums, with a drift for each grade: the threshold says how certain it must be, the drift how slow. A target that is
surely, but only somewhat, slower than it was is asked after others and never closed.

    grade          drift        least slowdown that can reach it, at a spread of 0.4 (a healthy lognormal TTFT)
    PREFER_OTHERS  0.75         x 1.35
    HEDGE_AT_ONCE  1.5          x 1.8
    OPEN           3            x 3.3

With drift k = 0.75 and threshold h = 7 a false alarm comes once in 185,000 healthy steps, by Siegmund's approximation
for independent normal ones (1985, Sequential Analysis: (exp(2k(h + 1.166)) - 1 - 2k(h + 1.166)) / 2k^2); simulated with
learned baselines, 4 in 500,000. Heavier tails cost more: if one sample in fifty is several times as slow, about one in
20,000. A target that turns twice as slow (1.7 spreads) is found after about 8 steps. At high rates a step is the mean
of many samples, and false alarms are rarer still.

Knows no clock and no other target. Must never see a prompt, and never decide what follows from a grade.
"""

from collections import defaultdict
from enum import IntEnum
from math import fsum, log

from msgspec import Struct

from surefoot.domain.units import Count, Seconds, Share, Spreads
from surefoot.policy.baseline import Baseline

_CLIP = 4.0
"""Spreads beyond which an excess counts no more: no one or two samples, however slow, reach a threshold of 7."""
_MOST = 1.5
"""A sum is never more than so many thresholds, so that recovery takes no longer the longer the illness was."""
_RELEASE = 0.25
"""A grade is left once its sum is below this share of the threshold: far from where it was entered, so no flapping."""
_JUDGED = 32
"""Most samples of a series that are judged in one step: a mean of more would be no surer, only dearer."""
_LEAST_RATE = 0.001
"""Tokens per second below which a rate counts as this."""


class SuspicionOptions(Struct, frozen=True):
    """How slow, and how surely so, a target must have become before it is suspected."""

    drift: Spreads = 0.75
    """Slowdown that is never suspicious, in spreads; above it others are preferred."""
    hedge_drift: Spreads = 1.5
    """Slowdown up to which the target is not hedged at once, in spreads."""
    open_drift: Spreads = 3.0
    """Slowdown up to which suspicion does not open the breaker, in spreads."""
    threshold: Spreads = 7.0
    """Sum of excesses above the drift that counts as certain, in spreads."""
    samples: Count = 30
    """Samples after which a series is judged."""
    least_spread: Share = 0.25
    """A target that scatters less is judged as if it scattered so: as a share, roughly, of its usual time."""
    least: Seconds = 0.05
    """Shorter first-token times count as this: nobody feels the difference."""
    pace: Seconds = 0.5
    """Least time between two steps. A burst inside is one step, and a grade moves by one per step."""
    half_life: Seconds = 600.0
    """Time in which suspicion halves if nothing is heard of the target."""
    trial: Seconds = 5.0
    """Time after which one call asks a suspected target first again, so that it can clear itself."""
    memory: Seconds = 3_600.0
    """Time over which what is normal follows a target that slowly changes."""
    patience: Seconds = 3_600.0
    """Time after which a target that is still suspected is learned anew: this is how it is now."""


class Grade(IntEnum):
    """Grades of suspicion: each includes those before it."""

    CALM = 0
    PREFER_OTHERS = 1
    HEDGE_AT_ONCE = 2
    OPEN = 3


_OPEN = Grade.OPEN  # looked up through its class, a member costs 40 ns each time


_CALM = (0.0, 0.0, 0.0)
"""The sums of one that nothing speaks against."""


class _Signal:
    """One sort of measurement: fresh samples by series and whether they were censored, and a sum for each grade.

    `sign` is 1 where more is worse and -1 where less is; smaller values than `least` count as that.
    """

    __slots__ = ("_baselines", "_least", "_least_drift", "_lessons", "_options", "_sign", "fresh", "sums")

    def __init__(self, options: SuspicionOptions, sign: int, least: float) -> None:
        self._options = options
        self._sign = sign
        self._least = least
        self._least_drift = min(options.drift, options.hedge_drift, options.open_drift)
        self._baselines: dict[int, Baseline] = {}
        self._lessons: dict[Baseline, list[float]] = {}
        """What the last step can teach, if its target is held for healthy."""
        self.fresh: defaultdict[tuple[int, bool], list[float]] = defaultdict(list)
        self.sums = _CALM

    def step(self, fade: float) -> float | None:
        """Judge the fresh samples; returns their mean excess, None if they say nothing."""
        self._lessons = {}
        excess = self._judge() if self.fresh else None
        if self.sums == _CALM and (excess is None or excess <= self._least_drift):
            return excess  # the common case
        options = self._options
        one, two, three = (total * fade for total in self.sums)
        if excess is not None:
            most = _MOST * options.threshold
            one = min(max(one + excess - options.drift, 0.0), most)
            two = min(max(two + excess - options.hedge_drift, 0.0), most)
            three = min(max(three + excess - options.open_drift, 0.0), most)
        self.sums = (one, two, three)
        return excess

    def learn(self, now: float) -> None:
        """Teach the baselines what was judged last."""
        for baseline, values in self._lessons.items():
            baseline.learn(values, now)

    def forget(self) -> None:
        """Begin anew."""
        self._baselines.clear()
        self.sums = _CALM

    def _judge(self) -> float | None:
        """The mean excess of the fresh samples. They are fresh no more."""
        sign, least = self._sign, self._least
        telling: list[float] = []
        for (series, censored), values in self.fresh.items():
            baseline = self._baselines.get(series) or self._begin(series)
            told = _thinned(values) if len(values) > _JUDGED else values
            logs = [sign * log(max(value, least)) for value in told]
            if baseline.centre is not None:
                excesses = baseline.excesses(logs, _CLIP)
                if censored:  # it was at least so slow: it can accuse, but never acquit, nor teach what the middle is
                    excesses = [excess for excess in excesses if excess > self._options.drift]
                    logs = [value for value in logs if value > baseline.centre]
                telling += excesses
            if logs:
                self._lessons[baseline] = self._lessons.get(baseline, []) + logs
        self.fresh.clear()
        return fsum(telling) / len(telling) if telling else None

    def _begin(self, series: int) -> Baseline:
        options = self._options
        baseline = self._baselines[series] = Baseline(options.samples, options.least_spread, options.memory)
        return baseline


def _thinned(values: list[float]) -> list[float]:
    """So many that stand for all: evenly spaced in rank, each from the middle of its share."""
    count = len(values)
    ordered = sorted(values)
    return [ordered[(2 * place + 1) * count // (2 * _JUDGED)] for place in range(_JUDGED)]


class Suspicion:
    """What one target is suspected of. `grade` may be read at any time; only `tick` moves it."""

    __slots__ = ("_first_token", "_options", "_rate", "_signals", "_since", "_stepped_at", "fresh", "grade")

    def __init__(self, options: SuspicionOptions) -> None:
        self._options = options
        self._first_token = _Signal(options, 1, options.least)
        self._rate = _Signal(options, -1, _LEAST_RATE)
        self._signals = (self._first_token, self._rate)
        self.fresh = tuple(signal.fresh for signal in self._signals)
        """Where samples wait for the next step."""
        self._stepped_at = float("-inf")
        self._since = 0.0
        self.grade = Grade.CALM

    def note_first_token(self, series: int, seconds: float, *, censored: bool = False) -> None:
        """One attempt's time to first content, in seconds from *its own* launch, whoever won.

        So a head start earns nothing: a slow target that wins because it was asked first is as slow as it is.
        `censored`: there was no content yet when it was overtaken or given up, so `seconds` is the least it would have
        taken.
        """
        self._first_token.fresh[series, censored].append(seconds)

    def note_rate(self, tokens_per_second: float) -> None:
        """The rate of one answer."""
        self._rate.fresh[0, False].append(tokens_per_second)

    def forgive(self) -> None:
        """The target has proved itself otherwise: a probe was answered. What is normal stays learned."""
        for signal in self._signals:
            signal.sums = _CALM
        self.grade = Grade.CALM

    @property
    def unsettled(self) -> bool:
        """Whether time alone changes something: samples wait for a step, or suspicion is to fade."""
        return bool(self.grade or any(self.fresh))

    def tick(self, now: float) -> bool:
        """Fold what was noted, and move the grade by one at most. Order within one fold does not matter.

        Returns whether this very step speaks for opening the breaker: the grade is OPEN, and not from memory alone.
        """
        signals = self._signals
        elapsed = now - self._stepped_at
        if not (self._first_token.fresh or self._rate.fresh or self.grade) or elapsed < self._options.pace:
            return False
        self._stepped_at = now
        fade = 0.5 ** (elapsed / self._options.half_life)
        slow, drips = self._first_token.step(fade), self._rate.step(fade)
        self._move(now)
        if not self.grade:
            for signal in signals:
                signal.learn(now)
        elif now - self._since >= self._options.patience:
            for signal in signals:
                signal.forget()
        if self.grade is not _OPEN:
            return False
        return any(excess is not None and excess > self._options.open_drift for excess in (slow, drips))

    def _move(self, now: float) -> None:
        threshold = self._options.threshold
        if not self.grade and self._first_token.sums[0] < threshold and self._rate.sums[0] < threshold:
            return  # the common case
        if self._reached(threshold) > self.grade:
            if not self.grade:
                self._since = now
            self.grade = Grade(self.grade + 1)
        elif self._reached(_RELEASE * threshold) < self.grade:
            self.grade = Grade(self.grade - 1)

    def _reached(self, level: float) -> int:
        """How many of the sums have reached a level, by the signal that is worse. Of one signal the sums descend."""
        return max(sum(total >= level for total in signal.sums) for signal in self._signals)
