"""The key file: client keys that are made and revoked while the gateway runs.

JSON, of mode 0600: a salt, and of each key its name, scope, and a keyed hash of the secret. The secret is shown once,
when the key is made, and is kept nowhere. Who changes the file holds a lock beside it and puts a whole new file in its
place, so that a reader sees the old one or the new one, and of two changes at once both are kept.

Knows the form of the file and how to read and replace it. Must never hold a secret.
"""

import fcntl
import os
import secrets
import stat
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.config.door import digest_of, unknown_in
from surefoot.config.faults import did_you_mean
from surefoot.domain.front import ClientKey, Ring
from surefoot.errors import ConfigError
from surefoot.policy.jurisdictions import Jurisdictions

VERSION = 1
"""Of the file's form. A newer one is not read: what it says of a key might narrow it, and would be overlooked."""

SALT_BYTES = 32

ID_LENGTH = 10
"""Letters and digits of an id: 50 bits, so that it never occurs twice in one file."""

SECRET_BYTES = 32
"""Of randomness in a secret: 256 bits."""

ID_LETTERS = string.ascii_lowercase + "234567"
"""Without signs that look alike, and without `_`, at which the id ends."""


class KeyEntry(Struct, frozen=True, omit_defaults=True):
    """One key in the file."""

    key: ClientKey
    made: float
    """Unix time."""


class KeyFile(Struct, frozen=True):
    """All of the file."""

    version: int = VERSION
    salt: bytes = b""
    keys: tuple[KeyEntry, ...] = ()


class _Version(Struct):
    version: int


def read_keys(path: Path) -> KeyFile:
    """What the file holds; without a file, nothing. Raises `ConfigError` with a reason if it cannot be used."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return KeyFile()
    except OSError as error:
        raise ConfigError([f"{path}: the key file cannot be read: {error.strerror}"]) from error
    try:
        version = msgspec.json.decode(text, type=_Version).version
        if version == VERSION:
            return _checked(msgspec.json.decode(text, type=KeyFile))
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigError([f"{path}: this is no whole key file: {error}; put back a copy of it"]) from error
    raise ConfigError([f"{path}: the key file is of version {version}, and this program reads {VERSION}; update it"])


def ring_of(file: KeyFile, wall: float) -> Ring:
    """The keys that are good at `wall`, as Unix time."""
    keys = tuple(entry.key for entry in file.keys if entry.key.expires is None or entry.key.expires > wall)
    return Ring(file.salt, keys)


@contextmanager
def changing(path: Path) -> Iterator[KeyFile]:
    """The file, while nobody else changes it. Raises `ConfigError`."""
    try:
        lock = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError([f"{path}: the key file cannot be changed: {error.strerror}"]) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield read_keys(path)
    finally:
        os.close(lock)


def write_keys(path: Path, file: KeyFile) -> None:
    """Put a whole new file in the place of the old one; to be called while `changing`. Raises `ConfigError`."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        handle = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # else the name could still be the old file's after a loss of power
        finally:
            os.close(folder)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise ConfigError([f"{path}: the key file cannot be written: {error.strerror}"]) from error


def add_key(path: Path, scope: ClientKey, made: float) -> str:
    """Make a key with this name and scope. Returns what its client shows, for the only time. Raises `ConfigError`."""
    with changing(path) as file:
        if any(entry.key.name == scope.name for entry in file.keys):
            raise ConfigError([f'{path}: a key is named "{scope.name}" already; revoke it, or take another name'])
        taken = {entry.key.id for entry in file.keys}
        key_id = next(drawn for drawn in iter(_draw_id, "") if drawn not in taken)
        shown = f"sf_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
        salt = file.salt or os.urandom(SALT_BYTES)
        key = replace(scope, id=key_id, digest=digest_of(shown, salt))
        write_keys(path, KeyFile(VERSION, salt, (*file.keys, KeyEntry(key, made))))
    return shown


def revoke_key(path: Path, name: str) -> ClientKey:
    """Take out the key of this name or id, or all that its client shows. Raises `ConfigError` if there is none."""
    with changing(path) as file:
        keys = [entry.key for entry in file.keys]
        found = next((key for key in keys if name in {key.name, key.id}), None)
        if found is None and name.startswith("sf_"):  # a whole key, whose secret is not to be repeated by what follows
            name = name.split("_")[1]
            found = next((key for key in keys if key.id == name), None)
        if found is None:
            hint = did_you_mean(name, [key.name for key in keys])
            raise ConfigError([f'{path}: no key has the name or id "{name}"; {hint}'])
        left = tuple(entry for entry in file.keys if entry.key is not found)
        write_keys(path, replace(file, keys=left))
    return found


def unusable(ring: Ring, names: Iterable[str], jurisdictions: Jurisdictions) -> Mapping[str, str]:
    """Keys of the file that must not be admitted under this configuration, by name, with the reason.

    A name that a key of the configuration has, too: nobody could tell the two apart. A jurisdiction, class or region
    that is not there: it would not bind. A route that is not there harms nobody.
    """
    taken = set(names)
    told: dict[str, str] = {}
    for key in ring.keys:
        if key.name in taken:
            told[key.name] = "a key of the configuration has the same name"
        for _, sentence in unknown_in(key, key.routes or (), jurisdictions):
            told[key.name] = sentence
    return told


def others_write(path: Path) -> bool:
    """Whether others than the file's owner could put keys into it."""
    try:
        return bool(path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    except OSError:
        return False


def _checked(file: KeyFile) -> KeyFile:
    """Raises `ValueError` if what is there cannot be what was written."""
    names = [entry.key.name for entry in file.keys]
    ids = [entry.key.id for entry in file.keys]
    if file.keys and not file.salt:
        raise ValueError("it has keys and no salt")
    if _repeats(names) or _repeats(ids) or not all(ids):
        raise ValueError("a name or an id is missing or stands there twice")
    return file


def _repeats(words: Sequence[str]) -> bool:
    return len(set(words)) < len(words)


def _draw_id() -> str:
    return "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))
