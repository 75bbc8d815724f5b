"""What could not be read: every line of it goes to a list, and reasons are counted for the end.

Knows how many reasons it keeps apart. Must never keep a line of the list in memory, or a source's content.
"""

import csv
from pathlib import Path
from typing import TextIO

from msgspec import Struct

from surefoot.errors import IntakeError
from surefoot.intake.row import Unreadable

SHOWN = 5
"""Line numbers that are kept for each reason."""

REASONS = 200
"""Reasons that are kept apart; all further ones are counted together. The list has them all."""

FURTHER = "further reasons"


class Reason(Struct):
    """One reason, and where it was met first."""

    why: str
    count: int
    first: list[str]
    """`line 12`, or with several inputs `FILE line 12`."""


def places(reason: Reason) -> str:
    """Where it was met first, and how often else."""
    more = reason.count - len(reason.first)
    return ", ".join(reason.first) + (f" and {more:,} more" if more else "")


class Refused:
    """The list, open for writing; it is made when there is something to write."""

    def __init__(self, path: Path, *, several: bool) -> None:
        self.count = 0
        self._path = path
        self._several = several
        self._reasons: dict[str, Reason] = {}
        self._file: TextIO | None = None

    def add(self, name: str, unreadable: Unreadable) -> None:
        """Note one line of an input. Raises `IntakeError` if the list cannot be written."""
        self.count += 1
        try:
            if self._file is None:
                self._file = self._path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
                csv.writer(self._file).writerow(("file", "line", "why"))
            csv.writer(self._file).writerow((name, unreadable.line, unreadable.why))
        except OSError as error:
            raise IntakeError(f"{self._path} cannot be written: {error.strerror}") from error
        why = unreadable.why if unreadable.why in self._reasons or len(self._reasons) < REASONS else FURTHER
        reason = self._reasons.setdefault(why, Reason(why, 0, []))
        reason.count += 1
        if len(reason.first) < SHOWN:
            reason.first.append(f"{name} line {unreadable.line}" if self._several else f"line {unreadable.line}")

    def reasons(self) -> list[Reason]:
        """The reasons, the most frequent first."""
        return sorted(self._reasons.values(), key=lambda reason: (-reason.count, reason.why))

    def close(self) -> None:
        """Nothing more is noted."""
        if self._file is not None:
            self._file.close()
