"""The real lists: their faults, and the minutes counted once more on a grid that shares no code with ours."""

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from benchmarks import evidence
from numpy.typing import NDArray

from surefoot.intake.incidents.mending import BACKWARDS, CAPPED, NO_LENGTH, OPEN
from surefoot.intake.incidents.reading import How, gather
from surefoot.intake.incidents.sheet import Sheet
from surefoot.intake.incidents.watching import Window, watched

START = datetime(2023, 7, 11, tzinfo=UTC)
MINUTES = (datetime(2025, 1, 10, tzinfo=UTC) - START).days * 1440
DAY = 1440
LAGS = {"0": 0, "1m": 1, "5m": 5, "20m": 20}
LEAST = {"any": 0, "partial": 2, "major": 3}


@pytest.fixture(scope="module")
def found(real_data: Path) -> Sheet:
    return evidence.incidents(real_data)


def spans(real_data: Path, provider: str, least: int) -> list[tuple[int, int]]:
    """Minutes since the window's start, at most a day each; levels above 3 are maintenance."""
    with gzip.open(real_data / "incidents.csv.gz", "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["provider"] == provider and row["source"] == "FAILS"]
    told = []
    for row in rows:
        level = float(row["severity"])
        if row["start_utc"] and (least == 0 or least <= level <= 3):
            begin, end = (datetime.fromisoformat(row[name]) - START for name in ("start_utc", "end_utc"))
            first, last = int(begin.total_seconds() // 60), int(end.total_seconds() // 60)
            told.append((first, min(last, first + DAY)))
    return told


def grid(told: list[tuple[int, int]]) -> NDArray[np.bool_]:
    minutes = np.zeros(MINUTES, bool)
    for start, end in told:
        minutes[max(start, 0) : max(end, 0)] = True
    return minutes


@pytest.mark.parametrize("reading", LEAST)
def test_avoided_minutes_and_residual_availability_are_those_of_a_minute_grid(
    real_data: Path, found: Sheet, reading: str
) -> None:
    primary = spans(real_data, "openai", LEAST[reading])
    down, fallback = grid(primary), grid(spans(real_data, "anthropic", LEAST[reading]))
    assert down.sum() > 5000
    for word, lag in LAGS.items():
        noticed = grid([(start, min(start + lag, end)) for start, end in primary])
        avoided = down & ~noticed & ~fallback
        name = f"openai>anthropic.{reading}.{word}"
        assert found.facts.named(f"{name}.down").value == pytest.approx(down.sum())
        assert found.facts.named(f"{name}.late").value == pytest.approx((down & noticed).sum())
        assert found.facts.named(f"{name}.avoided").value == pytest.approx(avoided.sum())
        left = 1 - (down.sum() - avoided.sum()) / MINUTES
        assert found.facts.named(f"{name}.residual").value == pytest.approx(left, abs=1e-12)


def test_lift_and_its_interval_are_those_of_a_minute_grid_drawn_by_weeks(real_data: Path, found: Sheet) -> None:
    down, fallback = (grid(spans(real_data, name, 0)) for name in ("openai", "anthropic"))
    lift = (down & fallback).mean() / (down.mean() * fallback.mean())
    fact = found.facts.named("openai+anthropic.any.lift")
    assert fact.value == pytest.approx(lift)

    week = (np.arange(MINUTES) + START.weekday() * DAY) // (7 * DAY)
    sums = [np.bincount(week, weights) for weights in (None, down, fallback, down & fallback)]
    random = np.random.default_rng(2024)
    drawn = []
    for _ in range(4000):
        picked = random.integers(len(sums[0]), size=len(sums[0]))
        watched, ours, theirs, both = (column[picked].sum() for column in sums)
        drawn.append(both * watched / (ours * theirs))
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert fact.low == pytest.approx(low, rel=0.05)
    assert fact.high == pytest.approx(high, rel=0.05)


def test_every_fault_of_the_lists_is_counted_and_every_unreadable_line_named(found: Sheet) -> None:
    file = found.files[0]
    assert file.entries == 1318
    assert [(one.line, one.why) for one in file.unreadable][:3] == [
        (794, "no start"),
        (795, "no start"),
        (1217, "no start"),
    ]
    assert len(file.unreadable) == 49
    assert found.faults[NO_LENGTH] == 137  # 10 %
    assert found.faults[CAPPED] == 26  # 18 of them FAILS'
    assert found.faults[BACKWARDS] == 2
    assert found.faults[OPEN] == 32
    assert round(found.mended[0].minutes or 0) == 27_036


def test_the_time_in_which_nobody_watched_is_no_availability(real_data: Path) -> None:
    told = gather([str(real_data / "incidents.csv.gz")], How()).told
    for provider in ("openai", "anthropic"):
        inside = Window(datetime(2025, 1, 11, tzinfo=UTC).timestamp(), datetime(2025, 12, 2, tzinfo=UTC).timestamp())
        assert watched(told, inside)[provider].spans == ()
        start, end = watched(told, Window())[provider].gaps[0]
        assert datetime.fromtimestamp(start, UTC).date() == datetime(2025, 1, 10, tzinfo=UTC).date()
        assert datetime.fromtimestamp(end, UTC) > datetime(2025, 12, 2, tzinfo=UTC)


def test_the_apis_alone_overlap_about_as_chance_would_have_it(real_data: Path) -> None:
    fact = evidence.incidents(real_data, evidence.APIS).facts.named("openai+anthropic.any.lift")
    assert fact.value == pytest.approx(1.13, abs=0.05)  # counted before by others, on the same list
    assert fact.low is not None
    assert fact.high is not None
    assert fact.low < 1 < fact.high


def test_the_page_holds_the_numbers_that_the_data_give(real_data: Path) -> None:
    page = evidence.PAGE.read_text(encoding="utf-8")
    assert evidence.written(page, real_data) == page
