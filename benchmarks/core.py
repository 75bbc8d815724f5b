"""The isolated cost of the policy core: microseconds per call, without sockets, clock or journal.

The steadiest figure there is of the hot path: the machine's drift touches one tight loop least.
What is timed is one plain success: a Call over a Fleet of two targets, from `begin` to its records.
Run it alone: `python benchmarks/core.py`.
Knows: how to repeat and time a function. Must never: time the building of what it times.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from statistics import median

from surefoot.domain.request import Request
from surefoot.domain.route import Route, Rung
from surefoot.domain.target import Endpoint, Target
from surefoot.policy.call import Call
from surefoot.policy.fleet import Fleet
from surefoot.policy.options import PolicyOptions

_STEP_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds per call over all repeats; the minimum is nearest to the undisturbed machine."""

    minimum: float
    median: float
    calls: int
    repeats: int


def measure(function: Callable[[], object], calls: int = 20_000, repeats: int = 20) -> Cost:
    """Time `function` `calls` times in a row, `repeats` times over, after one repeat that is not counted.

    The collector is off inside a repeat and run between them, so that no repeat pays for another's garbage.
    """
    costs = [repeat(function, calls) for _ in range(repeats + 1)][1:]
    return Cost(min(costs), median(costs), calls, repeats)


def repeat(function: Callable[[], object], calls: int, clock: Callable[[], int] = time.perf_counter_ns) -> float:
    """Microseconds a call of `function` by a clock of nanoseconds, over so many in a row, without the collector."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        rounds = range(calls)
        start = clock()
        for _ in rounds:
            function()
        return (clock() - start) / calls / 1e3
    finally:
        if enabled:
            gc.enable()


def plain_success() -> Callable[[], object]:
    """A function that takes one call through the core: begun, first content, finished, recorded.

    Its clock is a counter; reading the real one is the driver's cost. Samples are folded by the driver's tick,
    a few times a second, and so are not part of a call.
    """
    endpoint = Endpoint("127.0.0.1", 1, tls=False, path="/v1")
    targets = [Target(name, "openai-compatible", "m", "openai-chat", endpoint) for name in ("primary", "backup")]
    route = Route("chat", tuple(Rung(target.name) for target in targets))
    fleet = Fleet(targets, [route], PolicyOptions(), Random(0))  # noqa: S311 - jitter, seeded
    now = 0.0

    def one_call() -> object:
        nonlocal now
        now += _STEP_SECONDS
        call = Call(fleet, Request("chat", stream=False, prompt_tokens=250), now)
        call.begin(now)
        call.content(0, now)
        call.finished(0, now, 181, 104)
        return call.attempt_records()

    return one_call


def main() -> None:
    """Print the cost of a plain success."""
    cost = measure(plain_success())
    print(
        f"policy core, one plain success: {cost.minimum:.2f} us least, {cost.median:.2f} us median "
        f"({cost.repeats} repeats of {cost.calls:,} calls)"
    )


if __name__ == "__main__":
    main()
