"""`surefoot replay` end to end: the answer by hand, the same bytes again, every fault at once."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.replay.files import CONFIG, INCIDENTS, Files, written
from typer.testing import CliRunner, Result

from surefoot.cli.main import app
from surefoot.facts import read

RUNNER = CliRunner()


def run(files: Files, *more: str, out: str = "out") -> Result:
    return RUNNER.invoke(app, ["replay", *files.options("--processes", "1", *more, out=out)])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return written(tmp_path_factory.mktemp("replay"))


@pytest.fixture(scope="module")
def replayed(files: Files) -> dict[str, float | None]:
    done = run(files, "--json")
    assert done.exit_code == 0, done.output
    return {fact["name"]: fact["value"] for fact in json.loads(done.stdout)["facts"]["facts"]}


def test_minutes_and_calls_are_those_counted_by_hand(replayed: dict[str, float | None]) -> None:
    assert replayed["any.all.calls"] == 384
    assert replayed["any.all.minutes.without"] == pytest.approx(60 + 120)
    assert replayed["any.all.minutes.with"] == 0
    assert replayed["any.all.saved"] == 6
    assert replayed["any.all.availability.without"] == 378 / 384
    assert replayed["any.all.availability.with"] == 1
    assert (replayed["any.all.incidents.unseen"], replayed["any.all.minutes.unseen"]) == (1, 10)


def test_a_lag_costs_the_call_that_came_with_the_outage(replayed: dict[str, float | None]) -> None:
    assert replayed["any.all.minutes.avoided"] == pytest.approx(180)
    for lag in ("1m", "5m", "20m"):
        assert replayed[f"any.all.minutes.avoided.lag.{lag}"] == pytest.approx(60 * 1 / 2 + 120 * 3 / 4)
        assert replayed[f"any.all.saved.lag.{lag}"] == 4


def test_a_stricter_reading_leaves_the_mild_incident_out(replayed: dict[str, float | None]) -> None:
    for reading in ("partial", "major"):
        assert replayed[f"{reading}.all.minutes.avoided"] == pytest.approx(60)
        assert replayed[f"moves.reading.{reading}"] == pytest.approx(-120)


def test_cost_is_that_of_the_tokens_and_failed_attempts_that_are_not_billed_cost_nothing(
    replayed: dict[str, float | None],
) -> None:
    each = 1000 * 1e-6 + 100 * 10e-6
    assert replayed["any.all.cost.without"] == pytest.approx(378 * each)
    assert replayed["any.all.cost.added"] == pytest.approx(6 * 2 * each)
    assert replayed["any.all.cost.per_recovered_call"] == pytest.approx(2 * each)
    assert replayed["any.all.cost.per_recovered_incident"] == pytest.approx(6 * each)


def test_times_are_those_of_the_models_and_places_those_of_the_winners(replayed: dict[str, float | None]) -> None:
    assert replayed["any.all.ttft.p50.with"] == pytest.approx(0.5, rel=0.01)
    assert replayed["any.outages.ttft.p50.with"] == pytest.approx(1.05, rel=0.02)
    assert replayed["any.all.place.DE.with"] == pytest.approx(6 / 384)
    assert replayed["any.outages.attempts.with"] == 2


def test_what_moves_the_answer_is_told_for_every_assumption(replayed: dict[str, float | None]) -> None:
    moved = {name.split(".")[1] for name in replayed if name.startswith("moves.")}
    assert moved == {
        "reading",
        "lag",
        "fallback_capacity",
        "failing",
        "unknown_length",
        "services",
        "round_trip",
        "seed",
    }
    assert replayed["moves.fallback_capacity.half"] == 0


def test_the_same_inputs_and_seed_give_the_same_bytes(files: Files) -> None:
    for out in ("first", "second"):
        assert run(files, "--readings", "major", "--no-vary", out=out).exit_code == 0
    kept = {out: {file.name: _digest(file) for file in (files.folder / out).iterdir()} for out in ("first", "second")}
    assert kept["first"] == kept["second"]
    assert set(kept["first"]) == {
        "facts.json", "assumptions.json", "numbers.parquet", "incidents.parquet", "weeks.parquet", "moves.parquet",
    }  # fmt: skip


def test_the_tables_say_what_the_facts_say(files: Files) -> None:
    assert run(files, "--no-vary", out="tables").exit_code == 0
    folder = files.folder / "tables"
    facts = read((folder / "facts.json").read_bytes())
    saved = _rows(folder / "numbers.parquet", "measure = 'minutes.avoided' AND \"group\" = 'all' AND lag = '20m'")
    assert [(row["scenario"], row["value"]) for row in saved] == [
        (reading, facts.named(f"{reading}.all.minutes.avoided.lag.20m").value)
        for reading in ("any", "partial", "major")
    ]
    arm = "scenario = 'any' AND arm = 'without'"
    incidents = _rows(folder / "incidents.parquet", arm)
    assert [(row["incident"], row["calls"], row["failed"], row["minutes_of_outage"]) for row in incidents] == [
        ("one", 2, 2, 60), ("three", 0, 0, None), ("two", 4, 4, 120),
    ]  # fmt: skip
    weeks = _rows(folder / "weeks.parquet", arm)
    assert [(row["week"], row["calls"], row["failed"]) for row in weeks] == [
        ("2024-W23", 336, 2), ("2024-W24", 48, 4),
    ]  # fmt: skip
    assert [row["assumption"] for row in _rows(folder / "moves.parquet", "TRUE")][:1] == ["reading"]


def test_the_screen_begins_with_plain_words_and_ends_with_what_was_assumed(files: Files) -> None:
    done = run(files, "--no-vary", "--stress", "busiest-hour=30m", out="screen")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("surefoot.toml against no fallback: 384 calls, 2024-06-03 00:00 to 2024-06-10 23:30 UTC")
    # the first of two weeks has two of the three incidents' hours, the second one
    assert "any (every incident counts): 3 h [2 h, 4 h] of outage became 0 min." in lines
    assert "   6 calls [4, 8] failed without, 0 with: 6 [4, 8] were saved." in lines
    assert any(line.startswith("   availability 98.44 % [") for line in lines)
    assert any("became 100.00 % [99.04, 100.00, of calls alone]." in line for line in lines)
    assert any("1 incident (10 min) of such targets met no call" in line for line in lines)
    assert any("under the stress busiest-hour=30m" in line for line in lines)
    assumed = lines[lines.index("Assumed:") :]
    assert any("in an outage 100% of the calls to a target are struck" in line for line in assumed)
    assert not any("ttft of primary" in line for line in assumed)  # it was given


def test_a_replay_that_is_in_the_folder_is_not_written_over_unasked(files: Files) -> None:
    options = ["--no-vary", "--readings", "major"]
    assert run(files, *options, out="kept").exit_code == 0
    facts = files.folder / "kept" / "facts.json"
    before = facts.read_bytes()
    again = run(files, *options, "--seed", "8", out="kept")
    assert again.exit_code == 2
    assert "has a facts.json already; name another folder, or write over it with --force" in again.stderr
    assert facts.read_bytes() == before
    assert run(files, *options, "--seed", "8", "--force", out="kept").exit_code == 0
    assert facts.read_bytes() != before


def test_half_of_a_replay_is_a_replay_and_other_files_are_none_of_its_business(files: Files) -> None:
    for name, code in (("moves.parquet", 2), ("notes.txt", 0)):
        folder = files.folder / name
        folder.mkdir()
        (folder / name).touch()
        assert run(files, "--no-vary", "--readings", "major", out=name).exit_code == code, name


@pytest.mark.parametrize("width", [80, 120])
def test_on_a_terminal_nothing_is_wider_than_it(files: Files, width: int) -> None:
    command = [sys.executable, "-m", "surefoot.cli.main", "replay"]
    options = files.options("--processes", "1", "--no-vary", "--stress", "gateway-down=10m", out=f"wide{width}")
    shape = {"COLUMNS": str(width), "TERM": "xterm", "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}
    done = subprocess.run(
        [*command, *options], env=os.environ | shape, capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 0, done.stderr
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in done.stdout.splitlines()]
    prose = [line for line in lines if not line.startswith("All numbers and tables")]  # a path is kept whole
    assert max(map(len, prose)) <= width
    assert any("the gateway itself" in line for line in lines)


def test_where_no_incident_strikes_a_first_target_that_is_told_at_once_with_what_to_do(
    files: Files, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "list.csv"
    elsewhere.write_text(
        INCIDENTS.splitlines()[0]
        + "\nold,openai,2023-06-03T01:00Z,2023-06-03T02:00Z,major,Elevated error rates"
        + "\nsites,openai,2024-06-04T01:00Z,2024-06-04T02:00Z,major,ChatGPT is down"
        + "\nspare,anthropic,2024-06-05T01:00Z,2024-06-05T02:00Z,major,Elevated errors\n"
    )
    other = files._replace(incidents=elsewhere)
    done = run(other, "--no-vary", out="nothing")
    assert (done.exit_code, done.stdout) == (2, "")
    assert (
        "no incident strikes a target that calls ask first in the time of the traffic, 2024-06-03 00:00" in done.stderr
    )
    assert "the list has 3 incidents, from 2023-06-03 01:00 to 2024-06-05 01:00 UTC" in done.stderr
    assert "there are outages of fallbacks alone: spare" in done.stderr
    assert "openai: ChatGPT is down (about another service than a chat by API)" in done.stderr
    assert "--anyway" in done.stderr
    assert not (files.folder / "nothing" / "facts.json").exists()
    for more in (["--anyway"], ["--stress", "busiest-hour=1h"]):
        told = run(other, "--no-vary", *more, out=more[-1])
        assert told.exit_code == 0, told.stderr
    assert "ChatGPT is down" in told.stdout


def test_a_list_of_nothing_and_one_of_nobody_here_say_so(files: Files, tmp_path: Path) -> None:
    others = INCIDENTS.splitlines()[0] + "\na,groq,2024-06-03T01:00Z,2024-06-03T02:00Z,major,Down\n"
    told = []
    for name, text in (("none.json", "[]"), ("others.csv", others)):
        (tmp_path / name).write_text(text)
        told.append(run(files._replace(incidents=tmp_path / name), out=name).stderr)
    assert "the list has no incident at all" in told[0]
    assert "none of it is of a provider that runs a target here (the list has groq)" in told[1]


def test_slips_of_the_hand_are_met_with_what_was_meant(files: Files) -> None:
    done = run(files, "--against", "nofallback", "--format", "json", out="slips")
    assert done.exit_code == 2
    assert "--against nofallback: there is no such file; did you mean no-fallback?" in done.stderr
    assert "--format: there is none; --json prints one JSON object" in done.stderr
    shown = RUNNER.invoke(app, ["replay", "--help"]).stdout
    assert "--format" not in shown


def test_against_another_file_the_two_are_paired(files: Files, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(CONFIG.replace('["primary", "spare"]', '["spare"]').replace("[targets.primary]", "[targets.p]"))
    other.write_text(re.sub(r"(?s)\[targets\.p\].*?(?=\[targets\.spare\])", "", other.read_text()))
    done = run(files, "--against", str(other), "--readings", "any", "--no-vary", "--json", out="other")
    assert done.exit_code == 0, done.output
    found = {fact["name"]: fact["value"] for fact in json.loads(done.stdout)["facts"]["facts"]}
    assert found["any.all.failed.without"] == 0  # the other one never asks the target that fails
    assert found["any.all.target.spare.without"] == 1
    assert found["any.all.minutes.seen"] == pytest.approx(180)


def test_how_incidents_are_read_is_an_option_and_is_told(files: Files, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text(
        INCIDENTS.splitlines()[0]
        + "\nlong,openai,2024-06-03T01:00Z,2024-06-05T01:00Z,major,Elevated error rates"
        + "\nopen,openai,2024-06-07T01:00Z,,major,Elevated error rates"
        + "\nsite,openai,2024-06-08T01:00Z,2024-06-08T02:00Z,major,ChatGPT is down\n"
    )
    other = files._replace(incidents=listed)
    minutes = {}
    for out, more in (
        ("usual", []),
        ("none", ["--cap", "none"]),
        ("two", ["--cap", "2h"]),
        ("length", ["--unknown-length", "30m"]),
        ("every", ["--every-service"]),
    ):
        done = run(other, "--readings", "any", "--no-vary", "--json", *more, out=f"read-{out}")
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)
        minutes[out] = next(
            fact["value"] for fact in told["facts"]["facts"] if fact["name"] == "any.all.minutes.without"
        )
        assert ("incidents longer than 24h are cut to it" in told["assumptions"]["said"]) == (
            out not in {"none", "two"}
        )
    day = 24 * 60
    assert minutes == pytest.approx({"usual": day, "none": 2 * day, "two": 120, "length": day + 30, "every": day + 60})


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--cap", "24", "or none"),
        ("--cap", "0s", "has to be longer than 0s"),
        ("--unknown-length", "half an hour", "or leave-out"),
    ],
)
def test_a_length_of_incidents_that_is_none_is_refused(files: Files, option: str, text: str, words: str) -> None:
    done = run(files, option, text, out="refused")
    assert (done.exit_code, done.stdout) == (2, "")
    assert option in done.stderr
    assert words in done.stderr


def test_every_fault_is_told_at_once_before_any_work(files: Files, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    options = ["--readings", "none", "--lags", "5", "--failing", "0%", "--stress", "flood=1h", "--against", "x.toml"]
    given = ["-c", str(files.config), "--traffic", str(files.incidents), "--incidents", str(tmp_path / "no.csv")]
    done = RUNNER.invoke(app, ["replay", *given, "-o", str(blocked), *options])
    assert done.exit_code == 2
    told = done.stderr
    for what in ("--readings", "--lags", "--failing", "--stress", "x.toml", "no traffic file", "no.csv", "--out"):
        assert what in told, f"{what} is missing in: {told}"
    assert done.stdout == ""


def test_lags_beside_another_file_are_refused(files: Files) -> None:
    done = run(files, "--against", str(files.config), "--lags", "1m")
    assert done.exit_code == 2
    assert "leave it out beside --against FILE" in done.stderr


def test_two_files_that_call_different_targets_alike_cannot_be_compared(files: Files, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(CONFIG.replace('model = "gpt-5-mini"', 'model = "gpt-5"'))
    done = run(files, "--against", str(other))
    assert done.exit_code == 2
    assert "give one of them another name" in done.stderr


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rows(path: Path, where: str) -> list[dict[str, Any]]:
    with duckdb.connect() as base:
        found = base.execute(f"SELECT * FROM read_parquet($file) WHERE {where}", {"file": str(path)})  # noqa: S608 - ours
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
