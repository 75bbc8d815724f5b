"""From the tables of listeners and keys to the `Door`.

Knows addresses, certificate files, client keys and their scopes. Keeps only keyed hashes of the keys.
"""

import hashlib
import ssl
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from surefoot.config.credentials import read_secret, read_text
from surefoot.config.faults import Faults, did_you_mean
from surefoot.config.quantities import show_address
from surefoot.config.shape import FileTable, KeyTable, ListenerTable, TlsTable
from surefoot.config.targets import is_loopback
from surefoot.domain.front import ClientKey, Door, Listener
from surefoot.policy.jurisdictions import Jurisdictions

SHORTEST_KEY = 16
"""Characters. 16 random letters and digits are 95 bits, far beyond guessing over a network."""


def digest_of(secret: str, salt: bytes) -> bytes:
    """The keyed hash by which a client key is recognised (BLAKE2b, 32 bytes)."""
    return hashlib.blake2b(secret.encode(), digest_size=32, key=salt).digest()


def unknown_in(key: ClientKey, routes: Iterable[str], jurisdictions: Jurisdictions) -> list[tuple[str, str]]:
    """Each word of a key's scope that the configuration does not know: which part, and what is wrong.

    A class that no jurisdiction binds would let out what its misspelling was to bind.
    """
    zones = jurisdictions.zones
    found: list[tuple[str, str]] = []
    for part, what, named, known in (
        ("routes", "route", key.routes or (), list(routes)),
        ("jurisdictions", "jurisdiction", key.jurisdictions, list(jurisdictions.by_name)),
        ("classes", "jurisdiction that binds the class", key.classes, sorted(jurisdictions.classes)),
        ("regions", "zone", [one for one in key.regions if zones.name_of(one) is None], zones.names),
    ):
        found += [
            (part, f'there is no {what} "{one}"; {did_you_mean(one, known)}') for one in named if one not in known
        ]
    return found


def read_door(file: FileTable, base: Path, environ: Mapping[str, str], faults: Faults, salt: bytes) -> Door:
    """The door, with every fault of it told."""
    tables = file.listeners or [ListenerTable()]
    listeners = [_listener(f"listeners[{i}]", table, base, faults) for i, table in enumerate(tables) if table]
    _addresses(file, faults)
    keys = _keys(file, base, environ, faults, salt)
    keys_file = None if file.gateway.keys_file is None else str((base / file.gateway.keys_file).resolve())
    if not file.keys and keys_file is None and not faults.within("keys"):
        for i, table in enumerate(tables):
            if table and not is_loopback(table.address[0]):
                sentence = (
                    "anyone on the network could use this address: add [[keys]] or gateway.keys_file, "
                    "or listen on 127.0.0.1"
                )
                faults.add(f"listeners[{i}].address", sentence)
    gateway = file.gateway
    if gateway.idempotency.answer > gateway.idempotency.memory:
        faults.add("gateway.idempotency.answer", "one answer may not take more than all of them: see `memory`")
    return Door(
        listeners=tuple(listeners),
        keys=keys,
        keys_file=keys_file,
        salt=salt,
        body_limit=gateway.body_limit,
        header_limit=gateway.header_limit,
        read_timeout=gateway.read_timeout,
        idle_timeout=gateway.idle_timeout,
        drain=gateway.drain,
        idempotency=gateway.idempotency,
    )


def tell_scopes(file: FileTable, jurisdictions: Jurisdictions, faults: Faults) -> None:
    """Every word in the scope of a key that the rest of the file does not know, as far as that could be read."""
    unread = {"classes", "regions"} if faults.within("jurisdiction") or faults.within("zones") else set()
    for i, table in enumerate(file.keys):
        if table is not None:
            for part, sentence in unknown_in(_key(table, b""), file.routes, jurisdictions):
                if part not in unread:
                    faults.add(f"keys[{i}].{part}", sentence)


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
        keys.append(_key(table, digest_of(secret, salt)))
    return tuple(keys)


def _key(table: KeyTable, digest: bytes) -> ClientKey:
    return ClientKey(
        table.name,
        digest,
        table.drill,
        tenant=table.tenant,
        routes=None if table.routes is None else _words(table.routes),
        jurisdictions=_words(table.jurisdictions),
        classes=_words(table.classes),
        regions=_words(table.regions),
        limits=table.limits,
    )


def _words(listed: Sequence[str | None]) -> tuple[str, ...]:
    """Without the gaps that faults have left."""
    return tuple(word for word in listed if word is not None)
