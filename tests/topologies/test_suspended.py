"""Two workers as one gateway, and a target that answers from elsewhere: nobody asks it until an operator says so."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.topologies.house import QUIET, Client, Gateway, eventually

from surefoot.journal.reader import calls, journal
from surefoot.twin import HEALTHY, Behaviour, Fixed, TwinOptions, TwinProcess

HONEST = Behaviour(tokens=Fixed(8), headers={"x-ms-region": "Sweden Central"})
LYING = Behaviour(tokens=Fixed(8), headers={"x-ms-region": "East US"})


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[TwinProcess, TwinProcess]]:
    with TwinProcess(TwinOptions(behaviour=LYING)) as liar, TwinProcess(TwinOptions(behaviour=HONEST)) as honest:
        yield liar, honest


@pytest.fixture
def twins(started: tuple[TwinProcess, TwinProcess]) -> tuple[TwinProcess, TwinProcess]:
    for twin in started:
        twin.set_faults(HEALTHY)
        twin.clear_log()
    return started


def file_of(liar: TwinProcess, honest: TwinProcess, place: str = "SE") -> str:
    targets = "".join(
        f'[targets.{name}]\nprovider = "azure-openai"\nmodel = "m"\nbase_url = "{twin.url}/v1"\nplace = "{where}"\n'
        f'key = {{ env = "AZURE_KEY" }}\n'
        for name, twin, where in (("first", liar, place), ("second", honest, "SE"))
    )
    return f"""
[[listeners]]
address = "127.0.0.1:0"
[[keys]]
name = "app"
env = "SUREFOOT_KEY"
{targets}
[routes.chat]
targets = ["first", "second"]
hedge = "0%"
{QUIET.replace("enabled = false", 'path = "surefoot.db"')}"""


def shown(gateway: Gateway) -> list[object]:
    return [target["suspended"] for target in gateway.status()["targets"]]


def readmit(gateway: Gateway, target: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "surefoot.cli.main", "readmit", target, "--admin", gateway._admin]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def settled(gateway: Gateway, liar: TwinProcess) -> None:
    """Each worker has heard of it: new connections fall to one or the other, and none of many asks the liar."""
    eventually(lambda: shown(gateway)[0] is not None)
    liar.clear_log()
    for _ in range(10):
        with Client(gateway) as client:
            assert client.both() == ["second", "second"]
    assert liar.log() == []


def test_a_contradiction_at_one_worker_takes_the_target_away_from_both_until_it_is_readmitted(
    tmp_path: Path, twins: tuple[TwinProcess, TwinProcess]
) -> None:
    liar, honest = twins
    why = "declares processes = SE; header x-ms-region: East US"
    with Gateway(tmp_path / "surefoot.toml", file_of(liar, honest), workers=2) as gateway:
        with Client(gateway) as client:
            assert client.ask().target == "second"  # the call itself is answered by the fallback
        assert why in gateway.heard("target suspended: first")
        settled(gateway, liar)
        assert shown(gateway) == [why, None]
        told = json.loads(gateway.page("/explain?route=chat&key=app"))["targets"]
        assert [(target["target"], target["rule"]) for target in told] == [("second", None), ("first", "suspension")]
        assert 'surefoot_suspended{target="first"} 1.0' in gateway.page("/metrics")

        refused = readmit(gateway, "second")
        assert (refused.returncode, refused.stderr.strip()) == (
            2,
            "no target 'second' is suspended; suspended: first",
        )
        lifted = readmit(gateway, "first")
        assert (lifted.returncode, lifted.stdout.strip()) == (0, "first is asked again")
        assert shown(gateway) == [None, None]
        with Client(gateway) as client:
            eventually(lambda: bool(client.both()) and len(liar.log()) > 0)  # asked again, and it lies again
        settled(gateway, liar)
    with journal(str(tmp_path / "surefoot.db")) as kept:
        told = [
            (attempt.kind, attempt.evidence)
            for call in calls(kept)
            for attempt in call.attempts
            if attempt.target == "first"
        ]
    assert ("contradicted", {"processes": "contradicted: East US"}) in told


def test_a_worker_that_starts_later_hears_of_it_and_a_reload_that_declares_the_target_otherwise_lifts_it(
    tmp_path: Path, twins: tuple[TwinProcess, TwinProcess]
) -> None:
    liar, honest = twins
    with Gateway(tmp_path / "surefoot.toml", file_of(liar, honest), workers=2) as gateway:
        with Client(gateway) as client:
            client.ask()
        settled(gateway, liar)
        said = len(gateway.lines)
        for pid in gateway.worker_pids():
            subprocess.run(["kill", "-9", str(pid)], check=True)
        gateway.heard("it is replaced", said)
        eventually(lambda: all(worker["ready"] for worker in gateway.status()["workers"]))
        settled(gateway, liar)

        gateway.file.write_text(file_of(liar, honest) + "\n[policy.breaker]\nstreak = 4\n", encoding="utf-8")
        gateway.process.send_signal(1)
        gateway.heard("reload ok")
        settled(gateway, liar)  # the policy is another one, the target is not

        said = len(gateway.lines)
        gateway.file.write_text(file_of(liar, honest, "US"), encoding="utf-8")
        gateway.process.send_signal(1)
        gateway.heard("reload ok", said)
        with Client(gateway) as client:
            client.until_from("first")
        assert shown(gateway) == [None, None]


def test_what_a_call_of_before_a_reload_finds_out_is_not_held_against_a_target_that_is_declared_otherwise_since(
    tmp_path: Path, twins: tuple[TwinProcess, TwinProcess]
) -> None:
    _, honest = twins
    confirms = (
        'place = { processes = ["SE"], confirms = [{ fact = "processes", body = "model", means = { m = "US" } }] }'
    )
    with TwinProcess(TwinOptions(behaviour=Behaviour(ttft=Fixed(2.0), tokens=Fixed(8)))) as slow:
        text = (
            file_of(slow, honest)
            .replace('place = "SE"', confirms, 1)
            .replace('hedge = "0%"', 'hedge = "0%"\nwatch = "off"')
        )
        with Gateway(tmp_path / "surefoot.toml", text, workers=2) as gateway:
            with Client(gateway) as client:
                asked = threading.Thread(target=client.ask)
                asked.start()
                eventually(lambda: gateway.status()["targets"][0]["in_flight"] > 0)
                gateway.file.write_text(text.replace('["SE"]', '["US"]'), encoding="utf-8")
                gateway.process.send_signal(1)
                gateway.heard("reload ok")
                asked.join()
            with Client(gateway) as client:
                client.until_from("first")
            assert shown(gateway) == [None, None]
            assert not [line for line in gateway.lines if "target suspended" in line]
