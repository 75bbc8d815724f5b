"""Readers of incident lists, each on a made-up list of the true shape."""

import gzip
from datetime import datetime
from pathlib import Path

import pytest

from surefoot.errors import IntakeError
from surefoot.intake.incident import Incident, Reading, Severity
from surefoot.intake.incidents.heard import MAINTENANCE, UNKNOWN_SEVERITY
from surefoot.intake.incidents.plain import column_map
from surefoot.intake.incidents.reading import Format, Gathered, How, gather

LISTS = Path(__file__).parent / "lists"


def read(name: str, how: How | None = None) -> Gathered:
    return gather([str(LISTS / name)], how or How())


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def told(gathered: Gathered, identity: str) -> Incident:
    return next(one.incident for one in gathered.told if one.incident.id == identity)


def refused(gathered: Gathered) -> dict[int, str]:
    return {one.line: one.why for file in gathered.files for one in file.unreadable}


def test_a_status_page_says_when_it_began_and_the_worst_that_its_components_were() -> None:
    one = told(read("statuspage.json"), "a1b2c3d4e5f6")
    assert one.provider == "northwind"
    assert (one.start, one.end) == (at("2026-03-02T10:00:00Z"), at("2026-03-02T11:00:00Z"))
    assert one.severity is Severity.PARTIAL  # its impact alone says minor
    assert one.services == ("API", "Console")
    assert one.evidence == "https://stspg.example/one"
    assert not one.retrospective


def test_a_status_page_that_tells_only_when_it_was_over_is_retrospective() -> None:
    one = told(read("statuspage.json"), "a1b2c3d4e5f7")
    assert one.retrospective
    assert one.start == one.end == at("2026-03-03T07:00:00Z")
    assert one.severity is Severity.MAJOR


def test_an_open_incident_has_no_end_and_one_that_an_update_resolves_has_that_one() -> None:
    gathered = read("statuspage.json")
    assert told(gathered, "a1b2c3d4e5f8").end is None
    assert told(gathered, "a1b2c3d4e5f9").end == at("2026-03-05T09:00:00Z")


def test_entries_of_a_status_page_that_cannot_be_read_are_told_by_their_number() -> None:
    gathered = read("statuspage.json")
    assert refused(gathered) == {5: "start is no time", 6: "no id", 7: "no id"}
    assert gathered.files[0].entries == 7
    assert len(gathered.incidents) == 4


def test_the_provider_of_a_status_page_may_be_told() -> None:
    assert read("statuspage.json", How(provider="Acme")).told[0].incident.provider == "acme"


def test_stages_have_their_services_as_columns_and_their_severity_by_provider() -> None:
    gathered = read("incident_stages.csv")
    assert gathered.files[0].format is Format.FAILS
    first = told(gathered, "s1")
    assert (first.services, first.severity, first.evidence) == (("API", "ChatGPT"), Severity.PARTIAL, "FAILS")
    assert (first.start, first.end) == (at("2024-02-26T17:09:00Z"), at("2024-02-26T18:21:00Z"))
    assert told(gathered, "s2").retrospective
    assert not first.retrospective
    maintenance = told(gathered, "s3")
    assert (maintenance.severity, maintenance.faults) == (Severity.NONE, (MAINTENANCE,))
    assert told(gathered, "s4").severity is Severity.MAJOR  # 4 of this provider is a component's state
    assert told(gathered, "s4").services == ("REST API", "StabilityAI")
    odd = told(gathered, "s5")
    assert (odd.severity, odd.faults) == (None, (UNKNOWN_SEVERITY,))
    assert [reading for reading in Reading if odd.counts(reading)] == [Reading.ANY]
    assert refused(gathered) == {8: "no start"}  # line 8 of the file, behind a field of two lines


def test_the_same_columns_may_be_said_to_be_icpe25() -> None:
    assert read("incident_stages.csv", How(format=Format.ICPE25)).told[0].source == "ICPE'25"


def test_the_gathered_table_has_a_scale_per_source_and_times_in_utc() -> None:
    gathered = read("gathered.csv")
    assert gathered.files[0].format is Format.GATHERED
    assert told(gathered, "f1").severity is Severity.PARTIAL
    assert told(gathered, "f1").services == ("API", "Chat")
    assert told(gathered, "g1").severity is Severity.MAJOR
    assert told(gathered, "01KW2E6W0503W4NXJNCVAG8V6T").severity is Severity.MAJOR
    silent = told(gathered, "h2")
    assert (silent.severity, silent.faults) == (None, ())
    assert silent.end == at("2025-12-20T09:30:00Z")
    assert refused(gathered) == {
        13: "no start",
        15: "start is no time",
        16: "no provider",
        17: "4 fields under a header of 13",
    }


