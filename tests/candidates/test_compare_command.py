"""`surefoot compare` end to end: numbers by hand, the same bytes again, every fault at once, drills."""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.drill.built import drilled, sheet
from tests.replay.files import CONFIG, MODELS, Files, written
from tests.replay.paired import HOUR, MONDAY, WEEK
from tests.replay.planned import traffic
from typer.testing import CliRunner, Result

from surefoot.cli.main import app
from surefoot.config.rates import default_rates
from surefoot.drill.history import keep
from surefoot.drill.shelf import Label
from surefoot.replay.arms import read_configuration

RUNNER = CliRunner()
ALONE = CONFIG.replace('targets = ["primary", "spare"]', 'targets = ["primary", "twin"]').replace(
    "[targets.spare]", "[targets.twin]"
).replace('provider = "openai-compatible"', 'provider = "openai"').replace("claude-sonnet-4-5", "gpt-5-mini").replace(
    'cloud = "anthropic"', 'cloud = "openai"'
)  # fmt: skip
"""The fallback is of the same provider, and falls with it."""
INCIDENTS = "id,provider,start,end,severity,title\n" + "".join(
    f"i{week},openai,2024-06-{3 + 7 * week:02}T01:00Z,2024-06-{3 + 7 * week:02}T03:00Z,major,Elevated error rates\n"
    for week in range(3)
)


