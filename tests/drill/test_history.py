"""Runs are kept, never written over, and held against the last comparable one."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.drill.built import drilled, rates, repetition, sheet, warm

from surefoot.drill.history import Changes, Measure, compare, keep
from surefoot.drill.repetition import Repetition
from surefoot.drill.shelf import CHANGES, COVERAGE, JOURNAL, REPETITIONS, RUN, Label, ready
from surefoot.errors import StartError
from surefoot.evidence import newcombe, percentile, wilson
from surefoot.facts import read

ONE = rates({"silence": (4, 30)})


def label(day: int, **changed_parts: Any) -> Label:
    told = {"made": f"2026-11-{day:02}T06:30:00+00:00", "subject": "surefoot.toml, chat", "inputs": "a"}
    return Label(**(told | changed_parts))


def kept(out: Path, day: int, calls: list[Repetition], **changed_parts: Any) -> tuple[Path, Changes | None]:
    return keep(out, label(day, **changed_parts), calls, sheet(calls, ONE), {"status": "completed"})


def by_name(measures: Iterable[Measure]) -> dict[str, Measure]:
    return {measure.change.name: measure for measure in measures}


def test_a_run_is_a_folder_by_its_utc_time_that_holds_all_of_it(tmp_path: Path) -> None:
    calls = [*drilled("silence", 3, 4), *warm("silence", 1, 1)]
    folder, changes = kept(tmp_path / "runs", 10, calls, made="2026-11-10T08:30:00+02:00")
    assert folder == tmp_path / "runs" / "2026-11-10T063000Z"
    assert changes is None
    assert {path.name for path in folder.iterdir()} == {COVERAGE, JOURNAL, REPETITIONS, RUN}
    assert read((folder / COVERAGE).read_bytes()) == sheet(calls, ONE)
    assert json.loads((folder / JOURNAL).read_text()) == {"status": "completed"}
    lines = (folder / REPETITIONS).read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=Repetition) for line in lines] == calls


def test_a_run_is_never_written_over(tmp_path: Path) -> None:
    folder, _ = kept(tmp_path, 10, drilled("silence", 3, 4))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(StartError, match="not written over"):
        kept(tmp_path, 10, drilled("silence", 4, 4))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StartError, match="cannot be written"):
        kept(tmp_path / "runs", 10, drilled("silence", 3, 4))


def test_a_run_is_held_against_the_newest_earlier_one_of_its_subject(tmp_path: Path) -> None:
    kept(tmp_path, 1, drilled("silence", 0, 50))
    kept(tmp_path, 8, drilled("silence", 20, 50))
    kept(tmp_path, 9, drilled("silence", 50, 50), subject="other.toml, chat")
    kept(tmp_path, 16, drilled("silence", 50, 50))
    folder, changes = kept(tmp_path, 15, drilled("silence", 45, 50), inputs="b")
    assert changes is not None
    assert (changes.since, changes.same_inputs) == ("2026-11-08T06:30:00+00:00", False)
    share = by_name(changes.measures)["change.silence.cold.mitigated"]
    assert (share.then.value, share.now.value) == (0.4, 0.9)
    assert share.change.value == pytest.approx(0.9 - 0.4)
    assert (share.now.low, share.now.high) == wilson(45, 50)
    assert (share.change.low, share.change.high) == newcombe((45, 50), (20, 50))
    assert share.changed
    assert msgspec.json.decode((folder / CHANGES).read_bytes(), type=Changes) == changes


def test_a_partial_run_says_so_in_its_name_and_is_held_against_nothing_nor_anything_against_it(tmp_path: Path) -> None:
    kept(tmp_path, 1, drilled("silence", 50, 50))
    folder, changes = kept(tmp_path, 8, drilled("silence", 0, 50), status="aborted")
    assert (folder.name, changes) == ("2026-11-08T063000Z-aborted", None)
    _, changes = kept(tmp_path, 9, drilled("silence", 50, 50))
    assert changes is not None
    assert changes.since == "2026-11-01T06:30:00+00:00"


def test_a_run_of_some_modes_does_not_hide_the_last_run_of_more_modes(tmp_path: Path) -> None:
    both = [*drilled("silence", 50, 50), *drilled("silence", 9, 9)]
    kept(tmp_path, 1, both, modes=("silence", "stall"))
    _, few = kept(tmp_path, 2, both, modes=("silence",))
    _, all_again = kept(tmp_path, 3, both, modes=("silence", "stall"))
    assert few is not None
    assert all_again is not None
    assert (few.since[:10], all_again.since[:10]) == ("2026-11-01", "2026-11-01")


@pytest.mark.parametrize("below", ["", "file", "file/deeper"])
def test_where_nothing_can_be_kept_it_is_said_before_the_drill(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    if below:
        with pytest.raises(StartError, match="is a file, not a folder; name another folder"):
            ready(tmp_path / below)
        return
    ready(tmp_path / "runs" / "chat")
    assert list((tmp_path / "runs" / "chat").iterdir()) == []
    with pytest.raises(StartError, match="cannot be written"):
        ready(Path("/proc/surefoot"))
    with pytest.raises(StartError, match="cannot be written: File name too long"):  # refused already when looked at
        ready(tmp_path / ("x" * 300))


@pytest.mark.parametrize("file", [RUN, REPETITIONS])
def test_a_broken_earlier_run_is_named_before_the_drill(tmp_path: Path, file: str) -> None:
    folder, _ = kept(tmp_path, 8, drilled("silence", 20, 50))
    ready(tmp_path)
    (folder / file).write_text("{")
    with pytest.raises(StartError, match="move its folder away"):
        ready(tmp_path)


def test_a_run_of_another_version_is_not_compared_with(tmp_path: Path) -> None:
    folder, _ = kept(tmp_path, 8, drilled("silence", 20, 50))
    kept_label = json.loads((folder / RUN).read_text()) | {"version": 0}
    (folder / RUN).write_text(json.dumps(kept_label))
    assert kept(tmp_path, 9, drilled("silence", 20, 50))[1] is None


@pytest.mark.parametrize("file", [RUN, REPETITIONS])
def test_a_broken_earlier_run_is_named_and_not_passed_over(tmp_path: Path, file: str) -> None:
    folder, _ = kept(tmp_path, 8, drilled("silence", 20, 50))
    (folder / file).write_text("{")
    with pytest.raises(StartError, match=file):
        kept(tmp_path, 9, drilled("silence", 20, 50))


def test_a_slower_fallback_is_a_change_and_the_same_one_again_is_not() -> None:
    then, again = drilled("silence", 600, 600, seed=1), drilled("silence", 600, 600, seed=2)
    slower = drilled("silence", 600, 600, seed=3, scale=1.5)
    same, worse = by_name(compare(again, then)), by_name(compare(slower, then))
    for quantile, q in (("p50", 0.5), ("p99", 0.99)):
        name = f"change.silence.cold.end_to_end.{quantile}"
        assert not same[name].changed
        assert worse[name].changed
        ours, theirs = ([one.end_to_end for one in calls if one.end_to_end] for calls in (slower, then))
        value, low, high = percentile(ours, q, 0.975)
        base, base_low, base_high = percentile(theirs, q, 0.975)
        assert high is not None
        assert base_high is not None
        assert (worse[name].now.value, worse[name].then.value) == (value, base)
        fact = worse[name].change
        assert (fact.value, fact.low, fact.high) == (value - base, low - base_high, high - base_low)
    assert not same["change.silence.cold.mitigated"].changed


def test_a_p99_of_few_calls_is_refused_and_no_change() -> None:
    measures = by_name(compare(drilled("silence", 99, 99, scale=9), drilled("silence", 200, 200)))
    late = measures["change.silence.cold.end_to_end.p99"]
    assert (late.change.value, late.change.note) == (None, "n<100")
    assert not late.changed
    assert measures["change.silence.cold.end_to_end.p50"].changed


def test_a_median_of_six_calls_has_no_interval_and_is_no_change() -> None:
    measures = by_name(compare(drilled("silence", 6, 6, scale=9), drilled("silence", 6, 6)))
    median = measures["change.silence.cold.end_to_end.p50"]
    assert median.change.value is not None
    assert (median.change.low, median.change.high, median.change.confidence) == (None, None, None)
    assert not median.changed


def test_cold_and_warm_are_compared_apart_and_only_what_was_drilled_in_both() -> None:
    now = [*drilled("silence", 10, 10), *drilled("stall", 5, 5), *warm("silence", 5, 10)]
    then = [
        *drilled("silence", 10, 10),
        *drilled("cut", 5, 5),
        *warm("silence", 10, 10),
        repetition("stall", warm=True),
    ]
    measures = by_name(compare(now, then)).items()
    shares = {name: measure.change.value for name, measure in measures if name.endswith("mitigated")}
    assert shares == {"change.silence.cold.mitigated": 0, "change.silence.warm.mitigated": -0.5}
