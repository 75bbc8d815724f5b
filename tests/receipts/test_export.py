"""The record of processing and the list of transfers, from a chain to the tables and the page."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.receipts.made import attempt, call, configuration

from surefoot.control.notary import Notary, note
from surefoot.domain.front import ClientKey
from surefoot.domain.place import Place, Subprocessor, Transfer
from surefoot.journal.chain import Chain
from surefoot.journal.extract import extract
from surefoot.journal.link import canonical

DAY = 86_400.0
FIRST = 1_767_225_600.0
"""2026-01-01 in UTC."""

NEAR = Place(("DE",), (), "=Example GmbH", "DE", Transfer.NONE, 0.0, zero_retention=True, subprocessors=())
FAR = Place(("US",), ("US", "IE"), "Far Inc.", "US", Transfer.SCC, 30 * DAY, subprocessors=(Subprocessor("Helper"),))

TOLD = {"processes": "confirmed: de", "model": "silent"}
ELSEWHERE = {"processes": "contradicted: global", "model": "confirmed: m-far"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Three days: `near` on all, `far` on the second, an attempt without a connection, a drill, a refusal, a loss."""
    known = configuration(tmp_path)
    places = {"near": NEAR, "far": FAR}
    targets: Any = tuple(replace(target, place=places[target.name]) for target in known.targets)
    keys = (ClientKey("app", b"", tenant="acme"),)
    notary = Notary()
    notary.know(replace(known, targets=targets))
    notary.meet(keys)
    made = [note("start", FIRST)]

    def add(day: float, *attempts: list[object], **facts: object) -> None:
        made.extend(notary.receipts(call(*attempts, config=known.version, at=FIRST + day * DAY, **facts)))

    add(0.0, attempt())
    add(1.0, attempt(0, kind="silence", evidence=TOLD), attempt(1, "far", evidence=ELSEWHERE))
    add(1.5, attempt(0, "far", sent=None, kind="connect_failed"), attempt(1, "far"), key="other")
    add(1.6, attempt(), drill=3)
    add(1.7, kind="not_allowed", jurisdiction="eu", jurisdiction_version="00ff")
    made.append(note("lost", FIRST + 1.8 * DAY, reason="queue_full", calls=7))
    add(2.0, attempt())
    chain = Chain(str(tmp_path / "surefoot-receipts.jsonl"))
    chain.append(made)
    chain.close()
    return tmp_path


def export(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "surefoot.cli.main", "receipts", "export", "--out", str(folder / "out")]
    command += ["-c", str(folder / "surefoot.toml"), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_transfers_are_counted_by_operator_place_tool_and_jurisdiction(path: Path) -> None:
    found = extract(path / "surefoot-receipts.jsonl", "2026-01-02", "2026-01-03")
    ways = {way.operator: entry for way, entry in found.ways.items()}
    assert set(ways) == {"=Example GmbH", "Far Inc."}
    near, far = ways["=Example GmbH"], ways["Far Inc."]
    assert (near.sent, near.unsent, near.confirmed, near.contradicted) == (1, 0, 1, 0)
    assert (far.confirmed, far.contradicted) == (0, 1)
    assert (far.sent, far.unsent, dict(far.tenants)) == (2, 1, {"acme": 1, "": 1})
    assert (far.first, far.last) == ("2026-01-02T00:00:00.500Z", "2026-01-02T12:00:00.500Z")
    assert dict(found.refused) == {("eu", "not_allowed"): 1}
    assert (found.lost, found.receipts) == (7, 5)


def test_what_an_inner_route_adds_is_told_with_what_bound_the_call(path: Path) -> None:
    def receipt(**bound: str | None) -> bytes:
        made = Notary().receipts(call(attempt(), config="gone", at=FIRST + 5 * DAY))[0]
        return canonical({**json.loads(made), **bound})

    chain = Chain(str(path / "surefoot-receipts.jsonl"))
    chain.append([receipt(inner_jurisdiction="eu", inner_jurisdiction_version="00ff"), receipt()])
    chain.close()
    found = extract(path / "surefoot-receipts.jsonl", "2026-01-06", "2026-01-07")
    assert {way.jurisdiction for way in found.ways} == {"anywhere / eu", "anywhere"}
    assert {way.jurisdiction_version for way in found.ways} == {"00ff", ""}


def test_the_days_are_both_included_and_drilled_calls_are_not(path: Path) -> None:
    whole = extract(path / "surefoot-receipts.jsonl", "2026-01-01", "2026-01-04")
    assert sum(entry.sent for entry in whole.ways.values()) == 5
    done = export(path, "--from", "2026-01-01", "--to", "2026-01-02")
    assert done.returncode == 0
    sent = {row["operator"]: int(row["sent"]) for row in table(path / "out" / "transfers.csv")}
    assert sent == {"'=Example GmbH": 2, "Far Inc.": 2}  # what a spreadsheet would take for a formula is made text


def test_the_record_says_what_is_known_and_that_the_rest_is_not(path: Path) -> None:
    file = path / "surefoot.toml"
    more = '[receipts]\n[receipts.processing]\ncontroller = "Acme <Ltd>"\npurposes = ["support", "search"]\n'
    file.write_text(f"{file.read_text('utf-8')}\n{more}", encoding="utf-8")
    done = export(path, "--from", "2026-01-02", "--to", "2026-01-02")
    assert done.returncode == 0, done.stderr
    said = {row["what"]: row["said"] for row in table(path / "out" / "register.csv")}
    assert said["controller"] == "Acme <Ltd>"
    assert said["purposes"] == "support; search"
    assert said["categories of personal data"] == said["data protection officer"] == "unknown"
    assert said["tenants on whose behalf calls were made"] == "acme"
    assert "Far Inc. (seat: US; provider: openai-compatible; sub-processors: Helper (unknown))" in said["recipients"]
    assert "Far Inc., processing in US: SCC" in said["transfers and their tools"]
    assert said["retention at the recipients"] == "=Example GmbH: none, by contract; Far Inc.: 30 days".replace(
        "=", "'="
    )
    page = (path / "out" / "processing.html").read_text("utf-8")
    assert "Acme &lt;Ltd&gt;" in page
    assert "About 7 calls of these days left no receipt" in page
    assert "2026-01-02 to 2026-01-02" in page
    assert "not_allowed" in page
    assert "src=" not in page
    assert "href=" not in page


def test_nothing_is_exported_from_a_chain_that_was_changed(path: Path) -> None:
    chain = path / "surefoot-receipts.jsonl"
    chain.write_bytes(chain.read_bytes().replace(b'"tenant":"acme"', b'"tenant":"nice"', 1))
    done = export(path, "--from", "2026-01-01", "--to", "2026-01-02")
    assert done.returncode == 2
    assert "record 2 (line 2) was changed" in done.stderr
    assert not (path / "out").exists()


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [("2026-01-02", "2026-01-01", "--to is before --from"), ("soon", "2026-01-01", "takes a day")],
)
def test_days_that_cannot_be_meant_are_told(path: Path, first: str, last: str, words: str) -> None:
    done = export(path, "--from", first, "--to", last)
    assert (done.returncode, words in done.stderr) == (2, True)
