"""Load a configuration file: the one way in.

    text ─▶ tables (reading) ─▶ zones, jurisdictions, door, targets, routes ─▶ Configuration,
    or ConfigError with every fault

Knows the order of the steps. Must never start with a configuration that has a fault.
"""

import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel

from surefoot.config.configuration import Admin, Configuration, Credentials
from surefoot.config.door import read_door, tell_scopes
from surefoot.config.faults import Faults
from surefoot.config.jurisdictions import PlaceReader
from surefoot.config.keyfile import others_write, read_keys, ring_of, unusable
from surefoot.config.profiles import profiles
from surefoot.config.reading import read_shape, read_toml
from surefoot.config.receipts import read_receipts, tell_unkept
from surefoot.config.routes import RouteReader, tell_own_door, tell_unused
from surefoot.config.served import Served
from surefoot.config.shape import FileTable
from surefoot.config.targets import TargetReader
from surefoot.config.zones import ZoneReader
from surefoot.domain.front import Door, Ring
from surefoot.domain.place import Zone
from surefoot.domain.target import Target
from surefoot.errors import ConfigError
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.options import PolicyOptions
from surefoot.policy.zones import Zones

SALT_BYTES = 32


def load(path: Path, environ: Mapping[str, str], salt: bytes | None = None) -> Configuration:
    """The configuration in a file. Relative paths in it start where the file is.

    Secrets are read from `environ` and from the files that are named. `salt` keys the hashes of client keys; it is
    drawn anew unless given. Raises `ConfigError` with all faults, each as `path: sentence`.
    """
    raw = read_toml(path)
    faults = Faults()
    file = read_shape(raw, faults)
    base = path.parent
    door = read_door(file, base, environ, faults, os.urandom(SALT_BYTES) if salt is None else salt)
    zones = ZoneReader(file.zones, faults).read()
    places = PlaceReader(Zones(zones), faults)
    listed = [places.jurisdiction(name, table, file.targets) for name, table in file.jurisdiction.items()]
    jurisdictions = Jurisdictions(Zones(zones), listed)
    reader = TargetReader(base, environ, places, faults)
    read = {name: reader.read(name, table) for name, table in file.targets.items()}
    targets = {name: target for name, target in read.items() if target is not None}
    served = Served(jurisdictions, targets, faults)
    route_reader = RouteReader(file, targets, served, faults)
    routes = [route_reader.read(name) for name in file.routes]
    tell_scopes(file, jurisdictions, faults)
    ring = _ring(door, jurisdictions, faults)
    if not faults.found:  # what cannot be read has consequences that are not worth telling
        served.check(routes, (*door.keys, *ring.keys), file.jurisdiction)
    _tell_empty(raw, faults)
    _tell_options(file.policy, faults)
    tell_unused(routes, targets, faults)
    tell_own_door(file, targets, faults)
    journal = _file_to_write(base, file.journal.path, "journal.path", faults) if file.journal.enabled else None
    receipts = read_receipts(file.receipts, base, faults)
    if file.receipts is None:
        tell_unkept(listed, faults)
    trace = _file_to_write(base, file.gateway.trace, "gateway.trace", faults) if file.gateway.trace else None
    if faults.found:
        raise ConfigError(faults.found)
    return Configuration(
        version=version_of(file, targets, zones),
        door=door,
        admin=Admin(*file.admin.address),
        targets=tuple(targets.values()),
        routes=tuple(routes),
        options=file.policy,
        credentials=Credentials(reader.credentials),
        journal=journal,
        receipts=receipts,
        trace=trace,
        zones=zones,
        jurisdictions=tuple(listed),
        ring=ring,
        warnings=tuple(faults.warnings),
    )


def keys_file_of(path: Path) -> Path:
    """The key file that a configuration names, whatever else is wrong there. Raises `ConfigError` if it has none."""
    faults = Faults()
    named = read_shape(read_toml(path), faults).gateway.keys_file
    if named is None:
        raise ConfigError(
            [f'{path}: names no key file; add keys_file = "surefoot-keys.json" to [gateway], and reload the gateway']
        )
    return (path.parent / named).resolve()


