"""How far a replay is: a bar on a terminal, else a line every few seconds.

Knows: terminals. Must never: write to standard output, which belongs to what the replay found.
"""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

EVERY = 5.0
"""Seconds between two lines, at least, where there is no terminal."""


class ReplayProgress:
    """Told of calls and tasks that are done; used with `with`."""

    def __init__(self, calls: int, tasks: int) -> None:
        self._calls, self._tasks = calls, tasks
        self._done_calls = self._done_tasks = 0
        self._console = Console(stderr=True)
        self._said = ""
        self._said_at = 0.0
        columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn()
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._task = self._bar.add_task(self._sentence(), total=calls)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._bar.stop()

    def tell(self, calls: int, tasks: int) -> None:
        """So many more are done."""
        self._done_calls += calls
        self._done_tasks += tasks
        self._bar.update(self._task, completed=self._done_calls, description=self._sentence())
        now, sentence = time.monotonic(), self._sentence()
        if not self._console.is_terminal and sentence != self._said and now - self._said_at >= EVERY:
            self._said, self._said_at = sentence, now
            self._console.print(sentence, highlight=False, markup=False)

    def say(self, what: str) -> None:
        """What is done now, after the last call."""
        self._bar.update(self._task, description=what)

    def _sentence(self) -> str:
        share = self._done_calls / self._calls if self._calls else 1.0
        return f"replay {self._done_tasks}/{self._tasks} done, {share:.0%} of all calls in both arms"
