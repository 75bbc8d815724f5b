"""The proofs about receipts, at full length: nothing that was changed passes, and no kill spoils what was written.

    python benchmarks/receipts.py [--receipts 100000] [--corruptions 300] [--short 100000] [--kills 200] [--seed 1]

A chain of so many receipts is changed at random, each time in one way, and has to be found out each time; and a chain
of 64 of them many times more, so that each of its bytes has its turn. A process
that writes a chain is killed so many times at a random moment, and each time the chain has to verify at least up to the
last record that had been told to be written; the next process goes on with it. Exits with 1 if anything of that fails.

    python benchmarks/receipts.py --write CHAIN      the process that is killed: writes, and tells what is on the disk

Must never: look at a chain with anything but the verifier that auditors use.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from surefoot.journal.chain import Chain
from surefoot.journal.checkpoint import Checkpoint, Signer, is_signed, make_key
from surefoot.journal.link import GENESIS, canonical, read, tie
from surefoot.journal.verifying import Finding, verify

_BATCH = 50
_SHORT = 64
"""Receipts of the chain that is changed most often."""
_AT = "2026-01-01T00:00:00.000Z"

Lines = list[bytes]


class Corruption(NamedTuple):
    """One way to change a chain. `first` is the first record that is not as it was, from 1."""

    name: str
    lines: Lines
    first: int


def a_receipt(number: int) -> bytes:
    """A receipt of the usual size, in canonical form."""
    declared = {"operator": "Example GmbH", "seat": "DE", "processes": ["DE"], "stores": [], "transfer": "none"}
    candidates = [{"target": "far", "verdict": "refused", "rule": "jurisdiction"}, {"target": "near"}]
    return canonical(
        {"call": f"c-{number}", "attempt": 0, "at": _AT, "declared": declared, "candidates": candidates, "sent": True}
    )


def make_chain(path: Path, count: int) -> None:
    """A chain of so many receipts."""
    chain = Chain(str(path))
    for begin in range(0, count, 5_000):
        chain.append([a_receipt(number) for number in range(begin, min(begin + 5_000, count))])
    chain.close()


def corrupted(lines: Lines, rng: Random) -> Corruption:
    """The lines after one random change of any kind."""
    return rng.choice(WAYS)(list(lines), rng)


def _flip(lines: Lines, rng: Random) -> Corruption:
    """One bit of one byte, the line's end included."""
    at = rng.randrange(len(lines))
    changed = bytearray(lines[at])
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    lines[at] = bytes(changed)
    return Corruption("flip", lines, at + 1)


def _edit(lines: Lines, rng: Random) -> Corruption:
    """Another content, and a hash that fits it."""
    at = rng.randrange(len(lines))
    link = read(lines[at])
    lines[at], _ = tie(link.n, link.prev, canonical({**link.receipt, "call": "forged"}))
    return Corruption("edit", lines, at + 1)


def _delete(lines: Lines, rng: Random) -> Corruption:
    at = rng.randrange(len(lines))
    count = min(rng.randint(1, 50), len(lines) - at)
    del lines[at : at + count]
    return Corruption("delete", lines, at + 1)


def _insert(lines: Lines, rng: Random) -> Corruption:
    """A copy of a line, or a new one that follows from the one before it."""
    at = rng.randrange(len(lines))
    link = read(lines[at])
    forged, _ = tie(link.n, link.prev, a_receipt(-1))
    lines.insert(at, rng.choice([forged, lines[rng.randrange(len(lines))]]))
    return Corruption("insert", lines, at + 1)


def _reorder(lines: Lines, rng: Random) -> Corruption:
    one, other = sorted(rng.sample(range(len(lines)), 2))
    lines[one], lines[other] = lines[other], lines[one]
    return Corruption("reorder", lines, one + 1)


def _truncate(lines: Lines, rng: Random) -> Corruption:
    """The end is missing: whole lines, or a part of one."""
    at = rng.randrange(len(lines))
    kept = lines[at][: rng.choice([0, rng.randrange(len(lines[at]))])]
    return Corruption("truncate", [*lines[:at], *([kept] if kept else [])], at + 1)


def _remake(lines: Lines, rng: Random) -> Corruption:
    """One record is changed, and every hash from there on is made anew."""
    at = rng.randrange(len(lines))
    prev = GENESIS if not at else read(lines[at - 1]).hash
    for number in range(at, len(lines)):
        receipt = {**read(lines[number]).receipt, **({"call": "forged"} if number == at else {})}
        lines[number], prev = tie(number + 1, prev, canonical(receipt))
    return Corruption("remake", lines, at + 1)


WAYS: tuple[Callable[[Lines, Random], Corruption], ...] = (
    _flip, _edit, _delete, _insert, _reorder, _truncate, _remake,
)  # fmt: skip


