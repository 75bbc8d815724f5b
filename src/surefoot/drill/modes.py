"""The ways in which the demo makes the primary fail.

Knows: names, the twin's faults, and what to call them. Must never: strike by itself.
"""

from msgspec import Struct

from surefoot.twin import Fault

HEALTHY = "healthy"
HEALTHY_MEANING = "The primary is well: the baseline."


class Mode(Struct, frozen=True):
    """One failure of the primary."""

    name: str
    fault: Fault
    meaning: str


MODES = (
    Mode("refuse", Fault("refuse"), "The primary refuses every connection, as a dead machine does."),
    Mode("error", Fault("status:500"), "The primary answers every call with HTTP 500."),
    Mode("hang", Fault("silence"), "The primary takes every call and never says a word."),
    Mode("slow", Fault("slow_first_token", seconds=1.0), "The primary takes a second to begin each answer."),
    Mode("stall", Fault("stall"), "The primary begins each answer, falls silent after three words and never ends."),
    Mode("cut", Fault("truncate"), "The primary breaks off each answer after three words, as if that were the end."),
)


def chosen(names: tuple[str, ...]) -> tuple[Mode, ...]:
    """The modes of those names, in our order; all if none is named. Raises `ValueError` for an unknown name."""
    known = [mode.name for mode in MODES]
    for name in names:
        if name not in known:
            raise ValueError(f"there is no mode {name!r}; known: {', '.join(known)}")
    return tuple(mode for mode in MODES if not names or mode.name in names)
