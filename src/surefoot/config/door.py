"""From the tables of listeners and keys to the `Door`.

Knows addresses, certificate files and client keys. Keeps only keyed hashes of the keys.
"""

import hashlib
import ssl
from collections.abc import Mapping
from pathlib import Path

from surefoot.config.credentials import read_secret, read_text
from surefoot.config.faults import Faults
from surefoot.config.quantities import show_address
from surefoot.config.shape import FileTable, ListenerTable, TlsTable
from surefoot.config.targets import is_loopback
from surefoot.domain.front import ClientKey, Door, Listener

SHORTEST_KEY = 16
"""Characters. 16 random letters and digits are 95 bits, far beyond guessing over a network."""


def digest_of(secret: str, salt: bytes) -> bytes:
    """The keyed hash by which a client key is recognised (BLAKE2b, 32 bytes)."""
    return hashlib.blake2b(secret.encode(), digest_size=32, key=salt).digest()


def read_door(file: FileTable, base: Path, environ: Mapping[str, str], faults: Faults, salt: bytes) -> Door:
    """The door, with every fault of it told."""
    tables = file.listeners or [ListenerTable()]
    listeners = [_listener(f"listeners[{i}]", table, base, faults) for i, table in enumerate(tables) if table]
    _addresses(file, faults)
    keys = _keys(file, base, environ, faults, salt)
    if not file.keys and not faults.within("keys"):
        for i, table in enumerate(tables):
            if table and not is_loopback(table.address[0]):
                sentence = "anyone on the network could use this address: add [[keys]], or listen on 127.0.0.1"
                faults.add(f"listeners[{i}].address", sentence)
    gateway = file.gateway
    if gateway.idempotency.answer > gateway.idempotency.memory:
        faults.add("gateway.idempotency.answer", "one answer may not take more than all of them: see `memory`")
    return Door(
        listeners=tuple(listeners),
        keys=keys,
        salt=salt,
        body_limit=gateway.body_limit,
        header_limit=gateway.header_limit,
        read_timeout=gateway.read_timeout,
        idle_timeout=gateway.idle_timeout,
        drain=gateway.drain,
        idempotency=gateway.idempotency,
    )


def _listener(path: str, table: ListenerTable, base: Path, faults: Faults) -> Listener:
    host, port = table.address
    if table.tls is None:
        return Listener(host, port)
    certificate, key = base / table.tls.certificate, base / table.tls.key
    _certificate(f"{path}.tls", table.tls, base, faults)
    return Listener(host, port, str(certificate), str(key))


def _certificate(path: str, tls: TlsTable, base: Path, faults: Faults) -> None:
    """Load the pair once, as the workers will."""
    texts = [read_text(base / tls.certificate, f"{path}.certificate", faults)]
    texts.append(read_text(base / tls.key, f"{path}.key", faults))
    if None in texts:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(base / tls.certificate, base / tls.key, _no_password)
    except (ssl.SSLError, ValueError) as error:
        faults.add(path, f"certificate and key cannot be used together: {error}")


def _no_password() -> str:
    """An encrypted key would make OpenSSL ask at the terminal; a server has none."""
    raise ValueError("the private key is encrypted; give one without a passphrase")


def _addresses(file: FileTable, faults: Faults) -> None:
    """Nothing listens twice at one address, and the admin application stays at home."""
    seen: dict[tuple[str, int], str] = {}
    tables = file.listeners or [ListenerTable()]
    places = [(f"listeners[{i}].address", table.address) for i, table in enumerate(tables) if table]
    for path, address in [*places, ("admin.address", file.admin.address)]:
        other = seen.setdefault(address, path)
        if other != path and address[1]:
            faults.add(path, f"{show_address(address)} is taken by {other}")
    if not is_loopback(file.admin.address[0]):
        faults.warn("admin.address", "can be reached by others, and the admin application asks for no key")


def _keys(
    file: FileTable, base: Path, environ: Mapping[str, str], faults: Faults, salt: bytes
) -> tuple[ClientKey, ...]:
    names: set[str] = set()
    secrets: dict[str, str] = {}
    keys: list[ClientKey] = []
    for i, table in enumerate(file.keys):
        if table is None:
            continue
        path = f"keys[{i}]"
        if table.name in names:
            faults.add(f"{path}.name", f'another key is named "{table.name}" already')
        names.add(table.name)
        secret = read_secret(table, path, base, environ, faults)
        if secret is None:
            continue
        if len(secret) < SHORTEST_KEY:
            faults.add(path, f"the key has {len(secret)} characters; use at least {SHORTEST_KEY}, drawn at random")
        other = secrets.setdefault(secret, table.name)
        if other != table.name:
            faults.add(path, f'has the same secret as "{other}": the journal could not tell the two apart')
        keys.append(ClientKey(table.name, digest_of(secret, salt), table.drill))
    return tuple(keys)
