"""One `Idempotency-Key` at two workers: the retry that comes to the other one is handed over to the key's owner."""

import contextlib
import os
import re
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from tests.gateway import resending
from tests.gateway.raw import Answer, read, read_to_end
from tests.gateway.resending import FORMS, UNHURRIED, mark, read_quickly, unmarked
from tests.topologies.house import KEY, QUIET, Gateway, eventually

from surefoot.gateway.resends import owner_of, scope_of
from surefoot.twin import HEALTHY, Behaviour, Fixed, TwinOptions, TwinProcess

keyed = partial(resending.keyed, client=KEY)


def file_of(twin: TwinProcess) -> str:
    return f"""
[[listeners]]
address = "127.0.0.1:0"
[gateway]
drain = "5s"
[[keys]]
name = "app"
env = "SUREFOOT_KEY"
[targets.only]
provider = "openai-compatible"
model = "one"
base_url = "{twin.url}/v1"
[routes.chat]
targets = ["only"]
hedge = "0%"
[policy.first_token]
limit = "30s"
plain_limit = "60s"
{QUIET}"""


@pytest.fixture(scope="module")
def started_twin() -> Iterator[TwinProcess]:
    with TwinProcess(TwinOptions(behaviour=UNHURRIED)) as twin:
        yield twin


@pytest.fixture
def slow(started_twin: TwinProcess) -> TwinProcess:
    started_twin.set_faults(HEALTHY)
    eventually(lambda: all(record.end is not None for record in started_twin.log()))
    started_twin.clear_log()
    return started_twin


@pytest.fixture
def gateway(tmp_path: Path, started_twin: TwinProcess) -> Iterator[Gateway]:
    with Gateway(tmp_path / "surefoot.toml", file_of(started_twin), workers=2) as gateway:
        yield gateway


def keys_of(owner: int, word: str) -> str:
    """A key with this word in it that belongs to this worker."""
    return next(
        key
        for key in (f"{word}-{number}" for number in range(1000))
        if owner_of(scope_of("app", b"/v1/chat/completions", key.encode()), 2) == owner
    )


def port_of(gateway: Gateway) -> int:
    return int(gateway.url.rpartition(":")[2])


def counted(gateway: Gateway, what: str) -> int:
    return int(gateway.status()["counters"].get(f"idempotency_{what}", 0))


class Lines:
    """Connections to either of the two workers. Whose one is, the kernel tells: which process holds its other end."""

    def __init__(self, gateway: Gateway) -> None:
        started = re.findall(r"worker (\d+) started: pid (\d+)", "\n".join(gateway.lines))
        self.pids = [int(pid) for _, pid in sorted(started)]
        """By the number of the worker."""
        self._port = port_of(gateway)
        self._spare: list[socket.socket] = []

    def to(self, worker: int) -> socket.socket:
        """A new connection that this worker has accepted."""
        found: list[socket.socket] = []

        def look() -> bool:
            sock = socket.create_connection(("127.0.0.1", self._port), timeout=15)
            sock.sendall(b"GET /nowhere HTTP/1.1\r\nhost: gateway\r\n\r\n")
            read(sock)  # once it answers, it has accepted
            (found if self._belongs(sock, self.pids[worker]) else self._spare).append(sock)
            return bool(found)

        eventually(look)
        return found[0]

    def close(self) -> None:
        for sock in self._spare:
            sock.close()

    @staticmethod
    def _belongs(sock: socket.socket, pid: int) -> bool:
        ours = sock.getsockname()[1]
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if int(fields[2].partition(":")[2], 16) == ours and int(fields[1].partition(":")[2], 16) != ours:
                inode = f"socket:[{fields[9]}]"
                files = Path(f"/proc/{pid}/fd")
                return any(str(file.readlink()) == inode for file in files.iterdir())
        return False


@pytest.fixture
def lines(gateway: Gateway) -> Iterator[Lines]:
    lines = Lines(gateway)
    yield lines
    lines.close()


@FORMS
def test_a_retry_at_the_other_worker_joins_and_later_gets_the_same_answer(
    lines: Lines,
    slow: TwinProcess,
    gateway: Gateway,
    stream: bool,  # noqa: FBT001
) -> None:
    key = keys_of(0, f"across-{stream}")
    with lines.to(1) as first, lines.to(0) as second, lines.to(1) as third:
        first.sendall(keyed(key, stream=stream))
        eventually(lambda: len(slow.log()) == 1)
        second.sendall(keyed(key, stream=stream))
        third.sendall(keyed(key, stream=stream))
        answers = [read(first), read(second), read(third)]
        first.sendall(keyed(key, stream=stream))
        answers.append(read(first))
        first.sendall(keyed(key, stream=stream, max_tokens=3))
        conflict = read(first)

    assert [mark(answer) for answer in answers] == [None, "joined", "joined", "replayed"]
    assert len({unmarked(answer) for answer in answers}) == 1
    assert answers[0].status == 200
    assert all(answer.end == "whole" for answer in answers)
    assert (conflict.status, conflict.code) == (422, "idempotency_key_reused")
    assert len(slow.log()) == 1
    eventually(lambda: [counted(gateway, what) for what in ("joined", "replayed", "conflicts")] == [2, 1, 1])
    assert gateway.status()["kept"]["answers"] == 1
    assert 'surefoot_worker_events_total{event="idempotency_joined"} 2.0' in gateway.page("/metrics")
    assert "surefoot_kept_answers 1.0" in gateway.page("/metrics")