def test_days_of_outage_minutes_are_no_incidents() -> None:
    gathered = read("daily.csv")
    assert gathered.incidents == ()
    assert [(day.service, day.partial, day.major) for day in gathered.days][1] == ("api", 72 * 60, 72 * 60)
    assert refused(gathered) == {
        5: "more minutes of outage than a day has",
        6: "Date is no day",
        7: "partial_outage_minutes is no number of minutes",
    }


def test_a_plain_table_goes_by_its_map_and_guesses_no_time_zone() -> None:
    columns = column_map("start=opened, end=closed, provider=vendor, severity=level, services=parts")
    gathered = read("plain.csv", How(columns=columns))
    first, second, third = (one.incident for one in gathered.told)
    assert (first.provider, first.start, first.severity) == ("gamma", at("2026-01-04T23:00:00Z"), Severity.PARTIAL)
    assert first.services == ("api", "chat")
    assert (second.start, second.severity) == (1767913200, Severity.MAJOR)
    assert (third.end, third.severity, third.faults) == (None, None, (UNKNOWN_SEVERITY,))
    assert refused(gathered) == {4: "start has no time zone", 6: "start is no time"}


def test_the_impact_of_a_plain_table_is_in_the_words_of_statuspage(tmp_path: Path) -> None:
    file = tmp_path / "impacts.csv"
    file.write_text("start,impact\n2026-01-01T00:00Z,major\n", encoding="utf-8")
    gathered = gather([str(file)], How(provider="Acme"))
    assert gathered.told[0].incident.severity is Severity.PARTIAL


def test_a_packed_list_is_read_as_the_list(tmp_path: Path) -> None:
    packed = tmp_path / "gathered.csv.gz"
    packed.write_bytes(gzip.compress((LISTS / "gathered.csv").read_bytes()))
    assert gather([str(packed)], How()).told == read("gathered.csv").told


@pytest.mark.parametrize(
    ("content", "how", "why"),
    [
        ("a,b\n1,2\n", How(), "neither JSON nor a table in a known form"),
        ("", How(), "there is nothing in it"),
        ('{"page": {}}', How(), "JSON without a list `incidents`"),
        ('{"page": {}, "incidents": [{}]}', How(), "its page has no name; say with --provider"),
        ("a,b\n1,2\n", How(format=Format.GATHERED), "no column"),
        ("start\n2026-01-01T00:00Z\n", How(), "no column provider"),
        ("start,provider\n2026-01-01T00:00Z,x\n", How(columns={"end": "closed"}), r"no column closed \(end\)"),
    ],
)
def test_what_is_in_no_known_form_is_refused_with_what_to_do(tmp_path: Path, content: str, how: How, why: str) -> None:
    file = tmp_path / "list"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(IntakeError, match=why):
        gather([str(file)], how)


@pytest.mark.parametrize("text", ["begin=opened", "start", "start="])
def test_a_map_of_columns_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(IntakeError, match="--columns"):
        column_map(text)


def test_a_file_that_is_not_there_and_standard_input_without_a_form_are_refused() -> None:
    with pytest.raises(IntakeError, match="cannot be read"):
        read("nothing.csv")
    with pytest.raises(IntakeError, match="--format"):
        gather(["-"], How())


def test_rows_without_an_id_in_two_files_are_two_incidents(tmp_path: Path) -> None:
    files = [tmp_path / "may.csv", tmp_path / "june.csv"]
    for month, file in enumerate(files, 5):
        file.write_text(f"start,end,provider\n2026-0{month}-01T00:00Z,2026-0{month}-01T01:00Z,x\n")
    gathered = gather([str(file) for file in files], How())
    assert [one.incident.id for one in gathered.incidents] == [f"{file} line 2" for file in files]


@pytest.mark.parametrize("start", ["2026", "1767225600000", "nan", "-5"])
def test_a_number_that_is_no_unix_time_is_no_time(tmp_path: Path, start: str) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"start,end,provider\n{start},,x\n1767225600,,x\n")
    gathered = gather([str(file)], How())
    assert refused(gathered) == {2: "start is no time"}
    assert gathered.incidents[0].incident.start == 1767225600
