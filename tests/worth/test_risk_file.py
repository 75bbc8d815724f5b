"""A risk file: every form of a number is read with its unit, and all that is wrong is told at once with its path."""

from pathlib import Path

import pytest
from tests.worth.replayed import keep_incidents

from surefoot.errors import ConfigError
from surefoot.evidence import Between, Cases, Events, Hazard, Known, Sample
from surefoot.facts import Fact, Facts, write
from surefoot.worth.reading import Read, read_risks

EXAMPLE = Path(__file__).parents[2] / "examples" / "risk.toml"
HEAD = 'source = "our books"\nas_of = "2026-11"\n'
RISK = '[[risks]]\nname = "outage"\nrate = "2/month"\nlasts = "90m"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "risk.toml"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, sheet: Path | None = None) -> Read:
    return read_risks(written(folder, text), sheet)


def faults(folder: Path, text: str, sheet: Path | None = None) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read(folder, text, sheet)
    return [fault.removeprefix(f"{folder / 'risk.toml'}: ") for fault in refused.value.faults]


def hazard(folder: Path, risk: str, sheet: Path | None = None) -> Hazard:
    return read(folder, HEAD + '[[risks]]\nname = "outage"\n' + risk, sheet).stake.hazards[0]


def sheet_with(folder: Path, *facts: Fact) -> Path:
    sheet = Facts(made="", program="", seed=1, window=(0, 1), inputs="", facts=facts)
    (folder / "facts.json").write_bytes(write(sheet))
    return folder


def test_the_example_can_be_used_and_says_that_it_is_one() -> None:
    found = read_risks(EXAMPLE)
    assert "example" in found.file.source
    assert found.stake.hazards[0].rate == Events(14, 2)
    assert found.stake.hazards[0].coverage == Cases(46, 50)
    assert found.stake.promises[0] == [(99, 30_000), (99.5, 12_000), (99.9, 6_000)]
    assert found.stake.promises[1] == [(98, 40_000), (99.5, 8_000)]
    assert found.stake.vendors[0] == [(99, 7_500), (99.9, 3_000)]
    assert found.stake.revenue == Between(60, 140)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ('"12/year"', Known(12)),
        ('"2/quarter"', Known(8)),
        ('"1.5/month"', Known(18)),
        ('{ low = "1/month", high = "30/year" }', Between(12, 30)),
        ("{ events = 7, years = 1.5 }", Events(7, 1.5)),
        ("{ events = 0, years = 3 }", Events(0, 3)),
    ],
)
def test_a_rate_is_told_in_five_ways(tmp_path: Path, rate: str, expected: object) -> None:
    assert hazard(tmp_path, f'rate = {rate}\nimpact = "$5/incident"\n').rate == expected


def test_minutes_dollars_and_shares_come_in_the_units_of_evidence(tmp_path: Path) -> None:
    told = (
        'rate = "1/year"\nlasts = { low = "90s", high = "2h" }\nresponse = "$1_500.50/incident"\nstruck = "40%"\n'
        'coverage = { k = 9, n = 10 }\nresidual_time = "30s"\nresidual_cost = "$20/incident"\n'
    )
    found = hazard(tmp_path, told)
    assert found.minutes == Between(1.5, 120)
    assert found.response == Known(1_500.5)
    assert (found.struck, found.coverage) == (0.4, Cases(9, 10))
    assert (found.residual_minutes, found.residual_cost) == (0.5, 20)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rate = 12", 'a rate carries its unit: write "12/year"'),
        ('rate = "12/week"', "a rate carries its unit"),
        ("rate = { events = 7 }", "a table here is { low, high } or { events, years } or { fact }, not { events }"),
        ("rate = { event = 7, years = 1 }", "unknown key `event`; did you mean `events`?"),
        ('rate = { events = "7", years = 1 }', "must be a number without quotes"),
        ("rate = { events = 7, years = 0 }", "years of 0.0: it has to be above 0"),
        ('rate = { low = "9/year", high = "3/year" }', "low must not exceed high"),
        ("rate = { fact = 3 }", "a fact is named by text in quotes"),
    ],
)
def test_a_rate_that_is_none_says_how_to_write_one(tmp_path: Path, line: str, words: str) -> None:
    (told,) = faults(tmp_path, HEAD + f'[[risks]]\nname = "a"\nlasts = "5m"\n{line}\n')
    assert told.startswith("risks[0].rate: ")
    assert words in told


