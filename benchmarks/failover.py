"""How fast the gateway moves: from a verdict to the next target, and through the learning of a silence.

    python benchmarks/failover.py [--calls 2000] [--rate 200] [--json FILE]

Twins and gateway are processes of their own on loopback; times come from the journal, the twins and the load generator.
Each scenario is bounded in count. Figures are quantiles with distribution-free intervals.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import certificates
from benchmarks.certificates import Certificate
from benchmarks.gateway import serving

from surefoot.evidence import percentile
from surefoot.journal import reader
from surefoot.load import LoadPlan, run_load
from surefoot.load.result import LoadResult
from surefoot.twin import Behaviour, Fault, FaultPlan, Fixed, Rule, TwinOptions, TwinProcess, always
from surefoot.twin.server import Tls

_CONFIGURATION = """
[targets.first]
provider = "openai-compatible"
base_url = "{first}/v1"
model = "twin-1"
[targets.second]
provider = "openai-compatible"
base_url = "{second}/v1"
model = "twin-1"
{ca}
[routes.chat]
targets = ["first", "second"]
"""


_COLD_RATE = 50.0
"""Calls a second: low enough for a connection to be closed before the next switch."""


def _configuration(first: TwinProcess, second: TwinProcess, ca: str = "") -> str:
    return _CONFIGURATION.format(first=first.url, second=second.url, ca=ca)


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
        serving(_configuration(first, second)) as gateway,
    ):
        _load(gateway.url, 200, rate)
        first.set_faults(FaultPlan((Rule(Fault("status:500"), probability=0.2),)))
        result = _load(gateway.url, calls, rate)
        gateway.stop()
        switches = [seconds for seconds, _ in _switches(gateway.journal, second)]
    return {
        "answered": result.ok,
        "calls": result.calls,
        "switch_p50": _row(switches, 0.5),
        "switch_p99": _row(switches, 0.99),
    }


def cold_switch(calls: int, certificate: Certificate | None) -> dict[str, object]:
    """The same where the next target closes its connection after every answer, so that a switch has to open one.

    Once a second the gateway warms one connection all the same; switches that found it are told apart by the journal,
    where a request over a connection that was open is sent at the moment the attempt is launched, and left out.
    """
    behaviour = Behaviour(ttft=Fixed(0.005), gap=Fixed(0.001), tokens=Fixed(5))
    tls = None if certificate is None else Tls(str(certificate.chain), str(certificate.key))
    ca = "" if certificate is None else f'ca = "{certificate.ca}"'
    with (
        TwinProcess(TwinOptions(behaviour=behaviour)) as first,
        TwinProcess(TwinOptions(behaviour=behaviour, faults=always("stale"), tls=tls)) as second,
        serving(_configuration(first, second, ca)) as gateway,
    ):
        first.set_faults(FaultPlan((Rule(Fault("status:500"), probability=0.2),)))
        result = _load(gateway.url, calls, _COLD_RATE)
        gateway.stop()
        switches = _switches(gateway.journal, second)
    cold = [seconds for seconds, was_cold in switches if was_cold]
    return {
        "answered": result.ok,
        "calls": result.calls,
        "found_warm": len(switches) - len(cold),
        "switch_p50": _row(cold, 0.5),
        "switch_p99": _row(cold, 0.99),
    }


def silence(calls: int, rate: float) -> dict[str, object]:
    """The first target falls silent after healthy calls: what callers wait while that is learned, and afterwards."""
    behaviour = Behaviour(ttft=Fixed(0.05), gap=Fixed(0.001), tokens=Fixed(5))
    with (
        TwinProcess(TwinOptions(behaviour=behaviour)) as first,
        TwinProcess(TwinOptions(behaviour=behaviour)) as second,
        serving(_configuration(first, second)) as gateway,
    ):
        healthy = _load(gateway.url, 200, 50)
        first.set_faults("silence")
        learning = _load(gateway.url, calls // 4, rate)
        after = _load(gateway.url, calls, rate)
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


def _switches(path: Path, second: TwinProcess) -> list[tuple[float, bool]]:
    """Verdict to arrival at the next target, in the order of time, and whether its connection had to be opened.

    Both are Unix times of one machine; the second is the twin's own, so nothing between decision and wire is left out.
    """
    arrivals = sorted(record.wall for record in second.log())
    with reader.journal(str(path)) as connection:
        verdicts = sorted(
            (call.at + before.verdict, after.sent != after.started)
            for call in reader.calls(connection)
            for before, after in pairwise(call.attempts)
            if before.verdict is not None
        )
    if len(verdicts) != len(arrivals):
        raise RuntimeError(f"{len(verdicts)} verdicts, but {len(arrivals)} fallbacks arrived")
    return [(arrived - verdict, cold) for (verdict, cold), arrived in zip(verdicts, arrivals, strict=True)]


def main() -> None:
    """Run all scenarios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="failover-") as folder:
        certificate = certificates.issue(Path(folder))
        cold = {
            "cold switch": cold_switch(options.calls, None),
            "cold switch, TLS": cold_switch(options.calls, certificate),
        }
    result = {
        "definite failure": definite_failure(options.calls, options.rate),
        **cold,
        "silence": silence(options.calls, options.rate),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
