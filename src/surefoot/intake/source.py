"""One opened input, and the three ways to read it: by lines, by JSON records, by rows of a table.

Knows: gzip by its first bytes, whatever the file is called; how far it has been read; what the one who imports says of
it because the file does not (`zone`, `start`, `columns`). What cannot be given out comes as an `Unreadable` in its
place. Blank lines are nothing and are passed over, but count as lines.

Must never: hold more of a file than its longest line or record, or skip anything that is not blank without telling.
"""

import codecs
import csv
import gzip
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import tzinfo
from io import BufferedReader, FileIO
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

import msgspec

from surefoot.errors import IntakeError
from surefoot.intake.row import Unreadable

LONGEST = 64 * 1024 * 1024
"""Bytes of the longest line or JSON record that is read; a longer one is passed over and told."""

CHUNK = 1024 * 1024
"""Bytes read at once."""

HEAD = 4096
"""Bytes that are looked at to tell what a file is."""

LONGEST_SHOWN = f"{LONGEST // 1024 // 1024} MiB"
GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BETWEEN = re.compile(r"[ \t\r\n,]*")
BROKEN_OFF = "the file breaks off or is damaged here"
DAMAGED = (EOFError, OSError, zlib.error)
"""What reading a compressed file raises that is cut short or damaged, and any file on a failing disk."""


class Line(NamedTuple):
    """A line without its end; numbers from 1."""

    number: int
    content: bytes


class Record(NamedTuple):
    """What one record holds. `number` is that of its line; in a file that is one JSON array, of the record, from 1."""

    number: int
    content: Any


class Told(NamedTuple):
    """What the one who imports says of an input because the file does not."""

    zone: tzinfo | None = None
    """Of its times without a zone."""
    start: float | None = None
    """Unix time of its zero, where its times are relative."""
    columns: Any = None
    """What the columns of a plain table mean (`intake.csv_map.ColumnMap`)."""


