"""Server-sent events, as far as streams of JSON need them (WHATWG HTML, section 9.2): events end at a blank line.

Sans-IO: bytes in, whole events out. The usual segment holds whole events that end in two line feeds and costs one
comparison.
"""

import re

_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LONGEST_END = 3
"""Bytes of a blank line that may have come before the rest of it."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_ERROR = b"error:"
"""A field that no standard knows: llama.cpp wrote its errors so for years."""


class Splitter:
    """Cuts a stream of bytes at event boundaries. What is not whole yet waits; only its end is looked at again."""

    __slots__ = ("_edge", "_pieces", "waiting")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._edge = b""
        self.waiting = 0
        """Bytes of the event that is not whole yet."""

    def feed(self, data: bytes) -> bytes:
        """The whole events that are there now, as one piece; empty if none is."""
        if not self.waiting and data.endswith(b"\n\n"):
            return data
        edge = self._edge
        seen = edge + data
        end = 0
        for match in _BLANK_LINE.finditer(seen):
            end = match.end()
        if not end:
            self._wait(data, seen)
            return b""
        cut = end - len(edge)
        whole = b"".join((*self._pieces, data[:cut]))
        self._pieces = []
        self._edge = b""
        self.waiting = 0
        if cut < len(data):
            self._wait(data[cut:], data[cut:])
        return whole

    def _wait(self, data: bytes, seen: bytes) -> None:
        self._pieces.append(data)
        self._edge = seen[-_LONGEST_END:]
        self.waiting += len(data)


def events(whole: bytes) -> list[bytes]:
    """The single events of a piece that `Splitter.feed` returned, each with its blank line."""
    if b"\r" not in whole:  # as nearly everybody writes them
        return [event + b"\n\n" for event in whole.split(b"\n\n")[:-1]]
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
    if not lines and event.startswith(_ERROR):
        return b'{"error":%b}' % event[len(_ERROR) :].strip()
    return b"\n".join(lines) if lines else None


def named(event: bytes, name: bytes) -> bool:
    """Whether an `event` line gives the event this name."""
    if b"event:" not in event:
        return False
    return any(line.startswith(b"event:") and line[6:].strip() == name for line in _LINE_END.split(event))
