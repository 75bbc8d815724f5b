"""The chain of receipts as a file that is added to, and the checkpoints beside it.

A batch is one write and one `fsync`: either it is on the disk when `append` returns, or the file is as it was before.
Whatever a kill leaves behind the last whole line is cut off when the file is opened again.

Knows: the file, its lock, and where its last line ends.
Must never: change a line that is whole, or go on behind one that it did not write itself.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from surefoot.errors import StartError
from surefoot.journal.checkpoint import Checkpoint, Signer
from surefoot.journal.link import GENESIS, Broken, read, tie, untie

LONGEST = 1024 * 1024
"""Longest line that is believed, in bytes; a receipt has about one thousand."""

OWNER_ONLY = 0o600


def checkpoints_of(path: str) -> str:
    """The file with the checkpoints of a chain."""
    return path + ".checkpoints"


class Chain:
    """An open chain. Opening it raises `StartError`, if another process has it open as well."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.torn = 0
        """Bytes of a line that was not whole, which were cut off at the start."""
        self.n = 0
        """Lines that are on the disk."""
        self.hash = GENESIS
        """Of the last one."""
        self.identity = ""
        """The hash of the first line; empty while there is none."""
        self._end = 0
        self._dirty = False
        with ExitStack() as opened:
            self._file = _opened(path)
            opened.callback(os.close, self._file)
            _lock(self._file, path)
            try:
                self._recover()
            except OSError as error:
                raise StartError(f"the receipts {path} cannot be read: {error.strerror}") from error
            except Broken as error:
                raise StartError(
                    f"the last record of the receipts {path} {error}: look with `surefoot receipts verify`, and move"
                    " the file away to begin another chain"
                ) from error
            opened.pop_all()

    def append(self, receipts: Sequence[bytes]) -> None:
        """Add receipts in canonical form. Raises `OSError`, and then none of them is there."""
        self._look()
        n, digest, lines = self.n, self.hash, []
        for receipt in receipts:
            n += 1
            line, digest = tie(n, digest, receipt)
            lines.append(line)
            if n == 1:
                first = digest
        data = b"".join(lines)
        self._dirty = True
        self._write(data)
        os.fsync(self._file)  # if this fails the pages may be lost: the next try writes them all anew
        self._dirty = False
        if not self.n and lines:
            self.identity = first
        self._end += len(data)
        self.n, self.hash = n, digest

    def checkpoint(self, signer: Signer, at: str) -> Checkpoint:
        """Sign what the chain has come to, and write that down beside it. Raises `OSError`."""
        made = signer.sign(self.identity, self.n, self.hash, at)
        file = os.open(checkpoints_of(self.path), os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        try:
            _, end, size = _last_line(file)
            if end < size:
                os.ftruncate(file, end)
            os.pwrite(file, made.line(), end)
            os.fsync(file)
        finally:
            os.close(file)
        return made

    def close(self) -> None:
        """Let go of the file."""
        if self._dirty:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
        os.close(self._file)

    def _recover(self) -> None:
        last, self._end, size = _last_line(self._file)
        if last:
            link = read(last)
            self.n, self.hash = link.n, untie(last, link.n, link.prev)
            first = os.pread(self._file, LONGEST, 0).partition(b"\n")[0] + b"\n"
            self.identity = untie(first, 1, GENESIS)
        self.torn = size - self._end
        if self.torn:
            os.ftruncate(self._file, self._end)
            os.fsync(self._file)

    def _look(self) -> None:
        """Is the file still the one that was opened, and as it was left?"""
        if self._dirty:
            os.ftruncate(self._file, self._end)
            self._dirty = False
        ours = os.fstat(self._file)
        if not os.path.samestat(ours, Path(self.path).stat()):
            raise OSError(f"{self.path} is another file than the one that was opened: put that back, or restart")
        if ours.st_size != self._end:
            raise OSError(f"{self.path} was changed by somebody else")

    def _write(self, data: bytes) -> None:
        at, view = self._end, memoryview(data)
        while view:
            written = os.pwrite(self._file, view, at)
            at, view = at + written, view[written:]


def _opened(path: str) -> int:
    fresh = not Path(path).exists()
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        if fresh:
            folder = os.open(Path(path).parent, os.O_RDONLY)
            os.fsync(folder)  # else a power cut may take the name of the file with it
            os.close(folder)
    except OSError as error:
        raise StartError(f"the receipts {path} cannot be opened: {error.strerror}") from error
    return file


def _lock(file: int, path: str) -> None:
    import fcntl  # noqa: PLC0415 - who only reads a chain may do so where this does not exist

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise StartError(
            f"another process writes the receipts {path}: name another file in `receipts.path`, or end that process"
        ) from None


def _last_line(file: int) -> tuple[bytes, int, int]:
    """The last whole line, where it ends, and how long the file is. Raises `Broken` if a line is longer than any."""
    size = os.fstat(file).st_size
    begin = max(size - 2 * LONGEST, 0)
    tail = os.pread(file, size - begin, begin)
    end = tail.rfind(b"\n") + 1
    if not end and begin:
        raise Broken("is longer than any that is written")
    start = tail.rfind(b"\n", 0, end - 1) + 1 if end else 0
    if not start and begin:
        raise Broken("is longer than any that is written")
    return tail[start:end], begin + end, size