class Source:
    """An input, open from `with` to its end. Can be read once, in one of the three ways."""

    def __init__(self, path: str, told: Told | None = None) -> None:
        """`path` is a file's, or `-` for standard input."""
        self.name = "standard input" if path == "-" else path
        self.path = None if path == "-" else Path(path)
        self.told = told or Told()
        self.size: int | None = None
        """Bytes of the file as it lies there, compressed or not; None where nobody knows."""
        self._stack = ExitStack()
        self._file: FileIO | None = None
        self._bytes: BufferedReader | gzip.GzipFile | None = None

    def __enter__(self) -> Self:
        """Open it. Raises `IntakeError` with a sentence that says what to do."""
        if self.path is not None and self.path.is_dir():
            raise IntakeError(f"{self.name} is a folder: name the files in it, as {self.path / '*'}")
        try:
            self._open()
        except OSError as error:
            raise IntakeError(f"{self.name} cannot be read: {error.strerror or error}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def _open(self) -> None:
        if self.path is None:
            buffered = cast("BufferedReader", sys.stdin.buffer)
        else:
            self._file = self._stack.enter_context(FileIO(self.path))
            buffered = self._stack.enter_context(BufferedReader(self._file, CHUNK))
            self.size = self.path.stat().st_size
        packed = buffered.peek(len(GZIP)).startswith(GZIP)
        self._bytes = self._stack.enter_context(gzip.GzipFile(fileobj=buffered)) if packed else buffered

    @property
    def position(self) -> int:
        """Bytes of `size` read so far; 0 where nobody knows."""
        return self._file.tell() if self._file is not None and not self._file.closed else 0

    def lines(self) -> Iterator[Line | Unreadable]:
        """All lines that are not blank."""
        for number in count(1):
            try:
                content = self._opened().readline(LONGEST)
                whole = len(content) < LONGEST or content.endswith(b"\n") or self._ended()
            except DAMAGED:
                yield Unreadable(number, BROKEN_OFF)
                return
            if not content:
                return
            if number == 1:
                content = content.removeprefix(BYTE_ORDER_MARK)
            if not whole:
                yield Unreadable(number, f"longer than {LONGEST_SHOWN}")
            elif content.strip():
                yield Line(number, content.rstrip(b"\r\n"))

    def records(self) -> Iterator[Record | Unreadable]:
        """All JSON records: one a line, the members of one array, or values that are spread over lines."""
        if self._spread():
            yield from _Values(self._opened().read)
            return
        for line in self.lines():
            yield line if isinstance(line, Unreadable) else _record(line)

    def head(self) -> bytes:
        """How it begins, up to 4 KiB and without white space before; nothing if it is damaged there. Reads nothing."""
        try:
            return self._opened().peek(HEAD)[:HEAD].removeprefix(BYTE_ORDER_MARK).lstrip()
        except DAMAGED:
            return b""

    def _spread(self) -> bool:
        """Whether this is JSON that does not keep to lines: its first line opens something and does not go on."""
        head = self.head()
        first, ended, _ = head.partition(b"\n")
        return head[:1] == b"[" or (head[:1] == b"{" and bool(ended) and first.rstrip()[-1:] in {b"{", b"["})

    def table(self) -> Iterator[Record | Unreadable]:
        """All rows of a CSV with a header, each as a dictionary by column; a row that has not all fields is told."""
        texts = _Texts(self.lines())
        csv.field_size_limit(LONGEST)
        rows = csv.reader(texts, strict=True)
        header: list[str] | None = None
        while True:
            texts.begun = None
            fields: list[str] | str | None
            try:
                fields = next(rows, None)
            except csv.Error as error:
                fields = f"not CSV: {error}"
            yield from texts.refused()
            if fields is None:
                return
            begun = texts.begun or texts.number
            # A quote that is not closed takes lines into its cell which are rows of their own.
            over = "" if texts.number == begun else f", over {texts.number - begun + 1} lines"
            if isinstance(fields, str):
                yield Unreadable(begun, fields + over)
            elif header is None:
                header = _header(self.name, fields)
            elif len(fields) == len(header):
                yield Record(begun, dict(zip(header, fields, strict=True)))
            else:
                yield Unreadable(begun, f"{len(fields)} fields under a header of {len(header)}{over}")

    def _ended(self) -> bool:
        """Read on to the end of a line that is too long. Whether there was nothing left of it."""
        piece = self._opened().readline(CHUNK)
        ended = piece in {b"", b"\n"}
        while piece and not piece.endswith(b"\n"):
            piece = self._opened().readline(CHUNK)
        return ended

    def _opened(self) -> BufferedReader | gzip.GzipFile:
        if self._bytes is None:
            raise RuntimeError("a source is read inside its `with`")
        return self._bytes


def _header(name: str, fields: list[str]) -> list[str]:
    """The names of the columns. Raises `IntakeError` for two of one name: nobody could say which is meant."""
    header = [field.strip() for field in fields]
    twice = sorted({field for field in header if field and header.count(field) > 1})
    if twice:
        named = ", ".join(f"`{field}`" for field in twice)
        raise IntakeError(f"{name} has several columns called {named}: give them names of their own")
    return header


def _record(line: Line | Unreadable) -> Record | Unreadable:
    if isinstance(line, Unreadable):
        return line
    try:
        return Record(line.number, msgspec.json.decode(line.content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Unreadable(line.number, "not JSON")


class _Texts:
    """Lines as text for `csv`, which wants them one by one; knows at which line the row being read began."""

    def __init__(self, lines: Iterator[Line | Unreadable]) -> None:
        self.begun: int | None = None
        self.number = 0
        self._lines = lines
        self._refused: list[Unreadable] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        for line in self._lines:
            if isinstance(line, Unreadable):
                self._refused.append(line)
                continue
            self.number = line.number
            try:
                text = line.content.decode()
            except UnicodeDecodeError:
                self._refused.append(Unreadable(line.number, "not UTF-8"))
                continue
            self.begun = self.begun or line.number
            return text + "\n"
        raise StopIteration

    def refused(self) -> list[Unreadable]:
        """What could not be read since this was last asked."""
        refused, self._refused = self._refused, []
        return refused


class _Values:
    """JSON values one after the other, as an array or not, out of a text that grows until the next one is whole."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._parse = json.JSONDecoder(parse_constant=_nothing).raw_decode
        self._text = ""
        self._number = 0
        self._end = ""
        """What has to stand behind the last value: the end of the array, if it began as one."""

    def __iter__(self) -> Iterator[Record | Unreadable]:
        first = True
        final = False
        while not final:
            try:
                piece = self._read(max(CHUNK, len(self._text)))  # doubled, so that a long record is not parsed often
            except DAMAGED:
                yield Unreadable(self._number + 1, BROKEN_OFF)
                return
            final = not piece
            self._text += self._decode(piece, final)
            if first:
                self._begin()
                first = False
            yield from self._whole(final=final)
            if len(self._text) > LONGEST:
                yield Unreadable(self._number + 1, f"longer than {LONGEST_SHOWN}; nothing after it was read")
                return
        left = self._text.strip(" \t\r\n")
        if left != self._end:
            yield Unreadable(self._number + 1, "not JSON; nothing after it was read" if left else BROKEN_OFF)

    def _begin(self) -> None:
        self._text = self._text.removeprefix("\ufeff").lstrip()
        if self._text.startswith("["):
            self._text = self._text[1:]
            self._end = "]"

    def _whole(self, *, final: bool) -> Iterator[Record]:
        """The values that are whole by now. One that ends where the text ends may go on, if it is a number."""
        at = 0
        while True:
            at = cast("re.Match[str]", BETWEEN.match(self._text, at)).end()
            try:
                content, end = self._parse(self._text, at)
            except (ValueError, RecursionError):  # also a number of more digits than Python reads
                break
            if end == len(self._text) and not final:
                break
            self._number += 1
            yield Record(self._number, content)
            at = end
        self._text = self._text[at:]


def _nothing(_name: str) -> None:
    """What NaN and Infinity are read as, which are not JSON."""
