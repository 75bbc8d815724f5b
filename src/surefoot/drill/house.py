"""The gateway of a drill, as a program: the live configuration, but for where it listens and what it can reach.

    python -m surefoot.drill.house OPTIONS

Routes, limits, policy, prices and places are those of the file. Its one key is the canary key from `KEY`. Its
production world reaches nothing; drilled calls go where the worlds of the drill say.

Knows: what is changed of the configuration, and nothing else of it.
Must never: reach a provider by itself, or show a secret.
"""

import logging
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.config.configuration import Admin, Configuration, Credentials
from surefoot.config.credentials import Placeholders
from surefoot.config.door import digest_of
from surefoot.config.loading import load
from surefoot.domain.front import NO_LIMITS, ClientKey, Listener, Ring
from surefoot.drill.plan import canary_of

KEY = "SUREFOOT_DRILL_KEY"
"""Environment variable with the canary key of a drill's own gateway."""

NOBODY = 9
"""Port of the discard service, where nobody listens: what production's world of this gateway would reach."""


class HouseOptions(Struct, frozen=True):
    """What the program is told."""

    file: str
    journal: str
    ports: tuple[int, int]
    """Of the listener and of the admin application."""
    forward: bool
    """Whether real credentials are needed, because twins pass them on; else placeholders stand for missing ones."""


def live(file: Path, environ: Mapping[str, str], *, forward: bool) -> Configuration:
    """The configuration in the file. Raises `ConfigError`."""
    return load(file, environ if forward else Placeholders(environ))


def derived(told: HouseOptions, environ: Mapping[str, str]) -> Configuration:
    """The configuration of the drill's own gateway. Raises `ConfigError`."""
    found = live(Path(told.file), environ, forward=told.forward)
    port, admin_port = told.ports
    salt = os.urandom(32)
    return replace(
        found,
        door=replace(
            found.door,
            listeners=(Listener("127.0.0.1", port),),
            keys=(_canary(found, digest_of(environ[KEY], salt)),),
            keys_file=None,
            salt=salt,
        ),
        admin=Admin("127.0.0.1", admin_port),
        targets=tuple(
            replace(
                target,
                endpoint=replace(target.endpoint, host="127.0.0.1", port=NOBODY, tls=False, ca_file=None),
            )
            for target in found.targets
        ),
        credentials=Credentials(found.credentials),
        ring=Ring(),
        journal=told.journal,
        trace=None,
    )


def _canary(found: Configuration, digest: bytes) -> ClientKey:
    """The one key of the drill's gateway: bound by all that binds the file's own canary key, if it has one."""
    canary = canary_of(found)
    named = [one.name for one in found.jurisdictions if canary.name in one.subjects.keys]
    return replace(
        canary, name="drill", digest=digest, drill=True, jurisdictions=(*canary.jurisdictions, *named),
        routes=None, limits=NO_LIMITS, id="", expires=None,
    )  # fmt: skip


def main(argument: str) -> None:
    """Serve until told to end."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    import uvloop  # noqa: PLC0415 - where it cannot be had the rest of drills still runs

    from surefoot.control.supervisor import Supervisor  # noqa: PLC0415 - only this process serves

    told = msgspec.json.decode(argument, type=HouseOptions)
    uvloop.run(Supervisor(partial(derived, told, dict(os.environ))).run())


if __name__ == "__main__":
    main(sys.argv[1])
