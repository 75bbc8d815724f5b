"""From what was asked to tasks: which there are, what differs in each, and what cannot be compared."""

from pathlib import Path

import duckdb
import numpy as np
import pytest
from msgspec.structs import replace
from tests.replay.files import CONFIG, Files, written
from tests.replay.paired import HOUR, MONDAY
from tests.replay.planned import TARGETS, traffic

from surefoot.errors import ConfigError, ReplayError, StartError
from surefoot.intake.incident import Reading
from surefoot.intake.parquet import JOINED_KEY
from surefoot.replay.counting.kept import ready
from surefoot.replay.counting.tally import WITHOUT, Sum, Time
from surefoot.replay.demand import Lengths
from surefoot.replay.files import Files as Given
from surefoot.replay.files import Opened, opened
from surefoot.replay.models.model import TargetModel, constant
from surefoot.replay.posing import Asked, Posed, pose, scaled, slower, with_places
from surefoot.replay.stress import read_stress
from surefoot.replay.task import perform


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return written(tmp_path_factory.mktemp("posing"), [step / 2 for step in range(8 * 48)])


def read(files: Files, asked: Asked, against: Path | None = None) -> Opened:
    given = Given(
        config=files.config, traffic=files.traffic, incidents=(files.incidents,), models=files.models, against=against
    )
    return opened(given, asked, {})


def posed(files: Files, **more: object) -> Posed:
    asked = Asked(**({"readings": tuple(Reading), "lags": (0.0,)} | more))  # type: ignore[arg-type]
    return pose(read(files, asked).material, asked)


def test_readings_and_stresses_are_scenarios_and_the_first_reading_is_the_base(files: Files) -> None:
    found = posed(files, stresses=(read_stress("busiest-hour=1h"),), vary=False)
    assert [(task.scenario, task.assumption, task.value) for task in found.tasks] == [
        ("any", "", "any"),
        ("partial", "reading", "partial"),
        ("major", "reading", "major"),
        ("any+busiest-hour=1h", "stress", "busiest-hour=1h"),
    ]
    assert [len(task.outages) for task in found.tasks] == [3, 2, 2, 4]
    assert any(sentence.startswith("busiest-hour=1h") for sentence in found.said)


def test_each_variation_changes_one_assumption_and_is_no_scenario(files: Files) -> None:
    found = posed(files, readings=(Reading.ANY,))
    base, *others = found.tasks
    assert {task.scenario for task in others} == {""}
    by = {(task.assumption, task.value): task for task in others}
    assert ("load coupling", "none") not in by  # the models file says what the targets take
    spare = {key: task.arms[0].models["spare"].requests_per_minute for key, task in by.items()}
    assert spare["fallback capacity", "half"] == 500
    assert spare["fallback capacity", "double"] == 2000
    assert {task.arms[0].models["primary"].requests_per_minute for task in others} == {1000}
    assert {one.share for one in by["failing", "50%"].outages} == {0.5}
    assert by["seed", "8"].seed == base.seed + 1
    untouched = [task for key, task in by.items() if key[0] == "fallback capacity"]
    assert all(task.outages == base.outages and task.seed == base.seed for task in untouched)


def test_halved_no_target_bears_less_than_it_carries(files: Files, tmp_path: Path) -> None:
    config = tmp_path / "surefoot.toml"
    routes = '[routes.chat]\ntargets = ["openai-us", "claude-us"]\n[routes.side]\ntargets = ["claude-us"]\n'
    config.write_text(TARGETS + routes, encoding="utf-8")
    listed = [{"at": MONDAY + n / 2, "route": "side" if n % 5 < 2 else "chat"} for n in range(2_000)]
    given = Given(config=config, traffic=traffic(tmp_path / "t.parquet", listed), incidents=(files.incidents,))
    asked = Asked(readings=(Reading.ANY,), lags=(0.0,))
    base, *others = pose(opened(given, asked, {}).material, asked).tasks
    (half,) = (one for one in others if (one.assumption, one.value) == ("fallback capacity", "half"))
    before, after = (
        {name: one.requests_per_minute for name, one in task.arms[0].models.items()} for task in (base, half)
    )
    assert before["openai-us"] == after["openai-us"] == pytest.approx(120, abs=1)  # it carries 72 of 120 calls a minute
    assert before["claude-us"] == pytest.approx(96, abs=2)
    assert after["claude-us"] == pytest.approx(48, abs=1)


