"""Where a continuation begins to say something new: what of its text the client has already.

Pure: texts in, a number of characters out. `Overlap` is for a target that was shown the broken answer and asked to go
on, `Repeat` for one that was asked the same again. Neither knows of streams, and neither may hold text back for longer
than the answer is open.
"""

from typing import Protocol

LEAST = 8
"""Characters of the shortest overlap that is taken for one, blanks at its ends not counted. Two texts share a few
characters by chance: of `hel` and `lo` nothing was repeated, and neither of `15` and `5 km`; and in code any two share
their indentation. Ours; no source."""


class Alignment(Protocol):
    """Told the continuation's text bit by bit."""

    cut: int
    """Characters at the beginning of the continuation that are known to be a repetition. Never falls."""
    decided: bool
    """Whether all after `cut` is new."""
    diverged: bool
    """Whether the continuation contradicts what was delivered."""

    def add(self, text: str) -> None:
        """More of the continuation."""

    def end(self) -> None:
        """There is no more: decide."""


class Overlap:
    """The longest end of what was delivered that the continuation begins with, if it is long enough.

    While the continuation can still be the beginning of a longer one, nothing is decided. A text that repeats itself
    at the cut is ambiguous; the longest overlap is taken then.
    """

    __slots__ = ("_delivered", "_earliest", "_latest", "_said", "cut", "decided", "diverged")

    def __init__(self, delivered: str) -> None:
        self._delivered = delivered
        self._said = ""
        self._earliest = 0
        """Where in what was delivered the longest overlap that is still possible begins. Only moves on."""
        self._latest = len(delivered.rstrip()[: 1 - LEAST].rstrip()) - 1
        """Where the shortest overlap begins; -1 if all of it is too short."""
        self.cut = 0
        self.decided = self._latest < 0
        self.diverged = False

    def add(self, text: str) -> None:
        """More of the continuation."""
        if self.decided or not text:
            return
        self._said += text
        # A place counts while not all that follows it has been said again: the search ends before the last character.
        end = min(len(self._delivered) - 1, self._latest + len(self._said))
        open_at = self._delivered.find(self._said, self._earliest, end)
        if open_at < 0:
            self.end()
        else:
            self._earliest = open_at

    def end(self) -> None:
        """Take the longest overlap there is."""
        if self.decided:
            return
        self.decided = True
        delivered, said = self._delivered, self._said
        beginning = said[:LEAST]
        at = max(0, len(delivered) - len(said)) - 1
        while len(beginning) == LEAST and 0 <= (at := delivered.find(beginning, at + 1)) <= self._latest:
            if said.startswith(delivered[at:]):
                self.cut = len(delivered) - at
                return


class Repeat:
    """Everything that was delivered has to come again, to the character; the first difference is a divergence."""

    __slots__ = ("_delivered", "cut", "decided", "diverged")

    def __init__(self, delivered: str) -> None:
        self._delivered = delivered
        self.cut = 0
        self.decided = not delivered
        self.diverged = False

    def add(self, text: str) -> None:
        """More of the continuation."""
        if self.decided or self.diverged:
            return
        if self._delivered.startswith(text, self.cut):
            self.cut += len(text)
        elif text.startswith(self._delivered[self.cut :]):
            self.cut = len(self._delivered)
        else:
            self.diverged = True
        self.decided = self.cut == len(self._delivered)

    def end(self) -> None:
        """Shorter than what was delivered is not the same answer."""
        self.diverged = not self.decided
