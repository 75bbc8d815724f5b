"""`surefoot serve`: the gateway.

Knows how options are spelled and where the log goes. Must never hold logic: `surefoot.control` does the work.
"""

import logging
import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from surefoot.config.loading import load


def serve(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("surefoot.toml"),
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many processes serve.")] = 1,
) -> None:
    """Start the gateway, and serve until SIGTERM or SIGINT.

    SIGHUP reloads the file; a broken one is refused and the old one goes on. The first SIGTERM or SIGINT lets the calls
    in flight end, the second one ends at once. Exits with 2 if it cannot start.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    import uvloop  # noqa: PLC0415 - where it cannot be had the other commands still run

    from surefoot.control.supervisor import Supervisor  # noqa: PLC0415 - dear to import, only this command needs it

    supervisor = Supervisor(partial(load, config, os.environ), workers)
    uvloop.run(supervisor.run())
