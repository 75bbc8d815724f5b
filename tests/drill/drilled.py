"""The demo's topology as a configuration file, and `surefoot drill` as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.leaks import LEAKS

from surefoot.drill.sites import SITES, configuration

COMMAND = [sys.executable, "-m", "surefoot.cli.main", "drill"]
NOBODY = "http://127.0.0.1:9"


def written(folder: Path, urls: dict[str, str] | None = None, ports: tuple[int, int] = (8080, 8081)) -> Path:
    """The file; its targets are nowhere unless said otherwise, which is no matter to a drill with twins."""
    reached = urls or {site.name: NOBODY for site in SITES}
    file = folder / "surefoot.toml"
    file.write_text(configuration(reached, {site.name: "twin-1" for site in SITES}, ports, {}), encoding="utf-8")
    return file


def run(file: Path, *arguments: str, patience: float = 55) -> "subprocess.CompletedProcess[str]":
    command = [*COMMAND, "-c", str(file), "--out", str(file.parent / "drills"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)
    LEAKS.note("what `surefoot drill` has printed", done.stdout + done.stderr)
    return done


def told(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)["drills"][0]
    return found


def fact(drill: dict[str, Any], name: str, route: str = "chat") -> dict[str, Any]:
    return next(one for one in drill["routes"][route]["facts"]["facts"] if one["name"] == name)
