"""The gateway as a process, for measurements that need its journal: started on a configuration, ended in order.

Knows: the command, the two ports, the admin application. Must never: leave a process behind.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

_START_SECONDS = 15.0
_STOP_SECONDS = 15.0
_ASK_SECONDS = 5.0
_FILE = "surefoot.toml"
_HEAD = """
[[listeners]]
address = "127.0.0.1:{port}"
[admin]
address = "127.0.0.1:{admin}"
[journal]
path = "journal.db"
"""


@dataclass(slots=True)
class Gateway:
    """A running gateway: where it serves, where its admin application is, and its journal's file."""

    url: str
    admin: str
    journal: Path
    process: "subprocess.Popen[bytes]"
    _head: str = ""

    def reload(self, configuration: str) -> None:
        """Have it go by another configuration; what it listens on stays."""
        (self.journal.parent / _FILE).write_text(self._head + configuration)
        self.process.send_signal(signal.SIGHUP)

    def status(self) -> dict[str, Any]:
        """What `/status` tells. Raises `OSError` if it does not answer."""
        with urllib.request.urlopen(f"{self.admin}/status", timeout=_ASK_SECONDS) as answer:  # noqa: S310 - loopback
            told: dict[str, Any] = json.loads(answer.read())
            return told

    def stop(self) -> int:
        """End it in order, else by force, and tell its exit code; afterwards the journal is whole."""
        process = self.process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return process.returncode


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(configuration: str, workers: int = 1, environment: Mapping[str, str] | None = None) -> Iterator[Gateway]:
    """The gateway on `configuration`, to which listener, admin application and journal are added.

    The variables of `environment` are set besides those of this process.

    Its folder goes away with the context: the journal is to be read inside, after `Gateway.stop`.

    Raises:
        RuntimeError: it did not become ready.
    """
    with tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        port, admin = _free_port(), _free_port()
        file, head = Path(folder) / _FILE, _HEAD.format(port=port, admin=admin)
        file.write_text(head + configuration)
        command = [sys.executable, "-m", "surefoot.cli.main", "serve", "-c", str(file), "--workers", str(workers)]
        process = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, cwd=folder, start_new_session=True, env=os.environ | (environment or {})
        )
        gateway = Gateway(
            f"http://127.0.0.1:{port}/v1", f"http://127.0.0.1:{admin}", Path(folder) / "journal.db", process, head
        )
        try:
            _wait(f"{gateway.admin}/readyz")
            yield gateway
        finally:
            gateway.stop()


def _wait(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1.0):  # noqa: S310 - loopback
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{url} did not answer within {_START_SECONDS} s")
