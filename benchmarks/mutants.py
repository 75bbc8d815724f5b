"""The mutation score of `policy`: which share of small changes to it some test of the policy notices.

    python benchmarks/mutants.py [--sample 200 | --all] [--seed 1] [--least 0.85]

A sample drawn at random from all mutants bounds the time; the interval says what it leaves open. Exits with 1 if the
score is below `--least`, with 2 if mutants were left unjudged.
Knows: mutmut's command line and where it keeps its verdicts. Must never: take a mutant that was not run for a dead one.
"""

import argparse
import json
import os
import random
import subprocess
import sys
from pathlib import Path

from surefoot.evidence import wilson

ROOT = Path(__file__).resolve().parent.parent
MUTANTS = ROOT / "mutants"
FIRST = "surefoot.policy.rules.slots*"
"""Few mutants: running these makes all of them, and times the tests."""

KILLED = frozenset({1, 3})
TIMED_OUT = frozenset({24, 36, 152, 255, -24})
SURVIVED = frozenset({0, 5, 33})
"""Exit codes as mutmut 3.8 reads them (`mutmut/stats.py`): a test failed; it ran far beyond its usual time; the tests
passed, or none reaches the function. What is in none of them (a crash, an interruption) is no verdict."""

_PATIENCE_SECONDS = 4 * 3600.0


def _verdicts() -> dict[str, int | None]:
    """What is known of every mutant, by name; None is not run."""
    found: dict[str, int | None] = {}
    for file in sorted((MUTANTS / "src" / "surefoot" / "policy").rglob("*.meta")):
        found |= json.loads(file.read_text())["exit_code_by_key"]
    return found


def _run(names: list[str]) -> None:
    command = [str(Path(sys.executable).parent / "mutmut"), "run", "--max-children", str(os.cpu_count() or 1), *names]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=_PATIENCE_SECONDS)


def main() -> int:
    """Draw, run, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--all", action="store_true", help="every mutant: about two hours of CPU")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", type=float, default=0.85)
    options = parser.parse_args()
    _run([FIRST])
    names = sorted(_verdicts())
    total = len(names)
    if not options.all and options.sample < total:
        names = random.Random(options.seed).sample(names, options.sample)  # noqa: S311 - a sample, not a secret
    _run(names)
    verdicts = _verdicts()
    unjudged = [name for name in names if verdicts[name] not in KILLED | TIMED_OUT | SURVIVED]
    survivors = sorted(name for name in names if verdicts[name] in SURVIVED)
    late = sum(verdicts[name] in TIMED_OUT for name in names)
    for name in survivors:
        print(f"survived: {name}")
    if unjudged:
        print(f"{len(unjudged)} of {len(names)} mutants were not judged: this is no score")
        return 2
    killed = len(names) - len(survivors)
    low, high = wilson(killed, len(names))
    score = killed / len(names)
    print(f"mutation score: {score:.3f} [{low:.3f}, {high:.3f}], {killed} of {len(names)} killed, of {total} mutants")
    print(f"{late} of the killed by running out of time")
    return 0 if score >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
