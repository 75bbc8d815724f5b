"""What times have in common: the two of one call, and all of one target's in one minute; how it is found, how drawn.

Each time is drawn by its place in its distribution, and places hang together by a Gaussian copula: with z the standard
normal quantile of a place, m of the minute, e and f of the call,

    z(TTFT) = √w m + √(1 - w) e            w    the minute's share
    z(rate) = r z(TTFT) + √(1 - r²) f      r    together

So the tables are kept to the letter, whatever w and r. Both are found as they are drawn, on normal scores (van der
Waerden 1952) within the cells that the tables are of: r is their correlation, w their correlation within minutes.
Targets that name the same minutes are slow in the same ones.

w is what the calls of a minute share for whatever reason: a slow minute, or the slow hour or day that it lies in.
Minutes are drawn one by one, so a longer spell is played as single minutes; `lasting` finds how much of w that is.

Must never: change a distribution, or draw by anything but seed, name, call and minute.
"""

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr, ndtri

from surefoot.replay.models.draws import RATE, SPARE, TTFT, draws
from surefoot.replay.models.fitting import LEAST, cells
from surefoot.replay.models.model import Floats, Integers, TargetModel

MINUTE = 60.0

_BY_CHANCE = 2.0
"""Standard errors within which a correlation is taken for none."""

_LEAST_CHANCE = 2.0**-54
"""Half of the smallest step of a draw: a normal quantile of 0 would be infinite."""

_LOW_BITS = 2.0**26
"""A draw has 53 bits; those behind the 26th are a draw of their own."""


def of_call(ttft: Floats, rate: Floats, at: Floats | None, prompt_tokens: Integers | None) -> float:
    """The correlation of the normal scores of both, -1 to 1; 0 where there are fewer than 100, or one is constant."""
    if len(ttft) < LEAST:
        return 0.0
    one, other = (scores(values, at, prompt_tokens) for values in (ttft, rate))
    if not one.std() or not other.std():
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def of_minute(ttft: Floats, at: Floats | None, prompt_tokens: Integers | None) -> float:
    """The share of the variance of its normal scores that a minute's calls have in common; 0 where too few share one.

    The intraclass correlation by analysis of variance (Fisher 1925; groups of unequal size as in Donner 1986).
    """
    if at is None:
        return 0.0
    _, minute, calls = np.unique(at // MINUTE, return_inverse=True, return_counts=True)
    groups, count = len(calls), len(at)
    if groups < LEAST or count - groups < LEAST:
        return 0.0
    score = scores(ttft, at, prompt_tokens)
    mean = np.bincount(minute, score) / calls
    between = float((calls * (mean - score.mean()) ** 2).sum()) / (groups - 1)
    within = float(((score - mean[minute]) ** 2).sum()) / (count - groups)
    usual = (count - float((calls.astype(np.float64) ** 2).sum()) / count) / (groups - 1)
    total = between + (usual - 1) * within
    return max((between - within) / total, 0.0) if total > 0 else 0.0


def lasting(ttft: Floats, at: Floats | None, prompt_tokens: Integers | None) -> float:
    """The share of that variance that two calls have in common of which one comes in the minute after the other's.

    The covariance of the scores of all such pairs of calls over their variance, so to be held against `of_minute`: that
    is a slow minute's alone where this is 0, and a longer spell's where both are alike. 0 where there are fewer than
    100 pairs of minutes, or where the means of minutes are no more alike than by chance: their correlation is within
    2 / √n (Bartlett 1946, of a series without any).
    """
    if at is None or not len(at):
        return 0.0
    minute, which, calls = np.unique(at // MINUTE, return_inverse=True, return_counts=True)
    before = np.flatnonzero(np.diff(minute) == 1)
    if len(before) < LEAST:
        return 0.0
    score = scores(ttft, at, prompt_tokens)
    spread = float(score.var())
    sums = np.bincount(which, score - score.mean())
    mean = sums / calls
    alike = float((mean[before] * mean[before + 1]).mean())
    if spread <= 0 or alike <= _BY_CHANCE / len(before) ** 0.5 * float((mean**2).mean()):
        return 0.0
    pairs = float((calls[before] * calls[before + 1]).sum())
    return min(max(float((sums[before] * sums[before + 1]).sum()) / pairs / spread, 0.0), 1.0)


def scores(values: Floats, at: Floats | None, prompt_tokens: Integers | None) -> Floats:
    """Normal scores within cells: standard normal quantiles of rank / (n + 1); equal values share their mean rank."""
    found = np.empty(len(values))
    for chosen in _each(cells(len(values), at, prompt_tokens)):
        _, which, equal = np.unique(values[chosen], return_inverse=True, return_counts=True)
        rank = np.cumsum(equal) - (equal - 1) / 2
        found[chosen] = ndtri(rank[which] / (len(chosen) + 1))
    return found


def _each(labels: Integers) -> Iterator[Integers]:
    """The places of each label."""
    order = np.argsort(labels, kind="stable")
    edges = np.flatnonzero(np.diff(labels[order])) + 1
    yield from np.split(order, edges)


class Chances:
    """The draws of some calls at one target: of its first token, its rate, and both of another attempt."""

    __slots__ = ("_minute", "_model", "chance", "first", "rate")

    def __init__(self, model: TargetModel, at: Floats, first: int, seed: int) -> None:
        self._model = model
        self.chance = draws(seed, model.target, first, len(at))
        self._minute = _minutes(model, at, seed) if model.minute_share else None
        self.first, self.rate = self._both(self.chance[:, TTFT], self.chance[:, RATE], self._minute)

    def again(self, row: int) -> tuple[Floats, Floats]:
        """Of one more attempt of the call in this row: its spare draw, and the low bits of it."""
        spare = float(self.chance[row, SPARE])
        minute = None if self._minute is None else self._minute[row : row + 1]
        return self._both(np.array([spare]), np.array([spare * _LOW_BITS % 1.0]), minute)

    def _both(self, first: Floats, rate: Floats, minute: Floats | None) -> tuple[Floats, Floats]:
        together = self._model.together
        if minute is not None:
            share = self._model.minute_share
            first = ndtr(share**0.5 * _score(minute) + (1 - share) ** 0.5 * _score(first))
        if together:
            rate = ndtr(together * _score(first) + (1 - together**2) ** 0.5 * _score(rate))
        return first, rate


def _score(chance: Floats) -> Floats:
    found: Floats = ndtri(np.clip(chance, _LEAST_CHANCE, 1 - _LEAST_CHANCE))
    return found


def _minutes(model: TargetModel, at: Floats, seed: int) -> Floats:
    """The draw of the minute of each of some calls, which are in the order of arrival."""
    minute = (at // MINUTE).astype(np.int64)
    begin = int(minute[0])
    of_all = draws(seed, f"minutes of {model.minutes_of or model.target}", begin, int(minute[-1]) - begin + 1)
    found: Floats = of_all[minute - begin, 0]
    return found
