"""Stresses: each strikes whom it says, when it says, and tells so; a lift that is asked for is there."""

from pathlib import Path

import numpy as np
import pytest
from tests.replay.planned import EU, ROUTES, batch, configured, models

from surefoot.domain.outcome import Kind
from surefoot.errors import ReplayError
from surefoot.evidence.outages import lift as lift_of
from surefoot.evidence.spans import Span, common, length
from surefoot.replay.arms import arms
from surefoot.replay.demand import Demand, Lengths
from surefoot.replay.outages.correlation import correlated
from surefoot.replay.outages.outage import GATEWAY, Outage
from surefoot.replay.stress import STRESSES, Case, read_stress
from surefoot.replay.virtual.driver import KINDS, run

OK = KINDS.index(Kind.OK)
WEEK = 7 * 86_400.0
BUSY = 1_700_000_000.0


def case(folder: Path, text: str = ROUTES, outages: tuple[Outage, ...] = (), span: float = WEEK) -> Case:
    demand = Demand(
        calls=10_000,
        start=BUSY,
        end=BUSY + span,
        busiest_hour=BUSY + 7_200.0,
        busiest_calls=900,
        peak_requests=60.0,
        peak_tokens=60_000.0,
        lengths=Lengths(np.array([BUSY]), np.array([100]), np.array([10])),
        routes={"": 5_000, "chat": 4_000, "other": 1_000},
    )
    return Case(arms=arms(configured(folder, text), None, models), outages=outages, demand=demand, seed=1)


def spans(outages: tuple[Outage, ...], target: str) -> list[Span]:
    return [(one.start, one.end) for one in outages if one.target == target]


def severe(count: int, *, minutes: float, target: str = "openai-us", offset: float = 0.0) -> tuple[Outage, ...]:
    every = WEEK / count
    return tuple(
        Outage(
            target=target,
            start=BUSY + offset + number * every,
            end=BUSY + offset + number * every + 60 * minutes * (1 + number % 3),
            mode="refuse",
        )
        for number in range(count)
    )


def test_at_the_busiest_hour_the_primaries_fail_and_nobody_else(tmp_path: Path) -> None:
    routes = ROUTES + '[routes.other]\ntargets = ["azure-eu", "openai-us"]\n'
    made = read_stress("busiest-hour=90m, mode=silence").apply(case(tmp_path, routes))
    assert {(one.target, one.start, one.end, one.mode) for one in made.outages} == {
        ("openai-us", BUSY + 7_200, BUSY + 7_200 + 5_400, "silence"),
        ("azure-eu", BUSY + 7_200, BUSY + 7_200 + 5_400, "silence"),
    }
    assert {one.incident for one in made.outages} == {"stress:busiest-hour"}
    assert made.said == ("busiest-hour=90m,mode=silence: openai-us, azure-eu fail for 90m by silence",)


def test_outages_that_are_there_stay_where_a_stress_adds_one(tmp_path: Path) -> None:
    before = severe(2, minutes=5)
    made = read_stress("busiest-hour=1h").apply(case(tmp_path, outages=before))
    assert made.outages[:2] == before
    assert len(made.outages) == 3


def test_all_targets_of_a_shared_cloud_fail_together(tmp_path: Path) -> None:
    made = read_stress("shared-cloud=Anthropic,for=10m").apply(case(tmp_path))
    assert [(one.target, one.end - one.start) for one in made.outages] == [("claude-us", 600.0)]
    with pytest.raises(ReplayError, match="did you mean `anthropic`"):
        read_stress("shared-cloud=antropic").apply(case(tmp_path))


def test_the_lift_that_is_asked_for_is_there_to_the_second(tmp_path: Path) -> None:
    before = (*severe(20, minutes=9), *severe(12, minutes=7, target="claude-us", offset=3_000.0))
    down = length(spans(before, "claude-us"))
    made = read_stress("correlated=6").apply(case(tmp_path, outages=before))
    watched = [(BUSY, BUSY + WEEK)]
    primary, fallback = spans(made.outages, "openai-us"), spans(made.outages, "claude-us")
    assert primary == spans(before, "openai-us")
    assert length(fallback) == pytest.approx(down)
    assert lift_of(primary, fallback, watched) == pytest.approx(6.0)
    assert all(start >= BUSY and end <= BUSY + WEEK for start, end in fallback)
    assert "the list says" in made.said[0]


def test_the_lift_is_that_of_calls_too(tmp_path: Path) -> None:
    before = severe(60, minutes=20)
    made = read_stress("correlated=3").apply(case(tmp_path, outages=before))
    at = BUSY + np.random.default_rng(3).random(400_000) * WEEK

    def down(target: str) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        found = np.zeros(len(at), np.bool_)
        for start, end in spans(made.outages, target):
            found |= (at >= start) & (at < end)
        return found

    one, other = down("openai-us"), down("claude-us")
    assert (one & other).mean() / (one.mean() * other.mean()) == pytest.approx(3.0, rel=0.03)
    assert "as long as openai-us" in made.said[0]


