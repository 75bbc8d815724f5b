"""From repetitions to facts: what counts, what is refused, and what the three coverages are made of."""

from collections import Counter
from typing import Any

import pytest
from tests.drill.built import drilled, rates, repetition, sheet, warm

from surefoot.config.rates import Rates, default_rates
from surefoot.drill.repetition import enough
from surefoot.errors import EvidenceError
from surefoot.evidence import coverage, coverage_interval, event_rate, mean, mean_difference, percentile, wilson
from surefoot.facts import Facts, read, write

ONE = rates({"silence": (4, 30)})
TWO = rates({"silence": (4, 30), "stall": (2, 120)})


def test_only_what_struck_counts_and_warm_calls_are_told_apart() -> None:
    calls = [*drilled("silence", 18, 20), *warm("silence", 9, 9), *drilled("silence", 0, 3, delivered=False)]
    facts = sheet(calls, ONE)
    share = facts.named("mode.silence.cold.mitigated")
    assert (share.value, share.n, share.low, share.high) == (18 / 20, 20, *wilson(18, 20))
    assert facts.named("mode.silence.cold.mitigated_calls").value == 18
    assert (facts.named("mode.silence.warm.mitigated").value, facts.named("mode.silence.warm.mitigated").n) == (1.0, 9)
    missed = facts.named("mode.silence.not_delivered")
    assert (missed.value, missed.n) == (3, 32)
    assert (facts.named("not_delivered").value, facts.named("passed_off").n) == (3, 29)


def test_coverage_does_not_rise_with_the_number_of_warm_calls() -> None:
    calls = drilled("silence", 10, 20)
    alone = sheet(calls, ONE)
    besides = sheet([*calls, *warm("silence", 500, 500)], ONE)
    assert alone.named("coverage.risk") == besides.named("coverage.risk")
    assert besides.named("coverage.risk").value == pytest.approx(0.5)


def test_times_are_told_with_intervals_and_a_p99_only_from_a_hundred_calls_on() -> None:
    calls = drilled("silence", 120, 120)
    late = sheet(calls, ONE).named("mode.silence.cold.end_to_end.p99")
    value, low, high = percentile([one.end_to_end for one in calls if one.end_to_end], 0.99)
    assert (late.value, late.low, late.high, late.n) == (value, low, high, 120)
    assert late.note == "too few samples for both bounds"

    few = sheet(calls[:99], ONE)
    refused = few.named("mode.silence.cold.end_to_end.p99")
    assert (refused.value, refused.note, refused.n) == (None, "n<100", 99)
    assert few.named("mode.silence.cold.end_to_end.p95").value is not None
    assert sheet(calls[:19], ONE).named("mode.silence.cold.end_to_end.p95").note == "n<20"
    assert few.named("mode.silence.cold.detect.p50").value == 0.2
    assert few.named("mode.silence.cold.switch.p50").value == 0.001
    assert few.named("mode.silence.cold.fallback_ttft.p50").value == 0.1


def test_a_warm_call_says_nothing_of_detection() -> None:
    facts = sheet(warm("silence", 30, 30), ONE)
    assert facts.named("mode.silence.warm.ttft.p50").value == 0.3
    assert not [fact for fact in facts.facts if fact.name.startswith("mode.silence.warm.detect")]
    assert facts.named("mode.silence.cold.detect.p50").note == "no samples"


def test_the_times_of_calls_without_an_answer_are_left_out_and_the_number_says_so() -> None:
    facts = sheet(drilled("silence", 60, 100), ONE)
    assert facts.named("mode.silence.cold.end_to_end.p50").n == 60
    assert facts.named("mode.silence.cold.detect.p50").n == 100


def test_an_untested_mode_is_neither_covered_nor_uncovered() -> None:
    facts = sheet([*drilled("silence", 200, 200), *warm("stall", 50, 50)], TWO)
    share = facts.named("mode.stall.cold.mitigated")
    assert (share.value, share.low, share.high, share.n, share.note) == (None, None, None, 0, "untested")
    untested = facts.named("untested")
    assert (untested.value, untested.n, untested.note) == (1, 2, "stall")
    risk = facts.named("coverage.risk")
    assert risk.note == "untested: stall"
    exact = coverage_interval([("silence", 4, 30, 200, 200), ("stall", 2, 120, 0, 0)], years=2.0, seed=7).risk
    assert (risk.low, risk.value, risk.high) == pytest.approx(tuple(exact))
    assert exact.low < 0.4
    assert exact.high > 0.99


