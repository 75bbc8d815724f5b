"""What checkpoints and signatures add, how a finding is told, and the commands around it."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from benchmarks.receipts import a_receipt, make_chain
from msgspec.structs import replace

from surefoot.errors import StartError
from surefoot.journal.chain import LONGEST, Chain
from surefoot.journal.checkpoint import Checkpoint, Signer, is_signed, make_key, read_checkpoints, read_public_key
from surefoot.journal.link import GENESIS, canonical, tie
from surefoot.journal.verifying import Fault, verify

AT = "2026-01-01T00:00:00.000Z"
LATER = "2026-01-02T00:00:00.000Z"


def surefoot(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "surefoot.cli.main", "receipts", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)


class Kept:
    """A chain of ten records with checkpoints of the fourth and the ninth."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "chain.jsonl"
        self.key = folder / "key"
        make_key(self.key)
        self.signer = Signer(str(self.key))
        chain = Chain(str(self.path))
        self.checkpoints: list[Checkpoint] = []
        for count, at in ((4, AT), (5, LATER)):
            chain.append([a_receipt(chain.n + number) for number in range(count)])
            self.checkpoints.append(chain.checkpoint(self.signer, at))
        chain.append([a_receipt(10)])
        chain.close()
        self.lines = self.path.read_bytes().splitlines(keepends=True)

    def write(self, lines: list[bytes]) -> None:
        self.path.write_bytes(b"".join(lines))

    def fault(self) -> Fault | None:
        return verify(self.path, self.checkpoints, [self.signer.public]).fault

    def made_anew(self, first: int) -> list[bytes]:
        """The lines, with every record from the `first` on another one, and all hashes fitting."""
        prev = GENESIS if first == 1 else msgspec.json.decode(self.lines[first - 2])["hash"]
        lines = self.lines[: first - 1]
        for number in range(first, 11):
            line, prev = tie(number, prev, canonical({"call": "forged"}))
            lines.append(line)
        return lines


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_a_whole_chain_is_confirmed_up_to_its_newest_checkpoint(kept: Kept) -> None:
    finding = verify(kept.path, kept.checkpoints, [kept.signer.public])
    assert (finding.ok, finding.records, finding.confirmed, finding.signatures) == (True, 10, 9, True)


def test_a_chain_that_was_made_anew_is_named_at_the_first_checkpoint_after_that(kept: Kept) -> None:
    kept.write(kept.made_anew(6))
    fault = kept.fault()
    assert fault is not None
    assert (fault.n, fault.line) == (9, 9)
    assert "was signed at 2026-01-02" in fault.what
    assert "after record 4" in fault.what


def test_a_chain_that_was_made_anew_from_its_beginning_is_not_the_one_that_was_signed(kept: Kept) -> None:
    kept.write(kept.made_anew(1))
    fault = kept.fault()
    assert fault is not None
    assert fault.n == 1
    assert "began with" in fault.what


def test_without_a_checkpoint_a_chain_made_anew_and_one_cut_off_pass_and_that_is_said(kept: Kept) -> None:
    for lines in (kept.made_anew(3), kept.lines[:5]):
        kept.write(lines)
        finding = verify(kept.path)
        assert (finding.ok, finding.confirmed) == (True, 0)


def test_an_end_that_was_cut_off_is_found_up_to_the_newest_checkpoint(kept: Kept) -> None:
    kept.write(kept.lines[:9])
    assert kept.fault() is None  # the tenth was never signed
    kept.write(kept.lines[:8])
    assert kept.fault() == Fault(9, None, f"is missing: at {LATER} the chain had 9 records, as was signed")
    kept.write([])
    assert kept.fault() == Fault(1, None, f"is missing: at {LATER} the chain had 9 records, as was signed")


