"""One risk file under the three readings of an incident, and by how late an outage is noticed, side by side."""

import io
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console
from tests.config.test_cli_commands import surefoot
from tests.worth.replayed import keep_incidents
from tests.worth.test_months import INCIDENTS, TABLE
from tests.worth.test_risk_file import HEAD, faults, read

from surefoot.evidence import Cases, Events, Known, Sample
from surefoot.facts import Fact, Facts, write
from surefoot.facts import read as read_facts
from surefoot.report import by_use, exposed
from surefoot.worth.reading import Read
from surefoot.worth.sheet import sheet_of

MONEY = (
    '[business]\nrevenue = "$90/minute"\n[[promises]]\nname = "p"\nsteps = [{ below = "99.9%", penalty = "$500" }]\n'
)
REPLAY = '[[risks]]\nname = "a"\nreplay = "any.all"\n'
HISTORY = '[[risks]]\nname = "a"\nhistory = "any"\ncoverage = "80%"\n'
COUNTS = {"any": (40, 4_000, 3_600), "partial": (10, 600, 570), "major": (2, 60, 60)}
"""Of each reading: incidents, minutes without and minutes avoided, in half a year."""
SINGLE = {
    reading: [without / seen * (0.5 + n % 2) for n in range(seen)] for reading, (seen, without, _) in COUNTS.items()
}


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """What a replay under three readings and three lags tells. An incident's first minutes are lost with a lag."""
    facts = []
    for reading, (seen, without, avoided) in COUNTS.items():
        told: dict[str, float] = {"incidents.seen": seen, "minutes.without": without, "minutes.avoided": avoided}
        told |= {f"minutes.avoided.lag.{lag}m": avoided - 0.9 * lag * seen for lag in (1, 5)}
        facts += [
            Fact(name=f"{reading}.all.{name}", value=value, unit="minutes", n=seen) for name, value in told.items()
        ]
    sheet = Facts(made="", program="", seed=1, window=(0, 365.25 * 43_200), inputs="", facts=tuple(facts))
    (tmp_path / "facts.json").write_bytes(write(sheet))
    keep_incidents(tmp_path, SINGLE)
    return tmp_path


def used(uses: dict[str, Read | str], name: str) -> Read:
    one = uses[name]
    assert isinstance(one, Read), one
    return one


def printed(facts: Facts, width: int) -> str:
    out = io.StringIO()
    for table in exposed.tables(facts, width):
        Console(file=out, width=width).print(table)
    return out.getvalue()


def value(facts: Facts, name: str) -> float:
    told = facts.named(name).value
    assert told is not None
    return told


def test_a_replay_puts_the_same_file_under_each_reading(sheet: Path) -> None:
    told = read(sheet, HEAD + MONEY + REPLAY, sheet)
    assert list(told.readings) == ["any", "partial", "major"]
    assert used(told.readings, "any").stake == told.stake
    for reading, (seen, without, avoided) in COUNTS.items():
        (hazard,) = used(told.readings, reading).stake.hazards
        assert hazard.rate == Events(seen, 0.5)
        assert hazard.minutes == Sample(tuple(SINGLE[reading]))
        assert hazard.coverage == Cases(avoided / without * seen, seen)


def test_the_facts_of_each_reading_are_those_of_a_file_that_names_it(sheet: Path) -> None:
    facts = sheet_of(read(sheet, HEAD + MONEY + REPLAY, sheet), 10_000, 3)
    for reading in COUNTS:
        alone = sheet_of(read(sheet, HEAD + MONEY + REPLAY.replace("any", reading), sheet), 10_000, 3)
        for name in ("loss.without.mean", "loss.with.cvar", "saving.mean", "months.p.99.9.with", "input.a.rate"):
            ours, theirs = facts.named(f"readings.{reading}.{name}"), alone.named(name)
            assert (ours.value, ours.low, ours.high, ours.n) == (theirs.value, theirs.low, theirs.high, theirs.n)
        assert sum(fact.name.startswith(f"readings.{reading}.loss.with.exceeds.") for fact in facts.facts) > 5
    losses = [value(facts, f"readings.{reading}.loss.without.mean") for reading in COUNTS]
    assert all(milder > graver for milder, graver in pairwise(losses))


