"""Receipts of a whole gateway: several workers, one chain, whatever happens to any of its processes."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.control.served import PATIENCE, SECRET, Served
from tests.gateway.house import until

from surefoot.journal import reader
from surefoot.journal.checkpoint import make_key, read_checkpoints
from surefoot.journal.verifying import verify
from surefoot.twin import HEALTHY, Fault, TwinProcess

RECEIPTS = 'limits = { wait = "0s" }\n[receipts]\nrequired = true\nkey = "key"\n'


def chain_of(folder: Path) -> Path:
    return folder / "surefoot-receipts.jsonl"


def receipts_of(folder: Path) -> list[dict[str, Any]]:
    lines = chain_of(folder).read_bytes().splitlines(keepends=True)
    return [json.loads(line)["receipt"] for line in lines if line.endswith(b"\n")]


def many(served: Served, count: int) -> Counter[int]:
    with ThreadPoolExecutor(8) as pool:
        return Counter(pool.map(lambda _: served.chat(), range(count)))


def test_every_attempt_of_every_worker_has_one_receipt_in_one_chain(tmp_path: Path, twin: TwinProcess) -> None:
    public = make_key(tmp_path / "key")
    with Served(tmp_path, twin.url, workers=2, more=RECEIPTS) as served:
        assert many(served, 100) == {200: 100}
        twin.set_faults(Fault("status:500"))
        failed = many(served, 20)
        assert failed[502] > 0
        assert failed[503] > 0  # its breaker has opened: nobody was asked
        until(lambda: served.status()["receipts"]["calls"] == 120)
        assert "surefoot_receipts_failing 0.0" in served.ask_admin("/metrics")[1]
        assert served.end() == 0
    beside = read_checkpoints(Path(f"{chain_of(tmp_path)}.checkpoints"))
    finding = verify(chain_of(tmp_path), beside, [public])
    told = [one for one in receipts_of(tmp_path) if "note" not in one]
    assert finding.ok
    assert finding.confirmed == finding.records == len(told) + 1
    with reader.journal(str(tmp_path / "surefoot.db")) as journal:
        calls = {entry.call: entry for entry in reader.calls(journal)}
    assert len(calls) == 120
    expected: Counter[tuple[object, ...]] = Counter(
        (name, a.number, a.target, a.kind) for name, entry in calls.items() for a in entry.attempts
    )
    expected.update((name, None, None, None) for name, entry in calls.items() if not entry.attempts)
    assert Counter((one["call"], one["attempt"], one["target"], one["outcome"]) for one in told) == expected
    text = chain_of(tmp_path).read_text("utf-8")
    assert SECRET not in text
    assert "hello" not in text


def test_while_the_chain_cannot_be_written_calls_are_refused_and_that_is_told(
    tmp_path: Path, twin: TwinProcess
) -> None:
    make_key(tmp_path / "key")
    with Served(tmp_path, twin.url, workers=2, more=RECEIPTS) as served:
        assert served.chat() == 200
        until(lambda: served.status()["receipts"]["calls"] == 1)
        size = chain_of(tmp_path).stat().st_size
        with chain_of(tmp_path).open("ab") as file:
            file.write(b"x")  # somebody else has written: nothing may be added behind that
        until(lambda: served.chat() == 503)
        served.until("receipts cannot be written: .* changed by somebody else")
        assert "changed by somebody else" in served.status()["receipts"]["fault"]
        assert "surefoot_receipts_failing 1.0" in served.ask_admin("/metrics")[1]
        assert many(served, 20) == {503: 20}
        os.truncate(chain_of(tmp_path), size)
        until(lambda: served.chat() == 200)
        assert served.status()["receipts"]["fault"] is None
        asked = len(twin.log())
        assert served.end() == 0
    assert verify(chain_of(tmp_path)).ok
    assert sum(one.get("sent", False) for one in receipts_of(tmp_path)) == asked


def test_a_jurisdiction_that_obliges_to_receipts_binds_its_route_alone(tmp_path: Path, twin: TwinProcess) -> None:
    strict = 'jurisdiction = "strict"\n[routes.free]\ntargets = ["near"]\n[receipts]\n'
    more = f"{strict}[jurisdiction.strict.obligations]\nreceipts = true\n"
    with Served(tmp_path, twin.url, more=more) as served:
        assert served.chat() == 200
        until(lambda: served.status()["receipts"]["calls"] == 1)
        with chain_of(tmp_path).open("ab") as file:
            file.write(b"x")
        until(lambda: served.chat() == 503)
        body = json.dumps({"model": "free", "messages": [{"role": "user", "content": "hello"}]})
        assert served._ask(served.port, "POST", "/v1/chat/completions", body)[0] == 200
        os.truncate(chain_of(tmp_path), chain_of(tmp_path).stat().st_size - 1)
        until(lambda: served.chat() == 200)
        assert served.end() == 0
    laws = {(one["route"], one["jurisdiction"]) for one in receipts_of(tmp_path) if "call" in one}
    assert laws == {("chat", "strict"), ("free", "anywhere")}


def test_a_supervisor_that_is_killed_leaves_a_chain_that_the_next_one_goes_on_with(
    tmp_path: Path, twin: TwinProcess
) -> None:
    public = make_key(tmp_path / "key")
    done = 0
    for _ in range(3):
        with Served(tmp_path, twin.url, workers=2, more=RECEIPTS) as served:
            assert many(served, 30)[200] == 30
            until(lambda: served.status()["receipts"]["calls"] > 0)
            done += int(served.status()["receipts"]["calls"])
            served.signal(signal.SIGKILL)
            served.process.wait(PATIENCE)
            until(lambda: served.chat() == 503)  # nobody writes any more
        finding = verify(chain_of(tmp_path), (), [public])
        assert finding.ok
        assert finding.records >= done


def test_what_a_worker_takes_with_it_is_told_by_the_chain(tmp_path: Path, twin: TwinProcess) -> None:
    make_key(tmp_path / "key")
    with Served(tmp_path, twin.url, more=RECEIPTS) as served, ThreadPoolExecutor(1) as pool:
        twin.set_faults(Fault("silence"))
        call = pool.submit(served.chat)
        until(lambda: "surefoot_receipts_owed 1.0" in served.ask_admin("/metrics")[1])
        os.kill(served.pids[0], signal.SIGKILL)
        assert call.exception() is not None
        served.until("with it the receipts of about 1 calls")
        twin.set_faults(HEALTHY)
        until(lambda: served.status()["receipts"]["dropped"] == {"worker_lost": 1})
        assert served.end() == 0
    assert [one["calls"] for one in receipts_of(tmp_path) if one.get("note") == "lost"] == [1]


def test_a_worker_is_not_credited_with_what_its_predecessor_owed(tmp_path: Path, twin: TwinProcess) -> None:
    """Else it would take in more calls than it has room for."""
    make_key(tmp_path / "key")
    with ThreadPoolExecutor(4) as pool, Served(tmp_path, twin.url, more=f"{RECEIPTS}room = 1\n") as served:

        def hangs() -> bool:
            asked = pool.submit(served.chat)
            until(lambda: asked.done() or "surefoot_receipts_owed 1.0" in served.ask_admin("/metrics")[1])
            return not asked.done()

        assert served.chat() == 200
        until(lambda: served.status()["receipts"]["calls"] == 1)
        size = chain_of(tmp_path).stat().st_size
        with chain_of(tmp_path).open("ab") as file:
            file.write(b"x")
        assert until(lambda: served.chat() == 200)  # its receipts wait
        served.until("receipts cannot be written")
        os.kill(served.pids[0], signal.SIGKILL)
        served.until("worker 0 started")
        os.truncate(chain_of(tmp_path), size)
        until(lambda: served.status()["receipts"]["calls"] == 2)
        twin.set_faults(Fault("silence"))
        until(hangs)
        assert served.chat() == 503


def test_a_second_gateway_cannot_write_the_same_chain(tmp_path: Path, twin: TwinProcess) -> None:
    make_key(tmp_path / "key")
    with Served(tmp_path, twin.url, more=RECEIPTS) as served:
        command = [sys.executable, "-m", "surefoot.cli.main", "serve", "-c", str(tmp_path / "surefoot.toml")]
        other = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=os.environ | {"NEAR_KEY": SECRET},
            check=False,
            timeout=PATIENCE,
        )
        assert other.returncode == 2
        assert "another process writes the receipts" in other.stderr
        assert served.end() == 0


def test_a_reload_leaves_the_chain_as_it_is_and_says_so(tmp_path: Path, twin: TwinProcess) -> None:
    make_key(tmp_path / "key")
    with Served(tmp_path, twin.url, more=RECEIPTS) as served:
        file = tmp_path / "surefoot.toml"
        file.write_text(file.read_text("utf-8").replace("required = true", "required = false"), encoding="utf-8")
        served.signal(signal.SIGHUP)
        served.until("what is said of receipts has changed; that needs a restart")
        served.until("reload ok")
        assert served.chat() == 200
        assert served.status()["receipts"]["required"]
        assert served.end() == 0
    assert [one["candidates"] for one in receipts_of(tmp_path) if "call" in one] == [
        [{"target": "near", "verdict": "chosen"}]
    ]
