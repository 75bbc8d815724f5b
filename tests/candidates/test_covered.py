"""Coverage as the replay saw it, by hand on a few calls in three incidents."""

from math import nan

import numpy as np
import pytest
from tests.replay.paired import HOUR, MONDAY, TARGETS, WEEK, Call, failed, ok, outage, results, saved

from surefoot.candidates.covered import by_mode, coverages, modes_of
from surefoot.candidates.measures import (
    ADDED,
    AVAILABLE,
    FALLBACK,
    LOSERS,
    MONTH,
    OVERALL,
    PER_CALL,
    PER_MONTH,
    Replayed,
)
from surefoot.domain.place import Place, Transfer
from surefoot.domain.target import Endpoint, Target
from surefoot.evidence import clopper_pearson
from surefoot.evidence.intervals import korn_graubard
from surefoot.replay.counting.arranged import Arranged
from surefoot.replay.counting.numbers import Numbers
from surefoot.replay.counting.tally import Tally
from surefoot.replay.outages.outage import Outage

Row = tuple[float, Call, Call]
INCIDENTS = [outage(1, 3, incident="A"), outage(5, 6, incident="B", mode="silence"), outage(20, 21, incident="C")]
ROWS: list[Row] = [
    (0.0, ok(), ok()),
    (1.1, failed(outage=0), saved(outage=0)),
    (1.5, failed(outage=0), saved(outage=0)),
    (2.0, failed(outage=0), failed(attempts=2, outage=0)),
    (2.5, ok(), ok()),
    (5.2, failed(outage=1), failed(outage=1)),
    (5.5, ok(), ok()),
    (30.0, ok(), ok()),
]
"""Of two hours three of four calls fail and two are saved; of an hour one of two fails; in C nobody calls."""


def tallied(rows: list[Row], outages: list[Outage]) -> Tally:
    tally = Tally(outages, TARGETS, (0.0,))
    at = [MONDAY + hours * HOUR for hours, _, _ in rows]
    first = np.zeros(len(rows), np.int64)
    tally.add(first, results(at, [row[1] for row in rows]), results(at, [row[2] for row in rows]))
    return tally


def target(name: str, place: Place) -> Target:
    return Target(name, "acme", "model", "openai-chat", Endpoint("h", 1, tls=True, path=""), place)


DECLARED = (
    target("primary", Place(processes=("US",), operator="Acme Inc.", transfer=Transfer.DPF)),
    target("spare", Place(processes=("DE",))),
)


def test_the_three_coverages_are_weighed_by_minutes_by_incidents_and_not_at_all() -> None:
    arranged = Arranged(tallied(ROWS, INCIDENTS), 7)
    modes = modes_of(arranged)
    assert modes.names == ("server_error", "silence")
    assert modes.failed.tolist() == [[3, 1]]
    assert modes.saved.tolist() == [[2, 0]]
    assert modes.micro.tolist() == [[120 * 3 / 4 * 60e6, 30 * 60e6]]
    found = coverages(modes, Numbers("c.any", None, 1), 30 * HOUR)
    assert found["risk"].fact.value == pytest.approx((90 * 2 / 3 + 30 * 0) / 120)
    assert found["events"].fact.value == pytest.approx((2 / 3 + 0) / 2)
    assert found["modes"].fact.value == pytest.approx(1 / 2)
    assert found["risk"].fact.n == 4
    # 90 and 30 minutes are 1.6 incidents of equal weight; two incidents, and two modes, are two
    for name, value, cases in (("risk", 1 / 2, 120**2 / (90**2 + 30**2)), ("events", 1 / 3, 2), ("modes", 1 / 2, 2)):
        assert (found[name].fact.low, found[name].fact.high) == pytest.approx(korn_graubard(value, cases))


def test_each_mode_is_told_with_its_minutes() -> None:
    arranged = Arranged(tallied(ROWS, INCIDENTS), 7)
    found = {one.fact.name: one.fact for one in by_mode(modes_of(arranged), Numbers("c", None, 1))}
    assert found["c.mode.server_error.mitigated"].value == pytest.approx(2 / 3)
    assert found["c.mode.server_error.minutes"].value == pytest.approx(90)
    silence = found["c.mode.silence.mitigated"]
    assert (silence.value, silence.low, silence.high) == (0.0, *clopper_pearson(0, 1))


