"""Where a drill takes place: a gateway of its own on the live configuration, or one that is running already.

Knows: how either is had, and what has to hold of a running one.
Must never: leave a process behind, or change anything of a running gateway but its drill.
"""

import asyncio
import http.client
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from surefoot.config.configuration import Configuration
from surefoot.config.credentials import read_secret
from surefoot.config.faults import Faults
from surefoot.config.reading import read_shape, read_toml
from surefoot.drill.gateway import AdminDoor, GatewayProcess, free_ports
from surefoot.drill.house import KEY, HouseOptions, live
from surefoot.drill.stage import Stands
from surefoot.errors import ConfigError, DrillError

STEADY_WORLD = 1
"""The world in which nothing is ever wrong."""


class Venue(Struct, frozen=True):
    """A gateway that can be drilled."""

    url: str
    admin: AdminDoor
    key: str
    """The canary key's secret."""
    journal: str
    configuration: Configuration
    ca: str | None = None
    """What a client has to trust if the listener speaks TLS."""

    def __repr__(self) -> str:
        return f"<Venue {self.url}>"

    async def order(self, worlds: Mapping[int, Stands], *, seconds: float, like: int | None, forward: bool) -> None:
        """Open these worlds and no others; none ends the drill. Raises `DrillError` where the gateway refuses."""
        told = {"worlds": worlds, "seconds": seconds, "like": like, "forward": forward}
        body = msgspec.json.encode(told)
        status, answer = await asyncio.to_thread(self.admin.ask, "POST", "/drill", body)
        if status != http.client.OK:
            raise DrillError(f"the gateway refuses to drill: {_why(status, answer)}")


@contextmanager
def own(file: Path, environ: Mapping[str, str], *, forward: bool) -> Iterator[Venue]:
    """A gateway of the drill's own. Raises `ConfigError` for the file, `StartError` where it does not start."""
    configuration = live(file, environ, forward=forward)
    with TemporaryDirectory(prefix="surefoot-drill-") as folder:
        ports = free_ports()
        journal = str(Path(folder) / "journal.db")
        key = secrets.token_urlsafe(32)
        told = HouseOptions(str(file.resolve()), journal, ports, forward)
        arguments = ("surefoot.drill.house", msgspec.json.encode(told).decode())
        gateway = GatewayProcess(Path(folder) / "gateway", ports, arguments, {**environ, KEY: key})
        with gateway:
            yield Venue(gateway.url, gateway, key, journal, configuration)


def running(file: Path, environ: Mapping[str, str], admin: str) -> Venue:
    """The gateway whose admin application is at that URL, which has to run under this file.

    Raises `ConfigError` for the file, `StartError` if nobody answers, and `DrillError` if it must not be drilled.
    """
    split = urlsplit(admin if "//" in admin else f"http://{admin}")
    configuration = live(file, environ, forward=False)
    door = AdminDoor(split.netloc)
    status = door.status()
    if status["config"] != configuration.version:
        raise DrillError(f"that gateway runs under another configuration ({status['config']}) than {file} is")
    if configuration.journal is None:
        raise DrillError("that gateway keeps no journal, and without it nothing can be counted: enable [journal]")
    address: str = status["listeners"][0].replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    key = _canary(file, environ)
    return Venue(address, door, key, configuration.journal, configuration, configuration.door.listeners[0].certificate)


def _canary(file: Path, environ: Mapping[str, str]) -> str:
    faults = Faults()
    table = next((key for key in read_shape(read_toml(file), faults).keys if key is not None and key.drill), None)
    if table is None:
        raise DrillError(
            'no key is marked for drills: add [[keys]] with name = "canary", env = "NAME" and drill = true, then reload'
        )
    secret = read_secret(table, "keys", file.parent, environ, faults)
    if secret is None:
        raise ConfigError(faults.found)
    return secret


def _why(status: int, answer: bytes) -> str:
    try:
        told: Any = json.loads(answer)
        return str(told["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {status}"
