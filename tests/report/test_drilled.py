"""The tables of a drill: what was seen is there, what is missing says so, and nothing is rounded into a promise."""

import io

import pytest
from rich.console import Console
from rich.table import Table
from tests.drill.built import drilled, rates, repetition, sheet, warm

from surefoot.config.rates import default_rates
from surefoot.facts import Fact
from surefoot.report import shown
from surefoot.report.drilled import modes_of, remarks, side_by_side, tables

WEIGHTS = rates({"silence": (4, 30), "stall": (2, 120), "cut": (1, 1)})


def printed(*found: Table) -> str:
    out = io.StringIO()
    for table in found:
        Console(file=out, width=120).print(table)
    return out.getvalue()


def line(text: str, start: str) -> list[str]:
    return next(row.split() for row in text.splitlines() if row.strip().startswith(start))


def test_every_mode_has_its_counts_intervals_and_weight_the_heaviest_first() -> None:
    calls = [*drilled("silence", 190, 200), *warm("silence", 8, 9), *drilled("stall", 120, 120)]
    facts = sheet(calls, WEIGHTS, modes=("silence", "bad_request", "stall", "cut"))
    assert modes_of(facts) == ["stall", "silence", "cut", "bad_request"]
    text = printed(tables(facts)[0])
    row = " ".join(line(text, "silence"))
    assert row == "silence \N{EN DASH} 190/200 91.0 … 97.3 % 8/9 56.5 … 98.0 % 0 2 30 33.2 %"
    assert "untested" in line(text, "cut")
    assert line(text, "bad_request")[-2:] == ["not", "weighed"]
    assert "minutes" in text
    assert "*" not in text


def test_answers_that_needed_no_intervention_are_marked_and_how_many_targets_were_struck_is_told() -> None:
    own = [repetition(attempts=1, answered_by="eu-cloud") for _ in range(3)]
    facts = sheet([*own, *drilled("silence", 5, 5)], WEIGHTS, struck={"silence": ("eu-cloud", "eu-west")}, targets=3)
    row = " ".join(line(printed(tables(facts)[0]), "silence"))
    assert row.startswith("silence 2/3 8/8 °3 ")
    assert "°" not in printed(tables(sheet(drilled("silence", 5, 5), WEIGHTS))[0])


def test_of_a_partial_drill_only_what_was_drilled_is_shown_and_no_coverage() -> None:
    facts = sheet(drilled("silence", 5, 5), WEIGHTS, partial="aborted, the time cap is over")
    shown_tables = tables(facts)
    text = printed(*shown_tables)
    assert len(shown_tables) == 3
    assert text.count("PARTIAL: ") == 3
    assert "stall" not in text
    assert "by risk" not in text
    assert not [remark for remark in remarks(facts) if "coverage" in remark]
    assert tables(sheet([], WEIGHTS, partial="failed, it was not well")) == ()


def test_the_coverage_says_of_which_modes_it_is() -> None:
    everything = (*WEIGHTS.of, "bad_request")
    calls = [*drilled("silence", 5, 5), *drilled("stall", 5, 5)]
    text = printed(tables(sheet(calls, WEIGHTS, modes=("silence", "stall"), catalogue=everything))[3])
    assert "of the 2 modes chosen" in text
    assert "of the whole catalogue" in printed(tables(sheet(calls, WEIGHTS))[3])
    assert f"of {len(WEIGHTS.of)} weighed modes of {len(everything)}" in printed(
        tables(sheet(calls, WEIGHTS, modes=everything, catalogue=everything))[3]
    )


def test_a_coverage_that_has_nothing_to_weigh_by_is_left_out_and_why_is_said() -> None:
    facts = sheet(drilled("cut", 5, 5), rates({"cut": (0, 5)}))
    text = printed(tables(facts)[3])
    assert "by modes" in text
    assert "by risk" not in text
    told = "\n".join(remarks(facts))
    assert "No coverage by risk: no mode has events and impact above 0 to weigh it by." in told


def test_fewer_repetitions_than_were_asked_for_are_named() -> None:
    facts = sheet([*drilled("silence", 4, 4), *drilled("stall", 5, 5)], WEIGHTS, repeat=5)
    assert "Fewer repetitions than were asked for: silence 4. Their intervals are wider for it." in list(remarks(facts))


def test_defaults_are_marked_in_the_table_and_beneath_it() -> None:
    facts = sheet(drilled("silence", 5, 5), default_rates())
    assert line(printed(tables(facts)[0]), "silence")[-4:-2] == ["2.4*", "115*"]
    told = "\n".join(remarks(facts))
    assert "42 of 42 modes are defaults" in told
    assert not [remark for remark in remarks(sheet([], WEIGHTS)) if "default" in remark]


def test_the_widest_table_fits_a_terminal_of_120_columns() -> None:
    calls = [one for mode in default_rates().of for one in [*drilled(mode, 199, 200, scale=30), *warm(mode, 150, 199)]]
    text = printed(*tables(sheet(calls, default_rates(), baseline=drilled("silence", 9, 9))))
    assert text.count("…") == text.count(" … ")  # a cell that does not fit would end in one
    assert "slow_first_token" in text


def test_times_are_told_cold_and_warm_apart_and_a_p99_is_refused_for_few() -> None:
    calls = [*drilled("silence", 120, 120), *warm("silence", 30, 30)]
    text = printed(tables(sheet(calls, WEIGHTS))[2])
    assert "none" in next(row for row in text.splitlines() if "cold" in row)
    assert line(text, "silence")[1:3] == ["cold", "120"]
    assert next(row for row in text.splitlines() if "warm" in row).split()[-1] == "n<100"
    assert "stall" not in text


