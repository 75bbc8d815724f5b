"""A target with places and a queue waits as theory says it does: M/M/c, first come first served."""

import heapq
from math import factorial, log

import numpy as np
import pytest
from tests.replay.world import alone, calls, replayed

from surefoot.domain.route import Limits
from surefoot.replay.models.draws import TTFT, draws
from surefoot.replay.models.model import Floats, QuantileTable, TargetModel, constant, quantiles

MEAN = 0.5
"""Seconds of service."""

PATIENT = Limits(deadline=86_400.0, attempts=1, wait=0.0)


def exponential(points: int = 20_001) -> tuple[tuple[QuantileTable, ...], ...]:
    """Service times. The last of the table's points stands for the tail: its mean is that of the exponential's."""
    edges = np.arange(points) / (points - 1)
    values = [-MEAN * log(1.0 - p) for p in edges[:-1]]
    # over the last cell the exponential has the mean `values[-1] + MEAN`; a line from there has it at twice that step
    return ((QuantileTable((*values, values[-1] + 2 * MEAN)),),)


def erlang_c(servers: int, load: float) -> float:
    """Probability that an arrival has to wait (Erlang 1917), for an offered load in Erlangs below `servers`."""
    waiting = load**servers / factorial(servers) * servers / (servers - load)
    return waiting / (sum(load**k / factorial(k) for k in range(servers)) + waiting)


def waits(arrivals: list[float], services: list[float], servers: int) -> Floats:
    """First come, first served at so many places, by the recursion of Kiefer and Wolfowitz (1955)."""
    free = [0.0] * servers
    waited = np.empty(len(arrivals))
    for number, (at, service) in enumerate(zip(arrivals, services, strict=True)):
        begins = max(at, free[0])
        heapq.heapreplace(free, begins + service)
        waited[number] = begins - at
    return waited


def sample(servers: int, utilisation: float, count: int) -> tuple[Floats, Floats]:
    """Arrivals, and the service times that the replay draws for them."""
    arrivals = np.cumsum(np.random.default_rng(11).exponential(MEAN / (utilisation * servers), count))
    u = draws(1, "a", 0, count)[:, TTFT]
    return arrivals, quantiles(exponential(), arrivals, np.full(count, 100), u)


CASES = [(1, 0.5), (4, 0.7)]


@pytest.mark.parametrize(("servers", "utilisation"), CASES)
def test_each_call_waits_as_long_as_the_recursion_says(servers: int, utilisation: float) -> None:
    arrivals, services = sample(servers, utilisation, 20_000)
    one = TargetModel(target="a", ttft=exponential(), rate=constant(0.0), servers=servers)

    results = replayed(alone(one, PATIENT), calls(arrivals, tokens=1))

    expected = waits(arrivals.tolist(), services.tolist(), servers)
    assert (expected > 0).mean() > 0.3
    assert np.abs(results.e2e - services - expected).max() < 1e-5  # a Unix time in a double is good to 0.2 us


@pytest.mark.parametrize(("servers", "utilisation"), CASES)
def test_and_so_the_mean_wait_is_that_of_erlang_c_within_one_per_cent(servers: int, utilisation: float) -> None:
    """The same arrivals and draws as the replay's, more of them than would be quick to replay.

    Of n waits that follow one another the mean has, for one server at half its capacity, a relative standard error of
    sqrt(29 / n) (Whitt 1989, Planning Queueing Simulations): 0.31 % here, so that 1 % is three of them.
    """
    arrivals, services = sample(servers, utilisation, 3_000_000)

    expected = erlang_c(servers, servers * utilisation) * MEAN / (servers * (1 - utilisation))
    assert waits(arrivals.tolist(), services.tolist(), servers).mean() == pytest.approx(expected, rel=0.01)
