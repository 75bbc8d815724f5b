"""Months as they were: by hand, or from lists of incidents under the three readings, and never of a month unwatched."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.worth.test_risk_file import HEAD, RISK, faults, read

from surefoot.evidence import Events, Sample
from surefoot.intake.incident import Reading
from surefoot.report.by_use import basis
from surefoot.worth.given import inputs
from surefoot.worth.reading import Read

INCIDENTS = """start,end,provider,severity
2025-12-20T00:00:00Z,2025-12-20T01:00:00Z,acme,minor
2026-01-31T23:00:00Z,2026-02-01T02:00:00Z,acme,major
2026-02-10T00:00:00Z,2026-02-10T04:00:00Z,acme,partial
2026-02-10T03:00:00Z,2026-02-10T05:00:00Z,acme,minor
2026-04-02T00:00:00Z,2026-04-02T01:00:00Z,acme,minor
"""
TABLE = '[uptime]\nfirst = "2026-01"\nlast = "2026-02"\nprovider = "acme"\nincidents = ["list.csv"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "list.csv").write_text(INCIDENTS)
    return tmp_path


def test_an_incident_counts_in_each_month_for_what_lies_in_it_and_overlaps_count_once(folder: Path) -> None:
    months = read(folder, HEAD + RISK + TABLE).months
    assert months is not None
    january, february = 31 * 24, 28 * 24
    assert months.count == 2
    assert months.uptimes[Reading.ANY] == pytest.approx([100 * (1 - 1 / january), 100 * (1 - 7 / february)])
    assert months.uptimes[Reading.PARTIAL] == pytest.approx([100 * (1 - 1 / january), 100 * (1 - 6 / february)])
    assert months.uptimes[Reading.MAJOR] == pytest.approx([100 * (1 - 1 / january), 100 * (1 - 2 / february)])


UNTOLD = """start,end,provider,severity,title
2025-12-20T00:00:00Z,2025-12-20T01:00:00Z,acme,minor,Elevated errors
2026-01-05T00:00:00Z,2026-01-05T02:00:00Z,acme,major,Elevated errors of the API
2026-01-05T01:00:00Z,2026-01-05T01:00:00Z,acme,major,Elevated errors
2026-01-20T00:00:00Z,2026-01-20T00:00:00Z,acme,major,Elevated errors
2026-02-03T00:00:00Z,,acme,minor,Elevated errors
2026-02-10T00:00:00Z,2026-02-10T04:00:00Z,acme,major,Fine-tuning jobs are delayed
2026-02-12T00:00:00Z,,acme,major,Billing page unavailable
2026-04-02T00:00:00Z,2026-04-02T01:00:00Z,acme,minor,Elevated errors
"""
"""Two of unknown length stand alone, one falls into an outage, and two are about another service."""
HISTORY = '[[risks]]\nname = "a"\nhistory = "any"\ncoverage = "80%"\n'


def test_outages_of_unknown_length_are_in_the_rate_and_other_services_are_not_and_both_are_told(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(UNTOLD)
    told = read(tmp_path, HEAD + HISTORY + TABLE)
    (hazard,) = told.stake.hazards
    assert hazard.rate == Events(3, 59 / 365.25)
    assert hazard.minutes == Sample((120,))
    said = (
        "outages of known length 1, of unknown length 2 (in the rate, in no uptime); "
        "left out, about another service than a chat by API, 2"
    )
    assert [*basis(told)] == [f"a: history under `any`: {said}"]
    facts = {fact.name: fact for fact in inputs(told)}
    assert said in facts["input.a.rate"].note
    assert facts["input.a.rate"].n == 3
    assert told.months is not None
    assert told.months.uptimes[Reading.ANY][1] == 100
    under_major = told.readings["major"]
    assert isinstance(under_major, Read)
    assert under_major.stake.hazards[0].rate == Events(2, 59 / 365.25)


def test_every_service_counts_where_the_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(UNTOLD)
    told = read(tmp_path, HEAD + HISTORY + TABLE + "every_service = true\n")
    (hazard,) = told.stake.hazards
    assert (hazard.rate, hazard.minutes) == (Events(5, 59 / 365.25), Sample((120, 240)))
    assert told.months is not None
    assert told.months.uptimes[Reading.ANY][1] == pytest.approx(100 * (1 - 4 / (28 * 24)))
    by_hand = '[uptime]\nfirst = "2026-01"\nsource = "x"\nany = ["99%"]\npartial = ["99%"]\nmajor = ["99%"]\n'
    (fault,) = faults(tmp_path, HEAD + RISK + by_hand + "every_service = true\n")
    assert fault == "uptime.every_service: is of incidents; of months told by hand leave it out"


def test_a_month_that_was_not_watched_to_its_end_is_refused(folder: Path) -> None:
    (told,) = faults(folder, HEAD + RISK + TABLE.replace("2026-02", "2026-04"))
    assert told.startswith("uptime.first: not wholly watched by the incidents' sources: 2026-04; they reach 2025-12-20")


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ('"acme"', '"acne"', "uptime.provider", "did you mean `acme`?"),
        ('"2026-02"', '"2026-13"', "uptime.last", "a month is year and month"),
        ('"2026-02"', '"2025-12"', "uptime.last", "has to be in or after 2026-01"),
        ('provider = "acme"\n', "", "uptime", "incidents need provider and last"),
        ('"list.csv"', '"lost.csv"', "uptime.incidents", "cannot be read"),
    ],
)
def test_months_that_cannot_be_had_say_why(folder: Path, old: str, new: str, path: str, words: str) -> None:
    (told,) = faults(folder, HEAD + RISK + TABLE.replace(old, new))
    assert told.startswith(f"{path}: ")
    assert words in told


def test_by_hand_the_three_readings_are_of_the_same_months_and_rise(tmp_path: Path) -> None:
    told = '[uptime]\nfirst = "2026-01"\nsource = "x"\nany = ["99%"]\npartial = ["99.5%"]\nmajor = ["100%"]\n'
    months = read(tmp_path, HEAD + RISK + told).months
    assert months is not None
    assert months.uptimes == {Reading.ANY: [99], Reading.PARTIAL: [99.5], Reading.MAJOR: [100]}
    assert "tell each of the same" in faults(tmp_path, HEAD + RISK + told.replace('["99%"]', '["99%", "98%"]'))[0]
    assert "uptime rises" in faults(tmp_path, HEAD + RISK + told.replace('["99%"]', '["99.9%"]'))[0]
    assert "needs any, partial, major" in faults(tmp_path, HEAD + RISK + told.replace('major = ["100%"]\n', ""))[0]


def test_on_real_incidents_a_minute_grid_counts_the_same(tmp_path: Path, real_data: Path) -> None:
    path = real_data / "incidents.csv.gz"
    table = TABLE.replace("2026-01", "2024-03").replace("2026-02", "2024-03").replace("acme", "openai")
    months = read(tmp_path, HEAD + RISK + table.replace("list.csv", str(path))).months
    assert months is not None
    from surefoot.intake.incidents.reading import How, gather  # noqa: PLC0415 - the incidents as they were mended
    from surefoot.replay.outages.planning import is_elsewhere  # noqa: PLC0415 - the replay's rule

    start, day = datetime(2024, 3, 1, tzinfo=UTC), timedelta(days=1)
    minutes = 31 * 24 * 60
    for reading in Reading:
        down = bytearray(minutes)
        for one in (heard.incident for heard in gather([str(path)], How()).incidents):
            if one.provider == "openai" and one.counts(reading) and one.end is not None and not is_elsewhere(one):
                end = min(one.end, one.start + day.total_seconds())
                first = max(round((one.start - start.timestamp()) / 60), 0)
                for minute in range(first, min(round((end - start.timestamp()) / 60), minutes)):
                    down[minute] = 1
        assert months.uptimes[reading][0] == pytest.approx(100 * (1 - sum(down) / minutes), abs=0.05)
        assert sum(down) > 0 or reading is Reading.MAJOR
