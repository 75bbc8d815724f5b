"""The states of a Call: the rows of the table in `policy.call`."""

from enum import IntEnum


class State(IntEnum):
    """The rows of the table."""

    CHOOSING = 0
    WAITING = 1
    SPEAKING = 2
    DONE = 3
    FAILED = 4
    DROPPED = 5