def test_a_reading_that_was_not_replayed_is_a_row_without_a_number_and_says_why(sheet: Path) -> None:
    any_alone = tuple(
        Fact(name=f"any.all.{name}", value=value, unit="", n=2)
        for name, value in (("incidents.seen", 2), ("minutes.without", 90), ("minutes.avoided", 80))
    )
    (sheet / "facts.json").write_bytes(write(replace(read_facts((sheet / "facts.json").read_bytes()), facts=any_alone)))
    keep_incidents(sheet, {"any": [40, 50]})
    facts = sheet_of(read(sheet, HEAD + MONEY + REPLAY, sheet), 10_000, 3)
    none = facts.named("readings.major.none")
    assert none.value is None
    assert none.note == "risks[0].replay: the replay has no `major`; it has any: `--readings all`"
    rows = [line.split() for line in printed(facts, 120).splitlines() if line.split()[:1] == ["major"]]
    assert rows[0] == ["major", "–", "–"]  # noqa: RUF001 - an en dash stands for nothing
    assert f"Under `major` there is no number: {none.note}." in list(exposed.remarks(facts))


def test_a_stress_keeps_its_name_under_each_reading(sheet: Path) -> None:
    kept = read_facts((sheet / "facts.json").read_bytes())
    renamed = tuple(replace(fact, name=fact.name.replace(".all.", "+busiest-hour.all.", 1)) for fact in kept.facts)
    (sheet / "facts.json").write_bytes(write(replace(kept, facts=renamed)))
    keep_incidents(sheet, {f"{reading}+busiest-hour": lengths for reading, lengths in SINGLE.items()})
    told = read(sheet, HEAD + REPLAY.replace("any.all", "any+busiest-hour.all"), sheet)
    assert [used(told.readings, name).file.risks[0].replay for name in COUNTS] == [
        f"{name}+busiest-hour.all" for name in COUNTS
    ]


def test_a_lag_leaves_of_a_covered_incident_what_the_replay_lost_by_it(sheet: Path) -> None:
    late = read(sheet, HEAD + REPLAY + 'lag = "5m"\n', sheet)
    (hazard,) = late.stake.hazards
    share = 3_600 / 4_000
    assert hazard.coverage == Cases(share * 40, 40)  # that of no lag: a late fallback is still one
    assert hazard.residual_minutes == pytest.approx(0.9 * 5 * 40 / (share * 40))
    mean = 100 * (1 - share) + share * hazard.residual_minutes
    assert mean * 40 == pytest.approx(4_000 - (3_600 - 0.9 * 5 * 40))  # minutes with the fallback, as the replay says
    assert read(sheet, HEAD + REPLAY, sheet).stake.hazards[0].residual_minutes == 0


def test_lags_stand_side_by_side_and_later_saves_less(sheet: Path) -> None:
    facts = sheet_of(read(sheet, HEAD + MONEY + REPLAY, sheet), 10_000, 3)
    assert by_use.uses({fact.name: fact for fact in facts.facts}, "lags") == ["0s", "1m", "5m"]
    saved = [value(facts, f"lags.{lag}.saving.mean") for lag in ("0s", "1m", "5m")]
    assert saved[0] == value(facts, "saving.mean")
    assert all(sooner > later for sooner, later in pairwise(saved))
    text = printed(facts, 150)
    assert "at once" in text
    assert "5m late" in text


def test_a_lag_that_was_not_replayed_names_those_that_were(sheet: Path) -> None:
    (told,) = faults(sheet, HEAD + REPLAY + 'lag = "20m"\n', sheet)
    assert told == ("risks[0].lag: the replay was not run with it, but with 1m, 5m: `surefoot replay --lags 0,20m`")
    (told,) = faults(sheet, HEAD + '[[risks]]\nname = "a"\nrate = "1/year"\nlasts = "5m"\nlag = "5m"\n')
    assert told.startswith("risks[0].lag: is of a replay; by hand tell residual_time")


