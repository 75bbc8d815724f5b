"""`surefoot drill` end to end: its own gateway as processes, twins on real sockets, and what is kept."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
from tests.drill.drilled import COMMAND, fact, run, told, written
from tests.drill.specification import faults_of_journal

from surefoot.drill.house import live
from surefoot.drill.plan import DrillOptions
from surefoot.drill.runner import faults_of
from surefoot.drill.sites import SITES
from surefoot.twin import TwinProcess

Drilled = tuple[Path, dict[str, Any]]


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Drilled:
    folder = tmp_path_factory.mktemp("drill")
    modes = ("--modes", "refuse,silence,auth,no_done,bad_request")
    longer = ("--time-cap", "3h")  # than one order to the gateway may last
    done = run(written(folder), *modes, *longer, "--repeat", "5", "--json")
    assert done.returncode == 0, done.stderr
    return folder, told(done)


def test_every_mode_that_allows_an_answer_is_answered_and_nothing_is_passed_off(drilled: Drilled) -> None:
    _, drill = drilled
    assert (drill["status"], drill["steady"]["before"]["met"], drill["steady"]["after"]["met"]) == (
        "completed",
        True,
        True,
    )
    for mode in ("refuse", "silence", "auth", "no_done"):
        cold = fact(drill, f"mode.{mode}.cold.mitigated")
        assert cold["n"] == 5
        assert cold["value"] == 1.0, mode
    assert fact(drill, "mode.bad_request.cold.mitigated")["value"] == 0.0
    assert drill["untested"] == []
    assert drill["modes"] == ["refuse", "silence", "no_done", "auth", "bad_request"]
    assert fact(drill, "passed_off")["value"] == 0


def test_cold_and_warm_repetitions_are_told_apart(drilled: Drilled) -> None:
    _, drill = drilled
    assert fact(drill, "mode.auth.warm.mitigated")["n"] > 0
    assert fact(drill, "mode.no_done.warm.mitigated")["n"] == 0  # nothing that would open a breaker


def test_the_times_of_a_failover_are_in_their_order(drilled: Drilled) -> None:
    _, drill = drilled
    detect, whole = (fact(drill, f"mode.silence.cold.{name}.p50")["value"] for name in ("detect", "end_to_end"))
    assert 0.09 < detect < whole  # the floor of the hedge delay, less what two processes' clocks are apart


def test_what_is_kept_is_a_journal_as_the_chaos_toolkit_specifies_it(drilled: Drilled) -> None:
    _, drill = drilled
    kept = Path(drill["routes"]["chat"]["folder"])
    journal = json.loads((kept / "journal.json").read_text(encoding="utf-8"))
    assert faults_of_journal(journal) == []
    assert (journal["status"], journal["deviated"], len(journal["run"])) == ("completed", False, 5)
    label = json.loads((kept / "run.json").read_text(encoding="utf-8"))
    assert label["asked"] == [site.name for site in SITES]  # no jurisdiction binds its canary key
    lines = (kept / "repetitions.jsonl").read_text(encoding="utf-8").splitlines()
    assert all(json.loads(line)["target"] == "eu-cloud" for line in lines)


def test_where_nothing_is_steady_nothing_is_injected(tmp_path: Path) -> None:
    done = run(written(tmp_path), "--modes", "auth", "--steady", "1ms", "--json")
    drill = told(done)
    assert done.returncode == 1
    assert (drill["status"], drill["steady"]["after"]) == ("failed", None)
    assert "nothing was injected" in done.stderr
    assert done.stderr.splitlines()[-3].startswith("FAILED after ")
    why = "the drill was failed before that"
    assert drill["untested"] == [{"route": "chat", "mode": "auth", "why": why}]
    assert fact(drill, "coverage.risk")["value"] is None
    assert fact(drill, "mode.auth.cold.mitigated")["note"].startswith("untested")
    kept = Path(drill["routes"]["chat"]["folder"])
    journal = json.loads((kept / "journal.json").read_text(encoding="utf-8"))
    assert (journal["status"], journal["run"], faults_of_journal(journal)) == ("failed", [], [])
    assert (kept / "repetitions.jsonl").read_bytes().strip() == b""


def test_what_cannot_be_drilled_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    done = run(written(tmp_path), "--in-front")
    assert (done.returncode, "--spend-cap" in done.stderr) == (2, True)
    assert "steady" not in done.stderr


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (DrillOptions(modes=("explode",)), "--modes: there is no mode 'explode'; known: refuse"),
        (DrillOptions(modes=("silnce",)), "--modes: there is no mode 'silnce'; did you mean 'silence'?"),
        (DrillOptions(routes=("nowhere",)), "--route: there is no route 'nowhere'; known: chat"),
        (DrillOptions(reach="planet"), "--reach: no target has a failure domain 'planet'; known: target"),
        (DrillOptions(in_front=True), "--in-front: in front of real targets every call costs money: say how much"),
        (DrillOptions(in_front=True, spend_cap=1.0), "--in-front: in front of real targets every price must be known"),
    ],
)
def test_the_refusal_names_the_option_and_says_what_to_do(tmp_path: Path, told: DrillOptions, sentence: str) -> None:
    (fault,) = faults_of(live(written(tmp_path), {}, forward=told.in_front), told)
    assert fault.startswith(sentence)


def test_every_fault_of_the_options_is_told_at_once() -> None:
    wrong = ["--patience", "5x", "--steady", "0s", "--ttft", "soon", "--spend-cap", "much", "--modes", ","]
    done = subprocess.run([*COMMAND, *wrong], capture_output=True, text=True, timeout=55, check=False)
    assert done.returncode == 2
    faults = dict(line.split(": ", 1) for line in done.stderr.splitlines())
    assert faults == {
        "--modes": "names no mode; write silence,stall, or leave the option out for the whole catalogue",
        "--patience": 'a duration carries its unit: write "150ms", "2s", "5m" or "1h", not "5x"',
        "--spend-cap": "'much' is no amount of money above zero; write 1, or '$1' in single quotes",
        "--steady": "has to be longer than 0s; write 5s",
        "--ttft": "'soon' is not a number or a duration such as 200ms; write 200ms, "
        "lognormal:200ms:1500ms or file:PATH:COLUMN",
    }


@pytest.mark.parametrize(
    ("ttft", "sentence"),
    [
        ("200", "'200' lacks its unit: a duration is written 200ms, 1.5s or 2m; write 200ms"),
        ("file:nowhere.csv", "cannot resample from nowhere.csv: No such file or directory; write 200ms"),
        ("lognormal:1s", "'lognormal:1s' lacks its 99th percentile: lognormal:MEDIAN:P99; write 200ms"),
    ],
)
def test_times_that_cannot_be_drawn_are_refused_before_anything_is_started(ttft: str, sentence: str) -> None:
    done = subprocess.run([*COMMAND, "--ttft", ttft], capture_output=True, text=True, timeout=55, check=False)
    assert (done.returncode, done.stderr.startswith(f"--ttft: {sentence}")) == (2, True), done.stderr


def test_two_files_are_held_side_by_side_route_by_route(tmp_path: Path) -> None:
    text = written(tmp_path).read_text(encoding="utf-8")
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(text + '[routes.short]\ntargets = ["eu-cloud"]\n', encoding="utf-8")
    two.write_text(text + '[routes.short]\ntargets = ["eu-cloud", "us-cloud"]\n', encoding="utf-8")
    done = run(one, "--against", str(two), "--modes", "auth", "--repeat", "3")
    assert done.returncode == 0, done.stderr
    assert "Route chat: mitigated" in done.stdout
    _, short = done.stdout.split("Route short: mitigated")
    assert "0 % became 100 %: risk-weighted coverage of one 0 %" in short


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path)
    done = run(file, "--against", str(file), "--modes", "auth")
    assert (done.returncode, done.stderr.startswith("--against: both files have the same name")) == (2, True)


def test_where_nothing_can_be_kept_nothing_is_begun(tmp_path: Path) -> None:
    (tmp_path / "drills").write_text("a file of somebody's")
    done = run(written(tmp_path), "--modes", "auth")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("--out: ")
    assert "is a file, not a folder" in done.stderr
    assert "well" not in done.stderr


def test_the_verdict_stands_last_and_exactly_as_many_calls_count_as_were_asked_for(tmp_path: Path) -> None:
    file = written(tmp_path)
    done = run(file, "--modes", "no_done,auth", "--repeat", "4")
    assert done.returncode == 0, done.stderr
    *_, head, coverage, kept = done.stdout.splitlines()
    assert head.startswith("COMPLETED: surefoot.toml was drilled in ")
    assert re.match(r"  chat  risk-weighted coverage 100 % \(95 %: .*\), of the 2 modes chosen\.$", coverage)
    folder = Path(kept.strip().removeprefix("kept: "))
    facts = {one["name"]: one for one in json.loads((folder / "coverage.json").read_text(encoding="utf-8"))["facts"]}
    assert [facts[f"mode.{mode}.cold.mitigated"]["n"] for mode in ("no_done", "auth")] == [4, 4]
    assert facts["mode.no_done.cold.unaided"]["value"] == 4
    assert facts["modes"]["note"] == "no_done, auth"
    assert "untested " not in done.stdout.split("How to read it")[0]
    assert "4/4 °4" in done.stdout
    assert "8/8 calls counted" in done.stderr


def test_a_drill_that_takes_too_long_is_aborted_and_says_so(tmp_path: Path) -> None:
    done = run(written(tmp_path), "--modes", "silence", "--repeat", "2000", "--time-cap", "4s", "--json")
    drill = told(done)
    assert done.returncode == 1
    assert (drill["status"], drill["steady"]["after"]["met"]) == ("aborted", True)
    assert "the time cap of 4 s is over" in drill["why"]
    assert fact(drill, "coverage.risk")["note"] == "partial: aborted, the time cap of 4 s is over"
    assert drill["routes"]["chat"]["folder"].endswith("-aborted")


def test_when_it_is_interrupted_nothing_is_left_behind_and_it_says_so(tmp_path: Path) -> None:
    file = written(tmp_path)
    command = [*COMMAND, "-c", str(file), "--out", str(tmp_path / "drills"), "--repeat", "500", "--json"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        text=True,
    ) as drill:
        assert drill.stderr is not None
        assert drill.stdout is not None
        for line in drill.stderr:
            if re.match(r"wave 1/\d+ ", line):
                break
        children = psutil.Process(drill.pid).children(recursive=True)
        assert len(children) >= 2
        drill.send_signal(signal.SIGINT)
        found = json.loads(drill.stdout.read())["drills"][0]
        assert drill.wait(30) == 130
        gone, alive = psutil.wait_procs(children, timeout=5)
        assert (len(gone), alive) == (len(children), [])
    assert found["status"] == "interrupted"
    kept = Path(found["routes"]["chat"]["folder"]) / "journal.json"
    assert json.loads(kept.read_text(encoding="utf-8"))["status"] == "interrupted"
    assert list(tmp_path.glob("surefoot-drill-*")) == []


def test_in_front_of_real_targets_what_no_fault_strikes_goes_on_to_them_within_the_cap(tmp_path: Path) -> None:
    with TwinProcess() as one, TwinProcess() as two, TwinProcess() as three:
        reals = [one, two, three]
        file = written(tmp_path, {site.name: real.url for site, real in zip(SITES, reals, strict=True)})
        priced = 'price = { input = "$1/MTok", output = "$2/MTok" }\nplace = '
        file.write_text(file.read_text(encoding="utf-8").replace("place = ", priced), encoding="utf-8")
        arguments = ("--in-front", "--spend-cap", "$1", "--modes", "auth,stall,tls", "--repeat", "3", "--json")
        done = run(file, *arguments)
        drill = told(done)
        assert done.returncode == 0, done.stderr
        assert fact(drill, "mode.auth.cold.mitigated")["value"] == 1.0
        assert fact(drill, "mode.stall.cold.mitigated")["n"] >= 3
        assert [(skipped["mode"], "in place of" in skipped["why"]) for skipped in drill["untested"]] == [("tls", True)]
        assert 0 < drill["reserved"] < 1
        assert len(two.log()) > 0  # the fallback's answers were real
        poor = told(run(file, "--in-front", "--spend-cap", "$0.005", "--modes", "auth", "--json"))
    assert poor["status"] == "aborted"
    assert "the spend cap of $0.005 does not pay" in poor["why"]
