"""How fast the gateway moves: from a verdict to the next target, and through the learning of a silence.

    python benchmarks/failover.py [--calls 2000] [--rate 200] [--json FILE]

Twins and gateway are processes of their own on loopback; times come from the journal, the twins and the load generator.
Each scenario is bounded in count. Figures are quantiles with distribution-free intervals.
"""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

from surefoot.evidence import percentile
from surefoot.journal import reader
from surefoot.load import LoadPlan, run_load
from surefoot.load.result import LoadResult
from surefoot.twin import Behaviour, Fault, FaultPlan, Fixed, Rule, TwinOptions, TwinProcess

_START_SECONDS = 10.0
_CONFIGURATION = """
[[listeners]]
address = "127.0.0.1:{port}"
[admin]
address = "127.0.0.1:{admin}"
[journal]
path = "journal.db"
[targets.first]
provider = "openai-compatible"
base_url = "{first}/v1"
model = "twin-1"
[targets.second]
provider = "openai-compatible"
base_url = "{second}/v1"
model = "twin-1"
[routes.chat]
targets = ["first", "second"]
"""


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _gateway(first: TwinProcess, second: TwinProcess) -> Iterator[tuple[str, Path]]:
    """The gateway in front of two twins: its URL and its journal, which is whole after the context has ended."""
    port, admin = _free_port(), _free_port()
    with tempfile.TemporaryDirectory(prefix="failover-") as folder:
        file = Path(folder) / "surefoot.toml"
        urls = {"first": f"http://127.0.0.1:{first.port}", "second": f"http://127.0.0.1:{second.port}"}
        file.write_text(_CONFIGURATION.format(port=port, admin=admin, **urls))
        process = subprocess.Popen(
            [sys.executable, "-m", "surefoot.cli.main", "serve", "-c", str(file)], stderr=subprocess.DEVNULL, cwd=folder
        )
        try:
            _wait(f"http://127.0.0.1:{admin}/readyz")
            yield f"http://127.0.0.1:{port}/v1", Path(folder) / "journal.db"
            process.send_signal(signal.SIGTERM)
            process.wait(10)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _wait(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1.0):  # noqa: S310 - loopback
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{url} did not answer within {_START_SECONDS} s")


def _load(url: str, count: int, rate: float) -> LoadResult:
    plan = LoadPlan(url=url, rate=rate, count=count, stream=True, model="chat", timeout=30.0)
    return asyncio.run(run_load(plan))


def _row(values: list[float], q: float) -> dict[str, float | int | None]:
    value, low, high = percentile(values, q)
    upper = None if high is None else round(high * 1000, 3)
    return {"ms": round(value * 1000, 3), "low": round(low * 1000, 3), "high": upper, "n": len(values)}


def definite_failure(calls: int, rate: float) -> dict[str, object]:
    """A fifth of the first target's answers are 500: verdict to the next target's request on the wire, warm."""
    behaviour = Behaviour(ttft=Fixed(0.005), gap=Fixed(0.001), tokens=Fixed(5))
    with (
        TwinProcess(TwinOptions(behaviour=behaviour)) as first,
        TwinProcess(TwinOptions(behaviour=behaviour)) as second,
        _gateway(first, second) as (url, journal),
    ):
        _load(url, 200, rate)
        first.set_faults(FaultPlan((Rule(Fault("status:500"), probability=0.2),)))
        result = _load(url, calls, rate)
        time.sleep(0.5)  # the journal is written in batches
        switches = _switches(journal, [record.wall for record in second.log()])
    return {
        "answered": result.ok,
        "calls": result.calls,
        "switch_p50": _row(switches, 0.5),
        "switch_p99": _row(switches, 0.99),
    }


def silence(calls: int, rate: float) -> dict[str, object]:
    """The first target falls silent after healthy calls: what callers wait while that is learned, and afterwards."""
    behaviour = Behaviour(ttft=Fixed(0.05), gap=Fixed(0.001), tokens=Fixed(5))
    with (
        TwinProcess(TwinOptions(behaviour=behaviour)) as first,
        TwinProcess(TwinOptions(behaviour=behaviour)) as second,
        _gateway(first, second) as (url, _),
    ):
        healthy = _load(url, 200, 50)
        first.set_faults("silence")
        learning = _load(url, calls // 4, rate)
        after = _load(url, calls, rate)
    base = [r.ttft for r in healthy.results if r.ttft is not None]
    learned = [r.ttft for r in learning.results if r.ttft is not None]
    settled = [r.ttft for r in after.results if r.ttft is not None]
    return {
        "failed": sum(result.calls - result.ok for result in (learning, after)),
        "healthy_ttft_p99": _row(base, 0.99),
        "learning_ttft_p99": _row(learned, 0.99),
        "settled_ttft_p50": _row(settled, 0.5),
        "settled_ttft_p99": _row(settled, 0.99),
    }


def _switches(path: Path, arrivals: list[float]) -> list[float]:
    """Verdict to arrival at the next target, in the order of time.

    Both are Unix times of one machine; the second is the twin's own, so nothing between decision and wire is left out.
    """
    with reader.journal(str(path)) as connection:
        verdicts = sorted(
            call.at + attempt.verdict
            for call in reader.calls(connection)
            for attempt in call.attempts
            if attempt.verdict is not None
        )
    if len(verdicts) != len(arrivals):
        raise RuntimeError(f"{len(verdicts)} verdicts, but {len(arrivals)} fallbacks arrived")
    return [arrived - verdict for verdict, arrived in zip(verdicts, sorted(arrivals), strict=True)]


def main() -> None:
    """Run both scenarios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = {
        "definite failure": definite_failure(options.calls, options.rate),
        "silence": silence(options.calls, options.rate),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