def test_history_tells_rate_and_length_under_each_reading(tmp_path: Path) -> None:
    """Two months: one hour's incident begins in January and goes on; two that overlap are one of five hours."""
    (tmp_path / "list.csv").write_text(INCIDENTS)
    told = read(tmp_path, HEAD + MONEY + HISTORY + TABLE)
    years = (31 + 28) / 365.25
    found = {name: used(told.readings, name).stake.hazards[0] for name in told.readings}
    assert {name: (hazard.rate, hazard.minutes) for name, hazard in found.items()} == {
        "any": (Events(2, years), Sample((180, 300))),
        "partial": (Events(2, years), Sample((180, 240))),
        "major": (Events(1, years), Sample((180,))),
    }
    assert all(hazard.coverage == Known(0.8) for hazard in found.values())
    facts = sheet_of(told, 10_000, 3)
    assert facts.named("readings.partial.input.a.lasts").method.startswith("2 single incidents, up to 240 minutes")
    assert "list.csv" in facts.named("readings.partial.input.a.lasts").note


def test_a_history_without_an_outage_is_not_taken_for_none_at_all(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(INCIDENTS.replace("major", "minor"))
    told = read(tmp_path, HEAD + MONEY + HISTORY + TABLE)
    assert told.readings["major"] == (
        "risks[0].lasts: under `major` no outage of known length began in 2 months: tell how long one would last"
    )
    own = read(tmp_path, HEAD + MONEY + HISTORY + 'lasts = "30m"\n' + TABLE)
    (hazard,) = used(own.readings, "major").stake.hazards
    assert (hazard.minutes, hazard.rate.mean > 0) == (Known(30), True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HISTORY, "risks[0].history: needs [uptime] with incidents, provider, first and last"),
        (HISTORY.replace('"any"', '"mild"'), "risks[0].history: a reading of incidents is any, partial, major"),
        (HISTORY + 'rate = "1/year"\n', "risks[0].rate: comes from the history; leave it out, or history"),
    ],
)
def test_a_history_that_cannot_be_used_says_why(tmp_path: Path, text: str, fault: str) -> None:
    assert faults(tmp_path, HEAD + text)[0].startswith(fault)


def test_a_file_by_hand_stands_under_one_reading_and_says_so(tmp_path: Path) -> None:
    by_hand = HEAD + MONEY + '[[risks]]\nname = "a"\nrate = "0/year"\nlasts = "5m"\n'
    told = read(tmp_path, by_hand)
    assert (told.readings, told.lags) == ({}, {})
    facts = sheet_of(told, 10_000, 3)
    assert any("under one reading of an incident" in line for line in exposed.remarks(facts))
    assert value(facts, "input.a.rate") == 0


@pytest.mark.parametrize("width", [60, 80, 100, 150])
def test_no_table_is_wider_than_its_console_and_no_number_is_cut(sheet: Path, width: int) -> None:
    facts = sheet_of(read(sheet, HEAD + MONEY + REPLAY, sheet), 10_000, 3)
    text = printed(facts, width)
    assert max(map(len, text.splitlines())) <= width
    numbers = {word for word in printed(facts, 400).split() if word[0] in "$0123456789"}
    assert len(numbers) > 60
    assert numbers <= set(text.split())


def test_the_command_says_first_what_is_saved_and_on_what_it_stands(sheet: Path) -> None:
    (sheet / "risk.toml").write_text(HEAD + MONEY + REPLAY + 'lag = "1m"\n')
    told = ["exposure", "-c", str(sheet / "risk.toml"), "--facts", str(sheet), "--years", "10000"]
    done = surefoot(*told)
    assert (done.returncode, done.stderr) == (0, "")
    first = done.stdout.splitlines()
    assert first[1] == "  a: replay any.all, noticed 1m late"
    assert first[2].startswith("The fallback is expected to save $")
    assert "Not in these numbers:" in done.stdout