def test_a_fallback_of_which_nobody_says_what_it_takes_is_replayed_without_being_slowed_too(tmp_path: Path) -> None:
    silent = written(tmp_path, [step / 2 for step in range(48)], models="[targets]\n")
    base, *others = posed(silent, readings=(Reading.ANY,)).tasks
    (free,) = (task for task in others if (task.assumption, task.value) == ("load coupling", "none"))
    for task, slowed in ((base, True), (free, False)):
        for arm in task.arms:
            assert (arm.models["spare"].servers is not None) is slowed
            assert arm.models["spare"].requests_per_minute == 1
    assert base.arms[0].models["primary"] == free.arms[0].models["primary"]
    assert (free.outages, free.seed) == (base.outages, base.seed)


def test_where_nothing_is_known_of_times_they_are_halved_and_doubled_and_nothing_else_is(tmp_path: Path) -> None:
    silent = written(tmp_path, [step / 2 for step in range(48)], models="[targets]\n")
    base, *others = posed(silent, readings=(Reading.ANY,)).tasks
    by = {(task.assumption, task.value): task for task in others}
    usual = base.arms[0].models["spare"]
    for word, factor in (("half", 0.5), ("double", 2.0)):
        task = by["default times", word]
        for arm in task.arms:
            for one in arm.models.values():
                assert one.ttft[0][0].at(0.5) == pytest.approx(factor * usual.ttft[0][0].at(0.5))
                assert one.rate[0][0].at(0.5) == pytest.approx(usual.rate[0][0].at(0.5) / factor)
        spare = task.arms[0].models["spare"]
        assert spare.servers == {"half": 2, "double": 4}[word]  # the fewest are two
        assert replace(spare, ttft=usual.ttft, rate=usual.rate, servers=usual.servers) == usual
        assert (task.outages, task.seed) == (base.outages, base.seed)


def test_places_that_are_assumed_grow_with_the_time_of_an_answer() -> None:
    model = TargetModel(target="t", ttft=constant(1), rate=constant(0), servers=10)
    lengths = Lengths(at=np.zeros(1), prompt=np.ones(1, np.int64), completion=np.ones(1, np.int64))
    assert with_places(slower(model, 2.0, ["ttft"]), model, lengths).servers == 20
    assert with_places(slower(model, 2.0, []), model, lengths).servers == 10
    assert with_places(slower(model, 0.01, ["ttft"]), model, lengths).servers == 2


@pytest.mark.parametrize(
    ("models", "targets"),
    [
        ('[targets.primary]\nround_trip = "9ms"\n', {"spare"}),
        ('[targets.primary]\nround_trip = "9ms"\n[targets.spare]\nround_trip = "9ms"\n', set()),
    ],
)
def test_a_round_trip_is_doubled_only_where_it_is_assumed(tmp_path: Path, models: str, targets: set[str]) -> None:
    base, *others = posed(written(tmp_path, [0.0, 1.0], models=models), readings=(Reading.ANY,)).tasks
    found = [task for task in others if (task.assumption, task.value) == ("round trip", "double")]
    assert len(found) == bool(targets)
    for task in found:
        for name, one in task.arms[0].models.items():
            assert one.round_trip == base.arms[0].models[name].round_trip * (2 if name in targets else 1)


def test_what_is_given_is_not_varied(files: Files) -> None:
    varied = {task.assumption for task in posed(files, readings=(Reading.ANY,)).tasks}
    assert "default times" not in varied
    assert "cap" not in varied  # no incident is longer


LONG = (
    "id,provider,start,end,severity,title\none,openai,2024-06-03T01:00Z,2024-06-05T01:00Z,major,Elevated error rates\n"
)


