import asyncio
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.control.served import CONFIG, PATIENCE, SECRET, Served

from surefoot.config.configuration import Admin, Configuration
from surefoot.control.supervisor import Supervisor
from surefoot.control.worker import Worker
from surefoot.domain.front import Door, Listener
from surefoot.errors import StartError
from surefoot.journal import reader
from surefoot.policy.options import PolicyOptions
from surefoot.twin import HEALTHY, Fault, TwinProcess


def test_it_serves_tells_how_it_is_and_ends_with_everything_in_the_journal(tmp_path: Path, twin: TwinProcess) -> None:
    with Served(tmp_path, twin.url, workers=2) as served:
        assert served.ask_admin("/healthz") == (200, "alive\n")
        assert served.ask_admin("/readyz") == (200, "ready\n")
        assert [served.chat() for _ in range(10)] == [200] * 10
        assert served.status()["listeners"] == [f"http://127.0.0.1:{served.port}"]
        assert served.ask_admin("/metrics")[0] == 200
        seen = "".join([*served.lines, served.ask_admin("/status")[1], served.ask_admin("/metrics")[1]])
        assert served.end() == 0
    assert SECRET not in seen
    with reader.journal(str(tmp_path / "surefoot.db")) as journal:
        calls = list(reader.calls(journal))
        assert [entry.kind for entry in calls] == ["ok"] * 10
        assert len({entry.call for entry in calls}) == 10
        assert set(reader.targets(journal)) == {(calls[0].config, "near")}


def test_a_killed_worker_is_replaced_and_no_connection_is_refused_meanwhile(tmp_path: Path, twin: TwinProcess) -> None:
    with Served(tmp_path, twin.url) as served:
        os.kill(served.pids[0], signal.SIGKILL)
        assert served.chat() == 200  # queued by the kernel until the replacement accepts it
        served.until(r"worker 0 was ended by signal 9; it is replaced")
        assert served.status()["workers"][0]["deaths"] == 1
        assert served.end() == 0


def test_a_reload_is_taken_by_all_workers(tmp_path: Path, twin: TwinProcess) -> None:
    with Served(tmp_path, twin.url, workers=2) as served:
        before = served.status()["config"]
        served.write(CONFIG.format(url=f"{twin.url}/v1") + '[routes.other]\ntargets = ["near"]\n')
        served.signal(signal.SIGHUP)
        served.until(r"reload ok")
        limit = time.monotonic() + PATIENCE
        while {worker["config"] for worker in served.status()["workers"]} != {served.status()["config"]}:
            assert time.monotonic() < limit, "a worker never took the new configuration"
        assert served.status()["config"] != before
        assert served.models() == ["chat", "other"]
        assert served.chat() == 200


def test_a_broken_file_is_refused_with_its_faults_and_the_old_one_goes_on(tmp_path: Path, twin: TwinProcess) -> None:
    with Served(tmp_path, twin.url) as served:
        before = served.status()["config"]
        served.write(CONFIG.format(url=f"{twin.url}/v1") + '[routes.other]\ntargets = ["nowhere"]\n')
        served.signal(signal.SIGHUP)
        assert "nowhere" in served.until(r"reload refused")
        (tmp_path / "surefoot.toml").unlink()
        served.signal(signal.SIGHUP)
        served.until(r"reload refused")
        assert served.status()["reloads"] == {"refused": 2}
        assert served.status()["config"] == before
        assert served.chat() == 200


def test_another_address_is_not_taken_without_a_restart(tmp_path: Path, twin: TwinProcess) -> None:
    with Served(tmp_path, twin.url) as served:
        text = CONFIG.format(url=f"{twin.url}/v1").replace('"127.0.0.1:0"', '"127.0.0.1:1"', 1)
        served.write(text + '[routes.other]\ntargets = ["near"]\n')
        served.signal(signal.SIGHUP)
        served.until(r"addresses of the listeners have changed; that needs a restart")
        served.until(r"reload ok")
        assert served.chat() == 200


