"""Keys that are made, limited and revoked while two workers serve: what clients notice, and how soon."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import openai
import pytest
from tests.gateway.raw import Answer, body_of, connect, exchange, post, read
from tests.topologies.house import PATIENCE, QUIET, Gateway, eventually

from surefoot.config.keyfile import read_keys
from surefoot.twin import Behaviour, Fault, Fixed, TwinOptions, TwinProcess

WITHIN = 1.0
"""Seconds within which a revocation has to have reached every worker."""

FILE = """
[[listeners]]
address = "127.0.0.1:0"
[gateway]
keys_file = "surefoot-keys.json"
[targets.first]
provider = "openai-compatible"
model = "one"
base_url = "{url}/v1"
[routes.chat]
targets = ["first"]
hedge = "0%"
[routes.other]
targets = ["first"]
"""


@pytest.fixture(scope="module")
def slow() -> Iterator[TwinProcess]:
    """Every answer takes four tenths of a second."""
    with TwinProcess(TwinOptions(behaviour=Behaviour(ttft=Fixed(0.4), rate=Fixed(1000.0), tokens=Fixed(4)))) as twin:
        yield twin


@contextmanager
def served(folder: Path, twin: TwinProcess, workers: int = 2) -> Iterator[Gateway]:
    with Gateway(folder / "surefoot.toml", FILE.format(url=twin.url) + QUIET, workers=workers) as gateway:
        yield gateway


def surefoot_keys(folder: Path, *arguments: str) -> str:
    """`surefoot keys`, as a person runs it; what it has printed."""
    command = [sys.executable, "-m", "surefoot.cli.main", "keys", *arguments, "-c", str(folder / "surefoot.toml")]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout.strip()


def made(folder: Path, gateway: Gateway, *arguments: str) -> str:
    """A new key that every worker admits."""
    key = surefoot_keys(folder, "add", *arguments)
    for _ in range(2):
        eventually(lambda: all(answer.status == 404 for answer in on_every_worker(gateway, key)))
    return key


def port_of(gateway: Gateway) -> int:
    return int(gateway.url.rpartition(":")[2])


def on_every_worker(gateway: Gateway, key: str) -> list[Answer]:
    """So many new connections that each worker has some of them, but for one case in 2 ** 15."""
    nothing = post(body_of(model="not-there"), key=key)
    return [exchange(port_of(gateway), nothing) for _ in range(16)]


def sdk(gateway: Gateway, key: str) -> openai.OpenAI:
    return openai.OpenAI(api_key=key, base_url=f"{gateway.url}/v1", max_retries=0, timeout=PATIENCE)


def ask(client: openai.OpenAI, model: str = "chat") -> str | None:
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "And now?"}])
    return answer.choices[0].message.content


def at_once(gateway: Gateway, key: str, count: int) -> list[Answer]:
    """So many calls at once, each on a connection of its own."""
    ready = threading.Barrier(count)

    def one(_: int) -> Answer:
        with connect(port_of(gateway)) as sock:
            ready.wait(PATIENCE)
            sock.sendall(post(body_of(), key=key))
            return read(sock)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def most_at_once(twin: TwinProcess) -> int:
    """Of the requests that a twin has seen, how many were under way at one moment."""
    spans = [(record.arrival, record.end or float("inf")) for record in twin.log()]
    return max(sum(began <= at < ended for began, ended in spans) for at, _ in spans)


def test_a_key_that_is_made_is_admitted_and_one_that_is_revoked_refused_within_a_second_on_open_connections(
    tmp_path: Path, twins: list[TwinProcess]
) -> None:
    with served(tmp_path, twins[0]) as gateway, ExitStack() as stack:
        assert {answer.status for answer in on_every_worker(gateway, "sf_nobody2345_of-this-gateway")} == {401}
        key = made(tmp_path, gateway, "app")
        other = made(tmp_path, gateway, "other")
        connections = [stack.enter_context(connect(port_of(gateway))) for _ in range(16)]
        request = post(body_of(), key=key)
        for sock in connections:
            sock.sendall(request)
            assert read(sock).status == 200

        surefoot_keys(tmp_path, "revoke", "app")
        began = time.monotonic()
        while True:
            asked = time.monotonic()
            for sock in connections:
                sock.sendall(request)
            answers = [read(sock) for sock in connections]
            if {answer.status for answer in answers} == {401}:
                break
            assert asked - began < WITHIN, [answer.status for answer in answers]
        assert {answer.code for answer in answers} == {"invalid_api_key"}
        assert {answer.status for answer in on_every_worker(gateway, other)} == {404}


def test_a_call_under_way_ends_well_though_its_key_is_revoked(tmp_path: Path, twins: list[TwinProcess]) -> None:
    twins[0].set_faults(Fault("slow_first_token", seconds=2.0))
    with served(tmp_path, twins[0]) as gateway:
        key = made(tmp_path, gateway, "app", "--in-flight", "4")
        with sdk(gateway, key) as client, ThreadPoolExecutor(1) as pool:
            call = pool.submit(ask, client)
            eventually(lambda: bool(twins[0].log()))
            surefoot_keys(tmp_path, "revoke", "app")
            eventually(lambda: on_every_worker(gateway, key)[0].status == 401)
            assert call.result(PATIENCE)
            with pytest.raises(openai.AuthenticationError):
                ask(client)


def test_a_worker_that_is_replaced_knows_the_newest_keys(tmp_path: Path, twins: list[TwinProcess]) -> None:
    with served(tmp_path, twins[0]) as gateway:
        old = made(tmp_path, gateway, "old")
        surefoot_keys(tmp_path, "revoke", "old")
        new = made(tmp_path, gateway, "new")
        for pid in gateway.worker_pids():
            os.kill(pid, signal.SIGKILL)
        gateway.heard("worker 0 was ended by signal 9")
        gateway.heard("worker 1 was ended by signal 9")
        assert {answer.status for answer in on_every_worker(gateway, new)} == {404}
        assert {answer.status for answer in on_every_worker(gateway, old)} == {401}


def test_a_key_reaches_its_own_routes_and_sees_no_others(tmp_path: Path, twins: list[TwinProcess]) -> None:
    with served(tmp_path, twins[0], workers=1) as gateway:
        with sdk(gateway, made(tmp_path, gateway, "narrow", "--route", "chat")) as client:
            assert [model.id for model in client.models.list()] == ["chat"]
            assert ask(client)
            with pytest.raises(openai.PermissionDeniedError, match="Its routes: chat") as refused:
                ask(client, "other")
            assert refused.value.code == "route_not_allowed"
            with pytest.raises(openai.NotFoundError) as unknown:
                ask(client, "nowhere")
            assert "other" not in str(unknown.value)
        with sdk(gateway, made(tmp_path, gateway, "wide")) as client:
            assert [model.id for model in client.models.list()] == ["chat", "other"]
            assert ask(client, "other")


@pytest.mark.parametrize(("limit", "clients"), [(3, 20), (40, 70)])
def test_no_more_calls_of_a_key_are_under_way_than_it_may_have_over_both_workers(
    tmp_path: Path, slow: TwinProcess, limit: int, clients: int
) -> None:
    """The lower limit has a home, the higher one is shared out."""
    with served(tmp_path, slow) as gateway:
        key = made(tmp_path, gateway, "app", "--in-flight", str(limit))
        slow.clear_log()
        answers = at_once(gateway, key, clients)
        assert {answer.status for answer in answers} == {200, 429}
        assert 1 < most_at_once(slow) <= limit
        refused = next(answer for answer in answers if answer.status == 429)
        assert refused.code == "key_limit_in_flight"
        assert b"\r\nretry-after: 1" in refused.head
        assert b"x-should-retry" not in refused.head
        assert f"'app' have {limit} calls under way at once; no provider" in refused.json["error"]["message"]
        assert exchange(port_of(gateway), post(body_of(), key=key)).status == 200


def test_a_client_that_stays_within_its_limit_is_never_refused_whichever_worker_it_meets(
    tmp_path: Path, twins: list[TwinProcess]
) -> None:
    with served(tmp_path, twins[0]) as gateway:
        key = made(tmp_path, gateway, "app", "--in-flight", "1")
        for number in range(24):
            header = [f"Idempotency-Key: {number}"] if number % 2 else []
            answer = exchange(port_of(gateway), post(body_of(stream=number % 3 == 0), *header, key=key))
            assert answer.status == 200, answer.raw


def test_no_more_calls_of_a_key_begin_than_its_bucket_holds_and_earns(tmp_path: Path, twins: list[TwinProcess]) -> None:
    with served(tmp_path, twins[0]) as gateway:
        key = made(tmp_path, gateway, "app", "--per-minute", "60")
        began = time.monotonic()
        answers = at_once(gateway, key, 20)
        earned = time.monotonic() - began
        admitted = sum(answer.status == 200 for answer in answers)
        assert 6 <= admitted <= 6 + earned + 1
        assert {answer.code for answer in answers if answer.status == 429} == {"key_limit_per_minute"}
        assert all(b"\r\nretry-after: 1" in answer.head for answer in answers if answer.status == 429)


def test_a_killed_home_does_not_give_its_bucket_again(tmp_path: Path, twins: list[TwinProcess]) -> None:
    with served(tmp_path, twins[0]) as gateway:
        key = made(tmp_path, gateway, "app", "--per-minute", "10")
        assert exchange(port_of(gateway), post(body_of(), key=key)).status == 200
        began = time.monotonic()
        for pid in gateway.worker_pids():
            os.kill(pid, signal.SIGKILL)
        gateway.heard("worker 0 was ended by signal 9")
        gateway.heard("worker 1 was ended by signal 9")
        answers: list[Answer] = []

        def home_is_back() -> bool:
            answers.append(exchange(port_of(gateway), post(body_of(), key=key)))
            return answers[-1].status != 503

        eventually(home_is_back)
        assert all(answer.code == "key_limit_unknown" for answer in answers[:-1])
        assert answers[-1].status == 429 or time.monotonic() - began > 6.0, answers[-1].raw


@pytest.mark.parametrize(
    ("text", "words"),
    [('{"version": 1, "keys": [', "this is no whole key file"), ('{"version": 2}', "of version 2, and this program")],
)
def test_a_key_file_that_cannot_be_read_is_told_and_the_keys_of_before_go_on(
    tmp_path: Path, twins: list[TwinProcess], text: str, words: str
) -> None:
    with served(tmp_path, twins[0]) as gateway:
        key = made(tmp_path, gateway, "app")
        file = tmp_path / "surefoot-keys.json"
        whole = file.read_bytes()
        file.write_text(text, encoding="utf-8")
        assert words in gateway.heard("the keys of before go on")
        gateway.process.send_signal(signal.SIGHUP)
        gateway.heard("reload refused: gateway.keys_file")
        assert {answer.status for answer in on_every_worker(gateway, key)} == {404}
        file.unlink()
        gateway.heard("the key file is gone; the keys of before go on")
        assert {answer.status for answer in on_every_worker(gateway, key)} == {404}
        file.write_bytes(whole)
        surefoot_keys(tmp_path, "revoke", "app")
        eventually(lambda: on_every_worker(gateway, key)[0].status == 401)


def test_no_secret_of_a_key_is_kept_shown_or_logged(tmp_path: Path, twins: list[TwinProcess]) -> None:
    with served(tmp_path, twins[0]) as gateway:
        key = made(tmp_path, gateway, "app")
        with sdk(gateway, key) as client:
            ask(client)
        secret = key.rpartition("_")[2]
        told = [*gateway.lines, gateway.page("/status"), gateway.page("/metrics"), surefoot_keys(tmp_path, "list")]
        kept = (tmp_path / "surefoot-keys.json").read_text(encoding="utf-8")
        assert secret not in "".join([*told, kept])
        assert key.split("_")[1] in kept
        assert read_keys(tmp_path / "surefoot-keys.json").keys[0].key.digest.hex() not in "".join(told)
