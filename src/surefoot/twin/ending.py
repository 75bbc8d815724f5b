"""Ending a child process: politely, then surely.

Knows: signals, patience, and the pipes that are left.
Must never: return while the process still runs.
"""

import subprocess
from typing import Any


def end(process: "subprocess.Popen[Any]", patience: float) -> None:
    """Ask it to end, wait `patience` seconds, then kill it; close its pipes. Harmless when it has ended."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
