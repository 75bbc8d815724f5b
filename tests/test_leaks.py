"""The search for leaks finds what there is: a session of its own, with a test that leaks, fails and names the place."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.leaks import CANARIES, PROMPT, Leaks, kinds_in

WRITERS = {
    "journal.db": "(tmp_path / 'journal.db').write_bytes(b'x' * 70_000 + LEAK.encode() + b'y')",
    "worker.log": "(tmp_path / 'worker.log').write_text(LEAK)",  # which only looks like an input
    "test_2": "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(%r)' % LEAK])",
    "the log of a worker": "from tests.leaks import LEAKS; LEAKS.note('the log of a worker', LEAK)",
}
"""What a test may do with a text, by the place that is then named: two files, captured output, a log read elsewhere."""


@pytest.fixture
def apart() -> Iterator[Path]:
    """A folder outside of this session's own, in which the leak would be found."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def session(folder: Path, leak: str, *more: str) -> "subprocess.CompletedProcess[str]":
    """A session of pytest with one test for each way to write this, under the very hooks that hold for all tests."""
    tests = [f"def test_{number}(tmp_path):\n    {deed}\n" for number, deed in enumerate(WRITERS.values())]
    (folder / "test_one.py").write_text("\n\n".join([f"LEAK = {leak!r}", *tests]), encoding="utf-8")
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, *more, "--rootdir", str(folder), "--basetemp", str(folder / "temp"), str(folder / "test_one.py")],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{root}:{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["one process", "two that share the tests"])
def test_a_session_in_which_prompts_are_written_fails_and_names_each_place(
    apart: Path, processes: tuple[str, ...]
) -> None:
    done = session(apart, PROMPT, *processes)
    assert done.returncode == 1, done.stdout
    assert "4 passed" in done.stdout
    told = [line for line in done.stdout.splitlines() if "a prompt" in line]
    assert [place for place in WRITERS if any(place in line for line in told)] == [*WRITERS], done.stdout
    assert PROMPT not in done.stdout


def test_a_session_that_writes_nothing_of_the_kind_passes(apart: Path) -> None:
    assert session(apart, "nothing that is secret").returncode == 0


def test_every_kind_of_secret_is_known_when_it_is_seen() -> None:
    shown = {
        "a client's key": b"Bearer sk-test-0123456789",
        "a client's key of the key file": b"sf_abcdefgh23_" + secrets.token_urlsafe(32).encode(),
        "a target's credential": b'{"key":"secret-of-backup"}',
        "a prompt": PROMPT.encode(),
    }
    assert shown.keys() == CANARIES.keys()
    assert {name: [*kinds_in(text)] for name, text in shown.items()} == {name: [name] for name in shown}
    assert [*kinds_in(b" ".join(shown.values()))] == [*shown]
    assert not [*kinds_in(b"sf_abcdefgh23 is an id, and sk-test a beginning")]


def test_what_tests_write_for_the_gateway_to_read_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "surefoot.toml").write_text(f'key = "{PROMPT}"', encoding="utf-8")
    leaks = Leaks()
    leaks.search(tmp_path)
    assert not leaks.found