def miss(change: Corruption, finding: Finding) -> str | None:
    """What was not found, or was told wrongly.

    A chain that was made anew is found at the checkpoint after the change. A changed line whose hash was made to fit it
    is found by the line after it, since either of the two may be the changed one.
    """
    if finding.ok or finding.fault is None:
        return f"{change.name} at record {change.first} passed"
    late = {"remake": sys.maxsize, "edit": 1, "insert": 1}.get(change.name, 0)
    if not change.first <= finding.fault.n <= change.first + late:
        return f"{change.name} at record {change.first} was told as {finding.fault}"
    return None


def told_by(process: "subprocess.Popen[bytes]", rng: Random) -> int:
    """Let a writer write for a while, kill it, and return the last record that it said is on the disk."""
    if process.stdout is None:
        raise RuntimeError("nobody listens to the writer")
    last = 0
    for _ in range(rng.randint(1, 30)):
        last = int(process.stdout.readline() or b"0") or last
    time.sleep(rng.random() * 0.003)  # the moment of the kill is what is random
    process.kill()
    for line in process.stdout.read().splitlines(keepends=True):
        last = int(line) if line.endswith(b"\n") else last
    process.wait()
    process.stdout.close()
    return last


def writer(path: Path) -> "subprocess.Popen[bytes]":
    """A process that writes to a chain until it is killed."""
    return subprocess.Popen([sys.executable, __file__, "--write", str(path)], stdout=subprocess.PIPE)


def _write(path: Path) -> None:
    """Write for ever; every number on stdout is a record that is on the disk."""
    chain = Chain(str(path))
    while True:
        chain.append([a_receipt(chain.n + number) for number in range(_BATCH)])
        print(chain.n, flush=True)


def kill(path: Path, rng: Random, checkpoints: list[Checkpoint], signer: Signer) -> str | None:
    """Write, kill, verify. What went wrong, if something did. Each one adds a checkpoint of what was told."""
    last = told_by(writer(path), rng)
    finding = verify(path, checkpoints, signer.public)
    if not finding.ok:
        return f"after a kill: {finding.fault}"
    if finding.records < last:
        return f"after a kill there are {finding.records} records, and {last} were told to be written"
    chain = Chain(str(path))  # cuts off what was torn, as the next start does
    if chain.n:
        checkpoints.append(signer.sign(chain.identity, chain.n, chain.hash, _AT))
    chain.close()
    return None


def _corruptions(folder: Path, signer: Signer, count: int, times: int, rng: Random) -> Iterator[str | None]:
    whole, changed = folder / f"whole-{count}.jsonl", folder / "changed.jsonl"
    make_chain(whole, count)
    chain = Chain(str(whole))
    checkpoint = signer.sign(chain.identity, chain.n, chain.hash, _AT)
    chain.close()
    began = time.perf_counter()
    finding = verify(whole, [checkpoint], signer.public)
    print(f"verified {finding.records} records in {time.perf_counter() - began:.2f} s")
    if not (finding.ok and finding.confirmed == count and is_signed(checkpoint, signer.public)):
        yield f"the chain that nobody has changed: {finding}"
    lines = whole.read_bytes().splitlines(keepends=True)
    for _ in range(times):
        change = corrupted(lines, rng)
        changed.write_bytes(b"".join(change.lines))
        yield miss(change, verify(changed, [checkpoint], signer.public))


def main() -> int:
    """Both proofs; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--receipts", type=int, default=100_000)
    parser.add_argument("--corruptions", type=int, default=300)
    parser.add_argument("--short", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    if options.write is not None:
        _write(options.write)
    rng = Random(options.seed)  # noqa: S311 - chance, not secrets
    folder = Path(tempfile.mkdtemp(prefix="surefoot-receipts-"))
    try:
        make_key(folder / "key")
        signer = Signer(str(folder / "key"))
        misses: list[str] = []
        for count, times in ((options.receipts, options.corruptions), (_SHORT, options.short)):
            found = [one for one in _corruptions(folder, signer, count, times, rng) if one]
            print(f"corruptions of {count} receipts: {times}, not found or told wrongly: {len(found)}")
            misses += found
        checkpoints: list[Checkpoint] = []
        path = folder / "killed.jsonl"
        spoilt = [one for _ in range(options.kills) if (one := kill(path, rng, checkpoints, signer))]
        print(f"kills: {options.kills}, spoilt: {len(spoilt)}; {checkpoints[-1].n if checkpoints else 0} records")
    finally:
        shutil.rmtree(folder)
    for sentence in [*misses, *spoilt]:
        print(f"VIOLATION: {sentence}")
    return 1 if misses or spoilt else 0


if __name__ == "__main__":
    sys.exit(main())