def test_every_fault_of_form_is_told_at_once_with_its_path(tmp_path: Path) -> None:
    text = """
source = "our books"
sorce = "x"
[business]
revenue = "$90"
margin = "6"
quarterly_target = "$5/month"
[[promises]]
name = "standard"
steps = [{ below = 99.9, penalty = "10" }, { below = "120%", penaltie = "$5" }]
[[risks]]
name = "outage"
lasts = "5"
response = { low = "$1/incident" }
coverage = { k = 5, n = 4 }
residual_cost = "5/incident"
strucked = "5%"
"""
    told = faults(tmp_path, text)
    for path, words in [
        ("as_of", "is required"),
        ("sorce", "did you mean `source`?"),
        ("business.revenue", 'write "$1_500/minute", not "$90"'),
        ("business.margin", "a share is a percentage"),
        ("business.quarterly_target", 'write "$1_500/quarter"'),
        ("promises[0].steps[0].below", "an uptime is a percentage in quotes"),
        ("promises[0].steps[0].penalty", "a share of the fee"),
        ("promises[0].steps[1].below", "an uptime is a percentage"),
        ("promises[0].steps[1].penaltie", "did you mean `penalty`?"),
        ("promises[0].steps[1].penalty", "is required"),
        ("risks[0].lasts", "a duration carries its unit"),
        ("risks[0].response", "a table here is { low, high }"),
        ("risks[0].coverage", "k must not exceed n"),
        ("risks[0].residual_cost", "an amount of money carries its unit"),
        ("risks[0].strucked", "did you mean `struck`?"),
    ]:
        assert any(fault.startswith(f"{path}: ") and words in fault for fault in told), (path, words, told)
    assert len(told) == 15


def test_what_does_not_hold_between_tables_is_told_at_once(tmp_path: Path) -> None:
    text = (
        HEAD
        + '[[promises]]\nname = "a"\nsteps = [{ below = "99%", penalty = "5%" }, { below = "99.9%", penalty = "9%" }]\n'
        + '[[promises]]\nname = "a"\nfee = "$5/month"\nsteps = [{ below = "99%", penalty = "5%" }]\n'
        + '[[vendors]]\nname = "cloud"\nbill = "$9/month"\ncredits = [{ below = "99%", credit = "5%" }]\n'
        + '[[risks]]\nname = "one"\nvendor = "clod"\nrate = "1/year"\nlasts = "5m"\n'
        + '[[risks]]\nname = "two"\nrate = "1/year"\nresidual_time = "5s"\n'
        + '[[risks]]\nname = "three"\nrate = "20_000/year"\nlasts = "5s"\n'
        + '[[risks]]\nname = "four"\nrate = { fact = "x" }\nlasts = "5s"\n'
    )
    told = faults(tmp_path, text)
    for fault in (
        "promises[0].name: `a` is named 2 times; rename one",
        "promises[1].name: `a` is named 2 times; rename one",
        "promises[0].fee: is required where a penalty is a share of it",
        "risks[0].vendor: there is no vendor `clod`; did you mean `cloud`?",
        "risks[1].coverage: is required: what is left of a covered incident is told",
        "risks[1].lasts: one of lasts, response and impact is required: it costs nothing",
        "risks[2]: incidents a year of 20000.0: it has to be between 0 and 10000",
        "risks[3].rate: `x` is a fact of another run; --facts FOLDER says of which",
    ):
        assert fault in told, (fault, told)
    assert len(told) == 8


def test_steps_that_charge_less_for_worse_are_refused(tmp_path: Path) -> None:
    steps = (
        '[[promises]]\nname = "a"\nsteps = [{ below = "99%", penalty = "$5" }, { below = "99.9%", penalty = "$9" }]\n'
    )
    assert faults(tmp_path, HEAD + steps + RISK) == [
        "promises[0].steps: 5 below 99 % and 9 below 99.9 %: the worse has the less"
    ]


def test_nothing_at_stake_is_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, HEAD) == ["risks: there is none, and no delay either: nothing is at stake"]


