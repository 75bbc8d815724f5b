"""Is a chain of receipts what was written? Read from its beginning, line by line, in constant memory.

Found are every edit, deletion, insertion and reordering of lines. That the end was cut off, or that all of it was made
anew with other hashes, is found against checkpoints that were held elsewhere, up to the newest of them.

Must never: write, or need more than the files of the chain.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from msgspec import Struct

from surefoot.errors import StartError
from surefoot.journal.chain import LONGEST
from surefoot.journal.checkpoint import Checkpoint, is_signed
from surefoot.journal.link import GENESIS, Broken, untie

TELL_EVERY = 10_000
"""Records between two words on how far it is."""


class Fault(Struct, frozen=True):
    """The first thing that is wrong."""

    n: int
    """The record that is not as it should be."""
    line: int | None
    """The line of the file that shows it; None if it is not there."""
    what: str


class Finding(Struct, frozen=True):
    """What is to be said of a chain."""

    ok: bool
    records: int
    """Records that follow from one another, from the first on."""
    torn: int
    """Bytes after the last whole line: what a kill leaves. The gateway cuts them off when it starts again."""
    confirmed: int
    """The last record that a checkpoint speaks for; 0 without any."""
    signatures: bool
    """Whether the checkpoints' signatures were checked, against keys that were given."""
    fault: Fault | None = None


def verify(
    path: Path,
    checkpoints: Sequence[Checkpoint] = (),
    publics: Collection[str] = (),
    progress: Callable[[int, int], None] = lambda _records, _bytes: None,
    *,
    spoken_for: bool = False,
) -> Finding:
    """Verify a chain against the checkpoints that are given, and those against public keys: any of them will do.

    `progress` is told now and then how many records and bytes were read. `spoken_for`: it is a fault if no checkpoint
    speaks for any record. Raises `StartError` if the chain cannot be read.
    """
    fault = _unsigned(checkpoints, publics) if publics else None
    reading = _Reading(checkpoints)
    try:
        with path.open("rb") as file:
            done = 0
            while fault is None and not reading.torn and (line := file.readline(LONGEST + 1)):
                fault = reading.take(line)
                done += len(line)
                if reading.n % TELL_EVERY == 0:
                    progress(reading.n, done)
    except OSError as error:
        raise StartError(f"the receipts {path} cannot be read: {error.strerror}") from error
    fault = fault or reading.cut_off()
    if fault is None and spoken_for and not reading.confirmed:
        fault = Fault(1, None, "and all after it: no checkpoint speaks for them, and one is required")
    torn = reading.torn if fault is None else 0
    return Finding(fault is None, reading.n, torn, reading.confirmed, bool(publics), fault)


class _Reading:
    """How far the reading is."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self.n = 0
        self.torn = 0
        self.confirmed = 0
        self._prev = GENESIS
        self._chains = {checkpoint.chain: checkpoint for checkpoint in checkpoints}
        self._due: dict[int, list[Checkpoint]] = defaultdict(list)
        for checkpoint in checkpoints:
            self._due[checkpoint.n].append(checkpoint)

    def take(self, line: bytes) -> Fault | None:
        """The next line of the file."""
        number = self.n + 1
        if not line.endswith(b"\n"):
            if len(line) > LONGEST:
                return Fault(number, number, "is longer than any that is written")
            self.torn = len(line)
            return None
        try:
            self._prev = digest = untie(line, number, self._prev)
        except Broken as error:
            return Fault(number, number, str(error))
        self.n = number
        if number == 1:
            for chain, checkpoint in self._chains.items():
                if chain != digest:
                    what = f"is not the one that the chain began with, as signed at {checkpoint.at}"
                    return Fault(1, 1, what)
        if number in self._due:
            return self._confirm(number, digest)
        return None

    def cut_off(self) -> Fault | None:
        """Do the checkpoints know of more than there was?"""
        beyond = [one for n, several in self._due.items() if n > self.n for one in several]
        if not beyond:
            return None
        newest = max(beyond, key=lambda checkpoint: checkpoint.n)
        return Fault(self.n + 1, None, f"is missing: at {newest.at} the chain had {newest.n} records, as was signed")

    def _confirm(self, number: int, digest: str) -> Fault | None:
        for checkpoint in self._due[number]:
            if checkpoint.hash != digest:
                what = f"is not the one that was signed at {checkpoint.at}: it, or one after record {self.confirmed}"
                return Fault(number, number, f"{what}, was replaced and the chain made anew from there")
        self.confirmed = number
        return None


def _unsigned(checkpoints: Sequence[Checkpoint], publics: Collection[str]) -> Fault | None:
    for checkpoint in checkpoints:
        if not any(is_signed(checkpoint, public) for public in publics):
            nobody = "this key has not" if len(publics) == 1 else "none of these keys has"
            what = f"is named by a checkpoint of {checkpoint.at} that {nobody} signed"
            return Fault(checkpoint.n, None, what)
    return None
