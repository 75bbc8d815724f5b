"""The real gateway as a process of its own, held by a synchronous program; and any gateway's admin application.

Knows: how to start it, ask its admin application, and end it by its process id.
Must never: leave it behind, or reach into it past its ports.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from surefoot.errors import StartError
from surefoot.twin.ending import end

_START_SECONDS = 15.0
_STOP_SECONDS = 10.0
_ASK_SECONDS = 10.0
_POLL_SECONDS = 0.02
_LOG_TAIL = 2_000


def free_ports() -> tuple[int, int]:
    """Two ports of the loopback that nobody listens on now."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


class AdminDoor:
    """The admin application at `host:port`. All methods raise `StartError` if it does not answer."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """One request: its status and the body of the answer."""
        connection = http.client.HTTPConnection(self._address, timeout=_ASK_SECONDS)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise StartError(
                f"no admin application of a gateway answers at {self._address}: {str(error) or type(error).__name__}"
            ) from error
        finally:
            connection.close()

    def status(self) -> dict[str, Any]:
        """What `/status` tells."""
        status, body = self.ask("GET", "/status")
        if status != http.client.OK:
            raise StartError(f"the gateway does not tell its status: HTTP {status}")
        told: dict[str, Any] = json.loads(body)
        return told

    def breaker(self, target: str) -> str:
        """State of a target's breaker: `closed`, `open` or `half_open`."""
        return next(str(one["breaker"]) for one in self.status()["targets"] if one["target"] == target)

    @property
    def ready(self) -> bool:
        """Whether every worker serves."""
        try:
            return self.ask("GET", "/readyz")[0] == http.client.OK
        except StartError:
            return False  # not listening yet


class GatewayProcess(AdminDoor):
    """Use it as a context manager; inside, the gateway is ready. Raises `StartError` with the end of its log."""

    def __init__(
        self,
        file: Path,
        ports: tuple[int, int],
        arguments: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"127.0.0.1:{ports[1]}")
        self.url = f"http://127.0.0.1:{ports[0]}"
        self._arguments = tuple(arguments) or ("surefoot.cli.main", "serve", "-c", str(file))
        self._environ = os.environ if environ is None else environ
        self._log = file.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C reaches us alone, and we end it in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self._environ),
                start_new_session=True,
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it: in order, then by force. Its journal is complete once it has ended in order."""
        process, self._process = self._process, None
        if process is not None:
            end(process, _STOP_SECONDS)

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> None:
        limit = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < limit:
            if self.ready:
                return
            time.sleep(_POLL_SECONDS)
        tail = self._log.read_text(errors="replace")[-_LOG_TAIL:]
        raise StartError(f"the gateway did not become ready; its log ends:\n{tail}")
