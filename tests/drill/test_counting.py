"""How many repetitions count, what is left and for how long, and who fails with whom: the paper side of a run."""

from collections import Counter
from pathlib import Path

import pytest
from tests.drill.built import drilled, repetition, warm

from surefoot.drill.house import live
from surefoot.drill.pace import Pace
from surefoot.drill.plan import DrillOptions, patience_of, undeclared
from surefoot.drill.repetition import Repetition, enough

EXAMPLES = Path(__file__).parents[2] / "examples"


def counting(calls: list[Repetition]) -> int:
    return sum(one.delivered and not one.warm and not one.surplus for one in calls)


def test_exactly_as_many_cold_calls_count_as_were_asked_for_whatever_the_worlds_gave() -> None:
    counted: Counter[tuple[str, str]] = Counter()
    first = enough([*drilled("silence", 3, 5), *warm("silence", 4, 4)], 7, counted)
    second = enough([*drilled("silence", 5, 5), *drilled("stall", 2, 2)], 7, counted)
    assert (counting(first), counting(second)) == (5, 2 + 2)
    assert [one.surplus for one in second] == [False, False, True, True, True, False, False]
    assert counted == {("chat", "silence"): 10, ("chat", "stall"): 2}


def test_what_did_not_strike_or_was_warm_is_no_surplus_and_takes_nobodys_place() -> None:
    calls = [repetition(delivered=False), repetition(warm=True), repetition(), repetition(route="other"), repetition()]
    assert [one.surplus for one in enough(calls, 1, Counter())] == [False, False, False, False, True]


def test_before_a_wave_is_over_there_is_only_an_upper_bound_and_then_an_estimate() -> None:
    pace = Pace()
    assert pace.rest(0.0) == (None, False)
    pace.round([(100, 60.0), (50, 30.0)])
    pace.wave_begins(0.0)
    assert pace.rest(10.0) == (80.0, True)
    pace.wave_ends(20.0)
    assert pace.rest(20.0) == (10.0, False)
    pace.wave_begins(21.0)
    assert pace.rest(25.0) == (6.0, False)
    assert pace.rest(99.0) == (None, False)  # later than estimated: nothing is known any more
    pace.wave_ends(99.0)
    assert pace.rest(99.0) == (None, False)


def test_who_does_not_say_where_it_is_fails_alone_and_is_named() -> None:
    silent = live(EXAMPLES / "minimal.toml", {"OPENAI_API_KEY": "a", "MISTRAL_API_KEY": "b"}, forward=False)
    many = live(EXAMPLES / "multi-cloud.toml", {}, forward=False)
    assert undeclared(silent, silent.routes[0], "cloud") == ("openai", "mistral")
    assert undeclared(many, many.routes[0], "cloud") == ()
    assert undeclared(many, many.routes[0], "cdn") == ("azure-eu", "mistral-eu")


@pytest.mark.parametrize(("told", "patience"), [(90.0, 60.0), (20.0, 20.0)])
def test_a_client_waits_no_longer_than_the_routes_deadline(told: float, patience: float) -> None:
    many = live(EXAMPLES / "multi-cloud.toml", {}, forward=False)
    assert patience_of(many.routes[0], DrillOptions(patience=told)) == patience
