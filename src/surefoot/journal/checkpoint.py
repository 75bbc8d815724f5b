"""Checkpoints: signed statements that a chain had so many lines, and which hash the last of them had.

A chain by itself cannot tell that its end was cut off, or that somebody has made all of it anew. A checkpoint that is
held elsewhere can, and its signature (Ed25519, RFC 8032) says who made it.

Knows: the key files, and how a checkpoint is spelled. Imports `cryptography` where it signs or checks, since only a
supervisor with a key and two commands need it. Must never: show a private key.
"""

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from surefoot.errors import StartError
from surefoot.journal.link import canonical

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

CONTEXT = b"surefoot receipts checkpoint 1\n"
"""Stands before what is signed, so that the signature can be taken for nothing else."""

OWNER_ONLY = 0o600

MISSING = "signing receipts needs the package `cryptography`: install surefoot[receipts]"


class Checkpoint(Struct, frozen=True):
    """What a chain had come to."""

    chain: str
    """Which chain: the hash of its first line."""
    n: int
    hash: str
    """Of line `n`."""
    at: str
    """Time of the statement, UTC, as RFC 3339 writes it."""
    key: str = ""
    """The public key, base64. Says which key to look for; it proves nothing by standing here."""
    signature: str = ""
    """Of the canonical form of all of the above, base64."""

    def line(self) -> bytes:
        """As it stands in a file."""
        return canonical(asdict(self)) + b"\n"

    def signed(self) -> bytes:
        """What the signature is made of."""
        return CONTEXT + canonical({name: value for name, value in asdict(self).items() if name != "signature"})


class Signer:
    """Signs with the private key in a file. Raises `StartError` if it cannot be used."""

    def __init__(self, path: str) -> None:
        self._key = _private_key(path)
        self.public = _text_of(self._key.public_key())

    def sign(self, chain: str, n: int, digest: str, at: str) -> Checkpoint:
        """A checkpoint of a chain's line."""
        bare = Checkpoint(chain, n, digest, at, self.public)
        signature = base64.b64encode(self._key.sign(bare.signed())).decode()
        return msgspec.structs.replace(bare, signature=signature)


def make_key(path: Path) -> str:
    """Draw a key pair: the private key into a file for its owner alone, the public one beside it as `.pub`, as text.

    Raises `StartError` if a key is there already: whatever was signed with it would lose its proof.
    """
    crypto = _cryptography()
    key: Ed25519PrivateKey = crypto.ed25519.Ed25519PrivateKey.generate()
    serial = crypto.serialization
    text = key.private_bytes(serial.Encoding.PEM, serial.PrivateFormat.PKCS8, serial.NoEncryption())
    public = _text_of(key.public_key())
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
            file.write(text)
        path.with_name(path.name + ".pub").write_text(public + "\n", encoding="ascii")
    except FileExistsError:
        raise StartError(f"there is a key at {path} already: keep it, or name another file") from None
    except OSError as error:
        raise StartError(f"the key {path} cannot be written: {error.strerror}") from error
    return public


def read_public_key(path: Path) -> str:
    """The public key in a file that `make_key` wrote. Raises `StartError`."""
    try:
        text = path.read_text(encoding="ascii").strip()
        if len(base64.b64decode(text, validate=True)) == 32:  # noqa: PLR2004 - bytes of an Ed25519 key
            return text
    except (OSError, ValueError) as error:
        raise StartError(f"the public key {path} cannot be read: {error}") from error
    raise StartError(f"{path} is not a public key as `surefoot receipts init` writes it")


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """The checkpoints in a file, one on each line; an end that was torn by a kill is left out. Raises `StartError`."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise StartError(f"the checkpoints {path} cannot be read: {error.strerror}") from error
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
    try:
        return [msgspec.json.decode(line, type=Checkpoint) for line in lines]
    except msgspec.DecodeError as error:
        raise StartError(f"{path} does not hold checkpoints: {error}") from error


def is_signed(checkpoint: Checkpoint, public: str) -> bool:
    """Whether this key has signed it. Raises `StartError` where that cannot be checked."""
    crypto = _cryptography()
    try:
        key: Ed25519PublicKey = crypto.ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(public))
        key.verify(base64.b64decode(checkpoint.signature), checkpoint.signed())
    except (crypto.exceptions.InvalidSignature, ValueError):
        return False
    return True


def _private_key(path: str) -> "Ed25519PrivateKey":
    crypto = _cryptography()
    file = Path(path)
    try:
        if file.stat().st_mode & 0o077:
            raise StartError(f"the key {path} can be read by others: chmod 600 {path}")
        key = crypto.serialization.load_pem_private_key(file.read_bytes(), None)
    except OSError as error:
        sentence = f"the key {path} cannot be read: {error.strerror}; `surefoot receipts init` makes one"
        raise StartError(sentence) from error
    except (ValueError, TypeError) as error:
        raise StartError(f"{path} is not a private key as `surefoot receipts init` writes it") from error
    if not isinstance(key, crypto.ed25519.Ed25519PrivateKey):
        raise StartError(f"{path} is not an Ed25519 key; `surefoot receipts init` makes one")
    return cast("Ed25519PrivateKey", key)


def _text_of(key: "Ed25519PublicKey") -> str:
    return base64.b64encode(key.public_bytes_raw()).decode()


class _Crypto(Struct, frozen=True):
    """The parts of `cryptography` that are used."""

    ed25519: Any
    serialization: Any
    exceptions: Any


def _cryptography() -> _Crypto:
    try:
        from cryptography import exceptions  # noqa: PLC0415 - see the module
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
    except ImportError as error:
        raise StartError(MISSING) from error
    return _Crypto(ed25519, serialization, exceptions)
