"""`surefoot keys`: make, list and revoke client keys in the key file that a configuration names.

Knows how options are spelled and where a secret goes: to stdout, once. Must never write one anywhere else.
"""

import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from surefoot.cli.screen import print_json, screen
from surefoot.config.credentials import Placeholders
from surefoot.config.door import unknown_in
from surefoot.config.faults import did_you_mean
from surefoot.config.keyfile import KeyEntry, add_key, read_keys, revoke_key
from surefoot.config.loading import keys_file_of, load
from surefoot.config.quantities import read_duration
from surefoot.domain.front import ClientKey, KeyLimits
from surefoot.errors import ConfigError
from surefoot.policy.jurisdictions import Jurisdictions, met_by
from surefoot.policy.zones import Zones

_DAY = 86_400.0
_DAYS = re.compile(r"(\d+)d")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_OPTIONS = {
    "routes": "--route", "jurisdictions": "--jurisdiction", "classes": "--data-class", "regions": "--data-region",
    "tenant": "--tenant",
}  # fmt: skip
"""By the part of a scope."""

keys = typer.Typer(
    no_args_is_help=True, help="Make, list and revoke client keys.", add_completion=False, rich_markup_mode=None
)

Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file, which names the key file.")]
CONFIG = Path("surefoot.toml")


@keys.command()
def add(
    name: Annotated[str, typer.Argument(help="Names the client in the journal.")],
    config: Config = CONFIG,
    tenant: Annotated[str | None, typer.Option(help="On whose behalf it calls.")] = None,
    route: Annotated[list[str] | None, typer.Option(help="Only this route; may be given several times.")] = None,
    jurisdiction: Annotated[list[str] | None, typer.Option(help="Binds all its calls; several times.")] = None,
    data_class: Annotated[list[str] | None, typer.Option(help="Its calls carry this class of data.")] = None,
    data_region: Annotated[list[str] | None, typer.Option(help="Its data is about people living there.")] = None,
    in_flight: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Most calls under way at once.")] = None,
    per_minute: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Most calls a minute.")] = None,
    expires: Annotated[str | None, typer.Option(help="It is no key any more after this: 90d, 12h.")] = None,
) -> None:
    """Make a key and print it, once: only a hash of it is kept.

    A running gateway admits it within a second. Limits hold over the whole gateway, however many workers serve.
    """
    configuration = load(config, Placeholders(os.environ))
    path = keys_file_of(config)
    made = time.time()
    scope = ClientKey(
        name,
        b"",
        tenant=tenant,
        routes=tuple(route) if route else None,
        jurisdictions=tuple(jurisdiction or ()),
        classes=tuple(data_class or ()),
        regions=tuple(data_region or ()),
        limits=KeyLimits(in_flight, per_minute),
        expires=None if expires is None else made + _seconds(expires),
    )
    faults = [f"--{option}: {sentence}" for option, sentence in _misnamed(scope)]
    if any(key.name == name for key in configuration.door.keys):
        faults.append(f'NAME: a key of the configuration is named "{name}" already')
    routes = [route.name for route in configuration.routes]
    jurisdictions = Jurisdictions(Zones(configuration.zones), configuration.jurisdictions)
    faults += [f"{_OPTIONS[part]}: {sentence}" for part, sentence in unknown_in(scope, routes, jurisdictions)]
    if faults:
        raise ConfigError(faults)
    typer.echo(add_key(path, scope, made))
    typer.echo(f"made the key {name}; it is shown this once, and kept nowhere", err=True)
    typer.echo(_bound(scope, jurisdictions), err=True)


@keys.command("list")
def listed(
    config: Config = CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the keys of the key file, with their scopes; never a secret or its hash."""
    rows = [_row(entry, time.time()) for entry in read_keys(keys_file_of(config)).keys]
    if as_json:
        print_json({"keys": rows})
        return
    table = Table("name", "id", "tenant", "routes", "jurisdictions", "data", "limits", "made", "expires", box=None)
    for row in rows:
        limits = [f"{row[part]} {part.replace('_', ' ')}" for part in ("in_flight", "per_minute") if row[part]]
        table.add_row(
            row["name"],
            row["id"],
            row["tenant"] or "",
            "all" if row["routes"] is None else ", ".join(row["routes"]),
            ", ".join(row["jurisdictions"]),
            ", ".join([*row["classes"], *row["regions"]]),
            ", ".join(limits),
            row["made"],
            ("expired " if row["expired"] else "") + (row["expires"] or ""),
        )
    screen().print(table)


@keys.command()
def revoke(name: Annotated[str, typer.Argument(help="Name or id of the key.")], config: Config = CONFIG) -> None:
    """Take a key out of the key file.

    A running gateway refuses it within a second, on open connections too; calls under way end as they would have.
    """
    gone = revoke_key(keys_file_of(config), name)
    typer.echo(f"revoked the key {gone.name} ({gone.id})", err=True)


def _row(entry: KeyEntry, now: float) -> dict[str, Any]:
    key = entry.key
    return {
        "name": key.name,
        "id": key.id,
        "tenant": key.tenant,
        "routes": key.routes,
        "jurisdictions": key.jurisdictions,
        "classes": key.classes,
        "regions": key.regions,
        "in_flight": key.limits.in_flight,
        "per_minute": key.limits.per_minute,
        "made": _date(entry.made),
        "expires": None if key.expires is None else _date(key.expires),
        "expired": key.expires is not None and key.expires <= now,
    }


def _bound(scope: ClientKey, jurisdictions: Jurisdictions) -> str:
    """Which jurisdictions bind a key by itself, whatever the route and the headers of its requests add."""
    names = sorted(one.name for one in jurisdictions.brought_by(met_by(scope)))
    tenants = {tenant for one in jurisdictions.by_name.values() for tenant in one.subjects.tenants}
    told = f"it is bound by {', '.join(names)}" if names else "no jurisdiction binds it by itself"
    if scope.tenant is None or scope.tenant in tenants:
        return told
    return f'{told}; none names the tenant "{scope.tenant}": {did_you_mean(scope.tenant, tenants)}'


def _misnamed(scope: ClientKey) -> list[tuple[str, str]]:
    """What could not stand in a log or a header: which option, and what is wrong."""
    words = [("name", scope.name), *(("tenant", word) for word in [scope.tenant] if word is not None)]
    words += [("data-class", word) for word in scope.classes] + [("data-region", word) for word in scope.regions]
    return [
        (option, f'"{word[:64]}" is not a name: it must match {_NAME.pattern}')
        for option, word in words
        if _NAME.fullmatch(word) is None
    ]


def _seconds(text: str) -> float:
    days = _DAYS.fullmatch(text.strip())
    try:
        seconds = int(days[1]) * _DAY if days else read_duration(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 100 * 366 * _DAY:
        raise ConfigError([f'--expires: write a time from now, "90d" or "12h", not "{text}"'])
    return seconds


def _date(moment: float) -> str:
    """As RFC 3339, in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