def test_a_file_that_is_no_file_names_one_to_begin_with(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no such file; examples/risk\.toml is one to begin with"):
        read_risks(tmp_path / "none.toml")


def test_facts_of_another_run_become_quantities_with_their_doubt(tmp_path: Path) -> None:
    sheet = sheet_with(
        tmp_path,
        Fact(name="rate", value=6.0, unit="1/year", n=9),
        Fact(name="share", value=0.9, unit="share", n=100, low=0.8, high=0.96, confidence=0.95),
        Fact(name="plain", value=0.9, unit="share", n=100),
        Fact(name="length", value=90.0, unit="s", n=5),
    )
    risk = 'rate = { fact = "rate" }\nlasts = { fact = "length" }\ncoverage = { fact = "share" }\n'
    found = hazard(tmp_path, risk, sheet)
    assert found.rate == Events(9, 1.5)
    assert found.minutes == Known(1.5)
    assert isinstance(found.coverage, Cases)
    low, high = found.coverage.interval(0.95)
    assert high - low == pytest.approx(0.16)
    plain = hazard(tmp_path, risk.replace('"share"', '"plain"'), sheet / "facts.json")
    assert plain.coverage == Cases(90, 100)


def test_a_fact_that_is_no_such_quantity_says_why(tmp_path: Path) -> None:
    sheet = sheet_with(
        tmp_path,
        Fact(name="none", value=None, unit="share", n=0, note="untested"),
        Fact(name="never", value=0.0, unit="1/year", n=0),
        Fact(name="empty", value=0.5, unit="share", n=0),
    )
    risk = '[[risks]]\nname = "a"\nrate = { fact = "%s" }\nlasts = "5m"\ncoverage = { fact = "%s" }\n'
    assert faults(tmp_path, HEAD + risk % ("none", "none"), sheet) == [
        "risks[0].rate: the fact `none` is in share, and 1/year is needed",
        "risks[0].coverage: the fact `none` has no value: untested",
    ]
    told = faults(tmp_path, HEAD + risk % ("never", "nevver"), sheet)
    assert "write { events = 0, years = … }" in told[0]
    assert told[1] == "risks[0].coverage: there is no fact `nevver`; did you mean `never`?"
    assert "is of no cases" in faults(tmp_path, HEAD + risk % ("never", "empty"), sheet)[1]


def replayed(folder: Path, seen: float = 12, without: float = 600, avoided: float = 540) -> Path:
    """A replay's facts of half a year."""
    facts = (
        Fact(name="any.all.incidents.seen", value=seen, unit="incidents", n=20),
        Fact(name="any.all.minutes.without", value=without, unit="minutes", n=12, low=200, high=900, confidence=0.95),
        Fact(name="any.all.minutes.avoided", value=avoided, unit="minutes", n=12, low=300, high=580, confidence=0.95),
    )
    sheet = Facts(made="", program="", seed=1, window=(0, 365.25 * 43_200), inputs="", facts=facts)
    (folder / "facts.json").write_bytes(write(sheet))
    return folder


def test_a_replay_tells_how_often_how_long_and_what_share_of_the_minutes_was_avoided(tmp_path: Path) -> None:
    keep_incidents(tmp_path, {"any": [50.0] * 12})
    found = hazard(tmp_path, 'replay = "any.all"\n', replayed(tmp_path))
    assert found.rate == Events(12, 0.5)
    assert found.minutes == Sample((50,) * 12)
    assert found.coverage == Cases(0.9 * 12, 12)
    own = hazard(tmp_path, 'replay = "any.all"\nlasts = { low = "5m", high = "2h" }\n', tmp_path)
    assert own.minutes == Between(5, 120)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[objective]\nobjective = "100%"\n', 'objective.objective: "100%" leaves no error budget'),
        ('[objective]\nobjective = "0%"\n', 'objective.objective: "0%" leaves no error budget'),
        ('[objective]\nobjective = "99%"\nperiod = "0s"\n', "objective.period: 0ms is out of range"),
        (
            '[objective]\nobjective = "99%"\nperiod = "1h"\n',
            "objective.period: 1h is out of range: a period is from 7d",
        ),
        ('[business]\nmargin = "150%"\n', 'business.margin: "150%" is more than all'),
        ('[[promises]]\nname = "gold.9"\nsteps = [{ below = "99%", penalty = "$5" }]\n', 'promises[0].name: "gold.9"'),
        (
            '[[delays]]\nname = "d"\nchance = "101%"\nchance_with_fallback = "0%"\ndays = "9d"\ncost = "$1/day"\n',
            'delays[0].chance: "101%" is more than all',
        ),
    ],
)
def test_what_no_year_could_be_reckoned_with_is_a_fault_with_its_path(tmp_path: Path, text: str, fault: str) -> None:
    (told,) = faults(tmp_path, HEAD + text + RISK)
    assert told.startswith(fault)


def test_what_a_replay_tells_cannot_be_told_by_hand_too(tmp_path: Path) -> None:
    risk = '[[risks]]\nname = "a"\nreplay = "any.all"\nrate = "1/year"\ncoverage = "50%"\nstruck = "9%"\n'
    keep_incidents(tmp_path, {"any": [50.0] * 12})
    told = faults(tmp_path, HEAD + risk, replayed(tmp_path))
    assert told == [
        f"risks[0].{key}: comes from the replay; leave it out, or replay" for key in ("rate", "coverage", "struck")
    ]


def test_a_replay_that_tells_nothing_says_why(tmp_path: Path) -> None:
    risk = '[[risks]]\nname = "a"\nreplay = "any.all"\n'
    assert "no incident in which a call failed" in faults(tmp_path, HEAD + risk, replayed(tmp_path, without=0))[0]
    assert "there is no coverage" in faults(tmp_path, HEAD + risk, replayed(tmp_path, avoided=-1))[0]
    told = faults(tmp_path, HEAD + risk.replace("any", "major"), replayed(tmp_path))
    assert told == ["risks[0].replay: the replay has no `major`; it has any: `--readings all`"]
    told = faults(tmp_path, HEAD + risk.replace("any.all", "any.provider.x"), replayed(tmp_path))
    assert told[0].startswith("risks[0].replay: there is no fact `any.provider.x.incidents.seen`; did you mean")
    assert faults(tmp_path, HEAD + '[[risks]]\nname = "a"\n') == [
        "risks[0].rate: is required, or replay, or history; it is: How often"
    ]


def test_a_folder_without_facts_is_told(tmp_path: Path) -> None:
    (told,) = faults(tmp_path, HEAD + RISK, tmp_path)
    assert told == f"--facts: {tmp_path} holds no facts.json or coverage.json; name the folder of a replay or a drill"
    (tmp_path / "facts.json").write_text("{}")
    assert "is no sheet of facts" in faults(tmp_path, HEAD + RISK, tmp_path)[0]
