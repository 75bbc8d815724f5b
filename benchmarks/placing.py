"""Which core a process runs on: the tools share one, the system under test has the other.

Knows: CPU affinity, which a child inherits. Must never: leave the benchmark itself pinned.
"""

import contextlib
import os
from collections.abc import Iterator

TOOLS = 0
UNDER_TEST = 1


@contextlib.contextmanager
def on_core(which: int) -> Iterator[None]:
    """Processes started inside run on the `which`-th core that this process may use (modulo their number)."""
    allowed = os.sched_getaffinity(0)
    cores = sorted(allowed)
    os.sched_setaffinity(0, {cores[which % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