def test_while_it_drains_it_is_not_ready_and_a_call_in_flight_ends_well(tmp_path: Path, twin: TwinProcess) -> None:
    twin.set_faults(Fault("slow_first_token", seconds=1.0))
    try:
        with Served(tmp_path, twin.url) as served:
            twin.clear_log()
            answers: list[int] = []
            calling = threading.Thread(target=lambda: answers.append(served.chat()))
            calling.start()
            limit = time.monotonic() + PATIENCE
            while not twin.log():  # the twin sees every attempt; a worker's report, once a second, may miss this one
                assert time.monotonic() < limit, "the call never began"
            served.signal(signal.SIGTERM)
            served.until(r"drain: calls in flight are given 5 s")
            assert served.ask_admin("/readyz") == (503, "draining\n")
            calling.join(PATIENCE)
            assert answers == [200]
            assert served.process.wait(PATIENCE) == 0
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", served.port))
    finally:
        twin.set_faults(HEALTHY)


def test_a_second_signal_ends_it_at_once(tmp_path: Path, twin: TwinProcess) -> None:
    twin.set_faults(Fault("silence"))
    try:
        with Served(tmp_path, twin.url) as served, socket.create_connection(("127.0.0.1", served.port)) as client:
            body = b'{"model":"chat","messages":[],"stream":true}'
            client.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % len(body) + body
            )
            limit = time.monotonic() + PATIENCE
            while not served.status()["workers"][0]["in_flight"]:
                assert time.monotonic() < limit, "the call never began"
            served.signal(signal.SIGTERM)
            served.until(r"drain")
            served.signal(signal.SIGINT)
            served.until(r"asked again: ending at once")
            served.until(r"worker 0 was ended by signal 9")
            assert served.process.wait(PATIENCE) == 0
    finally:
        twin.set_faults(HEALTHY)


def test_workers_go_on_when_the_supervisor_is_gone(tmp_path: Path, twin: TwinProcess) -> None:
    with Served(tmp_path, twin.url) as served:
        served.process.kill()
        served.process.wait(PATIENCE)
        served.until(r"supervisor is gone")
        assert served.chat() == 200


def nothing_to_serve(port: int = 0) -> Configuration:
    door = Door((Listener("127.0.0.1", port),))
    return Configuration("0123456789ab", door, Admin(port=0), (), (), PolicyOptions(), {})


def test_workers_that_cannot_start_end_the_attempt_with_a_reason() -> None:
    supervisor = Supervisor(nothing_to_serve, workers=1, command=(sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(StartError, match="the workers end as soon as they start; the last one ended with code 3"):
        asyncio.run(supervisor.run())


def test_an_address_that_is_taken_is_told_and_nothing_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            Supervisor(lambda: nothing_to_serve(port))


NOISY = """
import socket, sys
channel = socket.socket(fileno=int(sys.argv[1]))
channel.sendall(b"this is no frame")
ours, _ = socket.socketpair()
ours.recv(1)
"""


def test_a_worker_that_speaks_nonsense_is_ended_and_that_is_the_reason_given() -> None:
    async def story() -> None:
        worker = Worker(0, (sys.executable, "-c", NOISY), lambda _, __: None)
        await worker.start([], [])
        assert await asyncio.wait_for(worker.ended(), PATIENCE) == -signal.SIGKILL
        assert "cannot be read" in str(worker.fault)

    asyncio.run(story())


def test_when_every_target_fails_at_once_it_says_so_and_breakers_stay_closed(tmp_path: Path, twin: TwinProcess) -> None:
    with Served(tmp_path, twin.url) as served, socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
        nobody.close()
        text = CONFIG.format(url=f"http://127.0.0.1:{port}/v1").replace(
            'targets = ["near"]', 'targets = ["near", "far"]'
        )
        far = '[targets.far]\nprovider = "openai-compatible"\nmodel = "m"\nbase_url = "http://127.0.0.1:{}/v1"\n'
        served.write(text + far.format(port))
        served.signal(signal.SIGHUP)
        served.until(r"reload ok")
        assert [served.chat() for _ in range(5)] == [502] * 5
        served.until(r"every target fails at once")
        status = served.status()
        assert status["all_targets_failing"]
        assert [target["breaker"] for target in status["targets"]] == ["closed", "closed"]
        assert "surefoot_all_targets_failing 1.0" in served.ask_admin("/metrics")[1]
