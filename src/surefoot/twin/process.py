"""A twin in its own process, held by a synchronous program: a test, a drill, a benchmark.

Knows: how to start the process, read its address, steer it over its control port, and end it.
Must never: leave the process behind.
"""

import http.client
import subprocess
import sys
import threading
from types import TracebackType
from typing import Self

import msgspec

from surefoot.twin.behaviour import TwinError
from surefoot.twin.ending import end
from surefoot.twin.faults import Fault, FaultPlan, always
from surefoot.twin.log import AttemptRecord
from surefoot.twin.program import Announcement
from surefoot.twin.server import TwinOptions

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_CONTROL_SECONDS = 10.0


class TwinProcess:
    """Use it as a context manager. Raises TwinError when the process does not start or obey."""

    def __init__(self, options: TwinOptions | None = None) -> None:
        self._options = options or TwinOptions()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.control_url = ""
        self.pid = 0

    def __enter__(self) -> Self:
        argument = msgspec.json.encode(self._options).decode()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "surefoot.twin", argument], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            said = self._first_line(self._process)
        except BaseException:
            self._end()
            raise
        self.url, self.control_url, self.pid = said.url, said.control, said.pid
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def port(self) -> int:
        """The provider's port."""
        return int(self.url.rpartition(":")[2])

    def set_faults(self, plan: FaultPlan | Fault | str) -> None:
        """Replace the fault plan, at once."""
        body = msgspec.json.encode(plan if isinstance(plan, FaultPlan) else always(plan))
        self._control("POST", "/_twin/faults", body)

    def faults(self) -> FaultPlan:
        """The plan in force."""
        return msgspec.json.decode(self._control("GET", "/_twin/faults"), type=FaultPlan)

    def log(self, since: int = 0) -> list[AttemptRecord]:
        """Records of attempts with a sequence number above `since`."""
        return msgspec.json.Decoder(AttemptRecord).decode_lines(self._control("GET", f"/_twin/log?since={since}"))

    def clear_log(self) -> None:
        """Forget all records."""
        self._control("DELETE", "/_twin/log")

    def accepted(self) -> int:
        """TCP connections that the provider's port has ever accepted, whether anything was asked on them or not."""
        return msgspec.json.decode(self._control("GET", "/_twin/connections"), type=dict[str, int])["accepted"]

    def _control(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = http.client.HTTPConnection(self.control_url.removeprefix("http://"), timeout=_CONTROL_SECONDS)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise TwinError(f"the twin does not obey: {error!r}") from error
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise TwinError(f"the twin refused: {answer.decode(errors='replace')}")
        return answer

    @staticmethod
    def _first_line(process: "subprocess.Popen[bytes]") -> Announcement:
        assert process.stdout is not None  # noqa: S101 - we asked for a pipe
        # Reading a pipe has no time limit of its own; ending the process ends the reading.
        watchdog = threading.Timer(_START_SECONDS, process.kill)
        watchdog.start()
        try:
            line = process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise TwinError("the twin's process ended before it said where it is; see its standard error")
        return msgspec.json.decode(line, type=Announcement)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end(process, _STOP_SECONDS)