def test_why_a_mode_is_untested_is_told_where_it_is_known() -> None:
    facts = sheet(drilled("silence", 5, 5), TWO, why_untested={"stall": "spend cap", "silence": "never looked at"})
    assert facts.named("mode.stall.cold.mitigated").note == "untested: spend cap"
    assert not facts.named("mode.silence.cold.mitigated").note


def test_the_coverages_are_those_of_the_formula_with_the_intervals_of_the_draws() -> None:
    facts = sheet([*drilled("silence", 150, 200), *drilled("stall", 40, 200)], TWO)
    exact = coverage([("silence", 2.0, 30, 0.75), ("stall", 1.0, 120, 0.2)])
    bands = coverage_interval([("silence", 4, 30, 150, 200), ("stall", 2, 120, 40, 200)], years=2.0, seed=7)
    for name in ("modes", "events", "risk"):
        fact = facts.named(f"coverage.{name}")
        assert fact.value == pytest.approx(getattr(exact, name))
        assert (fact.low, fact.high) == pytest.approx((getattr(bands, name).low, getattr(bands, name).high), abs=0.01)
        assert fact.n == 400
        assert fact.confidence == 0.95


def test_rates_counted_over_different_times_are_weighed_each_by_its_own() -> None:
    calls = [*drilled("silence", 1000, 1000), *drilled("stall", 0, 1000)]
    one = rates({"silence": (100_000, 5)}, years=1.0).of["silence"]
    other = rates({"stall": (400_000, 10)}, years=8.0).of["stall"]
    facts = sheet(calls, Rates("minutes", {"silence": one, "stall": other}))
    by_events, by_risk = 100_000 / 150_000, 500_000 / 1_000_000
    for name, share in (("events", by_events), ("risk", by_risk)):
        fact = facts.named(f"coverage.{name}")
        assert fact.value == pytest.approx(share)
        assert fact.low == pytest.approx(share, abs=0.01)
        assert fact.high == pytest.approx(share, abs=0.01)


def test_an_interval_holds_its_value_even_where_nothing_ever_failed() -> None:
    risk = sheet(drilled("silence", 200, 200), ONE).named("coverage.risk")
    assert (risk.value, risk.high) == (1.0, 1.0)
    assert risk.low == pytest.approx(0.9875, abs=0.002)


def test_a_forbidden_fallback_covers_nothing_whatever_was_drilled() -> None:
    calls = [*drilled("silence", 200, 200), *drilled("stall", 200, 200)]
    facts = sheet(calls, TWO, forbidden=frozenset({"stall"}))
    assert facts.named("coverage.risk").value == pytest.approx(60 / 180)
    assert facts.named("coverage.modes").value == 0.5
    assert "forbids" in facts.named("mode.stall.cold.mitigated").note


def test_a_broken_answer_passed_off_as_whole_is_counted_and_never_mitigated() -> None:
    facts = sheet([*drilled("silence", 9, 10), repetition("silence", passed_off=True)], ONE)
    assert facts.named("passed_off").value == 1
    assert facts.named("mode.silence.cold.passed_off").value == 1
    assert facts.named("mode.silence.cold.mitigated_calls").value == 9
    assert facts.named("coverage.risk").value == pytest.approx(9 / 11)


def test_costs_and_what_the_failure_added_to_them() -> None:
    calls = [repetition(cost=0.002 + 0.0001 * number) for number in range(10)]
    usual = [repetition(cost=0.001 + 0.0001 * (number % 2)) for number in range(8)]
    facts = sheet(calls, ONE, baseline=usual)
    cost = facts.named("mode.silence.cold.cost")
    assert (cost.unit, cost.n) == ("USD", 10)
    assert (cost.value, cost.low, cost.high) == pytest.approx(mean([one.cost or 0 for one in calls]))
    added = facts.named("mode.silence.cold.added_cost")
    exact = mean_difference([one.cost or 0 for one in calls], [one.cost or 0 for one in usual])
    assert (added.value, added.low, added.high) == pytest.approx(exact)


