"""`surefoot incidents` as it is given."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.intake.terminal import shown

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


def test_the_time_in_which_both_were_watched_is_told_and_that_there_was_none() -> None:
    told = incidents(GATHERED, *JANUARY, "--between", "alpha,beta")[1]
    assert "- alpha and beta: 2024-01-01 00:00 to 2024-01-29 00:00 (28 days)" in told
    told = incidents(GATHERED, *JANUARY[:2], "--to", "2024-01-02", "--between", "alpha,beta", "--json")[1]
    ((start, end),) = json.loads(told)["together"]["alpha+beta"]
    assert end - start == 86_400
    everywhere = ("--gap", "2020-01-01,2030-01-01")
    told = incidents(GATHERED, *JANUARY, *everywhere, "--between", "alpha,beta")[1]
    assert "- alpha and beta: never, so that nothing can be said of both; give lists that overlap" in told
    assert "would have avoided" not in told


def test_what_the_cap_does_to_lengths_and_to_the_lift_is_told() -> None:
    told = incidents(GATHERED, *JANUARY, "--between", "alpha,beta", "--reading", "any", "--cap", "1h")[1]
    assert "Longer incidents are cut to 1h (--cap), but where it says otherwise." in told
    assert re.search(
        r"The cap of 1h has a part in the lift: with it [\d.]+ in place of [\d.]+ \(alpha and beta, any\)", told
    )
    bare = incidents(GATHERED, *JANUARY, "--between", "alpha,beta", "--reading", "any", "--cap", "99d")[1]
    assert "The cap" not in bare
    assert "are cut to" not in bare


def test_outages_that_never_coincided_are_told_with_what_may_be_true_all_the_same(tmp_path: Path) -> None:
    hours = [(f"2024-01-{day:02}T{hour}:00Z,2024-01-{day:02}T{hour}:30Z,{name}") for day in range(1, 29)
             for hour, name in (("08", "one"), ("20", "two"))]  # fmt: skip
    table = tmp_path / "apart.csv"
    table.write_text("\n".join(["start,end,provider", *hours, "2024-01-05T01:00Z,2024-01-05T02:00Z,three"]))
    asked = ("--between", "one,two", "--reading", "any", "--lags", "0")
    told = incidents(str(table), *JANUARY, *asked)[1]
    # 28 and 28 outages of half an hour: chance makes an overlap of 15 minutes, and 3.69 of them may go unseen
    assert "| one, two | any | 0 | 18 | 0.00 [0.00, 3.16] | 0.00 [0.00, 3.16] |" in told
    assert "| 100.000 % [99.863, 100.000] |" in told
    none = incidents(str(table), *JANUARY, "--reading", "major")[1]
    assert "| three | major | 0 | none seen; over 182 | 0 |" in none
    assert "| 100.000 %, no interval |" in none


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_a_terminal_is_shown_all_of_it_in_tables_that_fit_and_no_markdown(width: int, tmp_path: Path) -> None:
    (tmp_path / "daily.csv").write_bytes((LISTS / "daily.csv").read_bytes())
    asked = (GATHERED, str(tmp_path / "daily.csv"), *JANUARY, "--between", "alpha,beta")
    seen, _ = shown("incidents", *asked, width=width)
    assert "| --- |" not in seen
    assert max(map(len, seen.splitlines())) <= width
    told = incidents(*asked)[1]
    cells = [cell.strip() for line in told.splitlines() if line.startswith("| ") for cell in line.split("|")]
    for word in {word for cell in cells if len(cell) <= 40 for word in cell.split() if word != "---"}:
        assert word in seen, "no number, name or word is broken or cut"


def test_a_list_without_incidents_says_so_and_is_no_availability(tmp_path: Path) -> None:
    page = tmp_path / "incidents.json"
    page.write_text('{"incidents": []}')
    code, told, _ = incidents(str(page))
    assert code == 0
    assert told.splitlines()[-1].startswith("No incident was read. That is not availability")
    header = tmp_path / "header.csv"
    header.write_text("start,end,provider\n")
    code, told, _ = incidents(str(header))
    assert (code, told.splitlines()[2]) == (0, f"| {header} | csv | 0 | none |")
    header.write_text("")
    assert incidents(str(header))[2] == f"{header}: there is nothing in it\n"
    assert incidents(str(tmp_path))[2] == f"{tmp_path} is a folder: name the files in it, as {tmp_path}/*\n"


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
        (("--between", "alpha"), "--between: 'alpha' does not name two providers or more"),
        (("--between", "alpha,Alpha"), "--between: 'alpha,Alpha' does not name two providers or more"),
        (("--columns", "start=opened"), "--columns is for csv, and these files are gathered; leave it out"),
        (("--provider", "me"), "--provider is for csv and statuspage, and these files are gathered; leave it out"),
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
