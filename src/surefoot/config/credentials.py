"""Reading secrets from where the configuration says they are, and nothing but that.

Knows the environment it was given and files. Must never put a secret into a sentence.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from surefoot.config.faults import Faults
from surefoot.config.shape import SecretTable


class Placeholders(Mapping[str, str]):
    """An environment in which every variable is set: what needs the configuration but no provider needs no secret."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        return self._environ.get(name) or f"placeholder-of-{name}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def read_secret(where: SecretTable, path: str, base: Path, environ: Mapping[str, str], faults: Faults) -> str | None:
    """The secret, or None with the reason told to `faults` at `path`. Relative files start at `base`."""
    if where.env is not None:
        name = f"the environment variable {where.env}"
        found = environ.get(where.env)
        if found is None:
            faults.add(f"{path}.env", f"{name} is not set; export it before the start")
            return None
        return _clean(found, f"{path}.env", name, faults)
    file = base / str(where.file)
    found = read_text(file, f"{path}.file", faults)
    return None if found is None else _clean(found, f"{path}.file", f"the file {file}", faults)


def read_text(file: Path, path: str, faults: Faults) -> str | None:
    """The text of a file that the configuration names, or None with the reason told."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        faults.add(path, f"there is no file {file}")
    except OSError as error:
        faults.add(path, f"the file {file} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        faults.add(path, f"the file {file} is not text in UTF-8")
    return None


def _clean(secret: str, path: str, name: str, faults: Faults) -> str | None:
    """A secret that can stand in a header: visible ASCII on one line; white space around it is not part of it."""
    secret = secret.strip()
    if not secret:
        faults.add(path, f"{name} is empty")
        return None
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        faults.add(path, f"{name} holds signs that no key has: white space, control characters or non-ASCII letters")
        return None
    return secret