def test_the_cap_is_taken_off_where_it_cuts_anything(tmp_path: Path) -> None:
    long = written(tmp_path, [step / 2 for step in range(8 * 48)], incidents=LONG)
    base, *others = posed(long, readings=(Reading.ANY,)).tasks
    (uncut,) = (task for task in others if (task.assumption, task.value) == ("cap", "none"))
    assert [[one.end - one.start for one in task.outages] for task in (base, uncut)] == [[24 * HOUR], [48 * HOUR]]
    assert uncut.arms == base.arms


def test_what_was_asked_of_incidents_is_the_base_and_its_opposite_is_varied(tmp_path: Path) -> None:
    open_too = "open,openai,2024-06-07T01:00Z,,major,Elevated errors\nsite,openai,2024-06-08T01:00Z,2024-06-08T02:00Z,"
    some = written(tmp_path, [step / 2 for step in range(8 * 48)], incidents=f"{LONG}{open_too}major,ChatGPT is down\n")
    base, *others = posed(some, readings=(Reading.ANY,), cap=None, unknown_length=600.0, every_service=True).tasks
    assert {one.incident: one.end - one.start for one in base.outages} == {
        "one": 48 * HOUR, "open": 600.0, "site": HOUR,
    }  # fmt: skip
    by = {(task.assumption, task.value): {one.incident for one in task.outages} for task in others}
    assert by["unknown length", "leave-out"] == {"one", "site"}
    assert by["services", "chat"] == {"one", "open"}
    assert "cap" not in {assumption for assumption, _ in by}


def test_a_fallback_takes_a_call_a_minute_at_least() -> None:
    model = TargetModel(
        target="t", ttft=constant(1), rate=constant(1), servers=3, queue=5, requests_per_minute=1.0, tokens_per_minute=9
    )
    half = scaled(model, 0.5)
    assert (half.servers, half.queue, half.requests_per_minute, half.tokens_per_minute) == (2, 3, 1.0, 4.5)
    assert scaled(model, 0.5, call=7).tokens_per_minute == 7
    assert scaled(model, 0.5, call=100).tokens_per_minute == 9  # it never took such a call: it is not made to
    assert scaled(model, 2.0, call=7).tokens_per_minute == 18
    bare = TargetModel(target="t", ttft=constant(1), rate=constant(1))
    assert scaled(bare, 2.0) == bare