class Made(NamedTuple):
    files: Files
    alone: Path

    def run(self, *more: str, out: str = "out") -> Result:
        options = self.files.options("-c", str(self.alone), "--processes", "1", "--p99-limit", "5s", *more, out=out)
        return RUNNER.invoke(app, ["compare", *options])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Three weeks with a call each minute of six hours, and a two-hour outage in each."""
    models = MODELS + '\n[targets.twin]\nttft = { p50 = "1s" }\nrate = { p50 = 100 }\nrequests_per_minute = 1000\n'
    files = written(tmp_path_factory.mktemp("compare"), [0.0], incidents=INCIDENTS, models=models)
    lengths = {"prompt_tokens": 1000, "completion_tokens": 100}
    at = [MONDAY + week * WEEK + minute * HOUR / 60 for week in range(3) for minute in range(360)]
    traffic(files.traffic, [{"at": one, **lengths} for one in at])
    alone = files.folder / "alone.toml"
    alone.write_text(ALONE, encoding="utf-8")
    return Made(files, alone)


@pytest.fixture(scope="module")
def compared(made: Made) -> dict[str, Any]:
    done = made.run("--json")
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    told["by_name"] = {fact["name"]: fact for fact in told["facts"]["facts"]}
    return told


def value(compared: dict[str, Any], name: str) -> Any:
    return compared["by_name"][name]["value"]


def test_one_covers_all_and_one_whose_fallback_falls_with_the_first_covers_nothing(compared: dict[str, Any]) -> None:
    assert value(compared, "surefoot.any.coverage.risk") == 1
    assert value(compared, "alone.any.coverage.risk") == 0
    assert value(compared, "difference.alone.any.coverage.risk") == -1
    assert value(compared, "surefoot.any.availability") == 1
    assert value(compared, "alone.any.availability") == pytest.approx(720 / 1080)
    assert value(compared, "surefoot.any.availability.without") == pytest.approx(720 / 1080)


def test_the_p99_of_the_fallback_is_a_failure_and_then_a_whole_answer_of_the_spare(compared: dict[str, Any]) -> None:
    p99 = compared["by_name"]["surefoot.any.fallback.end_to_end.p99"]
    assert 100 <= p99["n"] <= 360
    assert p99["value"] == pytest.approx(0.5 + 1.0 + 99 / 100, rel=0.01)  # the second incident fails after 0.5 s
    none = compared["by_name"]["alone.any.fallback.end_to_end.p99"]
    assert (none["value"], none["note"]) == (None, "0 such calls: a p99 needs 100")


def test_cost_is_that_of_the_tokens_of_who_answered(compared: dict[str, Any]) -> None:
    each = 1000 * 1e-6 + 100 * 10e-6
    assert value(compared, "surefoot.any.cost.per_call") == pytest.approx(each * (720 + 2 * 360) / 1080)
    assert value(compared, "alone.any.cost.per_call") == pytest.approx(each * 720 / 1080)
    assert value(compared, "surefoot.any.place.DE") == pytest.approx(1 / 3)


def test_the_matrix_says_what_is_decided_and_what_is_not_placed(compared: dict[str, Any]) -> None:
    ours, alone = compared["matrix"]
    assert (ours["name"], ours["p99_side"], ours["weekly"], ours["provisional"]) == ("surefoot", "crosses", 3, False)
    assert ours["p99_need"]["at_least"] is True  # fewer than 368 calls have no upper end
    assert (alone["name"], alone["verdict"]) == ("alone", "not placed")


def test_the_same_files_and_seed_give_the_same_bytes(made: Made) -> None:
    for out in ("first", "second"):
        assert made.run("--reading", "major", out=out).exit_code == 0
    kept = [
        {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (made.files.folder / out).iterdir()}
        for out in ("first", "second")
    ]
    assert kept[0] == kept[1]
    assert set(kept[0]) == {"facts.json", "matrix.svg", "compare.md", "compare.html"}


def test_a_comparison_that_is_in_the_folder_is_not_written_over_unasked(made: Made) -> None:
    folder = made.files.folder / "kept"
    folder.mkdir()
    kept = folder / "compare.md"
    kept.write_text("mine", encoding="utf-8")
    again = made.run("--reading", "major", out="kept")
    assert again.exit_code == 2
    assert "has a compare.md already; name another folder, or write over it with --force" in again.stderr
    assert [file.read_text(encoding="utf-8") for file in folder.iterdir()] == ["mine"]
    assert made.run("--reading", "major", "--force", out="kept").exit_code == 0
    assert kept.read_text(encoding="utf-8") != "mine"


def test_screen_and_page_say_where_each_stands_and_what_it_stands_on(made: Made) -> None:
    done = made.run("--reading", "any,major", out="told")
    assert done.exit_code == 0, done.output
    page = (made.files.folder / "told" / "compare.html").read_text(encoding="utf-8")
    text = (made.files.folder / "told" / "compare.md").read_text(encoding="utf-8")
    for words in (
        "surefoot: undecided. p99 of the fallback 2,",
        "The p99 crosses 5 s: at least ",
        "alone: not placed: 0 such calls: a p99 needs 100.",
        "coverage in the matrix is that of the replay: a mode that no incident had is not in it",
    ):
        assert words in done.stdout
        assert words in page
        assert words in text
    assert "| alone | chat | primary | twin |" in text
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")


def test_drills_of_every_candidate_take_the_place_of_the_replays_coverage(made: Made, tmp_path: Path) -> None:
    _drill(made.files.config, tmp_path, 18)
    done = made.run("--reading", "any", "--drills", str(tmp_path), out="one")
    assert "drills of surefoot are not in the matrix, because alone has none to be held against" in done.stdout
    _drill(made.alone, tmp_path, 3)
    done = made.run("--reading", "any", "--drills", str(tmp_path), "--json", out="both")
    told = json.loads(done.stdout)
    names = {fact["name"]: fact["value"] for fact in told["facts"]["facts"]}
    assert names["surefoot.drilled.coverage.risk"] == pytest.approx(18 / 20)
    assert names["alone.drilled.coverage.risk"] == pytest.approx(3 / 20)
    assert names["difference.alone.any.coverage.risk"] == pytest.approx(-15 / 20)
    assert [one["drilled"] for one in told["matrix"]] == [True, True]
    assert told["matrix"][0]["weekly"] == 1
    text = (made.files.folder / "both" / "compare.md").read_text(encoding="utf-8")
    assert "| silence | chat | 90.0 % [69.9 … 97.2 %] of 20 | 15.0 % [5.2 … 36.0 %] of 20 |" in text
    assert "uncovered by law" not in text


def test_a_drilled_mode_that_the_law_leaves_uncovered_is_told_so(made: Made, tmp_path: Path) -> None:
    _drill(made.files.config, tmp_path, 18)
    _drill(made.alone, tmp_path, 0, ("silence",))
    assert made.run("--reading", "any", "--drills", str(tmp_path), out="law").exit_code == 0
    text = (made.files.folder / "law" / "compare.md").read_text(encoding="utf-8")
    assert "| silence | chat | 90.0 % [69.9 … 97.2 %] of 20 | 0 % [0 … 16.1 %] of 20; uncovered by law |" in text
    assert "| coverage by risk, drilled | 90.0 % [" in text
    assert "| 0 % [0 … 0 %] |" in text


def test_of_two_routes_each_is_told_and_the_matrix_has_both(made: Made, tmp_path: Path) -> None:
    batch = '\n[routes.batch]\ntargets = ["primary"]\n'
    ours, other, calls = (tmp_path / name for name in ("ours.toml", "other.toml", "calls.parquet"))
    ours.write_text(CONFIG + batch, encoding="utf-8")
    other.write_text(CONFIG.replace('hedge = "0%"', 'hedge = "1%"') + batch, encoding="utf-8")
    traffic(calls, [{"at": MONDAY + at * 60, "route": "batch" if at % 4 == 0 else "chat"} for at in range(360)])
    drills = tmp_path / "drills"
    for route, k in (("chat", 20), ("batch", 0)):
        for file in (ours, other):
            _drill(file, drills, k, route=route)
    named = {"--traffic": calls, "--incidents": made.files.incidents, "--drills": drills, "-o": tmp_path / "out"}
    options = [str(part) for pair in named.items() for part in pair]
    options += ["-c", str(ours), "-c", str(other), "--processes", "1", "--reading", "any"]
    done = RUNNER.invoke(app, ["compare", *options])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "out" / "compare.md").read_text(encoding="utf-8")
    assert "| coverage by risk, drilled, route batch | 0 % [" in text
    assert "| coverage by risk, drilled, route chat | 100 % [" in text
    assert "| coverage by risk, drilled | 75.0 % [" in text
    assert "which 25.0% of the calls ask for" in text


def test_every_number_has_an_interval_or_says_why_it_has_none(made: Made, tmp_path: Path) -> None:
    one_week = tmp_path / "week.parquet"
    traffic(one_week, [{"at": MONDAY + minute * 60, "prompt_tokens": 1000} for minute in range(360)])
    done = made.run("--traffic", str(one_week), "--json", out="week")
    assert done.exit_code == 0, done.output
    bare = [
        fact["name"]
        for fact in json.loads(done.stdout)["facts"]["facts"]
        if fact["value"] is not None and fact["low"] is None and not fact["note"].startswith("no interval: ")
    ]
    assert [name for name in bare if not name.endswith((".shared", ".beta"))] == []  # declared, not measured
    text = (made.files.folder / "week" / "compare.md").read_text(encoding="utf-8")
    assert "| cost of a month | $" in text
    assert " [none: one calendar week] |" in text
    assert "| incidents in which calls failed without | 1 | 1 |" in text


def test_every_fault_of_the_options_and_files_is_told_at_once(made: Made, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    done = RUNNER.invoke(
        app,
        [
            *("compare", "-c", str(made.files.config), "-c", str(tmp_path / "none.toml")),
            *("--traffic", str(tmp_path / "none.parquet"), "--incidents", str(made.files.incidents)),
            *("-o", str(blocked), "--drills", str(tmp_path / "no"), "--reading", "sometimes"),
            *("--p99-limit", "soon", "--coverage-limit", "2", "--rates", str(tmp_path / "none-rates.toml")),
        ],
    )
    assert done.exit_code == 2
    for start in ("--p99-limit: ", "--coverage-limit: ", "--reading: 'sometimes'", "--out: ", "--drills: "):
        assert any(line.startswith(start) for line in done.stderr.splitlines()), (start, done.stderr)
    for name in ("none.toml", "none.parquet", "none-rates.toml"):
        assert name in done.stderr
    assert "Traceback" not in done.output


def test_one_candidate_and_two_of_one_name_are_refused(made: Made) -> None:
    options = made.files.options()
    one = RUNNER.invoke(app, ["compare", *options])
    assert one.exit_code == 2
    assert "-c: one candidate is no comparison" in one.stderr
    two = RUNNER.invoke(app, ["compare", *options, "-c", str(made.files.config)])
    assert "-c: 2 candidates are called `surefoot`" in two.stderr


@pytest.mark.parametrize(
    ("told", "instead", "why"),
    [
        ("[routes.chat]", "[routes.talk]", "other has no route chat, which the traffic asks for and surefoot has"),
        ("gpt-5-mini", "gpt-5", "`primary` is openai gpt-5-mini in surefoot and openai gpt-5 in other"),
    ],
)
def test_candidates_that_take_a_call_differently_are_refused(
    made: Made, tmp_path: Path, told: str, instead: str, why: str
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(CONFIG.replace(told, instead), encoding="utf-8")
    done = made.run("-c", str(other))
    assert done.exit_code == 2
    assert f"-c: {why}" in done.stderr


def test_one_configuration_under_two_names_is_told_to_be_one(made: Made, tmp_path: Path) -> None:
    again = tmp_path / "again.toml"
    again.write_text(CONFIG, encoding="utf-8")
    done = made.run("-c", str(again), "--reading", "any", out="again")
    assert " - surefoot and again are the same configuration (" in done.stdout


def test_a_target_that_nobody_has_is_told_with_each_name_once(made: Made, tmp_path: Path) -> None:
    models = tmp_path / "models.toml"
    models.write_text('[targets.nobody]\nttft = { p50 = "1s" }\n', encoding="utf-8")
    done = made.run("--models", str(models))
    assert done.exit_code == 2
    assert "known: primary, spare, twin\n" in done.stderr


def test_a_share_above_all_is_no_limit(made: Made) -> None:
    for told, why in (("150%", "nobody covers more than all; write 95%"), ("95", "95 is 9500%; did you mean 95%?")):
        done = made.run("--coverage-limit", told)
        assert done.exit_code == 2
        assert f"--coverage-limit: {why}" in done.stderr


def _drill(config: Path, folder: Path, k: int, forbidden: tuple[str, ...] = (), route: str = "chat") -> None:
    """A run of one mode, as `surefoot drill` keeps it."""
    rates = default_rates()
    calls = drilled("silence", k, 20)
    label = Label(
        made="2026-11-23T06:30:00+00:00", subject=f"{config.name}, route {route}, its own gateway", inputs="plan",
        modes=("silence",), config=read_configuration(config, {}).version, route=route,
        forbidden=forbidden,
    )  # fmt: skip
    keep(folder / config.stem / route, label, calls, sheet(calls, rates, modes=("silence",)), {})
