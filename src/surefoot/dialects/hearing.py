"""What an answer says of its target by itself: words at the places that the target's owner has named.

Headers are looked at when the head comes, and JSON where it passes anyhow: the events of a stream until every word is
found, the whole body of a plain answer. An event is decoded only if the name that is looked for stands in it.

Knows server-sent events and JSON. Must never know what a word means, or be made for a target that names no place.
"""

from collections.abc import Mapping, Sequence

import msgspec

from surefoot.dialects.sse import Splitter, events, payload
from surefoot.domain.place import Confirmation, Said

LONGEST_WORD = 80
"""Characters of a word that are kept: it comes from elsewhere, and stands in logs and records."""

LARGEST_EVENT = 1024 * 1024
"""Bytes of one event that are looked into; in a larger one nothing is looked for."""

_NOTHING: Said = ()


class Hearing:
    """Of one answer. Each word is told once, when it is found first."""

    __slots__ = ("_headers", "_paths", "_splitter")

    def __init__(self, confirms: Sequence[Confirmation]) -> None:
        self._headers = [(n, one.header.lower().encode("latin-1")) for n, one in enumerate(confirms) if one.header]
        self._paths = [(n, one.body) for n, one in enumerate(confirms) if one.body]
        self._splitter = Splitter()

    @property
    def open(self) -> bool:
        """Whether anything is still looked for in what follows the head."""
        return bool(self._paths)

    def head(self, headers: Mapping[bytes, bytes]) -> Said:
        """What the headers say; their names in lower case."""
        found = [(n, _word(headers[name].decode("latin-1"))) for n, name in self._headers if name in headers]
        return tuple((n, word) for n, word in found if word)

    def stream(self, data: bytes) -> Said:
        """What a piece of a stream says."""
        whole = self._splitter.feed(data)
        if not whole and self._splitter.waiting > LARGEST_EVENT:
            self._paths = []
        if not any(_name_of(path) in whole for _, path in self._paths):
            return _NOTHING
        said: Said = ()
        for event in events(whole):
            told = payload(event)
            if told is not None:
                said += self.body(told)
        return said

    def body(self, body: bytes) -> Said:
        """What a whole JSON object says."""
        if not any(_name_of(path) in body for _, path in self._paths):
            return _NOTHING
        try:
            told: object = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _NOTHING
        said = tuple((n, word) for n, path in self._paths if (word := _at(told, path)))
        found = {n for n, _ in said}
        self._paths = [(n, path) for n, path in self._paths if n not in found]
        return said


def _name_of(path: tuple[str, ...]) -> bytes:
    return b'"%b"' % path[-1].encode()


def _at(told: object, path: tuple[str, ...]) -> str:
    """The word at a path; empty if there is none."""
    for name in path:
        if not isinstance(told, dict):
            return ""
        told = told.get(name)
    return _word(told) if isinstance(told, str) else ""


def _word(text: str) -> str:
    """What can be shown of it in one line."""
    return "".join(sign if sign.isprintable() else "?" for sign in text.strip()[:LONGEST_WORD])
