"""What every reader of a stream shows of it, as it is before the first byte: the state that `StreamReader` describes.

Holds it and nothing else: how a stream is read is each reader's own.
"""

from surefoot.dialects.dialect import NO_USAGE, Usage
from surefoot.domain.outcome import Kind


class Reading:
    """See `dialects.dialect.StreamReader` for what each of these says."""

    __slots__ = ("content", "events", "finished", "progress", "seen", "usage", "whole", "wrong")

    def __init__(self) -> None:
        self.content = False
        self.progress = False
        self.seen = False
        self.whole = False
        self.finished = False
        self.wrong: Kind | None = None
        self.usage: Usage = NO_USAGE
        self.events = 0