def test_an_unknown_price_is_unknown_and_never_nothing() -> None:
    calls = [*drilled("silence", 5, 5), repetition(cost=None)]
    facts = sheet(calls, ONE, baseline=[repetition(cost=0.001), repetition(cost=None)])
    cost = facts.named("mode.silence.cold.cost")
    assert (cost.value, cost.note) == (None, "unknown for 1 of 6 calls")
    assert facts.named("mode.silence.cold.added_cost").note == "unknown for 1 of 6 calls"
    known = sheet(drilled("silence", 5, 5), ONE, baseline=[repetition(cost=None)])
    assert known.named("mode.silence.cold.added_cost").note == "steady state: unknown for 1 of 1 calls"
    assert known.named("mode.silence.warm.cost").note == "no calls"


def test_one_call_has_a_cost_and_no_interval() -> None:
    facts = sheet([repetition()], ONE, baseline=[repetition(), repetition()])
    cost = facts.named("mode.silence.cold.cost")
    assert (cost.value, cost.low, cost.note) == (0.002, None, "one call has no interval")
    assert facts.named("mode.silence.cold.added_cost").value is None


def test_default_weights_are_marked_as_such_with_their_source() -> None:
    facts = sheet(drilled("silence", 5, 5), default_rates())
    events = facts.named("mode.silence.events")
    assert events.value == pytest.approx(55 / 6 / 3.8)
    assert (events.low, events.high) == event_rate(55 / 6, 3.8)
    assert events.note.startswith("default: unavailable, outage, down; https://")
    assert facts.named("default_rates").value == len(default_rates().of)
    assert facts.named("mode.silence.impact").unit == "minutes"
    weights = [fact.value or 0 for fact in facts.facts if fact.name.endswith(".weight")]
    assert sum(weights) == pytest.approx(1)
    assert sheet(drilled("silence", 5, 5), ONE).named("mode.silence.events").note.startswith("given: ")


def test_a_mode_without_a_rate_is_told_of_but_not_weighed() -> None:
    calls = [*drilled("silence", 5, 5), *drilled("bad_request", 0, 5)]
    facts = sheet(calls, ONE, modes=("silence", "bad_request"))
    assert facts.named("mode.bad_request.cold.mitigated").value == 0
    assert facts.named("coverage.risk").value == 1
    with pytest.raises(KeyError):
        facts.named("mode.bad_request.weight")


def test_no_number_stands_without_its_sample_method_and_interval_or_a_reason() -> None:
    calls = [*drilled("silence", 150, 200), *drilled("stall", 3, 3), *warm("stall", 2, 2)]
    facts = sheet(calls, rates({"silence": (4, 30), "stall": (2, 120), "cut": (1, 1)}), baseline=[repetition()])
    names = [fact.name for fact in facts.facts]
    assert len(names) == len(set(names))
    counts = {"calls", "modes"}
    for fact in facts.facts:
        assert fact.method or fact.unit in counts, fact.name
        whole = fact.low is not None and fact.high is not None
        assert whole or fact.note or fact.unit in counts, fact.name
    assert read(write(facts)) == facts


def test_the_same_calls_and_seed_give_the_same_sheet() -> None:
    calls = [*drilled("silence", 150, 200), *drilled("stall", 3, 3)]
    assert sheet(calls, TWO) == sheet(calls, TWO)
    assert sheet(calls, TWO, seed=8) != sheet(calls, TWO)


def test_only_the_modes_that_were_chosen_are_told_of_and_weighed() -> None:
    calls = [*drilled("silence", 150, 200), *drilled("stall", 0, 200)]
    everything = rates({"silence": (4, 30), "stall": (2, 120), "cut": (100, 500)})
    facts = sheet(calls, everything, modes=("silence", "stall"), catalogue=("silence", "stall", "cut"))
    alone = sheet(calls, TWO)
    for name in ("modes", "events", "risk"):
        ours, theirs = (found.named(f"coverage.{name}") for found in (facts, alone))
        assert (ours.value, ours.low, ours.high) == (theirs.value, theirs.low, theirs.high)
        assert (ours.note, theirs.note) == ("of the 2 modes chosen", "")
    chosen = facts.named("modes")
    assert (chosen.value, chosen.n, chosen.note) == (2, 3, "silence, stall")
    assert facts.named("untested").value == 0
    assert not [fact for fact in facts.facts if fact.name.startswith("mode.cut")]


