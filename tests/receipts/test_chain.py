"""The chain as a file: what is appended is there, what is torn is cut off, and nobody else writes."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
import rfc8785
from benchmarks.receipts import a_receipt, corrupted, kill, make_chain, miss
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from surefoot.errors import StartError
from surefoot.journal.chain import LONGEST, Chain, checkpoints_of
from surefoot.journal.checkpoint import Checkpoint, Signer, make_key, read_checkpoints
from surefoot.journal.link import GENESIS, LARGEST_INTEGER, Broken, canonical, untie
from surefoot.journal.verifying import verify

MANY = 2_000
AT = "2026-01-01T00:00:00.000Z"
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text(st.characters(max_codepoint=127), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "receipts.jsonl"


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    make_key(tmp_path / "key")
    return Signer(str(tmp_path / "key"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], Checkpoint, str]:
    """The lines of a chain, a checkpoint of its end, and the public key."""
    folder = tmp_path_factory.mktemp("chain")
    make_chain(folder / "chain", MANY)
    make_key(folder / "key")
    signer = Signer(str(folder / "key"))
    chain = Chain(str(folder / "chain"))
    checkpoint = signer.sign(chain.identity, chain.n, chain.hash, AT)
    chain.close()
    return (folder / "chain").read_bytes().splitlines(keepends=True), checkpoint, signer.public


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As a full disk: no file may grow beyond it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@given(VALUES)
def test_the_form_is_the_one_of_the_specification(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1.5, LARGEST_INTEGER + 1, {"ü": 1}, {1: 1}, b"x", float("nan"), [[{"a": 0.5}]]])
def test_what_has_no_sure_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="a receipt cannot hold"):
        canonical(value)


def test_a_part_that_is_canonical_already_is_taken_as_it_is() -> None:
    assert canonical({"b": 1, "a": Raw(canonical({"d": 1, "c": 2}))}) == b'{"a":{"c":2,"d":1},"b":1}'


def test_a_line_can_be_checked_without_this_program(path: Path) -> None:
    make_chain(path, 3)
    before = GENESIS
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = json.loads(text)
        told = line.pop("hash")
        assert (line["n"], line["prev"]) == (number, before)
        assert text == rfc8785.dumps({**line, "hash": told}).decode()
        assert told == sha256(rfc8785.dumps(line)).hexdigest()
        before = told


def test_a_chain_goes_on_where_it_ended(path: Path) -> None:
    for _ in range(3):
        chain = Chain(str(path))
        chain.append([a_receipt(1), a_receipt(2)])
        chain.close()
    assert verify(path).records == 6


@pytest.mark.parametrize("kept", [1, 70, 300])
def test_a_torn_line_is_no_fault_and_is_cut_off_at_the_next_start(path: Path, kept: int) -> None:
    make_chain(path, 3)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:kept])
    finding = verify(path)
    assert (finding.ok, finding.records, finding.torn) == (True, 2, kept)
    chain = Chain(str(path))
    assert (chain.n, chain.torn) == (2, kept)
    chain.append([a_receipt(9)])
    chain.close()
    assert verify(path) == verify(path.parent / path.name)
    assert (verify(path).records, verify(path).torn) == (3, 0)


def test_a_first_line_that_is_torn_leaves_an_empty_chain(path: Path) -> None:
    path.write_bytes(b'{"hash":"0')
    chain = Chain(str(path))
    assert (chain.n, chain.torn, chain.identity) == (0, 10, "")
    chain.append([a_receipt(1)])
    assert chain.identity == chain.hash
    chain.close()


def test_two_gateways_cannot_write_one_chain(path: Path) -> None:
    chain = Chain(str(path))
    with pytest.raises(StartError, match=r"another process writes the receipts .* name another file"):
        Chain(str(path))
    chain.close()
    Chain(str(path)).close()


def test_nothing_is_added_behind_a_record_that_was_changed(path: Path) -> None:
    make_chain(path, 2)
    path.write_bytes(path.read_bytes().replace(b'"c-1"', b'"c-9"'))
    with pytest.raises(StartError, match=r"was changed.*surefoot receipts verify"):
        Chain(str(path))


@pytest.mark.parametrize("data", [b"x" * (3 * LONGEST), b"hello\n", b"{}\n"])
def test_a_file_that_is_no_chain_is_left_alone(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(StartError):
        Chain(str(path))
    assert path.read_bytes() == data


def test_a_file_that_somebody_else_changes_is_not_written_any_more(path: Path) -> None:
    chain = Chain(str(path))
    chain.append([a_receipt(1), a_receipt(2)])
    whole = path.read_bytes()
    path.write_bytes(b"")
    with pytest.raises(OSError, match="changed by somebody else"):
        chain.append([a_receipt(3)])
    path.write_bytes(whole)
    chain.append([a_receipt(3)])
    path.rename(path.with_suffix(".old"))
    with pytest.raises(OSError, match=r"No such file|another file"):
        chain.append([a_receipt(4)])
    path.with_suffix(".old").rename(path)
    chain.append([a_receipt(4)])
    chain.close()
    assert verify(path).records == 4


def test_a_batch_that_the_disk_does_not_take_is_not_there_at_all_and_can_be_written_later(path: Path) -> None:
    chain = Chain(str(path))
    chain.append([a_receipt(1)])
    size = path.stat().st_size
    for _ in range(2):
        with files_of_at_most(size + 700), pytest.raises(OSError, match="File too large"):
            chain.append([a_receipt(number) for number in range(5)])
    assert (chain.n, verify(path).ok) == (1, True)
    chain.append([a_receipt(number) for number in range(5)])
    chain.close()
    assert (verify(path).records, verify(path).torn) == (6, 0)


def test_what_the_disk_took_of_a_batch_in_vain_is_cut_off_at_the_end(path: Path) -> None:
    chain = Chain(str(path))
    with files_of_at_most(700), pytest.raises(OSError, match="File too large"):
        chain.append([a_receipt(number) for number in range(5)])
    assert path.stat().st_size == 700
    chain.close()
    assert path.stat().st_size == 0


def test_checkpoints_stand_beside_the_chain_and_a_torn_one_is_cut_off(path: Path, signer: Signer) -> None:
    chain = Chain(str(path))
    beside = Path(checkpoints_of(str(path)))
    for number in range(3):
        chain.append([a_receipt(number)])
        chain.checkpoint(signer, AT)
        with beside.open("ab") as file:
            file.write(b'{"at":"20')
    chain.close()
    assert [one.n for one in read_checkpoints(beside)] == [1, 2, 3]
    finding = verify(path, read_checkpoints(beside), [signer.public])
    assert (finding.ok, finding.confirmed, finding.signatures) == (True, 3, True)


def test_no_byte_of_a_line_can_be_another_one(written: tuple[list[bytes], Checkpoint, str]) -> None:
    line = written[0][0]
    for at in range(len(line) - 1):  # the line's end is the reader's
        changed = bytearray(line)
        changed[at] ^= 1
        with pytest.raises(Broken):
            untie(bytes(changed), 1, GENESIS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(seed=st.integers(0, 2**32))
def test_every_change_of_a_chain_is_found_and_the_first_bad_record_is_named(
    written: tuple[list[bytes], Checkpoint, str], path: Path, seed: int
) -> None:
    lines, checkpoint, public = written
    change = corrupted(lines, Random(seed))  # noqa: S311 - chance, not secrets
    path.write_bytes(b"".join(change.lines))
    assert miss(change, verify(path, [checkpoint], [public])) is None


def test_ten_kills_while_it_writes_leave_a_chain_that_verifies_up_to_what_was_told(path: Path, signer: Signer) -> None:
    rng, checkpoints = Random(7), list[Checkpoint]()  # noqa: S311 - likewise
    for _ in range(10):
        assert kill(path, rng, checkpoints, signer) is None
    assert checkpoints[-1].n > 500
