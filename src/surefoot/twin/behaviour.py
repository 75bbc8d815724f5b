"""How a healthy twin behaves: when it speaks, how fast, how much, and what it says.

Knows: distributions of times and counts, and how an answer's numbers are drawn from a seed.
Must never: read the clock, hold a connection, or draw from a global random source.
"""

import csv
import math
import random
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist
from typing import Literal, NamedTuple

import msgspec

from surefoot.errors import SurefootError

_Z99 = NormalDist().inv_cdf(0.99)
_MAX_TOKENS = 100_000

DEFAULT_TEXT = (
    "A sure foot tries the ground before it leans on it, and when the ground gives way "
    "the other foot is already standing somewhere else. "
)


class TwinError(SurefootError):
    """The twin cannot do what it was told: a bad file, a bad plan, a process that did not start."""


class Fixed(msgspec.Struct, frozen=True, tag="fixed", tag_field="kind", forbid_unknown_fields=True):
    """Always the same value."""

    value: float

    def __post_init__(self) -> None:
        """Refuse what time and counts cannot be."""
        if not (math.isfinite(self.value) and self.value >= 0):
            raise ValueError("a fixed value must be finite and not negative")


class Lognormal(msgspec.Struct, frozen=True, tag="lognormal", tag_field="kind", forbid_unknown_fields=True):
    """Lognormal by its median and either `sigma` (of the logarithm) or its 99th percentile.

    With a p99, sigma = ln(p99 / median) / z(0.99), from the quantile function of the lognormal.
    """

    median: float
    sigma: float | None = None
    p99: float | None = None

    def __post_init__(self) -> None:
        """Refuse a shape that is missing, told twice, or impossible."""
        if not (math.isfinite(self.median) and self.median > 0):
            raise ValueError("the median of a lognormal must be finite and above zero")
        if (self.sigma is None) == (self.p99 is None):
            raise ValueError("a lognormal needs either sigma or p99")
        if self.sigma is not None and not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise ValueError("sigma must be finite and not negative")
        if self.p99 is not None and not (math.isfinite(self.p99) and self.p99 >= self.median):
            raise ValueError("p99 must be finite and at least the median")


class Resampled(msgspec.Struct, frozen=True, tag="resampled", tag_field="kind", forbid_unknown_fields=True):
    """Drawn with replacement from a file: one number per line, or a named column of a CSV file.

    `scale` multiplies each number: 0.001 turns a file of milliseconds into seconds.
    """

    path: str
    column: str | None = None
    scale: float = 1.0


Distribution = Fixed | Lognormal | Resampled
Draw = Callable[[random.Random], float]


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A healthy provider. Times in seconds, `rate` in tokens per second.

    The time between tokens comes from `gap` (drawn for every token) or from `rate` (drawn once an
    answer); with neither, all tokens follow the first at once. A plain answer takes as long as
    the same answer streamed. `role` says when the role-only first delta leaves: at once with the
    headers, or in front of the first content. `keepalive` is the time between SSE comments while
    no content has been sent; `events_per_segment` tokens are written together after the first.
    What a good answer says of itself: `headers` that it carries besides, the `model` that it names
    in place of the one that was asked for, and words in its usage, such as `inference_geo`.
    """

    ttft: Distribution = Fixed(0.0)
    gap: Distribution | None = None
    rate: Distribution | None = None
    tokens: Distribution = Fixed(50)
    text: str = DEFAULT_TEXT
    seed: int = 0
    role: Literal["headers", "content"] = "headers"
    keepalive: float | None = None
    events_per_segment: int = 1
    models: tuple[str, ...] = ("twin-1",)
    headers: dict[str, str] = {}
    model: str | None = None
    usage: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.gap is not None and self.rate is not None:
            raise ValueError("give gap or rate, not both")
        if not self.text.split():
            raise ValueError("the text must hold at least one word")
        if self.keepalive is not None and self.keepalive < 0.01:  # noqa: PLR2004 - 100 comments a second
            raise ValueError("keepalive must be at least 0.01 s")
        if self.events_per_segment < 1:
            raise ValueError("events_per_segment must be at least 1")


class Draws(NamedTuple):
    """The numbers of one answer: seconds to the first token, tokens, seconds before each later token."""

    ttft: float
    tokens: int
    gaps: list[float] | float

    def later(self, token: int) -> float:
        """Seconds between token number `token` (from 1) and the one before."""
        return self.gaps if isinstance(self.gaps, float) else self.gaps[token - 1]


class Dice:
    """Draws each answer's numbers from (seed, sequence number) alone.

    Two attempts never share a stream of chance, so what one draws does not depend on how their
    tokens interleave, nor on the faults in force.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self._seed = behaviour.seed
        self._ttft = sampler(behaviour.ttft)
        self._tokens = sampler(behaviour.tokens)
        self._gap = None if behaviour.gap is None else sampler(behaviour.gap)
        self._rate = None if behaviour.rate is None else sampler(behaviour.rate)
        parts = (behaviour.ttft, behaviour.tokens, behaviour.gap, behaviour.rate)
        self._certain = all(part is None or isinstance(part, Fixed) for part in parts)
        self._unused = random.Random(0)  # noqa: S311 - a simulation, not a secret

    def throw(self, sequence: int) -> Draws:
        """The numbers of attempt `sequence`."""
        # Seeding a generator costs microseconds; fixed distributions never look at it.
        rng = self._unused if self._certain else random.Random((self._seed << 40) ^ sequence)  # noqa: S311
        ttft = self._ttft(rng)
        tokens = min(round(self._tokens(rng)), _MAX_TOKENS)
        if self._gap is not None:
            gap = self._gap
            return Draws(ttft, tokens, [gap(rng) for _ in range(tokens)])
        if self._rate is not None:
            rate = self._rate(rng)
            return Draws(ttft, tokens, 1.0 / rate if rate > 0 else 0.0)
        return Draws(ttft, tokens, 0.0)


def sampler(distribution: Distribution) -> Draw:
    """The distribution as a function of a random source; reads the file of a `Resampled`.

    Raises TwinError when that file cannot be read or holds no numbers.
    """
    if isinstance(distribution, Fixed):
        value = distribution.value
        return lambda _rng: value
    if isinstance(distribution, Lognormal):
        mu = math.log(distribution.median)
        sigma = distribution.sigma
        if sigma is None:
            sigma = math.log((distribution.p99 or distribution.median) / distribution.median) / _Z99
        spread = sigma
        return lambda rng: rng.lognormvariate(mu, spread)
    values = _read_numbers(distribution)
    return lambda rng: values[int(rng.random() * len(values))]


def _read_numbers(source: Resampled) -> list[float]:
    try:
        with Path(source.path).open(encoding="utf-8", newline="") as file:
            if source.column is None:
                cells = [line.strip() for line in file if line.strip()]
            else:
                cells = [row[source.column] for row in csv.DictReader(file) if row[source.column]]
        values = [float(cell) * source.scale for cell in cells]
    except OSError as error:
        raise TwinError(f"cannot resample from {source.path}: {error.strerror}") from error
    except KeyError as error:
        raise TwinError(f"cannot resample from {source.path}: it has no column {source.column!r}") from error
    except ValueError as error:
        raise TwinError(f"cannot resample from {source.path}: {error}") from error
    if not values:
        raise TwinError(f"cannot resample from {source.path}: it holds no numbers")
    if not all(math.isfinite(value) and value >= 0 for value in values):
        raise TwinError(f"cannot resample from {source.path}: a number is negative or not finite")
    return values