def test_a_hundred_retries_at_two_workers_are_one_attempt(gateway: Gateway, slow: TwinProcess) -> None:
    request = keyed("hundred")

    def one(_: int) -> Answer:
        with socket.create_connection(("127.0.0.1", port_of(gateway)), timeout=15) as sock:
            sock.sendall(request)
            return read(sock)

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(one, range(100)))

    assert len({unmarked(answer) for answer in answers}) == 1
    assert answers[0].status == 200
    assert len(slow.log()) == 1


def test_a_client_that_leaves_the_other_worker_is_gone_for_the_owner_too(lines: Lines, slow: TwinProcess) -> None:
    with lines.to(1) as sock:
        sock.sendall(keyed(keys_of(0, "leaves"), stream=True))
        eventually(lambda: len(slow.log()) == 1)
        assert sock.recv(100)
    eventually(lambda: slow.log()[0].gone_at is not None)


def test_a_call_goes_on_for_the_client_of_the_other_worker_when_the_first_one_leaves(
    lines: Lines, slow: TwinProcess
) -> None:
    request = keyed(keys_of(0, "goes-on"), stream=True)
    with lines.to(0) as first, lines.to(1) as second:
        first.sendall(request)
        eventually(lambda: len(slow.log()) == 1)
        second.sendall(request)
        early = second.recv(65536)
        first.close()
        answer = read(second, early)
    assert mark(answer) == "joined"
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert len(slow.log()) == 1


def test_when_the_owner_dies_before_it_has_said_anything_the_other_worker_serves_the_call_itself(
    lines: Lines, slow: TwinProcess, gateway: Gateway
) -> None:
    key = keys_of(0, "dies")
    with lines.to(1) as first, lines.to(1) as second:
        first.sendall(keyed(key))
        eventually(lambda: len(slow.log()) == 1)
        os.kill(lines.pids[0], signal.SIGKILL)
        answers = [read(first)]
        second.sendall(keyed(key))
        answers.append(read(second))

    assert [answer.status for answer in answers] == [200, 200]
    eventually(lambda: counted(gateway, "owner_away") >= 1)
    eventually(lambda: gateway.page("/readyz") == "ready\n")
    with lines.to(1) as sock:
        request = keyed(keys_of(0, "after"))
        for expected in (None, "replayed"):
            sock.sendall(request)
            assert mark(read(sock)) == expected


def test_when_the_owner_dies_in_the_midst_of_a_stream_it_ends_in_an_error(lines: Lines, slow: TwinProcess) -> None:
    with lines.to(1) as sock:
        sock.sendall(keyed(keys_of(0, "midst"), stream=True))
        early = sock.recv(65536)
        assert early.count(b"data: ") >= 1
        os.kill(lines.pids[0], signal.SIGKILL)
        answer = read_to_end(sock)
    raw = early + answer.raw
    assert b'"code":"worker_lost"' in raw.replace(b'": "', b'":"')
    assert not raw.endswith(b"0\r\n\r\n")
    assert slow.log()


def test_an_owner_that_hangs_is_not_waited_for(lines: Lines, slow: TwinProcess, gateway: Gateway) -> None:
    with lines.to(1) as sock:
        os.kill(lines.pids[0], signal.SIGSTOP)
        try:
            sock.sendall(keyed(keys_of(0, "hangs")))
            answer = read(sock)
        finally:
            os.kill(lines.pids[0], signal.SIGCONT)
    assert answer.status == 200
    assert slow.log()
    eventually(lambda: counted(gateway, "owner_away") == 1)


def test_calls_that_were_handed_over_end_well_when_the_gateway_drains(
    lines: Lines, slow: TwinProcess, gateway: Gateway
) -> None:
    with lines.to(1) as sock:
        sock.sendall(keyed(keys_of(0, "drains"), stream=True))
        eventually(lambda: len(slow.log()) == 1)
        gateway.process.terminate()
        answer = read(sock)
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert gateway.process.wait(15) == 0


def test_a_deadline_of_a_request_that_is_handed_over_is_kept(lines: Lines, slow: TwinProcess) -> None:
    with lines.to(1) as sock:
        sock.sendall(keyed(keys_of(0, "hurried"), "surefoot-deadline: 200"))
        answer = read(sock)
    assert (answer.status, answer.code) == (504, "deadline")
    assert len(slow.log()) == 1


def test_a_large_body_and_a_large_answer_are_handed_over_whole(tmp_path: Path) -> None:
    behaviour = Behaviour(tokens=Fixed(10_000), events_per_segment=100)
    with (
        TwinProcess(TwinOptions(behaviour=behaviour)) as wordy,
        Gateway(tmp_path / "surefoot.toml", file_of(wordy), workers=2) as gateway,
        contextlib.closing(Lines(gateway)) as lines,
    ):
        for number, stream in enumerate((False, True)):
            messages = [{"role": "user", "content": "x" * 3_000_000}]
            request = keyed(keys_of(0, f"large-{number}"), stream=stream, messages=messages)
            with lines.to(1) as sock, lines.to(0) as other:
                sock.sendall(request)
                first = read_quickly(sock)
                other.sendall(request)
                second = read_quickly(other)
            assert len(first.body) > 50_000
            assert unmarked(first) == unmarked(second)