def test_a_lift_of_one_is_chance_and_of_nought_is_never_together(tmp_path: Path) -> None:
    before = severe(20, minutes=9)
    watched = [(BUSY, BUSY + WEEK)]
    for asked in (1.0, 0.0):
        made = read_stress(f"correlated={asked}").apply(case(tmp_path, outages=before))
        found = lift_of(spans(made.outages, "openai-us"), spans(made.outages, "claude-us"), watched)
        assert found == pytest.approx(asked, abs=1e-9)


def test_whole_outages_are_common_and_not_a_slice_of_each() -> None:
    primary = [(day * 86_400.0, day * 86_400.0 + 3_600.0) for day in range(100)]
    made = correlated(primary, 100 * 3_600.0, (0.0, 100 * 86_400.0), 6.0, 1)
    shared = common(primary, made)
    whole = [span for span in shared if span[1] - span[0] > 3_599.0]
    assert len(whole) == 25
    assert len(shared) == 25


def test_the_same_seed_draws_the_same_outages_and_another_seed_does_not() -> None:
    primary = [(day * 86_400.0, day * 86_400.0 + 3_600.0) for day in range(100)]
    whole = (0.0, 100 * 86_400.0)
    assert correlated(primary, 9_000.0, whole, 6.0, 1) == correlated(primary, 9_000.0, whole, 6.0, 1)
    assert correlated(primary, 9_000.0, whole, 6.0, 1) != correlated(primary, 9_000.0, whole, 6.0, 2)


def test_a_lift_that_cannot_be_is_refused_with_the_bounds(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="a lift of 600 cannot be: with these outages it is between 0 and 28"):
        read_stress("correlated=600").apply(case(tmp_path, outages=severe(20, minutes=9)))
    with pytest.raises(ReplayError, match="needs outages of the primary"):
        read_stress("correlated=6").apply(case(tmp_path))
    with pytest.raises(ReplayError, match="no second target"):
        read_stress("correlated=6").apply(case(tmp_path, '[routes.chat]\ntargets = ["openai-us"]\n'))


def test_whose_fallback_it_is_can_be_said(tmp_path: Path) -> None:
    routes = ROUTES + '[routes.other]\ntargets = ["azure-eu", "openai-us"]\n'
    before = severe(20, minutes=9, target="azure-eu")
    made = read_stress("correlated=6,route=other").apply(case(tmp_path, routes, before))
    assert {one.target for one in made.outages} == {"azure-eu", "openai-us"}
    with pytest.raises(ReplayError, match="did you mean `other`"):
        read_stress("correlated=6,route=othr").apply(case(tmp_path, routes, before))


def test_when_a_transfer_tool_falls_whoever_asks_for_one_loses_the_targets_that_lean_on_it(tmp_path: Path) -> None:
    bound = '[jurisdiction.tool]\ntransfers = ["DPF", "SCC"]\n' + ROUTES + 'jurisdiction = "tool"\n'
    before = case(tmp_path, bound)
    after = read_stress("tool-falls=dpf").apply(before)
    calls = batch(5)

    def first(of: Case, arm: int) -> set[int]:
        (found,) = run(of.arms[arm], [calls], [], 1)
        return set(found.first.tolist())

    names = [target.name for target in before.configuration.targets]
    assert {names[place] for place in first(before, 0)} == {"openai-us"}
    assert {names[place] for place in first(after, 0)} == {"claude-us"}
    assert first(after, 1) == {-1}  # without fallback the one target was the fallen one
    with pytest.raises(ReplayError, match="no target declares BCR"):
        read_stress("tool-falls=BCR").apply(before)


def test_when_the_gateway_is_down_only_those_who_call_through_it_are_lost(tmp_path: Path) -> None:
    made = read_stress("gateway-down=10m").apply(case(tmp_path, EU + ROUTES))
    assert [one.target for one in made.outages] == [GATEWAY]
    calls = batch(2_000, every=1.0)
    calls.at[:] += 7_200.0 - 100.0
    (through,), (direct,) = (run(arm, [calls], made.outages, 1) for arm in made.arms)
    inside = (calls.at >= BUSY + 7_200.0) & (calls.at < BUSY + 7_800.0)
    assert inside.sum() == 600
    assert not (through.kind[inside] == OK).any()
    assert (through.kind[~inside] == OK).all()
    assert (direct.kind == OK).all()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("busy-hour=1h", "did you mean `busiest-hour`"),
        ("busy", "write NAME=VALUE"),
        ("busiest-hour", "the value is missing; write busiest-hour=1h"),
        ("busiest-hour=1", "carries its unit"),
        ("busiest-hour=0s", "strikes nobody"),
        ("busiest-hour=1h,mode=silense", "did you mean `silence`"),
        ("busiest-hour=1h,for=2h", "takes no `for`"),
        ("correlated=much", "a lift is a number"),
        ("tool-falls=DFP", "there is no transfer tool `DFP`"),
    ],
)
def test_a_stress_that_is_none_is_refused_with_what_it_could_be(text: str, told: str) -> None:
    with pytest.raises(ReplayError, match=told):
        read_stress(text)


def test_there_are_five() -> None:
    assert STRESSES == ("busiest-hour", "shared-cloud", "correlated", "tool-falls", "gateway-down")
