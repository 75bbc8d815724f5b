"""What a target is taken to bear where nobody says: limits by the minute, and how many answers at once before it slows.

Nobody publishes what an account, a deployment or a server of one's own bears. What can be known is what it carries
while all is well: the calls that ask it first. So

    carries all of the busiest minute       ─▶ takes that minute, and is never slowed: its times are of such a load
    carries less, by 100 calls or more      ─▶ takes twice its own busiest minute, but no more than the traffic's
    carries nothing, or too little to tell  ─▶ takes the traffic's busiest minute

and where it would have to take more than it carries, it has so many places, and a call may have to wait for one:

    places = calls a minute / 60 * mean seconds of an answer

where the calls are twice its own even if the traffic's busiest minute has fewer, so that its own load slows none. By
Little's law (1961) these are the answers under way in that minute: all of it is then taken up. How long a call waits
is not put in, but follows from the queue (`replay.models.capacity`, first come first served; Kiefer and Wolfowitz
1955): the longer, the nearer the load comes to the limit. This is the plainest model that slows at all: no curve has
to be believed, and there is no number in it that is not the traffic's, the target's or one of the two below.

Knows what the traffic asks for. Must never: assume in silence, or slow a target under the load that it carries.
"""

from collections.abc import Mapping
from math import ceil
from pathlib import Path

import numpy as np
from msgspec import Struct

from surefoot.config.configuration import Configuration
from surefoot.replay.arms import primaries, without_fallback
from surefoot.replay.demand import MINUTE, Busiest, Demand, Lengths
from surefoot.replay.models.fitting import LEAST
from surefoot.replay.models.model import Tables, quantiles
from surefoot.replay.task import first_targets
from surefoot.replay.traffic import Traffic
from surefoot.replay.virtual.books import gaps

HEADROOM = 2.0
"""Times its own busiest minute that a target takes. An assumption: limits go in steps, and are set above what is used.
`replay.posing` halves and doubles it."""

FEWEST = 2
"""Places at least: nothing that is offered as a service answers one call at a time."""

_GOLDEN, _SILVER = 0.6180339887498949, 0.41421356237309515
"""Multiples of them, less their whole parts, fill the unit interval evenly (Weyl 1916)."""

_DRAWS = 4_096


class Carried(Struct, frozen=True, kw_only=True):
    """What a target has to do while all is well."""

    calls: int
    requests: float
    """In its busiest minute."""
    tokens: float
    """In the minute in which it has most."""
    at_once: float
    """Calls within the mean time of an answer, at most."""


NOTHING = Carried(calls=0, requests=0.0, tokens=0.0, at_once=0.0)


class Limits(Struct, frozen=True, kw_only=True):
    """As in `TargetModel`."""

    requests_per_minute: float
    tokens_per_minute: float | None
    servers: int | None
    """None: it is not slowed."""
    text: str
    """Why, for the list of assumptions."""


def carried(
    configuration: Configuration, traffic: Path, demand: Demand, seconds: Mapping[str, float]
) -> dict[str, Carried]:
    """By target, those that are asked first by any call. `seconds` are the mean times of an answer.

    Whom a call asks first is what `arms.without_fallback` says. Raises `ReplayError` if the file cannot be read.
    """
    names = list(dict.fromkeys(name for those in primaries(configuration).values() for name in those))
    if len(names) == 1:  # all of it
        whole = Carried(
            calls=demand.calls, requests=demand.peak_requests, tokens=demand.peak_tokens, at_once=demand.peak_requests
        )
        return {names[0]: whole}
    routes = tuple(route.name for route in configuration.routes)
    cut = without_fallback(configuration)
    counts = np.zeros(len(names), np.int64)
    minutes = [Busiest(MINUTE) for _ in names]
    moments = [Busiest(seconds.get(name, MINUTE)) for name in names]
    for batch in Traffic(traffic, routes, otherwise=routes[0]):
        first = first_targets(batch, cut, names)
        tokens = (batch.prompt_tokens + batch.completion_tokens).astype(np.float64)
        for number in range(len(names)):
            chosen = first == number
            counts[number] += int(chosen.sum())
            minutes[number].add(batch.at[chosen], tokens[chosen])
            moments[number].add(batch.at[chosen], tokens[chosen])
    return {
        name: Carried(calls=int(count), requests=minute.calls, tokens=minute.tokens, at_once=moment.calls)
        for name, count, minute, moment in zip(names, counts, minutes, moments, strict=True)
    }


def mean_seconds(ttft: Tables, rate: Tables, lengths: Lengths) -> float:
    """The mean time of an answer of a target with these tables, over calls of these lengths."""
    which = np.arange(_DRAWS)
    calls = which % len(lengths.at)
    at, prompt = lengths.at[calls], lengths.prompt[calls]
    even, other = (np.modf(0.5 + which * step)[0] for step in (_GOLDEN, _SILVER))
    first = quantiles(ttft, at, prompt, even)
    between = gaps(quantiles(rate, at, prompt, other))
    return float((first + between * np.maximum(lengths.completion[calls] - 1, 0)).mean())


def assumed(demand: Demand, own: Carried, seconds: float) -> Limits:
    """The limits of a target that carries so much, and whose answers take so long in the mean."""
    peak = f"{demand.peak_requests:g} requests and {demand.peak_tokens:g} tokens a minute"
    if own.requests >= demand.peak_requests:
        return Limits(
            requests_per_minute=demand.peak_requests,
            tokens_per_minute=demand.peak_tokens or None,
            servers=None,
            text=f"assumed: the peak minute of the traffic, {peak}; it carries all of that, and is not slowed",
        )
    requests, tokens = demand.peak_requests, demand.peak_tokens
    served = requests
    text = f"the peak minute of the traffic, {peak}"
    if own.calls >= LEAST:
        served = HEADROOM * own.requests
        requests = min(served, demand.peak_requests)
        tokens = max(min(HEADROOM * own.tokens, demand.peak_tokens), demand.largest_call)
        text = (
            f"{HEADROOM:g} times the busiest minute of the calls that ask it first, at most the traffic's,"
            f" {requests:g} requests and {tokens:g} tokens a minute"
        )
    servers = max(ceil(served / MINUTE * seconds), ceil(own.at_once), FEWEST)
    return Limits(
        requests_per_minute=requests,
        tokens_per_minute=tokens or None,
        servers=servers,
        text=f"assumed: {text}, and {servers} answers of {seconds:.2g} s at once, beyond which calls wait",
    )