def test_what_was_chosen_and_is_not_weighed_is_told_apart() -> None:
    facts = sheet(
        drilled("silence", 5, 5), TWO, modes=("silence", "bad_request"), catalogue=("silence", "stall", "bad_request")
    )
    assert facts.named("coverage.risk").note == "of the 1 weighed of the 2 modes chosen"


def test_a_drill_of_the_whole_catalogue_says_how_many_of_its_modes_are_weighed() -> None:
    everything = ("silence", "stall", "bad_request")
    facts = sheet(drilled("silence", 5, 5), TWO, modes=everything, catalogue=everything)
    assert facts.named("coverage.risk").note.startswith("of 2 weighed modes of 3")


def test_a_drill_that_was_not_completed_has_no_coverage_whatever_it_counted() -> None:
    facts = sheet(drilled("silence", 200, 200), TWO, partial="aborted, the time cap of 4 s is over")
    for name in ("modes", "events", "risk"):
        fact = facts.named(f"coverage.{name}")
        assert (fact.value, fact.low, fact.high, fact.n) == (None, None, None, 200)
        assert fact.note == "partial: aborted, the time cap of 4 s is over"
    assert facts.named("mode.silence.cold.mitigated").value == 1


def test_there_is_no_coverage_without_data_for_it() -> None:
    def notes(facts: Facts) -> list[str]:
        found = [facts.named(f"coverage.{name}") for name in ("modes", "events", "risk")]
        return ["" if fact.value is not None else fact.note for fact in found]

    assert notes(sheet([], TWO)) == ["no mode was drilled"] * 3
    assert notes(sheet(drilled("cut", 5, 5), ONE, modes=("cut",))) == ["none of these modes is weighed"] * 3
    assert notes(sheet(drilled("silence", 1, 1), rates({"silence": (0, 30)}))) == [
        "",
        "no mode has events above 0 to weigh it by",
        "no mode has events and impact above 0 to weigh it by",
    ]
    harmless = sheet(drilled("silence", 1, 1), rates({"silence": (3, 0)}))
    assert notes(harmless) == ["", "", "no mode has events and impact above 0 to weigh it by"]
    assert harmless.named("coverage.events").value == 1


def test_calls_beyond_those_asked_for_are_in_no_share_and_no_time_but_a_passed_off_one_is_never_hidden() -> None:
    calls = enough([*drilled("silence", 4, 6), repetition("silence", passed_off=True)], 4, Counter())
    facts = sheet([*calls, *warm("silence", 2, 2)], ONE, repeat=4)
    share = facts.named("mode.silence.cold.mitigated")
    assert (share.value, share.n) == (1.0, 4)
    assert facts.named("mode.silence.cold.detect.p50").n == 4
    assert facts.named("surplus").value == 3
    assert (facts.named("passed_off").value, facts.named("mode.silence.passed_off").value) == (1, 1)
    assert facts.named("short").value == 0
    assert facts.named("coverage.risk").n == 4


def test_a_mode_that_fell_short_of_what_was_asked_for_is_named() -> None:
    facts = sheet([*drilled("silence", 4, 4), *drilled("stall", 5, 5)], TWO, repeat=5)
    assert (facts.named("short").value, facts.named("short").note) == (1, "silence 4")


def test_answers_that_needed_no_intervention_are_counted_apart() -> None:
    own: dict[str, Any] = {"attempts": 1, "answered_by": "eu-cloud"}
    calls = [
        repetition(**own),
        repetition(**own, mitigated=False),
        repetition(attempts=1),
        repetition(attempts=2, answered_by="eu-cloud"),
    ]
    facts = sheet(calls, ONE)
    assert facts.named("mode.silence.cold.mitigated_calls").value == 3
    assert (facts.named("mode.silence.cold.unaided").value, facts.named("mode.silence.cold.unaided").n) == (1, 4)


def test_how_many_targets_failed_together_is_told() -> None:
    facts = sheet(drilled("silence", 5, 5), ONE, struck={"silence": ("eu-cloud", "eu-west")}, targets=3)
    struck = facts.named("mode.silence.struck")
    assert (struck.value, struck.n, struck.note) == (2, 3, "eu-cloud, eu-west")


def test_a_call_of_a_mode_that_was_not_chosen_is_refused() -> None:
    with pytest.raises(EvidenceError, match="drilled, but not chosen: cut"):
        sheet(drilled("cut", 1, 1), ONE)