def test_without_an_outage_nothing_is_known_of_coverage() -> None:
    arranged = Arranged(tallied([(0.0, ok(), ok())], []), 7)
    risk = coverages(modes_of(arranged), Numbers("c", None, 1), HOUR)["risk"].fact
    assert (risk.value, risk.note) == (None, "no call met an outage that it did not survive alone")


def test_resampled_coverage_is_that_of_the_resampled_weeks() -> None:
    later = [(hours + 7 * 24, without, with_it) for hours, without, with_it in ROWS]
    saved_all = [
        (hours, without, saved(outage=0) if "outage" in with_it else with_it) for hours, without, with_it in later
    ]
    second = [
        outage(7 * 24 + 1, 7 * 24 + 3, incident="D"),
        outage(7 * 24 + 5, 7 * 24 + 6, incident="E", mode="silence"),
    ]
    moved = [(h, {**w, "outage": w["outage"] + 3} if "outage" in w else w, i) for h, w, i in saved_all]
    arranged = Arranged(tallied(ROWS + moved, INCIDENTS + second), 7)
    assert arranged.weights is not None
    found = coverages(modes_of(arranged), Numbers("c", arranged.weights, 2), WEEK)["risk"]
    assert found.resampled is not None
    for times, value in zip(arranged.weights.tolist()[:20], found.resampled.tolist(), strict=False):
        one, two = times
        errors = (2 * one + 3 * two) / (3 * (one + two))
        silences = two / (one + two)
        assert value == pytest.approx((90 * errors + 30 * silences) / 120)


def replayed(rows: list[Row]) -> dict[str, float | None]:
    found = Replayed(tallied(rows, INCIDENTS), "c.any", 7).measured(DECLARED, [])
    return {name: one.fact.value for name, one in found.items()}


def test_cost_is_told_by_call_by_month_and_beyond_that_of_no_fallback() -> None:
    found = replayed(ROWS)
    cost = 4 * 0.01 + 2 * 0.02
    assert found[PER_CALL] == pytest.approx(cost / 8)
    assert found[PER_MONTH] == pytest.approx(cost / (30 * HOUR) * MONTH)
    assert found[ADDED] == pytest.approx(2 * 0.02 / (30 * HOUR) * MONTH)
    assert found[LOSERS] == 0
    assert found[AVAILABLE] == 6 / 8
    assert found[f"{AVAILABLE}.without"] == 4 / 8


def test_an_unknown_price_is_not_nothing() -> None:
    found = Replayed(tallied([(0.0, ok(), ok(cost=nan)), (1.0, ok(), ok())], []), "c", 7).measured(DECLARED, [])
    assert found[PER_MONTH].fact.value is None
    assert found[PER_MONTH].fact.note == "unknown: 1 of 2 calls asked a target without a price"


def test_answers_are_shared_out_by_target_place_operator_and_transfer_tool() -> None:
    found = replayed(ROWS)
    assert found["target.spare"] == pytest.approx(2 / 6)
    assert found["place.DE"] == pytest.approx(2 / 6)
    assert found["operator.Acme Inc."] == pytest.approx(4 / 6)
    assert found["transfer.DPF"] == pytest.approx(4 / 6)
    assert found["transfer.unknown"] == pytest.approx(2 / 6)


def test_the_p99_of_the_fallback_is_of_calls_that_were_struck_and_answered_by_another_alone() -> None:
    struck = [(1 + number / 100, failed(outage=0), saved(outage=0)) for number in range(100)]
    spared = [(2 + number / 300, failed(outage=0), ok(winner=1, first=1, e2e=60.0)) for number in range(200)]
    own = [(30 + number / 300, ok(), ok(e2e=40.0)) for number in range(10)]
    found = Replayed(tallied([*struck, *spared, *own], INCIDENTS), "c", 7).measured(DECLARED, [])
    assert found[FALLBACK].fact.n == 100
    assert found[FALLBACK].fact.value == pytest.approx(2.5, rel=0.01)
    assert found[OVERALL].fact.value == pytest.approx(60.0, rel=0.01)
