"""Open-loop load: the generator that demo, drills and benchmarks share.

Knows: schedules, a lean HTTP client, histograms.
Must never: coordinate its sends with the answers it gets.
"""

from surefoot.load.generator import run_load, run_paired, run_staggered
from surefoot.load.plan import LoadError, LoadPlan
from surefoot.load.result import CallResult, LoadResult, merged, new_histogram

__all__ = [
    "CallResult",
    "LoadError",
    "LoadPlan",
    "LoadResult",
    "merged",
    "new_histogram",
    "run_load",
    "run_paired",
    "run_staggered",
]
