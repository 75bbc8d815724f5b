"""The real gateway as a process of its own, on a configuration file, held by a synchronous program.

Knows: how to start it, ask its admin application, and end it by its process id.
Must never: leave it behind, or reach into it past its ports.
"""

import http.client
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from surefoot.errors import StartError
from surefoot.twin.ending import end

_START_SECONDS = 15.0
_STOP_SECONDS = 10.0
_ASK_SECONDS = 5.0
_POLL_SECONDS = 0.02
_LOG_TAIL = 2_000


def free_ports() -> tuple[int, int]:
    """Two ports of the loopback that nobody listens on now."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


class GatewayProcess:
    """Use it as a context manager; inside, the gateway is ready. Raises `StartError` with the end of its log."""

    def __init__(self, file: Path, ports: tuple[int, int]) -> None:
        self.url = f"http://127.0.0.1:{ports[0]}"
        self._admin = f"127.0.0.1:{ports[1]}"
        self._file = file
        self._log = file.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "surefoot.cli.main", "serve", "-c", str(self._file)]
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C reaches us alone, and we end it in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
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

    def breaker(self, target: str) -> str:
        """State of a target's breaker: `closed`, `open` or `half_open`. Raises `StartError` if it does not answer."""
        status, body = self._get("/status")
        if status != http.client.OK:
            raise StartError(f"the gateway does not tell its status: HTTP {status}")
        told: dict[str, Any] = json.loads(body)
        return next(str(one["breaker"]) for one in told["targets"] if one["target"] == target)

    def stop(self) -> None:
        """End it: in order, then by force. Its journal is complete once it has ended in order."""
        process, self._process = self._process, None
        if process is not None:
            end(process, _STOP_SECONDS)

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> None:
        end = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < end:
            try:
                if self._get("/readyz")[0] == http.client.OK:
                    return
            except StartError:
                pass  # not listening yet
            time.sleep(_POLL_SECONDS)
        tail = self._log.read_text(errors="replace")[-_LOG_TAIL:]
        raise StartError(f"the gateway did not become ready; its log ends:\n{tail}")

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._admin, timeout=_ASK_SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise StartError(f"the gateway's admin application does not answer: {error!r}") from error
        finally:
            connection.close()
