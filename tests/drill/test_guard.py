"""What keeps a drill harmless: its steady state, its abort rule, its purse, and how far a fault reaches."""

from pathlib import Path

import pytest

from surefoot.drill.catalogue import MODES, chosen
from surefoot.drill.guard import AbortRule, Purse, steady
from surefoot.drill.house import live
from surefoot.drill.plan import struck_with, worlds_for
from surefoot.errors import DrillError
from surefoot.load import CallResult

EXAMPLES = Path(__file__).parents[2] / "examples"


def answered(seconds: float, *, ok: bool = True) -> CallResult:
    return CallResult(0, 0.0, sent=0.0, end=seconds, ok=ok)


def test_the_steady_state_is_met_only_if_every_call_is_answered_in_time() -> None:
    assert steady([answered(0.1)] * 5, 1.0, 0.0, 1.0).met
    assert not steady([answered(0.1)] * 5 + [answered(1.1)], 1.0, 0.0, 1.0).met
    assert not steady([answered(0.1)] * 5 + [answered(0.1, ok=False)], 1.0, 0.0, 1.0).met
    assert not steady([], 1.0, 0.0, 1.0).met


def test_the_drill_is_aborted_once_too_many_of_the_latest_healthy_calls_went_wrong() -> None:
    rule = AbortRule(0.2, within=1.0)
    assert [rule.note(answered(0.1)) for _ in range(16)] == [None] * 16
    assert [rule.note(answered(2.0)) for _ in range(4)] == [None] * 4
    assert rule.note(answered(0.1, ok=False)) == "5 of the latest 20 healthy calls were not answered within 1 s"


def test_a_few_calls_are_too_few_to_abort_for() -> None:
    rule = AbortRule(0.2, within=1.0)
    assert [rule.note(answered(2.0)) for _ in range(4)] == [None] * 4
    assert rule.note(answered(2.0)) is not None


def test_the_purse_sets_the_dearest_case_aside_and_never_pays_more_than_its_cap() -> None:
    purse = Purse(live(EXAMPLES / "multi-cloud.toml", {}, forward=False), cap=0.01)
    assert purse.dearest == pytest.approx(4 * (0.40 * 60 + 2 * 32) / 1e6)
    assert purse.reserve(20)
    assert not purse.reserve(20)
    assert purse.reserved == pytest.approx(20 * purse.dearest)


def test_without_a_cap_or_a_price_there_is_no_purse() -> None:
    with pytest.raises(DrillError, match="--spend-cap"):
        Purse(live(EXAMPLES / "multi-cloud.toml", {}, forward=False), cap=None)
    with pytest.raises(DrillError, match="missing: openai, mistral"):
        Purse(live(EXAMPLES / "minimal.toml", {}, forward=False), cap=1.0)


def test_a_fault_strikes_the_target_and_what_shares_the_failure_domain_with_it() -> None:
    one = live(EXAMPLES / "single-cloud.toml", {}, forward=False)
    many = live(EXAMPLES / "multi-cloud.toml", {}, forward=False)
    assert struck_with(one, one.routes[0], "france", "cloud") == ("france", "sweden")
    assert struck_with(one, one.routes[0], "france", "target") == ("france",)
    assert struck_with(many, many.routes[0], "azure-eu", "cloud") == ("azure-eu",)
    assert struck_with(many, many.routes[0], "groq-us", "cdn") == ("groq-us", "openai-us")
    assert struck_with(many, many.routes[0], "azure-eu", "cdn") == ("azure-eu",)  # in none


def test_worlds_are_as_many_as_the_repetitions_need() -> None:
    assert [worlds_for(200, 3), worlds_for(1, 3), worlds_for(5, 0.5)] == [67, 1, 10]


def test_the_catalogue_names_each_mode_once_and_gives_them_in_its_own_order() -> None:
    assert len({mode.name for mode in MODES}) == len(MODES)
    assert [mode.name for mode in chosen(("cut", "refuse"))] == ["refuse", "cut"]
    assert chosen(()) == MODES
