"""The whole gateway, supervisor included: `surefoot serve` with one worker and with two."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.gateway.conftest import Pair
from tests.gateway.house import KEY, PATIENCE, until
from tests.gateway.raw import chat, exchange

from surefoot.twin import Fault

CONFIGURATION = """
[[listeners]]
address = "127.0.0.1:{port}"

[admin]
address = "127.0.0.1:{admin}"

[[keys]]
name = "tester"
env = "CLIENT_KEY"

[targets.primary]
provider = "openai-compatible"
model = "primary-model"
base_url = "http://127.0.0.1:{primary}/v1"

[targets.backup]
provider = "openai-compatible"
model = "backup-model"
base_url = "http://127.0.0.1:{backup}/v1"

[routes.chat]
targets = ["primary", "backup"]
"""
EITHER = pytest.mark.parametrize("workers", [1, 2])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def served(folder: Path, twins: Pair, workers: int) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    port = free_port()
    ports = {"port": port, "admin": free_port(), "primary": twins[0].port, "backup": twins[1].port}
    path = folder / "surefoot.toml"
    path.write_text(CONFIGURATION.format(**ports), encoding="utf-8")
    command = [sys.executable, "-m", "surefoot.cli.main", "serve", "-c", str(path), "--workers", str(workers)]
    with ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(command, cwd=folder, env=os.environ | {"CLIENT_KEY": KEY}))
        stack.callback(process.terminate)
        until(lambda: process.poll() is not None or _answers(port))
        assert process.poll() is None, "it did not start"
        yield port, process


def _answers(port: int) -> bool:
    try:
        return exchange(port, chat(model="other")).status == 404
    except (OSError, ValueError):
        return False


def workers_of(process: "subprocess.Popen[bytes]") -> set[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    return {int(child) for child in children}


@EITHER
@pytest.mark.parametrize("kind", ["refuse", "reset", "status:500", "status:429", "error_first", "not_json"])
def test_a_failing_primary_is_not_noticed(tmp_path: Path, twins: Pair, workers: int, kind: str) -> None:
    with served(tmp_path, twins, workers) as (port, process):
        assert b"surefoot-target: primary" in exchange(port, chat()).head
        twins[0].set_faults(Fault(kind))
        answers = [exchange(port, chat(stream=stream)) for stream in (False, True) * 4]

        assert {answer.status for answer in answers} == {200}
        assert all(b"surefoot-target: backup" in answer.head for answer in answers)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_a_killed_worker_is_replaced(tmp_path: Path, twins: Pair) -> None:
    with served(tmp_path, twins, 2) as (port, process):
        before = until(lambda: workers_of(process) if len(workers_of(process)) == 2 else None)
        os.kill(min(before), signal.SIGKILL)
        look: Callable[[], bool] = lambda: len(workers_of(process) - before) == 1  # noqa: E731 - one line of a poll
        until(look)

        assert all(until(lambda: _answers(port)) for _ in range(4))
        assert process.poll() is None
