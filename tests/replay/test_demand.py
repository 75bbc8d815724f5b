"""What a traffic file asks for in time, counted by hand."""

from pathlib import Path

import numpy as np
import pytest
from tests.replay.planned import numbered, traffic

from surefoot.errors import ReplayError
from surefoot.replay.demand import demand_of

HOUR = 472_000 * 3_600.0


def test_the_busiest_hour_is_one_of_the_clock_and_the_busiest_minute_is_any(tmp_path: Path) -> None:
    offsets = [10.0, 3_599.0, 3_601.0, 3_602.0, 3_659.0, 3_661.0, 9_000.0]
    calls = [
        {"at": HOUR + offset, "prompt_tokens": 100 * number, "completion_tokens": 1, "route": route}
        for number, (offset, route) in enumerate(zip(offsets, ["a", "b", "b", None, "a", "b", "b"], strict=True))
    ]
    found = demand_of(traffic(tmp_path / "traffic.parquet", calls))
    assert (found.calls, found.span) == (7, (HOUR + 10, HOUR + 9_000))
    assert (found.busiest_hour, found.busiest_calls) == (HOUR + 3_600, 4)
    assert (found.peak_requests, found.peak_tokens) == (4, 201 + 301 + 401 + 501)
    assert found.largest_call == 601
    assert list(found.routes.items()) == [("b", 4), ("a", 2), ("", 1)]


def test_the_earliest_of_two_hours_that_are_as_busy_is_taken(tmp_path: Path) -> None:
    calls = [{"at": HOUR + offset} for offset in (9_000.0, 10.0)]
    assert demand_of(traffic(tmp_path / "traffic.parquet", calls)).busiest_hour == HOUR


def test_what_is_no_traffic_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match=r"is no traffic file: .*surefoot import"):
        demand_of(tmp_path / "none.parquet")
    text = tmp_path / "text.parquet"
    text.write_text("no parquet", encoding="utf-8")
    with pytest.raises(ReplayError, match="is no traffic file"):
        demand_of(text)
    with pytest.raises(ReplayError, match="has no calls"):
        demand_of(traffic(tmp_path / "empty.parquet", []))


def test_the_busiest_minute_is_found_though_it_begins_in_one_batch_and_ends_in_the_next(tmp_path: Path) -> None:
    steps = np.ones(70_000)
    steps[65_500:65_600] = 0.1  # 65,536 rows are read at once
    at = HOUR + np.cumsum(steps)
    found = demand_of(numbered(tmp_path / "traffic.parquet", at))
    most = (np.searchsorted(at, at + 60, side="right") - np.arange(len(at))).max()
    assert most > 140
    assert (found.peak_requests, found.peak_tokens) == (most, 601 * most)


def test_unknown_tokens_are_filled_in_by_the_median(tmp_path: Path) -> None:
    calls: list[dict[str, float | None]] = [
        {"at": HOUR, "prompt_tokens": None, "completion_tokens": 0},
        {"at": HOUR + 3_000, "prompt_tokens": 40, "completion_tokens": 2},
        {"at": HOUR + 6_000, "prompt_tokens": 20, "completion_tokens": 4},
    ]
    assert demand_of(traffic(tmp_path / "traffic.parquet", calls)).peak_tokens == 42
    unknown = [{"at": HOUR, "prompt_tokens": None, "completion_tokens": None}]
    assert demand_of(traffic(tmp_path / "unknown.parquet", unknown)).peak_tokens == 512
