"""What a process tree costs: CPU seconds and memory, read from outside.

Knows: Linux clocks and /proc. Must never: disturb what it measures (no ptrace, no signals).
"""

import time
from dataclasses import dataclass
from pathlib import Path

_CPUCLOCK_SCHED = 2  # include/linux/posix-timers.h: the scheduler's own count, in ns
_QUIET_SECONDS = 0.02
_QUIET_SHARE = 0.05
_LONGEST_SETTLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds of each process of a tree, by process id; the first is the tree's root."""

    root: int
    seconds: dict[int, float]

    def since(self, before: "Cpu") -> "Cpu":
        """What was spent after `before`; a process that has ended since is not counted."""
        spent = {pid: value - before.seconds.get(pid, 0.0) for pid, value in self.seconds.items()}
        return Cpu(self.root, spent)

    @property
    def total(self) -> float:
        """Of all processes."""
        return sum(self.seconds.values())

    @property
    def below_root(self) -> float:
        """Of all but the root: the workers of a supervisor."""
        return self.total - self.seconds.get(self.root, 0.0)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one process: resident, and its proportional share of pages that others map too."""

    pid: int
    resident: int
    proportional: int


def tree(root: int) -> list[int]:
    """Process ids of `root` and all its descendants."""
    found = [root]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found.extend(int(word) for word in children.read_text().split())
            except (FileNotFoundError, ProcessLookupError):  # the thread ended while we looked
                continue
    return found


def cpu(root: int) -> Cpu:
    """CPU time so far of the tree under `root`.

    The clock of another process is named by its id (clock_getcpuclockid(3)); it counts nanoseconds and
    keeps those of threads that have ended, both of which /proc/PID/schedstat and /proc/PID/stat lack.
    """
    seconds = {}
    for pid in tree(root):
        try:
            seconds[pid] = time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)
        except OSError:  # it ended while we looked
            continue
    return Cpu(root, seconds)


def settled_cpu(root: int, least: float) -> Cpu:
    """CPU time once the work that trails a load is done: quiet for 20 ms, at least `least` seconds later."""
    start = time.monotonic()
    before = cpu(root)
    while True:
        time.sleep(_QUIET_SECONDS)
        after = cpu(root)
        waited = time.monotonic() - start
        quiet = after.since(before).total < _QUIET_SECONDS * _QUIET_SHARE
        if (quiet and waited >= least) or waited > _LONGEST_SETTLE_SECONDS:
            return after
        before = after


def memory(root: int) -> list[Memory]:
    """Memory of every process of the tree, root first."""
    found = []
    for pid in tree(root):
        fields = {}
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, value, *_unit = line.split()
            fields[name] = int(value) * 1024
        found.append(Memory(pid, fields["Rss:"], fields["Pss:"]))
    return found
