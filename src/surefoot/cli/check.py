"""`surefoot check`: is this configuration file one that the gateway can start with?

Knows how to print what `config` found. Must never start anything.
"""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from surefoot.cli.screen import print_json
from surefoot.config.configuration import Configuration
from surefoot.config.loading import load
from surefoot.config.quantities import show_tokens
from surefoot.domain.front import ANYONE
from surefoot.domain.jurisdiction import ANYWHERE
from surefoot.domain.route import Route
from surefoot.errors import ConfigError
from surefoot.policy.jurisdictions import Jurisdictions, met_by
from surefoot.policy.zones import Zones


def check(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("surefoot.toml"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a configuration file and tell every fault.

    Exits with 0 if the gateway can start with it, otherwise with 2. Reads the environment and the files it names;
    connects to nothing.
    """
    try:
        configuration = load(config, os.environ)
    except ConfigError as error:
        if not as_json:
            raise
        _print({"ok": False, "faults": error.faults})
        raise typer.Exit(2) from error
    if as_json:
        _print(_summary(configuration))
        return
    _tell(config, configuration)


def _summary(configuration: Configuration) -> dict[str, Any]:
    return {
        "ok": True,
        "version": configuration.version,
        "routes": {
            route.name: {
                "order": route.order,
                "jurisdiction": route.jurisdiction or ANYWHERE.name,
                "targets": [{"target": rung.target, "prompt_tokens": show_tokens(rung.when)} for rung in route.rungs],
            }
            for route in configuration.routes
        },
        "warnings": configuration.warnings,
    }


def _tell(path: Path, configuration: Configuration) -> None:
    typer.echo(f"{path} can be used (version {configuration.version})")
    for route in configuration.routes:
        rungs = [
            f"{rung.target} ({when} tokens)" if (when := show_tokens(rung.when)) else rung.target
            for rung in route.rungs
        ]
        typer.echo(f"  {route.name}: {' → '.join(rungs)} [{route.order}, {_bound_by(route, configuration)}]")
    for warning in configuration.warnings:
        typer.echo(f"warning: {warning}", err=True)


def _bound_by(route: Route, configuration: Configuration) -> str:
    """The jurisdiction of a route, `anywhere` included, and what keys add to it."""
    jurisdictions = Jurisdictions(Zones(configuration.zones), configuration.jurisdictions)
    own = jurisdictions.bind(route, met_by(ANYONE)).name
    keys = [
        key
        for key in (*configuration.door.keys, *configuration.ring.keys)
        if key.routes is None or route.name in key.routes
    ]
    more = {key.name: jurisdictions.bind(route, met_by(key)).name for key in keys}
    told = [f"{key}: {name}" for key, name in more.items() if name != own]
    return f"{own}; {', '.join(told)}" if told else own


def _print(answer: dict[str, Any]) -> None:
    print_json(answer)