def test_a_checkpoint_that_another_key_has_signed_proves_nothing(kept: Kept, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    forged = Signer(str(tmp_path / "other")).sign(kept.checkpoints[0].chain, 4, "0" * 64, AT)
    fault = verify(kept.path, [*kept.checkpoints, forged], [kept.signer.public]).fault
    assert fault == Fault(4, None, f"is named by a checkpoint of {AT} that this key has not signed")


def test_a_signature_fits_no_other_checkpoint(kept: Kept) -> None:
    made = kept.checkpoints[0]
    assert is_signed(made, kept.signer.public)
    changes = [{"n": 5}, {"hash": "f" * 64}, {"chain": "f" * 64}, {"at": LATER}, {"key": ""}, {"signature": "?"}]
    for change in changes:
        assert not is_signed(replace(made, **change), kept.signer.public)  # type: ignore[arg-type]


def test_what_is_wrong_is_said_in_words(kept: Kept) -> None:
    cases = {
        "is not a line of a chain": [kept.lines[0], b"nonsense\n"],
        "is longer than any": [kept.lines[0], b"x" * (LONGEST + 5)],
        "is missing: record 3 stands in its place": [kept.lines[0], kept.lines[2]],
        "is not here: record 1 stands in its place": [kept.lines[0], kept.lines[0]],
        "was changed": [kept.lines[0], kept.lines[1].replace(b"c-1", b"c-7")],
        "does not follow": [kept.lines[0], tie(2, GENESIS, b"{}")[0]],
    }
    for words, lines in cases.items():
        kept.write(lines)
        fault = verify(kept.path).fault
        assert fault is not None
        assert (fault.n, fault.line) == (2, 2)
        assert words in fault.what


def test_how_far_it_is_is_told_on_the_way(tmp_path: Path) -> None:
    make_chain(tmp_path / "chain", 25_000)
    told: list[tuple[int, int]] = []
    verify(tmp_path / "chain", progress=lambda records, done: told.append((records, done)))
    assert [records for records, _ in told] == [10_000, 20_000]
    assert told[1][1] < (tmp_path / "chain").stat().st_size


def test_a_key_is_for_its_owner_and_is_never_drawn_twice(tmp_path: Path) -> None:
    path = tmp_path / "key"
    public = make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_public_key(tmp_path / "key.pub") == public == Signer(str(path)).public
    with pytest.raises(StartError, match="there is a key at"):
        make_key(path)


def test_a_key_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    with pytest.raises(StartError, match="surefoot receipts init"):
        Signer(str(tmp_path / "none"))
    (tmp_path / "text").write_text("hello", encoding="ascii")
    (tmp_path / "text").chmod(0o600)
    with pytest.raises(StartError, match="is not a private key"):
        Signer(str(tmp_path / "text"))
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(StartError, match="chmod 600"):
        Signer(str(tmp_path / "key"))
    with pytest.raises(StartError, match="text"):
        read_public_key(tmp_path / "text")
    (tmp_path / "checkpoints").write_text("hello\n", encoding="ascii")
    with pytest.raises(StartError, match="does not hold checkpoints"):
        read_checkpoints(tmp_path / "checkpoints")


# ── the commands ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_says_what_it_found_and_exits_by_it(kept: Kept, tmp_path: Path) -> None:
    good = surefoot("verify", "--chain", kept.path, "--public-key", tmp_path / "key.pub")
    assert (good.returncode, good.stderr) == (0, "")
    assert "10 records follow from one another" in good.stdout
    assert "first 9 of them (signatures checked)" in good.stdout
    kept.write([*kept.lines[:6], *kept.lines[7:]])
    bad = surefoot("verify", "--chain", kept.path)
    assert bad.returncode == 1
    assert "record 7 (line 7) is missing: record 8 stands in its place" in bad.stdout
    as_json = surefoot("verify", "--chain", kept.path, "--json")
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["fault"]["n"] == 7


def test_a_checkpoint_that_is_held_elsewhere_finds_what_the_ones_beside_cannot(kept: Kept, tmp_path: Path) -> None:
    exported = tmp_path / "elsewhere.json"
    done = surefoot("checkpoint", "--chain", kept.path, "--out", exported)
    assert (done.returncode, done.stdout) == (0, f"{exported}: 9 records, as of {LATER}\n")
    (tmp_path / "chain.jsonl.checkpoints").unlink()  # whoever can write the chain can remove these
    kept.write(kept.lines[:5])
    assert surefoot("verify", "--chain", kept.path).returncode == 0
    told = surefoot("verify", "--chain", kept.path, "--checkpoint", exported, "--public-key", tmp_path / "key.pub")
    assert told.returncode == 1
    assert "record 6 is missing" in told.stdout


def test_a_key_that_was_changed_for_another_leaves_its_checkpoints_good_where_both_are_given(
    kept: Kept, tmp_path: Path
) -> None:
    chain = Chain(str(kept.path))
    make_key(tmp_path / "new")
    chain.append([a_receipt(11)])
    chain.checkpoint(Signer(str(tmp_path / "new")), LATER)
    chain.close()
    old, new = (("--public-key", tmp_path / name) for name in ("key.pub", "new.pub"))
    told = surefoot("verify", "--chain", kept.path, *old, *new)
    assert told.returncode == 0
    assert "first 11 of them (signatures checked)" in told.stdout
    for keys, sentence in ((new, "that this key has not signed"), (old, "that this key has not signed")):
        told = surefoot("verify", "--chain", kept.path, *keys)
        assert (told.returncode, sentence in told.stdout) == (1, True)
    make_key(tmp_path / "other")
    told = surefoot("verify", "--chain", kept.path, *old, "--public-key", tmp_path / "other.pub")
    assert (told.returncode, "that none of these keys has signed" in told.stdout) == (1, True)


def test_where_a_checkpoint_is_required_a_chain_without_one_does_not_pass(kept: Kept) -> None:
    required = ("verify", "--chain", kept.path, "--require-checkpoint")
    assert surefoot(*required).returncode == 0
    Path(f"{kept.path}.checkpoints").unlink()
    assert surefoot("verify", "--chain", kept.path).returncode == 0
    told = surefoot(*required)
    assert told.returncode == 1
    assert "record 1 and all after it: no checkpoint speaks for them, and one is required" in told.stdout


def test_the_chain_is_found_by_the_configuration_whatever_else_is_wrong_with_it(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "its.toml").write_text(f'[receipts]\npath = "{kept.path.name}"\n', encoding="utf-8")
    told = surefoot("verify", "-c", tmp_path / "its.toml")
    assert (told.returncode, "10 records" in told.stdout) == (0, True)
    out = tmp_path / "out.json"
    done = surefoot("checkpoint", "-c", tmp_path / "its.toml", "--out", out)
    assert (done.returncode, done.stdout) == (0, f"{out}: 9 records, as of {LATER}\n")


def test_a_command_that_cannot_do_its_work_says_why(tmp_path: Path) -> None:
    for arguments, words in (
        (("verify", "--chain", tmp_path / "none"), "cannot be read"),
        (("checkpoint", "--chain", tmp_path / "none", "--out", tmp_path / "o"), "there is no checkpoint"),
        (("verify", "--chain", tmp_path / "none", "--public-key", tmp_path / "none"), "public key"),
    ):
        done = surefoot(*arguments)
        assert done.returncode == 2
        assert words in done.stderr


def test_init_prints_the_public_half_alone(tmp_path: Path) -> None:
    done = surefoot("init", "--key", tmp_path / "key")
    assert done.returncode == 0
    assert read_public_key(tmp_path / "key.pub") in done.stdout
    secret = (tmp_path / "key").read_text("ascii").splitlines()[1]
    assert secret not in done.stdout + done.stderr
    assert surefoot("init", "--key", tmp_path / "key").returncode == 2


def test_verifying_needs_no_package_and_no_configuration(kept: Kept) -> None:
    program = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from pathlib import Path\n"
        "from surefoot.journal.verifying import verify\n"
        f"print(verify(Path({str(kept.path)!r})).records)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout == "10\n"
