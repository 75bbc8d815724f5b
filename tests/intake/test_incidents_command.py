"""`surefoot incidents` as it is given."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LISTS = Path(__file__).parent / "lists"
GATHERED = str(LISTS / "gathered.csv")
JANUARY = ("--from", "2024-01-01", "--to", "2024-01-29")


def incidents(*arguments: str, fed: bytes | None = None) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "surefoot.cli.main", "incidents", *arguments]
    done = subprocess.run(command, input=fed, capture_output=True, check=False, timeout=50)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_it_tells_the_three_readings_side_by_side_with_faults_and_gaps() -> None:
    code, told, _ = incidents(GATHERED, str(LISTS / "daily.csv"))
    assert code == 0
    for reading in ("any", "partial", "major"):
        assert f"| alpha | {reading} |" in told
    assert "no start: 1 (line 13); start is no time: 1 (line 15)" in told
    assert "| one row per component: taken together | 1 |" in told
    assert "| longer than the cap: cut to it | 2 |" in told
    assert "27,036 min" in told
    assert "2024-01-29 01:00 to 2026-05-01 00:00" in told
    assert "An end that was not told" in told
    assert "| alpha/api | 3 | 144 |" in told
    assert "their rates do not compare" in told


def test_between_two_it_tells_overlap_and_what_would_have_been_avoided_per_lag() -> None:
    code, told, _ = incidents(GATHERED, *JANUARY, "--between", "Alpha,beta", "--lags", "0,10m", "--reading", "any")
    assert code == 0
    assert "| alpha, beta | any | 30 |" in told
    assert "| any | 0 | 1,620 | 0 | 30 | 1,590 [" in told
    assert "| any | 10m | 1,620 | 30 | 30 | 1,560 [" in told
    assert "An end that was not told" not in told


def test_services_that_are_asked_for_are_told_with_what_they_leave_out() -> None:
    code, told, _ = incidents(GATHERED, *JANUARY, "--services", "api", "--reading", "any")
    assert code == 0
    assert "Only incidents that name api. Left out: 2 of alpha." in told
    assert "| alpha | any | 2 |" in told


def test_the_json_has_every_number_with_its_sample_and_interval() -> None:
    code, told, _ = incidents(GATHERED, *JANUARY, "--between", "alpha,beta", "--json")
    found = json.loads(told)
    assert code == 0
    facts = {fact["name"]: fact for fact in found["facts"]["facts"]}
    assert facts["alpha+beta.any.overlap"]["value"] == 30
    assert facts["alpha.any.mtbf"]["n"] == 4
    assert facts["alpha.any.mtbf"]["low"] < facts["alpha.any.mtbf"]["value"] < facts["alpha.any.mtbf"]["high"]
    assert found["mended"][0]["minutes"] == 27_036
    assert found["files"][0]["unreadable"][0] == {"line": 13, "why": "no start"}
    again = json.loads(incidents(GATHERED, *JANUARY, "--between", "alpha,beta", "--json")[1])
    assert again["facts"]["facts"] == found["facts"]["facts"]
    assert again["facts"]["inputs"] == found["facts"]["inputs"]


def test_standard_input_is_read_where_its_form_is_told() -> None:
    fed = (LISTS / "statuspage.json").read_bytes()
    code, told, _ = incidents("-", "--format", "statuspage", fed=fed)
    assert code == 0
    assert "| northwind | any | 4 |" in told


def test_a_cap_of_ones_own_changes_the_minutes() -> None:
    told = incidents(GATHERED, *JANUARY, "--cap", "1h", "--reading", "any")[1]
    assert "| 3 | 60 [60, 60] |" in told
    assert "| longer than the cap: cut to it | 4 |" in told


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--reading", "worst"), "--reading: 'worst' is none of any, partial, major, all"),
        (("--between", "alpha,delta"), "--between: no incident of delta; there are some of alpha, beta"),
        (("--services", "Apy"), "--services: no incident names Apy; named are API, Chat"),
        (("--lags", "5"), "--lags: a duration carries its unit"),
        (("--from", "June"), "--from: 'June' is no time"),
        (("--from", "2024-02-01", "--to", "2024-01-01"), "--from has to be before --to"),
        (("--gap", "2024-02-01"), "--gap: '2024-02-01' is no gap"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_do(arguments: tuple[str, ...], why: str) -> None:
    code, told, complaint = incidents(GATHERED, *arguments)
    assert (code, told) == (2, "")
    assert why in complaint
