"""What came of a load: one record per call, histograms, and the generator's own lateness.

Knows: the shape of the records; HDR histograms in microseconds, which merge without loss.
Must never: average or merge percentiles.
"""

import msgspec
from hdrh.histogram import HdrHistogram

_HIGHEST_US = 3_600_000_000  # an hour
_DIGITS = 3  # relative error below 0.1 %


class CallResult(msgspec.Struct):
    """One call. Times are seconds of the monotonic clock.

    `first_content` is the first non-empty text, reasoning or tool call (a role alone does not count);
    for a plain answer it is when the body was complete. `sent` is None if the call never reached a
    socket. `done` is whether [DONE] was seen. `tokens` is what `usage` says, else the number of
    content deltas. `failure` is None for a good call, else one of: connect_refused, connect, tls,
    reset, disconnected, timeout, http_STATUS, error_event, truncated, empty, not_json, protocol.
    """

    index: int
    intended: float
    sent: float | None = None
    first_content: float | None = None
    end: float = 0.0
    ok: bool = False
    failure: str | None = None
    status: int = 0
    tokens: int = 0
    done: bool = False
    malformed_events: int = 0
    error_text: str | None = None
    target: str | None = None
    attempts: str | None = None
    call: str | None = None

    @property
    def ttft(self) -> float | None:
        """Seconds from the intended send time to the first content."""
        return None if self.first_content is None else self.first_content - self.intended

    @property
    def e2e(self) -> float:
        """Seconds from the intended send time to the end."""
        return self.end - self.intended


class LoadResult(msgspec.Struct):
    """The outcome of one plan. Histograms are in microseconds, from the *intended* send time.

    TTFT is recorded for every call that had content, E2E for calls that were ok. `lateness` is how long
    after its intended time the generator dispatched each call: when its p99 is not small against what
    is measured, the measurement is of the generator. `late_sends` counts those above 10 ms.
    """

    results: list[CallResult]
    ttft_histogram: HdrHistogram
    e2e_histogram: HdrHistogram
    lateness_histogram: HdrHistogram
    started: float
    ended: float = 0.0
    calls: int = 0
    ok: int = 0
    late_sends: int = 0

    @property
    def lateness_p99(self) -> float:
        """Seconds."""
        return float(self.lateness_histogram.get_value_at_percentile(99)) / 1e6

    @property
    def failures(self) -> dict[str, int]:
        """Failed calls by kind, from the results kept."""
        counts: dict[str, int] = {}
        for result in self.results:
            if result.failure is not None:
                counts[result.failure] = counts.get(result.failure, 0) + 1
        return counts


def new_histogram() -> HdrHistogram:
    """An empty histogram of microseconds up to an hour; all of ours have this shape, so all can be merged."""
    return HdrHistogram(1, _HIGHEST_US, _DIGITS)


def record(histogram: HdrHistogram, seconds: float) -> None:
    """Add one duration."""
    histogram.record_value(min(max(round(seconds * 1e6), 1), _HIGHEST_US))


def merged(histograms: list[HdrHistogram]) -> HdrHistogram:
    """One histogram of all values, as if they had been recorded together."""
    total = new_histogram()
    for histogram in histograms:
        total.add(histogram)
    return total
