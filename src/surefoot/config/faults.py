"""Everything that is wrong with a file, collected while it is read, so that all of it can be told at once.

Knows paths: `targets.primary.price.input`, `listeners[0].address`. A part that was found wrong already is *spoiled*:
what follows from that is not told as a second fault. Must never carry a secret into a sentence.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def path_of(*parts: str | int) -> str:
    """A path as TOML writes it: `targets."gpt-4.1".price`, `listeners[0]`."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else f'"{part}"'
            path += f".{name}" if path else name
    return path


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the nearest known one, or all if they are few."""
    known = sorted(words)
    near = get_close_matches(word, known, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    few = 20
    if not known:
        return "there is none"
    return "known: " + ", ".join(known[:few]) + (", …" if len(known) > few else "")


class Faults:
    """Faults and warnings in the order in which they were found."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.warnings: list[str] = []
        self._spoiled: set[str] = set()

    def add(self, path: str, sentence: str) -> None:
        """The file cannot be used because of this."""
        line = f"{path}: {sentence}"
        if not self.covers(path) and line not in self.found:
            self.found.append(line)

    def warn(self, path: str, sentence: str) -> None:
        """The file can be used, but this is likely a mistake."""
        if not self.covers(path):
            self.warnings.append(f"{path}: {sentence}")

    def spoil(self, path: str) -> None:
        """This part cannot be read, which was told already: nothing more is said about it."""
        self._spoiled.add(path)

    def covers(self, path: str) -> bool:
        """Whether the part at this path, or one around it, is spoiled."""
        return any(path == spoiled or path.startswith((spoiled + ".", spoiled + "[")) for spoiled in self._spoiled)

    def within(self, path: str) -> bool:
        """Whether this part is spoiled, or anything inside it is."""
        inside = (path + ".", path + "[")
        return self.covers(path) or any(spoiled.startswith(inside) for spoiled in self._spoiled)
