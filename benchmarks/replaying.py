"""The speed of the replay: calls per core-second over three targets, with and without failures and hedges.

Three runs of the driver with the same traffic: all of it plain success; 5 % of the calls silent at the first target, so
that each of those has a failure and a hedge; and the arm without fallback. Twenty calls a second arrive: at one in a
few seconds a call costs about twice as much, because two ticks of the Fleet are its own.

Then one task as users have it, the worked example of docs/compare.md: a year of as many calls, read from a file,
two arms, four targets with limits of their own, ranked by latency, four lags, everything counted.

Run it alone: `python -m benchmarks.replaying [CALLS [CALLS_A_SECOND]]`.
Knows: how to make traffic and to count processor time. The traffic is made on the way, at a
hundredth of the cost. Must never: keep it.
"""

import gc
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from benchmarks.compare import EXAMPLES, write_traffic

from surefoot.config.configuration import Admin, Configuration
from surefoot.domain.front import Door
from surefoot.domain.outcome import Kind
from surefoot.domain.route import Route, Rung
from surefoot.domain.target import Endpoint, Target
from surefoot.domain.units import Price
from surefoot.intake.incident import Reading
from surefoot.policy.options import PolicyOptions
from surefoot.replay.files import Files, opened
from surefoot.replay.models.model import QuantileTable, TargetModel
from surefoot.replay.outages.outage import Outage
from surefoot.replay.posing import Asked, pose
from surefoot.replay.task import perform
from surefoot.replay.virtual.batch import Batch
from surefoot.replay.virtual.driver import KINDS, Arm, run

NAMES = ("primary", "second", "third")
CALLS = 1_000_000
BATCH = 16_384
PER_SECOND = 20.0
BEGAN = 1_700_000_000.0

COLLECT = (20_000, 50, 100)
"""Thresholds of the cyclic garbage collector, as a worker has them: a call leaves no cycle behind."""


def main() -> None:
    """Print what was measured."""
    gc.freeze()
    gc.set_threshold(*COLLECT)
    calls = int(sys.argv[1].replace("_", "")) if len(sys.argv) > 1 else CALLS
    per_second = float(sys.argv[2]) if len(sys.argv) > 2 else PER_SECOND
    _measure("plain success", _arm(*NAMES), _traffic(calls, per_second), ())
    silent = Outage(target="primary", start=0.0, end=4e9, mode="silence", share=0.05)
    _measure("5 % with a failure and a hedge", _arm(*NAMES), _traffic(calls, per_second), (silent,))
    _measure("the same, without fallback", _arm(NAMES[0]), _traffic(calls, per_second), (silent,))
    _measure_task(calls)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'most memory':32} {peak:,.0f} MiB")


def _measure(name: str, arm: Arm, batches: Iterator[Batch], outages: Sequence[Outage]) -> None:
    spent, calls, good, attempts = 0.0, 0, 0, 0
    results = run(arm, batches, outages, seed=1)
    while True:
        before = time.process_time()
        batch = next(results, None)
        spent += time.process_time() - before
        if batch is None:
            break
        calls += len(batch.at)
        good += int((batch.kind == KINDS.index(Kind.OK)).sum())
        attempts += int(batch.attempts.sum())
    more = f"{good / calls:.2%} answered, {attempts / calls:.3f} attempts a call"
    print(f"{name:32} {calls / spent:>8,.0f} calls per core-second; {more}")


def _measure_task(calls: int) -> None:
    with TemporaryDirectory() as folder:
        traffic = Path(folder) / "traffic.parquet"
        write_traffic(traffic, calls)
        lists = (EXAMPLES / "compare" / "incidents.csv",)
        asked = Asked(readings=(Reading.ANY,), lags=(0.0, 60.0, 300.0, 1_200.0), vary=False)
        found = opened(Files(config=EXAMPLES / "multi-cloud.toml", traffic=traffic, incidents=lists), asked, {})
        (task,) = pose(found.material, asked).tasks
        before = time.process_time()
        perform(task, lambda _calls: None)
        spent = time.process_time() - before
    print(f"{'a year of the example, whole':32} {2 * calls / spent:>8,.0f} calls per core-second and arm")


def _arm(*names: str) -> Arm:
    endpoint = Endpoint("127.0.0.1", 1, tls=False, path="/v1")
    targets = tuple(Target(name, "openai-compatible", "m", "openai-chat", endpoint) for name in NAMES)
    route = Route("chat", tuple(Rung(name) for name in names))
    configuration = Configuration("0", Door(()), Admin(), targets, (route,), PolicyOptions(), {})
    spread = np.random.default_rng(3).lognormal(0.0, 0.4, 10_000)
    values = tuple(np.quantile(spread, np.linspace(0.0, 1.0, 257)).tolist())
    ttft = ((QuantileTable(tuple(0.4 * value for value in values)),),)
    rate = ((QuantileTable(tuple(60.0 * value for value in values)),),)
    models = {name: TargetModel(target=name, ttft=ttft, rate=rate, price=Price(0.5, 1.5)) for name in NAMES}
    return Arm("with", configuration, models)


def _traffic(calls: int, per_second: float) -> Iterator[Batch]:
    rng = np.random.default_rng(5)
    at = BEGAN
    for first in range(0, calls, BATCH):
        count = min(BATCH, calls - first)
        times = at + np.cumsum(rng.exponential(1 / per_second, count))
        at = float(times[-1])
        ones, zeros = np.ones(count, np.int64), np.zeros(count, np.int64)
        prompts, answers = rng.integers(50, 5_000, count), rng.integers(1, 400, count)
        yield Batch(first, times, ("chat",), zeros, ("",), zeros, ones, prompts, answers, zeros)


if __name__ == "__main__":
    main()
