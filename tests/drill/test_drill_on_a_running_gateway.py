"""A drill on a running gateway: canary calls live in worlds of their own, and production never sees a drill."""

import http.client
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.drill.drilled import COMMAND, fact, run, told, written
from tests.leaks import PROMPT
from tests.topologies.house import eventually

from surefoot.drill.gateway import GatewayProcess, free_ports
from surefoot.drill.sites import SITES
from surefoot.gateway.drills import PLACEHOLDER
from surefoot.journal.reader import calls, journal
from surefoot.twin import Behaviour, Fixed, TwinOptions, TwinProcess
from surefoot.twin.log import fingerprint

CANARY, CLIENT = "canary-key-of-the-test-012345", "client-key-of-the-test-012345"
KEYS = """
[[keys]]
name = "app"
env = "TEST_APP_KEY"
[[keys]]
name = "canary"
env = "TEST_CANARY_KEY"
drill = true
"""


class House:
    """A gateway before three real twins, which stand for production's providers."""

    def __init__(self, folder: Path, twins: list[TwinProcess]) -> None:
        self.twins = twins
        ports = free_ports()
        self.file = written(folder, {site.name: twin.url for site, twin in zip(SITES, twins, strict=True)}, ports)
        text = self.file.read_text(encoding="utf-8").replace("place = ", 'key = { env = "TEST_TARGET_KEY" }\nplace = ')
        self.file.write_text(KEYS + text, encoding="utf-8")
        self.port = ports[0]
        self.admin_url = f"http://127.0.0.1:{ports[1]}"
        self.gateway = GatewayProcess(self.file, ports)

    def chat(self, key: str, **headers: str) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": PROMPT}]})
        try:
            connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {key}", **headers})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def order(self, worlds: dict[int, dict[str, dict[str, str]]], **more: object) -> tuple[int, dict[str, Any]]:
        status, answer = self.gateway.ask("POST", "/drill", msgspec.json.encode({"worlds": worlds, **more}))
        return status, json.loads(answer)

    def world(self, url: str) -> dict[str, dict[str, str]]:
        return {site.name: {"url": f"{url}/v1"} for site in SITES}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    os.environ |= {"TEST_APP_KEY": CLIENT, "TEST_CANARY_KEY": CANARY, "TEST_TARGET_KEY": "sk-of-production"}
    options = TwinOptions(behaviour=Behaviour(tokens=Fixed(5.0)))
    with TwinProcess(options) as one, TwinProcess(options) as two, TwinProcess(options) as three:
        found = House(tmp_path_factory.mktemp("running"), [one, two, three])
        with found.gateway:
            yield found


def known(house: House) -> list[tuple[str, str, int]]:
    return [(one["target"], one["breaker"], one["samples"]) for one in house.gateway.status()["targets"]]


def test_while_no_drill_is_on_a_canary_call_is_refused_and_reaches_nobody(house: House) -> None:
    before = [len(twin.log()) for twin in house.twins]
    status, answer = house.chat(CANARY)
    assert (status, answer["error"]["code"]) == (409, "no_drill")
    assert [len(twin.log()) for twin in house.twins] == before
    assert house.chat(CLIENT)[0] == 200


def test_a_drill_leaves_no_trace_in_what_production_knows_and_asks(house: House) -> None:
    for _ in range(3):
        assert house.chat(CLIENT)[0] == 200
    sent = sum(len(twin.log()) for twin in house.twins)
    eventually(lambda: sum(samples for _, _, samples in known(house)) == sent)  # workers report once a second
    before, asked = known(house), [len(twin.log()) for twin in house.twins]
    done = run(house.file, "--running", house.admin_url, "--modes", "refuse,auth", "--repeat", "5", "--json")
    assert done.returncode == 0, done.stderr
    drill = told(done)
    for mode in ("refuse", "auth"):
        assert fact(drill, f"mode.{mode}.cold.mitigated_calls")["value"] == 5
    assert [len(twin.log()) for twin in house.twins] == asked
    assert known(house) == before
    assert {breaker for _, breaker, _ in before} == {"closed"}
    assert house.gateway.status()["drill"] is None
    assert house.chat(CANARY)[0] == 409
    with journal(str(house.file.parent / "journal.db")) as kept:
        entries = list(calls(kept))
    assert {entry.key for entry in entries if entry.drill} == {"canary"}
    assert {entry.key for entry in entries if not entry.drill} == {"app"}


