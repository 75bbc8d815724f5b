"""`surefoot serve` as a process: started, read, asked, ended.

Knows its log lines, which tell the addresses. Must never leave a process behind, a worker that outlived its supervisor
included.
"""

import contextlib
import http.client
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.leaks import LEAKS, PROMPT

PATIENCE = 20.0
"""Seconds after which something that should come about has not. Never waited out by a test that passes."""

CONFIG = """
[[listeners]]
address = "127.0.0.1:0"
[gateway]
drain = "5s"
[admin]
address = "127.0.0.1:0"
[targets.near]
provider = "openai-compatible"
model = "m"
base_url = "{url}"
key = {{ env = "NEAR_KEY" }}
[routes.chat]
targets = ["near"]
"""

SECRET = "sk-secret-of-near"


class Served:
    """Use it as a context manager. `lines` are what it has logged so far."""

    def __init__(self, folder: Path, url: str, workers: int = 1, more: str = "") -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.pids: list[int] = []
        """Of all workers that were ever started."""
        self._file = folder / "surefoot.toml"
        self.write(CONFIG.format(url=f"{url}/v1") + more)
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        command = [sys.executable, "-m", "surefoot.cli.main", "serve", "-c", str(self._file), "--workers", str(workers)]
        environ = os.environ | {"NEAR_KEY": SECRET}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def __enter__(self) -> Self:
        try:
            line = self.until(r"ready: serving on http://\S+; admin on http://\S+")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.port, self.admin_port = (int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", line))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pid in (self.process.pid, *self.pids) if self.process.poll() is None else self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self._reading.join(PATIENCE)
        if self.process.stderr is not None:
            self.process.stderr.close()

    def write(self, text: str) -> None:
        self._file.write_text(text, encoding="utf-8")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def until(self, pattern: str) -> str:
        """The next line of the log that matches."""
        limit = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._queue.get(timeout=max(limit - time.monotonic(), 0.0))
            except queue.Empty:
                line = None
            assert line is not None, f"it never said {pattern!r}, but: {self.lines}"
            if re.search(pattern, line):
                return line

    def end(self) -> int:
        """Ask it to end, and wait for it. Its exit code."""
        self.signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def ask_admin(self, path: str) -> tuple[int, str]:
        answer = self._ask(self.admin_port, "GET", path)
        LEAKS.note(f"the admin application's {path}", answer[1])
        return answer

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ask_admin("/status")[1])
        return found

    def models(self) -> list[str]:
        return [model["id"] for model in json.loads(self._ask(self.port, "GET", "/v1/models")[1])["data"]]

    def chat(self) -> int:
        """One plain call. Its HTTP status."""
        body = {"model": "chat", "messages": [{"role": "user", "content": PROMPT}]}
        return self._ask(self.port, "POST", "/v1/chat/completions", json.dumps(body))[0]

    @staticmethod
    def _ask(port: int, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            started = re.search(r"worker \d+ started: pid (\d+)", line)
            if started:
                self.pids.append(int(started[1]))
            self.lines.append(line)
            LEAKS.note(f"the log of the gateway in {self.folder}", line)
            self._queue.put(line)
        self._queue.put(None)
