"""Server-sent events, as far as streams of JSON need them (WHATWG HTML, section 9.2): events end at a blank line.

Sans-IO: bytes in, whole events out. The usual segment holds whole events that end in two line feeds and costs one
comparison.
"""

import re

_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE_END = re.compile(rb"\r\n|\n|\r")


class Splitter:
    """Cuts a stream of bytes at event boundaries; what is not whole yet waits in `tail`."""

    __slots__ = ("tail",)

    def __init__(self) -> None:
        self.tail = b""

    def feed(self, data: bytes) -> bytes:
        """The whole events that are there now, as one piece; empty if none is."""
        if not self.tail and data.endswith(b"\n\n"):
            return data
        data = self.tail + data
        end = 0
        for match in _BLANK_LINE.finditer(data):
            end = match.end()
        self.tail = data[end:]
        return data[:end]


def events(whole: bytes) -> list[bytes]:
    """The single events of a piece that `Splitter.feed` returned, each with its blank line."""
    found: list[bytes] = []
    start = 0
    for match in _BLANK_LINE.finditer(whole):
        found.append(whole[start : match.end()])
        start = match.end()
    return found


def payload(event: bytes) -> bytes | None:
    """The data of one event, its `data` lines joined; None if it has none (a comment, a keep-alive)."""
    if event.startswith(b"data: {") and event.count(b"\n") == 2:  # noqa: PLR2004 - one line, and the blank one
        return event[6:-2]
    lines = [line[5:].removeprefix(b" ") for line in _LINE_END.split(event) if line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None
