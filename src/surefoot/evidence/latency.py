"""Latency: what a load that waited for its answers has hidden, and the time between tokens."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import EvidenceError
from surefoot.evidence.given import not_negative, positive, sample, up_to, whole
from surefoot.evidence.order import rank_of

FEWEST_TOKENS = 2
"""One token has no gap to the next one."""

_ROUNDING = 1e-9
"""Of a quotient: 0.3 / 0.1 is three intervals, although it comes out as 2.9999999999999996."""


class CorrectedHistogram:
    """Measured values together with those that were never sent because one answer held the next request back.

    Keeps the measured values alone and counts the others, so that a long stall costs no memory; nothing is rounded to
    bins. To merge two, correct their values together. Percentiles describe this sample; for what they say of other
    samples see `quantile_ranks`.
    """

    __slots__ = ("_counts", "_expected", "_values", "count")

    count: int
    """How many values there are, measured and added."""

    def __init__(self, values: NDArray[np.float64], expected_interval: float) -> None:
        self._values = values
        self._expected = expected_interval
        self._counts = np.maximum(np.floor(values / expected_interval + _ROUNDING), 1)
        self.count = int(self._counts.sum())

    def percentile(self, p: float) -> float:
        """The smallest value with at least p percent at or below it; p from 0 (the smallest) to 100 (the largest).

        Raises `EvidenceError` for any other p.
        """
        rank = rank_of(up_to(100, "a percentile", p) / 100, self.count)
        low = float((self._values - (self._counts - 1) * self._expected).min())
        high = float(self._values.max())
        if self._at_most(low) >= rank:
            return low
        while low < (middle := low + (high - low) / 2) < high:
            if self._at_most(middle) >= rank:
                high = middle
            else:
                low = middle
        return high

    def _at_most(self, bound: float) -> int:
        """How many values do not exceed the bound. Those added to a value v are v - i, v - 2i, ... down to i."""
        above = np.ceil((self._values - bound) / self._expected)
        return int((self._counts - np.clip(above, 0, self._counts)).sum())


def corrected_histogram(values: Iterable[float], expected_interval: float) -> CorrectedHistogram:
    """Corrects coordinated omission: `values` of a load that meant to send one request per `expected_interval`.

    Both in the same unit. A value v longer than the interval i stands for requests that were not sent while it lasted;
    they would have taken v - i, v - 2i, ... down to the last that is not below i, and are added (G. Tene's correction,
    as `recordValueWithExpectedInterval` of HdrHistogram; here without its bins). Surefoot's own load is open loop and
    needs none: this is for measurements of others.
    Raises `EvidenceError` for no values, one that is negative or not finite, and an interval that is not above 0.
    """
    given = sample("latencies", values)
    if (given < 0).any():
        raise EvidenceError(f"a latency of {given.min():g}: it must not be negative")
    interval = positive("an expected interval", expected_interval)
    if not given.max() / interval * len(given) < float(2**53):
        raise EvidenceError(f"an expected interval of {interval:g} is too short for values up to {given.max():g}")
    return CorrectedHistogram(given, interval)


def inter_token_latency(ttft: float, e2e: float, tokens: int) -> float:
    """The mean time between tokens: `(e2e - ttft) / (tokens - 1)`, in the unit of both times.

    `ttft` and `e2e` count from the request's start to its first content and to its end, so that
    `e2e = ttft + (tokens - 1) * inter-token latency` (TPOT of MLPerf Inference and vLLM's benchmarks). Tools that
    divide by `tokens`, or let the first token in, tell another number.
    Raises `EvidenceError` for fewer than two tokens, where it is not defined, and unless 0 <= ttft <= e2e.
    """
    first, end = not_negative("a TTFT", ttft), not_negative("an end", e2e)
    if end < first:
        raise EvidenceError(f"an end of {e2e} before the first token at {ttft}")
    return (end - first) / (whole("tokens", tokens, least=FEWEST_TOKENS) - 1)
