"""Single incidents of a replay: as long as each was, or a fault; never their mean in their place."""

from pathlib import Path
from statistics import fmean, pvariance

import numpy as np
import pytest
from tests.worth.replayed import keep_incidents
from tests.worth.test_risk_file import HEAD, faults, hazard, read, replayed, sheet_with

from surefoot.evidence import Known, Sample
from surefoot.facts import Fact
from surefoot.worth.sheet import sheet_of
from surefoot.worth.singles import lengths, level

LENGTHS = (2.0, 3, 4, 5, 6, 8, 10, 12, 20, 50, 120, 360)
"""Together 600 minutes."""
RISK = 'replay = "any.all"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keep_incidents(tmp_path, {"any": LENGTHS, "major": (1.0, 2.0)})
    return replayed(tmp_path)


def test_a_replayed_incident_lasts_as_long_as_one_that_was(folder: Path) -> None:
    assert hazard(folder, RISK, folder).minutes == Sample(LENGTHS)
    assert hazard(folder, RISK, folder / "facts.json").minutes == Sample(LENGTHS)


def test_their_mean_is_told_with_its_interval_and_how_it_is_known(folder: Path) -> None:
    told = read(folder, HEAD + '[[risks]]\nname = "a"\n' + RISK, folder)
    fact = sheet_of(told, 10_000, 3).named("input.a.lasts")
    assert (fact.value, fact.n) == (50, 12)
    assert fact.low is not None
    assert fact.high is not None
    assert fact.low < 30
    assert fact.high > 80
    assert fact.method == "12 single incidents, up to 360 minutes, Bayesian bootstrap"


def test_what_is_saved_is_in_as_much_doubt_as_single_incidents_put_it(folder: Path) -> None:
    """The sum of a Poisson number of such incidents: its relative variance is `E[x^2] / (n E[x]^2)`."""
    money = '[business]\nrevenue = "$1/minute"\n'
    facts = sheet_of(read(folder, HEAD + money + '[[risks]]\nname = "a"\n' + RISK, folder), 200_000, 3)
    minutes = facts.named("minutes.without")
    assert minutes.value == pytest.approx(12.5 / 0.5 * 50, rel=0.03)
    assert minutes.high is not None
    assert minutes.low is not None
    width = (minutes.high - minutes.low) / (minutes.value or 1)
    square = pvariance(LENGTHS) / fmean(LENGTHS) ** 2
    by_hand = 2 * 1.96 * ((1 + square) / 12) ** 0.5
    assert width == pytest.approx(by_hand, rel=0.15)
    assert width > 1.4 * 2 * 1.96 / 12**0.5  # what the number of incidents alone leaves in doubt


def test_the_hash_of_inputs_is_also_of_single_incidents(folder: Path) -> None:
    told = HEAD + '[[risks]]\nname = "a"\n' + RISK
    first = sheet_of(read(folder, told, folder), 10_000, 3).inputs
    keep_incidents(folder, {"any": [50.0] * 12})
    assert sheet_of(read(folder, told, folder), 10_000, 3).inputs != first


def test_a_lag_is_felt_for_so_long_that_short_incidents_leave_no_more_than_they_last() -> None:
    for mean in (0.0, 1.0, 2.0, 7.5, 49.0, 50.0):
        felt = level(LENGTHS, mean)
        assert np.minimum(LENGTHS, felt).mean() == pytest.approx(mean)
    assert level(LENGTHS, 51.0) == 360
    assert level((0.0, 4.0), 1.0) == 2


def test_groups_are_those_of_the_replay(tmp_path: Path) -> None:
    rows = [(3.0, "acme", "hang"), (4.0, "acme", "http_500"), (5.0, "zeta", "hang")]
    keep_incidents(tmp_path, {"any": rows, "any+busiest-hour": [9.0]})
    for group, expected in (
        ("any.outages", (3, 4, 5)),
        ("any.provider.acme", (3, 4)),
        ("any.mode.hang", (3, 5)),
        ("any.provider.acme.mode.hang", (3,)),
        ("any+busiest-hour.all", (9,)),
    ):
        assert lengths(tmp_path, group, len(expected), sum(expected)) == expected, group


def test_single_incidents_that_cannot_be_had_are_a_fault_and_lasts_by_hand_needs_none(folder: Path) -> None:
    told = HEAD + '[[risks]]\nname = "a"\n' + RISK
    (folder / "incidents.parquet").unlink()
    (fault,) = faults(folder, told, folder)
    assert "in incidents.parquet, which is not beside its facts: name the replay's whole folder" in fault
    assert hazard(folder, RISK + 'lasts = "50m"\n', folder).minutes == Known(50)
    (folder / "incidents.parquet").write_text("no table")
    (fault,) = faults(folder, told, folder)
    assert "has no table of incidents in incidents.parquet" in fault
    keep_incidents(folder, {"any": LENGTHS[:-1]})
    (fault,) = faults(folder, told, folder)
    assert "has 12 incidents of 600 minutes, and incidents.parquet has 11 of 240" in fault
    assert fault.endswith("tell lasts by hand")


def test_an_incident_that_failed_in_two_modes_cannot_be_shared_out(tmp_path: Path) -> None:
    keep_incidents(tmp_path, {"any": [(10.0, "acme", "hang, http_500")]})
    facts = [("incidents.seen", 1.0), ("minutes.without", 4.0), ("minutes.avoided", 4.0)]
    sheet_with(tmp_path, *(Fact(name=f"any.mode.hang.{name}", value=value, unit="", n=1) for name, value in facts))
    (fault,) = faults(tmp_path, HEAD + '[[risks]]\nname = "a"\nreplay = "any.mode.hang"\n', tmp_path)
    assert "failed in several modes" in fault