def test_an_unknown_cost_is_shown_as_unknown() -> None:
    moves = printed(tables(sheet([repetition(cost=None)], WEIGHTS))[1])
    assert line(moves, "silence")[-2:] == ["unknown", "unknown"]
    priced = printed(tables(sheet([repetition(), repetition()], WEIGHTS))[1])
    assert line(priced, "silence")[-2] == "$0.002"


def test_the_three_coverages_are_always_shown_together() -> None:
    facts = sheet([*drilled("silence", 200, 200), *drilled("stall", 0, 200), *drilled("cut", 200, 200)], WEIGHTS)
    text = printed(tables(facts)[3])
    assert line(text, "by modes")[2:4] == ["66.7", "%"]
    assert line(text, "by events")[2:4] == ["71.4", "%"]
    assert line(text, "by risk")[2:4] == ["33.5", "%"]


def test_what_has_to_be_said_is_said() -> None:
    calls = [*drilled("silence", 5, 5), repetition("silence", passed_off=True), repetition("stall", delivered=False)]
    told = list(remarks(sheet(calls, WEIGHTS)))
    assert told[0] == "NOT SAFE: 1 of 6 broken answers were passed off as whole."
    assert told[1] == "1 of 7 calls were not struck by their fault and do not count."
    assert told[2] == "Untested, so neither covered nor uncovered: stall, cut."
    assert next(remarks(sheet(calls[:5], WEIGHTS))) == "No broken answer was passed off as whole (0 of 5 calls)."


def test_two_drills_side_by_side_end_in_one_sentence_with_both_intervals() -> None:
    two = rates({"silence": (31, 10), "stall": (69, 10)})
    single = sheet([*drilled("silence", 200, 200), *drilled("stall", 0, 200)], two)
    multi = sheet([*drilled("silence", 200, 200), *drilled("stall", 168, 200)], two)
    table, sentence = side_by_side("chat", ("single-cloud", single), ("multi-cloud", multi))
    text = printed(table)
    assert line(text, "stall")[1:3] == ["0", "%"]
    assert "84.0" in line(text, "stall")
    assert line(text, "by risk")[2:4] == ["31.0", "%"]
    for name in ("coverage.modes", "coverage.events", "coverage.risk"):
        assert shown.shares_between(multi.named(name)) in text
    risks = [shown.shares_between(facts.named("coverage.risk")) for facts in (single, multi)]
    assert sentence == (
        f"31 % became 89 %: risk-weighted coverage of single-cloud 31.0 % (95 %: {risks[0]}) "
        f"and of multi-cloud 89.0 % (95 %: {risks[1]})."
    )


def test_a_mode_that_only_one_of_two_drills_knows_is_untested_in_the_other() -> None:
    one = sheet(drilled("silence", 9, 9), rates({"silence": (1, 1)}))
    other = sheet(drilled("stall", 9, 9), rates({"stall": (1, 1)}))
    text = printed(side_by_side("chat", ("a", one), ("b", other))[0])
    assert "untested" in line(text, "silence")
    assert "untested" in line(text, "stall")


def test_a_drill_without_coverage_is_not_held_against_another() -> None:
    whole = sheet(drilled("silence", 9, 9), rates({"silence": (1, 1)}))
    none = sheet(drilled("silence", 9, 9), rates({"silence": (0, 1)}))
    sentence = side_by_side("chat", ("a", whole), ("b", none))[1]
    assert sentence.startswith("There is no coverage of b to hold against the other: no mode has events")


@pytest.mark.parametrize(
    ("share", "text"), [(0.999, ">99 %"), (1.0, "100 %"), (0.001, "<1 %"), (0.0, "0 %"), (0.308, "31 %")]
)
def test_a_share_in_a_sentence_is_never_rounded_to_all_or_none(share: float, text: str) -> None:
    assert shown.about(share) == text


@pytest.mark.parametrize(
    ("amount", "signed", "text"),
    [
        (0.0024, False, "$0.0024"),
        (0.5, True, "+$0.5"),
        (-0.1, True, "-$0.1"),
        (-3.85e-05, True, "-$0.000039"),
        (3.85e-05, False, "$0.000039"),
        (0.000996, False, "$0.001"),
        (12.345, False, "$12.35"),
        (-4321.0, True, "-$4,321.00"),
        (2e-9, False, "<$0.000001"),
        (-2e-9, True, "<$0.000001"),
        (0.0, True, "$0"),
        (-0.0, True, "$0"),
    ],
)
def test_money_is_dollars_without_an_exponent_and_never_a_negative_nothing(
    amount: float,
    signed: bool,  # noqa: FBT001 - a column of the table
    text: str,
) -> None:
    assert shown.money_of(Fact(name="x", value=amount, unit="USD", n=1), signed=signed) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.21, "4.2 s"), (31.4, "31 s"), (125.2, "2 min 5 s"), (300, "5 min"), (12_960, "3 h 36 min")]
)
def test_how_long_a_drill_took_is_said_as_a_person_would(seconds: float, text: str) -> None:
    assert shown.duration_of(seconds) == text


def test_money_that_is_missing_says_whether_it_is_unknown() -> None:
    assert shown.money_of(Fact(name="x", value=None, unit="USD", n=1, note="unknown for 1 of 2 calls")) == "unknown"
    baseline = Fact(name="x", value=None, unit="USD", n=1, note="steady state: unknown for 1 of 2 calls")
    assert shown.money_of(baseline) == "unknown"
    assert shown.money_of(Fact(name="x", value=None, unit="USD", n=0, note="no calls")) == "\N{EN DASH}"
    assert shown.points_of(Fact(name="x", value=None, unit="share", n=0)) == "\N{EN DASH}"
    assert not shown.points_between(Fact(name="x", value=0.1, unit="share", n=1))