def test_the_hash_of_the_inputs_changes_with_every_input_but_the_seed(files: Files, tmp_path: Path) -> None:
    asked = Asked(readings=(Reading.ANY,), lags=(0.0,))
    usual = read(files, asked).inputs
    assert read(files, Asked(readings=(Reading.ANY,), lags=(0.0,), seed=99)).inputs == usual
    others = ({"readings": (Reading.MAJOR,)}, {"cap": None}, {"unknown_length": 60.0}, {"every_service": True})
    for other in others:
        assert read(files, replace(asked, **other)).inputs != usual, other
    hours = [step / 2 for step in range(8 * 48)]
    for number, changed in enumerate(
        (
            {"config": CONFIG + "\n[policy.breaker]\nstreak = 2\n"},
            {"incidents": "id,provider,start,end\none,openai,2024-06-04T01:00Z,2024-06-04T02:00Z\n"},
            {"models": "[targets]\n"},
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert read(written(folder, hours, **changed), asked).inputs != usual, changed
    shorter = tmp_path / "shorter"
    shorter.mkdir()
    assert read(written(shorter, hours[1:]), asked).inputs != usual


def test_secrets_stay_here(files: Files) -> None:
    asked = Asked(readings=(Reading.ANY,), lags=(0.0,))
    given = Given(config=files.config, traffic=files.traffic, incidents=(files.incidents,))
    material = opened(given, asked, {"NOT_SET": "sk-secret-of-nobody"}).material
    assert dict(material.ours.credentials) == {}


def test_an_entry_that_cannot_be_read_is_told_of(files: Files, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text(files.incidents.read_text() + "bad,openai,never,2024-06-03T02:00Z,major,no time\n")
    asked = Asked(readings=(Reading.ANY,), lags=(0.0,))
    found = opened(Given(config=files.config, traffic=files.traffic, incidents=(broken,)), asked, {})
    (told,) = found.unreadable
    assert told.startswith("1 of 4 entries of broken.csv could not be read, the first in line 5: start is no time;")


def test_a_configuration_without_a_route_that_is_asked_for_cannot_stand_against(files: Files, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(CONFIG.replace("[routes.chat]", "[routes.talk]"))
    asked = Asked(readings=(Reading.ANY,), lags=(0.0,))
    with pytest.raises(ReplayError, match="it has no route chat"):
        pose(read(files, asked, other).material, asked)


def test_all_files_that_cannot_be_read_are_told_at_once(tmp_path: Path) -> None:
    nowhere = [tmp_path / name for name in ("c.toml", "t.parquet", "i.csv", "m.toml")]
    given = Given(config=nowhere[0], traffic=nowhere[1], incidents=(nowhere[2],), against=nowhere[3])
    with pytest.raises(ConfigError) as told:
        opened(given, Asked(readings=(Reading.ANY,), lags=(0.0,)), {})
    assert all(any(file.name in fault for fault in told.value.faults) for file in nowhere)


def test_a_folder_that_cannot_hold_the_outcome_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="is a file, not a folder"):
        ready(tmp_path / "file" / "below")
    ready(tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder").is_dir()


def test_of_whom_nothing_is_known_to_hang_together_is_said(files: Files) -> None:
    told = "of these targets a call's first-token time says nothing of its token rate"
    (one,) = (sentence for sentence in posed(files).said if sentence.startswith(told))
    assert one.endswith(": primary, spare")


def test_that_attempts_could_not_be_joined_is_said(files: Files) -> None:
    apart = files.traffic.with_name("apart.parquet")
    with duckdb.connect() as base:
        base.execute(
            f"COPY (FROM '{files.traffic}' ORDER BY \"at\") TO '{apart}'"
            f" (FORMAT parquet, KV_METADATA {{'{JOINED_KEY}': 'false'}})"
        )
    asked = Asked(readings=(Reading.ANY,), lags=(0.0,))
    told = "the traffic does not tell which attempts belong to one call; a failed one and its repeat are two calls here"
    assert told not in pose(read(files, asked).material, asked).said
    assert told in pose(read(files._replace(traffic=apart), asked).material, asked).said


def test_one_call_is_one_call_and_one_target_fails_alone(tmp_path: Path) -> None:
    told = []
    for count in (1, 2):
        folder = tmp_path / str(count)
        folder.mkdir()
        some = written(folder, [0.0, 1.0, 2.0])
        calls = [
            {"at": MONDAY + n * HOUR, "failed": n < count, "route": "x" if n < count else "chat"} for n in range(3)
        ]
        traffic(some.traffic, calls)
        told.append(" | ".join(posed(some, stresses=(read_stress("busiest-hour=1h"),), vary=False).said))
    one, two = told
    assert "1 call failed when it was made;" in one
    assert "1 call for x / gpt-5-mini is taken to ask for" in one
    assert "2 calls failed when they were made;" in two
    assert "2 calls for x / gpt-5-mini are taken to ask for" in two
    assert "primary fails for 1h" in one


def test_where_nothing_fails_both_arms_of_a_task_have_the_same_times(tmp_path: Path) -> None:
    """To the last bin: so the task gives both the same seed, traffic and models."""
    models = """
[targets.primary]
ttft = { p50 = "500ms", p99 = "1s" }
rate = { p50 = 100, p1 = 50 }
"""
    quiet = written(tmp_path, [step / 2 for step in range(48)], models=models)
    base = posed(quiet, readings=(Reading.ANY,), vary=False).tasks[0]

    tally = perform(replace(base, outages=()), lambda _: None)

    (counts,) = tally.weeks.values()
    assert counts.sums[WITHOUT, Sum.CALLS] == 48
    assert np.count_nonzero(counts.times[WITHOUT, Time.TTFT]) > 10
    assert (counts.times[WITHOUT] == counts.times[1]).all()
    assert (counts.sums[WITHOUT] == counts.sums[1]).all()
