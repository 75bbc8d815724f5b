"""The search for secrets and prompts in all that is written while the tests run.

Searched are: what was captured of every test (its own output and the logs of workers and supervisors that it started),
what helpers pass to `note` (logs that they read through a pipe, `/status`, `/metrics`, errors that clients get), and at
the end every file in the session's temporary folders: journals, traces, key files, drills. One find fails the session
and names its place. Files that tests write for the gateway to read are not searched: `INPUTS`.

Must never repeat what it has found, only where.
"""

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

PROMPT = "hello, says the canary of the prompts"
"""What most tests ask. It may be nowhere but on the wire."""

CANARIES = {
    "a client's key": rb"sk-test-0123456789|sk-of-the-test-0123456789|(?:client|canary)-key-[a-z0-9-]{10}",
    "a client's key of the key file": rb"\bsf_[a-z2-7]{10}_[A-Za-z0-9_-]{43}",
    "a target's credential": rb"secret-of-(?:primary|backup|third|near)|(?:provider|openai|mistral|groq)-secret",
    "a prompt": rb"says the canary of the prompts|Where do I put my foot",
}
"""What is looked for, as patterns over bytes: secrets and prompts that tests use, and every key that is ever made."""

INPUTS = frozenset({".toml", ".pem", ".key", ".secret"})
"""Suffixes of files that tests write: configurations, certificates, files with a secret that a configuration names."""

_ANY = re.compile(b"|".join(b"(%b)" % pattern for pattern in CANARIES.values()))


class Leaks:
    """What was found: each as a place and what it is that stands there."""

    def __init__(self) -> None:
        self.found: dict[str, None] = {}

    def note(self, place: str, text: str | bytes) -> None:
        """Search what was written to this place."""
        for what in kinds_in(text.encode() if isinstance(text, str) else text):
            self.found[f"{place}: {what}"] = None

    def search(self, folder: Path) -> None:
        """Search every file below."""
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file() or path.suffix in INPUTS or not path.stat().st_size:
                continue
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
                for what in kinds_in(text):
                    self.found[f"{path}: {what}"] = None


def kinds_in(text: bytes | mmap.mmap) -> Iterator[str]:
    """What of the canaries stands in there, each once."""
    names = tuple(CANARIES)
    seen: set[str] = set()
    for match in _ANY.finditer(text):
        name = names[(match.lastindex or 1) - 1]
        if name not in seen:
            seen.add(name)
            yield name


LEAKS = Leaks()
"""Of this session."""
