"""The calendar of duties: what touches what, on a given day, and what falls with a transfer tool."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import msgspec
import pytest

from surefoot.config.calendar import Duty, OfJurisdiction, OfTarget, calendar
from surefoot.config.compliance import Fall, touched, without
from surefoot.config.configuration import Configuration
from surefoot.config.loading import load
from surefoot.domain.place import Transfer
from surefoot.drill.shelf import Label

FILE = """
[jurisdiction.patients]
subjects = { classes = ["health"], regions = ["DE"] }
transfers = ["none", "DPF", "SCC"]
[jurisdiction.strict]
processes = ["EEA"]
[jurisdiction.americans]
subjects = { regions = ["US"] }
[targets.framework]
provider = "openai-compatible"
model = "m"
base_url = "http://127.0.0.1:1/v1"
place = { processes = ["US"], transfer = "DPF" }
domains = { cloud = "one", region = "us" }
[targets.home]
provider = "openai-compatible"
model = "m"
base_url = "http://127.0.0.1:2/v1"
place = { processes = ["DE"], transfer = "none" }
domains = { cloud = "two" }
[targets.silent]
provider = "openai-compatible"
model = "m"
base_url = "http://127.0.0.1:3/v1"
[targets.sorry]
provider = "static"
model = "m"
text = "Sorry."
[routes.chat]
targets = ["framework", "home", "silent", "sorry"]
[routes.clauses]
targets = ["home", "silent"]
"""
DAY = date(2026, 11, 24)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "surefoot.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture
def configuration(file: Path) -> Configuration:
    return load(file, {})


def duty(*, targets: tuple[OfTarget, ...] = (), jurisdictions: tuple[OfJurisdiction, ...] = ()) -> Duty:
    return Duty(
        law="A law", article="Art. 1", title="Do", date=date(2026, 12, 2), source="s", as_of="2026-11",
        targets=targets, jurisdictions=jurisdictions,
    )  # fmt: skip


OF_TARGETS: list[tuple[OfTarget, set[str]]] = [
    (OfTarget(every=True), {"framework", "home", "silent"}),
    (OfTarget(), set()),
    (OfTarget(transfers=("DPF",)), {"framework"}),
    (OfTarget(transfers=("none", "undeclared")), {"home", "silent"}),
    (OfTarget(processes=("EU",)), {"home", "silent"}),
    (OfTarget(outside=("EEA",)), {"framework", "silent"}),
    (OfTarget(outside=("EEA",), transfers=("undeclared",)), {"silent"}),
]
OF_JURISDICTIONS: list[tuple[OfJurisdiction, set[str]]] = [
    (OfJurisdiction(every=True), {"patients", "strict", "americans"}),
    (OfJurisdiction(), set()),
    (OfJurisdiction(classes=True), {"patients"}),
    (OfJurisdiction(regions=("EU",)), {"patients"}),
    (OfJurisdiction(regions=("US",)), {"americans"}),
    (OfJurisdiction(processes=("EU",)), {"strict"}),
    (OfJurisdiction(classes=True, regions=("US",)), set()),
]


@pytest.mark.parametrize(("asked", "names"), OF_TARGETS)
def test_a_duty_touches_targets_by_what_they_declare_and_by_what_they_leave_open(
    configuration: Configuration, asked: OfTarget, names: set[str]
) -> None:
    (found,) = touched(configuration, [duty(targets=(OfTarget(transfers=("BCR",)), asked))], DAY)
    assert set(found.targets) == names


@pytest.mark.parametrize(("asked", "names"), OF_JURISDICTIONS)
def test_a_duty_touches_jurisdictions_by_whom_they_bind_and_what_they_ask_for(
    configuration: Configuration, asked: OfJurisdiction, names: set[str]
) -> None:
    (found,) = touched(configuration, [duty(jurisdictions=(asked,))], DAY)
    assert set(found.jurisdictions) == names


@pytest.mark.parametrize(("on", "days"), [(DAY, 8), (date(2026, 12, 2), 0), (date(2026, 12, 12), -10)])
def test_days_are_counted_from_the_day_that_is_given(configuration: Configuration, on: date, days: int) -> None:
    assert [one.days for one in touched(configuration, [duty()], on)] == [days]


def test_the_calendar_that_ships_is_in_order_and_names_its_sources() -> None:
    assert [one.date for one in calendar()] == sorted(one.date for one in calendar())
    assert all(one.source.startswith("https://") and len(one.as_of) == 7 for one in calendar())
    assert all(one.targets or one.jurisdictions for one in calendar())


def test_every_zone_and_tool_that_the_calendar_names_is_known(configuration: Configuration) -> None:
    for one in calendar():
        of_targets = [word for asked in one.targets for word in (*asked.processes, *asked.outside)]
        of_both = of_targets + [word for asked in one.jurisdictions for word in (*asked.processes, *asked.regions)]
        assert set(of_both) <= set(configuration.zones)
        assert {word for asked in one.targets for word in asked.transfers} <= {*Transfer, "undeclared"}


def test_without_a_tool_a_jurisdiction_that_asked_for_it_loses_targets_and_others_go_on_untold(
    configuration: Configuration,
) -> None:
    falls = {(fall.route, fall.jurisdiction): fall for fall in without(configuration, Transfer.DPF)}
    assert falls[("chat", "patients")] == Fall(
        "chat", "patients", ("framework", "home"), ("home",), (), {"cloud": (2, 1), "region": (1, 0)}
    )
    assert falls[("chat", "anywhere")].after == ("framework", "home", "silent")
    assert falls[("chat", "anywhere")].untold == ("framework",)
    assert set(falls) == {("chat", "patients"), ("chat", "anywhere"), ("chat", "americans")}


def test_those_are_told_of_whom_a_key_binds_and_nobody_twice(file: Path) -> None:
    file.write_text(
        FILE.replace("[routes.clauses]", 'jurisdiction = "patients"\n[routes.clauses]')
        + '[jurisdiction.there]\nprocesses = ["US"]\n'
        + '[[keys]]\nname = "lab"\nenv = "LAB"\nroutes = ["chat"]\njurisdictions = ["there"]\nclasses = ["health"]\n',
        encoding="utf-8",
    )
    told = without(load(file, {"LAB": "client-key-of-the-lab"}), Transfer.DPF)
    assert [(fall.jurisdiction, fall.before, fall.after) for fall in told] == [
        ("patients", ("framework", "home"), ("home",)),
        ("americans+patients", ("framework", "home"), ("home",)),
        ("patients+there", ("framework",), ()),
    ]


def test_a_tool_that_nobody_declares_changes_nothing(configuration: Configuration) -> None:
    assert without(configuration, Transfer.BCR) == []


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "surefoot.cli.main", "compliance", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def kept(folder: Path, route: str, name: str, made: str, value: float) -> None:
    run_of = folder / "surefoot" / route / name
    run_of.mkdir(parents=True)
    label = Label(made=made, subject="s", inputs="i")
    (run_of / "run.json").write_bytes(msgspec.json.encode(label))
    fact = {"name": "coverage.risk", "value": value, "unit": "share", "n": 9, "low": 0.5, "high": 0.99}
    sheet = {"version": 1, "made": made, "program": "p", "seed": 1, "window": [0, 1], "inputs": "i", "facts": [fact]}
    (run_of / "coverage.json").write_bytes(msgspec.json.encode(sheet))


def test_the_command_tells_days_what_falls_and_only_a_coverage_that_was_drilled(file: Path, tmp_path: Path) -> None:
    bare = run("-c", str(file), "--without", "dpf", "--on", "2026-11-24")
    assert bare.returncode == 0, bare.stderr
    assert "2026-12-02  in 8 days  AI Act" in bare.stdout
    assert "2026-01-01  for 327 days  California" in bare.stdout
    assert "chat, patients: of its targets 2 allowed, then 1; loses framework" in bare.stdout
    assert "framework would go on without a tool" in bare.stdout
    assert "coverage: none, nobody is left to fall back to" in bare.stdout
    assert "coverage: not drilled" in bare.stdout
    assert "no legal advice" in bare.stdout
    kept(tmp_path / "d", "chat", "2026-11-01T000000Z", "2026-11-01T00:00:00+00:00", 0.25)
    kept(tmp_path / "d", "chat", "2026-11-02T000000Z", "2026-11-02T00:00:00+00:00", 0.75)
    drilled = run("-c", str(file), "--without", "DPF", "--drills", str(tmp_path / "d"))
    assert "coverage: 75% by risk (50% to 99%), drilled 2026-11-02T00:00:00+00:00\n" in drilled.stdout
    assert "drilled 2026-11-02T00:00:00+00:00; then none, nobody is left to fall back to\n" in drilled.stdout
    told = json.loads(run("-c", str(file), "--without", "DPF", "--on", "2026-11-24", "--json").stdout)
    assert told["on"] == "2026-11-24"
    assert [fall["jurisdiction"] for fall in told["without"]] == ["anywhere", "patients", "americans"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--without", "dfp"), "--without: there is no transfer tool 'dfp'; there are: adequacy, DPF, SCC, BCR"),
        (("--on", "tomorrow"), "--on: 'tomorrow' is no day; write it as 2026-11-24"),
    ],
)
def test_what_cannot_be_read_is_told(file: Path, arguments: tuple[str, ...], sentence: str) -> None:
    refused = run("-c", str(file), *arguments)
    assert (refused.returncode, refused.stderr.strip()) == (2, sentence)
