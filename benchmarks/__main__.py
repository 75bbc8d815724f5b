"""Command line of the benchmark: options in, table and JSON out.

Knows: its options. Must never: measure or compute.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import bodies, certificates, native, report, suite, systems

_BUILD = Path(__file__).resolve().parent.parent / "build"


def _some_of(known: Sequence[str]) -> "type[argparse.Action]":
    class Some(argparse.Action):
        def __call__(
            self,
            parser: argparse.ArgumentParser,
            namespace: argparse.Namespace,
            values: object,
            option_string: str | None = None,
        ) -> None:
            chosen = str(values).split(",")
            if unknown := sorted(set(chosen) - set(known)):
                parser.error(f"{option_string}: unknown {', '.join(unknown)}; there are {', '.join(known)}")
            setattr(namespace, self.dest, [name for name in known if name in chosen])

    return Some


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/run.py", description="Side by side, interleaved, on this machine."
    )
    parser.add_argument("--pairs", type=int, default=20, help="rounds per row (default 20)")
    parser.add_argument("--seconds", type=float, default=0.5, help="load per system and round (default 0.5)")
    parser.add_argument("--only", action=_some_of(suite.ROWS), default=list(suite.ROWS), help=",".join(suite.ROWS))
    parser.add_argument(
        "--systems", action=_some_of(systems.NAMES), default=list(systems.NAMES), help=",".join(systems.NAMES)
    )
    parser.add_argument("--json", type=Path, default=_BUILD / "bench.json", help="where the facts go")
    return parser.parse_args(words)


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
    elif ": round 1 " in line or ": round " not in line:
        print(line, file=sys.stderr, flush=True)


def main(words: Sequence[str]) -> int:
    """Run the benchmark; 0 when it ran, 2 when its own tools are missing."""
    options = _options(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every system is stopped on the way out
    start = time.monotonic()
    try:
        programs = native.build(_BUILD)
    except native.ToolMissingError as error:
        print(f"the benchmark needs {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        bench = suite.Bench(
            programs=programs,
            bodies=bodies.write_bodies(folder),
            certificate=certificates.issue(folder),
            names=options.systems,
            pairs=options.pairs,
            seconds=options.seconds,
            progress=_progress,
        )
        findings = bench.run(options.only)
    found = report.facts(findings)
    document = report.as_json(found, findings, ["benchmarks/run.py", *words])
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1))
    _progress("")
    print(json.dumps(document["machine"]), "benchmarks/run.py", *words)
    print(report.table(found, findings))
    print(f"\n{time.monotonic() - start:.0f} s; facts in {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
