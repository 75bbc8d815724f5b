"""Entry of `make bench`: runs the package `benchmarks` of this checkout.

Knows: where the checkout is. Must never: measure anything itself.
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not benchmarks/, whose names must not shadow others
    runpy.run_module("benchmarks", run_name="__main__", alter_sys=True)