def _ring(door: Door, jurisdictions: Jurisdictions, faults: Faults) -> Ring:
    """The keys of the key file, with every fault of it told."""
    if door.keys_file is None:
        return Ring()
    path = Path(door.keys_file)
    where = "gateway.keys_file"
    _file_to_write(path.parent, path.name, where, faults)
    try:
        ring = ring_of(read_keys(path), time.time())
    except ConfigError as error:
        for fault in error.faults:
            faults.add(where, fault)
        return Ring()
    if faults.within("jurisdiction") or faults.within("zones"):
        return ring  # what a key names may be what could not be read
    for name, sentence in unusable(ring, [key.name for key in door.keys], jurisdictions).items():
        faults.add(where, f'the key "{name}" cannot be used: {sentence}; `surefoot keys revoke {name}` takes it out')
    if others_write(path):
        faults.warn(where, f"others than its owner can put keys into {path}; set its mode to 0600")
    return ring


def version_of(file: FileTable, targets: Mapping[str, Target], zones: Mapping[str, Zone]) -> str:
    """12 hexadecimal digits that are the same for the same content, however it is written and wherever it lies.

    Covers the file's values with all defaults, what was taken from profiles, and the zones; not the secrets, and not
    the directory.
    """
    known = profiles()  # a static target has no profile
    used = {target.provider: known[target.provider] for target in targets.values() if target.provider in known}
    content = msgspec.json.encode([file, used, zones], enc_hook=_values, order="deterministic")
    return hashlib.blake2b(content, digest_size=6).hexdigest()


def _values(table: BaseModel) -> dict[str, object]:
    """A table's values by key. `dict(table)` would call the field `keys`."""
    return {name: getattr(table, name) for name in type(table).model_fields}


def _tell_empty(raw: Mapping[str, Any], faults: Faults) -> None:
    if not raw.get("targets"):
        faults.add("targets", "there is none: add a table [targets.NAME] with provider and model")
    if not raw.get("routes"):
        faults.add("routes", 'there is none: add a table [routes.NAME] with targets = ["NAME"]')


def _tell_options(options: PolicyOptions, faults: Faults) -> None:
    """What must hold between two options of the policy."""
    first = options.first_token
    pairs = (
        ("first_token.hedge_quantile", first.hedge_quantile, "limit_quantile", first.limit_quantile),
        ("first_token.hedge_floor", first.hedge_floor, "limit_floor", first.limit_floor),
        ("first_token.hedge", first.hedge, "limit", first.limit),
        ("first_token.plain_hedge_floor", first.plain_hedge_floor, "plain_limit_floor", first.plain_limit_floor),
        ("first_token.plain_hedge", first.plain_hedge, "plain_limit", first.plain_limit),
        ("first_token.limit", first.limit, "cap", first.cap),
        ("first_token.limit_floor", first.limit_floor, "cap", first.cap),
        ("first_token.plain_limit", first.plain_limit, "cap", first.cap),
        ("first_token.plain_limit_floor", first.plain_limit_floor, "cap", first.cap),
        ("first_token.samples", first.samples, "memory", first.memory),
        ("breaker.streak", options.breaker.streak, "certain", options.breaker.certain),
        ("breaker.open_for", options.breaker.open_for, "longest", options.breaker.longest),
    )
    for name, smaller, other, larger in pairs:
        part = name.partition(".")[0]
        if smaller > larger and not faults.covers(f"policy.{part}.{other}"):
            faults.add(f"policy.{name}", f"must not be more than `{other}`, which is {larger:g}")


def _file_to_write(base: Path, name: str, path: str, faults: Faults) -> str:
    file = base / name
    if not file.parent.is_dir():
        faults.add(path, f"there is no directory {file.parent}; create it first")
    elif file.is_dir():
        faults.add(path, f"{file} is a directory; name a file")
    return str(file)
