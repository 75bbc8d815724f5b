"""The states of a Call: the rows of the table in `policy.call`."""

from enum import IntEnum


class State(IntEnum):
    """The rows of the table."""

    CHOOSING = 0
    WAITING = 1
    SPEAKING = 2
    RESUMING = 3
    DONE = 4
    FAILED = 5
    DROPPED = 6
