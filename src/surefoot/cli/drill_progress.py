"""Where a drill is, while it goes on: one line that is written over on a terminal, else a line for every step.

Knows: terminals. Must never: write to standard output, which belongs to what the drill found.
"""

import sys
import time
from shutil import get_terminal_size
from typing import TextIO

from surefoot.drill.pace import Progress

EVERY = 5.0
"""Seconds after which a line is written also where no step has changed, and there is no terminal."""

_NAMED = 3


class ProgressLine:
    """Feed it with `tell`; `end` leaves the terminal's line empty."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stderr if out is None else out
        self._terminal = self._out.isatty()
        self._last: tuple[str, int, int] | None = None
        self._written = 0.0

    def tell(self, at: Progress) -> None:
        """Show it, unless the same was just shown."""
        if self._terminal:
            width = get_terminal_size().columns - 1
            self._out.write(f"\r\x1b[2K{sentence(at)[:width]}")
            self._out.flush()
            return
        step, now = (at.doing, at.wave, at.of), time.monotonic()
        if step != self._last or now - self._written >= EVERY:
            self._last, self._written = step, now
            self._out.write(sentence(at) + "\n")
            self._out.flush()

    def end(self) -> None:
        """Nothing more is told."""
        if self._terminal:
            self._out.write("\r\x1b[2K")
            self._out.flush()


def sentence(at: Progress) -> str:
    """`wave 1/2 · 40/880 calls counted · 0:12 · about 0:48 left · failing: refuse, reset, tls and 32 more`."""
    parts = [f"wave {at.wave}/{at.of}"] if at.of else []
    if at.total:
        parts.append(f"{at.done}/{at.total} calls counted")
    parts.append(_clock(at.elapsed))
    if at.rest is not None and at.of:
        parts.append(f"{'at most' if at.at_most else 'about'} {_clock(at.rest)} left")
    return " · ".join([*parts, f"{at.doing}{_named(at.modes)}"])


def _named(modes: tuple[str, ...]) -> str:
    if not modes:
        return ""
    more = len(modes) - _NAMED
    return f": {', '.join(modes[:_NAMED])}{f' and {more} more' if more > 0 else ''}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"
