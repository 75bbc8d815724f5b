"""What stands around the tables of a drill: heading, changes, verdict; and the progress while it goes on."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from tests.drill.built import drilled, rates, repetition, sheet

from surefoot.cli.drill_progress import ProgressLine, sentence
from surefoot.config.configuration import Configuration
from surefoot.drill.guard import Steady
from surefoot.drill.history import Changes, compare
from surefoot.drill.house import live
from surefoot.drill.pace import Progress
from surefoot.drill.plan import DrillOptions
from surefoot.drill.repetition import Repetition
from surefoot.drill.runner import DrillRun
from surefoot.drill.written import Kept
from surefoot.report.changes import changes_of
from surefoot.report.heading import LEGEND, heading, legend, warnings
from surefoot.report.verdict import verdict

EXAMPLES = Path(__file__).parents[2] / "examples"
WEIGHTS = rates({"silence": (4, 30), "stall": (2, 120)})
SINCE = "2026-11-17T06:30:00+00:00"


def configured(name: str) -> Configuration:
    return live(EXAMPLES / name, {"OPENAI_API_KEY": "a", "MISTRAL_API_KEY": "b"}, forward=False)


def ran(status: str = "completed", *, well_after: bool = True, **changed: Any) -> DrillRun:
    well = Steady(10, 10, 5.0, 0.2, 0.0, 1.0)
    told: dict[str, Any] = {
        "config": "c",
        "routes": ("chat",),
        "modes": ("silence", "stall"),
        "targets": {"chat": 3},
        "start": 0.0,
        "end": 31.4,
        "status": status,
        "before": well,
        "after": well if well_after else Steady(10, 7, 5.0, 6.5, 0.0, 1.0),
    }
    return DrillRun(**(told | changed))


def kept(calls: list[Repetition], **changed: Any) -> dict[str, Kept]:
    return {"chat": Kept(sheet(calls, WEIGHTS, **changed), Path("drills/chat/now"), None)}


def printed(table: Table | None) -> str:
    assert table is not None
    out = io.StringIO()
    Console(file=out, width=120).print(table)
    return out.getvalue()


def test_the_heading_says_what_was_drilled_how_often_and_how_long_a_client_waits() -> None:
    many = configured("multi-cloud.toml")
    text = "\n".join(heading("m.toml", many, many.routes[0], DrillOptions(patience=90.0, repeat=40, seed=3), ran()))
    assert text.startswith("m.toml, route chat\n")
    assert "azure-eu (SE, cloud azure, region swedencentral)" in text
    assert "the fastest first, deadline 1m, idle 15s, broken texts go on elsewhere" in text
    assert "2 chosen of 45: silence, stall" in text
    assert "1m for the whole answer (the route's deadline; --patience is 90s)" in text
    assert "40 cold calls per mode" in text
    assert "seed 3" in text
    assert "WARNING" not in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_partial_drill_is_marked_in_its_heading() -> None:
    many = configured("multi-cloud.toml")
    assert next(heading("m.toml", many, many.routes[0], DrillOptions(), ran("aborted"))).endswith(": PARTIAL (aborted)")


def test_where_no_target_says_which_cloud_it_is_in_there_is_a_warning() -> None:
    silent, many = configured("minimal.toml"), configured("multi-cloud.toml")
    (told,) = warnings(silent, silent.routes[0], DrillOptions(), ("silence", "stall"))
    assert told == (
        "no target of this route says which `cloud` it is in. Modes that reach a whole cloud (1 here) strike one "
        'target alone, so coverage may be too high. Declare domains = { cloud = "NAME" } on each target.'
    )
    assert list(warnings(silent, silent.routes[0], DrillOptions(), ("stall",))) == []
    assert list(warnings(silent, silent.routes[0], DrillOptions(reach="target"), ("silence",))) == []
    (some,) = warnings(many, many.routes[0], DrillOptions(reach="cdn"), ("stall",))
    assert some.startswith("azure-eu, mistral-eu do not say which `cdn` it is in.")


def test_the_legend_explains_the_words_of_the_tables_and_fits_a_terminal() -> None:
    lines = list(legend())
    assert {"cold", "warm", "struck", "°3", "18/20", "added", "by risk"} <= {word for word, _ in LEGEND}
    assert len(lines) == 1 + len(LEGEND)
    assert max(map(len, lines)) <= 120


def test_changes_are_read_from_then_to_now_and_only_those_beyond_their_intervals() -> None:
    measures = compare(drilled("silence", 195, 200, scale=1.5), drilled("silence", 190, 200))
    said, table = changes_of(Changes(since=SINCE, same_inputs=False, measures=tuple(measures)))
    assert said.startswith("Changed since the run of 2026-11-17 06:30 UTC (another configuration or plan): 1 of 5 ")
    row = next(line for line in printed(table).splitlines() if "silence" in line)
    assert row.split()[:5] == ["silence", "cold", "end", "to", "end"]
    assert (row.count("→"), row.split()[-1]) == (1, "WORSE")
    fewer = compare(drilled("silence", 100, 200), drilled("silence", 190, 200))
    text = printed(changes_of(Changes(since=SINCE, same_inputs=True, measures=tuple(fewer)))[1])
    assert "95.0 %   →   50.0 %   -45.0 points" in text


def test_where_nothing_changed_there_is_a_sentence_and_no_table() -> None:
    measures = tuple(compare(drilled("silence", 190, 200), drilled("silence", 190, 200)))
    said, table = changes_of(Changes(since=SINCE, same_inputs=True, measures=measures))
    assert table is None
    assert said == (
        "Nothing changed beyond its interval since the run of 2026-11-17 06:30 UTC (the same configuration and plan); "
        "measures looked at: 5."
    )
    said, table = changes_of(Changes(since=SINCE, same_inputs=True, measures=()))
    assert (said.endswith("no mode was drilled in both."), table) == (True, None)


def test_the_verdict_of_a_whole_drill_has_its_coverage_and_where_it_is_kept() -> None:
    calls = [*drilled("silence", 5, 5), *drilled("stall", 5, 5)]
    whole = kept(calls, catalogue=("silence", "stall", "cut"))
    head, coverage, folder = verdict("s.toml", ran(), whole)
    assert head == "COMPLETED: s.toml was drilled in 31 s; the gateway was well before and after."
    assert coverage.startswith("  chat  risk-weighted coverage 100 % (95 %: ")
    assert coverage.endswith("), of the 2 modes chosen.")
    assert folder == "        kept: drills/chat/now"


def test_the_verdict_names_what_is_not_well_not_safe_and_not_tested() -> None:
    head, coverage, _ = verdict("s.toml", ran(well_after=False), kept([repetition(passed_off=True)]))
    assert head.startswith("NOT WELL: s.toml was drilled in 31 s, but afterwards the gateway was not well: 7 of 10 ")
    assert coverage.endswith("; NOT SAFE, 1 broken answers passed off as whole; 1 of 2 modes untested.")


@pytest.mark.parametrize(
    ("status", "calls", "follows"),
    [
        ("aborted", 5, "The run is partial, so there is no coverage, and no other run is held against it."),
        ("interrupted", 0, "No call was counted, so there is no coverage, and no other run is held against it."),
        ("failed", 0, "Nothing was drilled. Look at the gateway first, or allow it more time with --steady."),
    ],
)
def test_the_verdict_of_a_partial_drill_gives_no_number(status: str, calls: int, follows: str) -> None:
    made = drilled("silence", calls, calls)
    head, what, folder = verdict("s.toml", ran(status, why="because", repetitions=made), kept(made, partial=status))
    assert head == f"{status.upper()} after 31 s: s.toml: because."
    assert (what.strip(), folder) == (follows, "  chat  kept: drills/chat/now")


def test_the_progress_names_wave_counted_calls_time_and_rest() -> None:
    at = Progress(
        doing="failing", modes=("a", "b", "c", "d", "e"), wave=1, of=2, done=40, total=880, elapsed=72.5, rest=65
    )
    assert sentence(at) == "wave 1/2 · 40/880 calls counted · 1:12 · about 1:05 left · failing: a, b, c and 2 more"
    assert sentence(Progress(doing="is the gateway well?")) == "0:00 · is the gateway well?"
    bound = Progress(doing="greeting", modes=("a",), wave=1, of=1, total=5, rest=9.9, at_most=True)
    assert sentence(bound) == "wave 1/1 · 0/5 calls counted · 0:00 · at most 0:09 left · greeting: a"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_progress_is_one_line_written_over_that_is_gone_at_the_end() -> None:
    out = Screen()
    progress = ProgressLine(out)
    for second in range(3):
        progress.tell(Progress(doing="failing", elapsed=second))
    progress.end()
    assert "\n" not in out.getvalue()
    assert out.getvalue().count("\r\x1b[2K") == 4
    assert out.getvalue().endswith("\r\x1b[2K")


def test_without_a_terminal_a_step_is_one_line_however_often_it_is_told() -> None:
    out = io.StringIO()
    progress = ProgressLine(out)
    for doing in ("greeting", "greeting", "failing", "failing"):
        progress.tell(Progress(doing=doing))
    progress.end()
    assert out.getvalue().splitlines() == ["0:00 · greeting", "0:00 · failing"]
