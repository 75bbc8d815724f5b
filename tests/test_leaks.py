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
    "a file": "(tmp_path / 'journal.db').write_bytes(b'x' * 70_000 + LEAK.encode() + b'y')",
    "a file that only looks like an input": "(tmp_path / 'worker.log').write_text(LEAK)",
    "a log that is captured": "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(%r)' % LEAK])",
    "a log that a helper reads": "from tests.leaks import LEAKS; LEAKS.note('the log of a worker', LEAK)",
}


@pytest.fixture
def apart() -> Iterator[Path]:
    """A folder outside of this session's own, in which the leak would be found."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def session(folder: Path, deed: str, leak: str, *more: str) -> "subprocess.CompletedProcess[str]":
    """A session of pytest with one test that does this, under the very hooks that hold for all tests."""
    (folder / "test_one.py").write_text(f"LEAK = {leak!r}\n\n\ndef test_one(tmp_path):\n    {deed}\n", encoding="utf-8")
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


@pytest.mark.parametrize("where", WRITERS)
def test_a_session_in_which_a_prompt_is_written_somewhere_fails_and_names_the_place(apart: Path, where: str) -> None:
    done = session(apart, WRITERS[where], PROMPT)
    assert done.returncode == 1, done.stdout
    assert "1 passed" in done.stdout
    place = {"a file": "journal.db", "a log that is captured": "test_one", "a log that a helper reads": "the log of a"}
    assert f"{place.get(where, 'worker.log')}" in done.stdout
    assert "a prompt" in done.stdout
    assert PROMPT not in done.stdout


@pytest.mark.parametrize("where", WRITERS)
def test_where_several_processes_share_the_tests_a_find_of_any_fails_the_session(apart: Path, where: str) -> None:
    done = session(apart, WRITERS[where], PROMPT, "-n", "2")
    assert done.returncode == 1, done.stdout
    assert "1 passed" in done.stdout
    assert "a prompt" in done.stdout


def test_a_session_that_writes_nothing_of_the_kind_passes(apart: Path) -> None:
    assert session(apart, WRITERS["a file"], "nothing that is secret").returncode == 0


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