def test_each_world_has_breakers_of_its_own_and_no_credential_reaches_a_twin(house: House) -> None:
    with TwinProcess() as broken, TwinProcess() as well:
        broken.set_faults("status:500")
        assert house.order({1: house.world(broken.url), 2: house.world(well.url)})[0] == 200
        refused = [house.chat(CANARY, **{"surefoot-drill": "1"})[0] for _ in range(5)]
        assert 200 not in refused
        assert house.chat(CANARY, **{"surefoot-drill": "2"})[0] == 200
        assert house.chat(CANARY, **{"surefoot-drill": "3"})[0] == 409
        assert house.chat(CLIENT)[0] == 200
        assert house.order({})[0] == 200
        shown = {record.authorization_sha256 for record in (*broken.log(), *well.log())}
    assert shown == {fingerprint(f"Bearer {PLACEHOLDER}".encode())}
    assert {record.authorization_sha256 for record in house.twins[0].log()} == {fingerprint(b"Bearer sk-of-production")}
    assert {one["breaker"] for one in house.gateway.status()["targets"]} == {"closed"}


def test_a_drill_ends_by_itself_when_its_time_is_over(house: House) -> None:
    with TwinProcess() as twin:
        assert house.order({1: house.world(twin.url)}, seconds=0.2)[0] == 200
        eventually(lambda: house.chat(CANARY)[0] == 409)


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ({"worlds": {"1": {"eu-cloud": {"url": "http://127.0.0.1:1"}}}}, "missing: on-prem, us-cloud"),
        (
            {"worlds": {"1": {site.name: {"url": "http://192.0.2.1:80"} for site in SITES}}},
            "must be http or https on the loopback",
        ),
        ({"worlds": {"0": {}}}, "numbered from 1"),
        ({"world": {}}, "not an order for a drill"),
    ],
)
def test_an_order_that_must_not_be_obeyed_is_refused_in_words(
    house: House, order: dict[str, Any], sentence: str
) -> None:
    status, answer = house.gateway.ask("POST", "/drill", msgspec.json.encode(order))
    assert (status, sentence in json.loads(answer)["error"]) == (409, True), answer


def test_a_gateway_under_another_configuration_is_not_drilled(house: House, tmp_path: Path) -> None:
    done = run(written(tmp_path), "--running", house.admin_url)
    assert (done.returncode, done.stderr.startswith("--running: that gateway runs under another")) == (2, True)


def test_when_the_healthy_calls_beside_it_go_wrong_the_drill_is_aborted(house: House) -> None:
    command = [*COMMAND, "-c", str(house.file), "--out", str(house.file.parent / "aborted"), "--json"]
    more = ["--running", house.admin_url, "--modes", "auth", "--repeat", "300", "--rate", "50"]
    with subprocess.Popen([*command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as drill:
        assert drill.stderr is not None
        assert drill.stdout is not None
        assert any(line.startswith("wave 1/") for line in drill.stderr)
        eventually(lambda: house.gateway.status()["drill"]["worlds"] > 1)
        assert house.order({})[0] == 200  # somebody ends it behind its back: its calls are refused from now on
        found = json.loads(drill.stdout.read())["drills"][0]
        assert drill.wait(20) == 1
    assert found["status"] == "aborted"
    assert "healthy calls were not answered" in found["why"]
    assert house.gateway.status()["drill"] is None
