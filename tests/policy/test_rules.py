"""Each rule alone: what it admits, and the words with which it refuses."""

import pytest
from tests.policy.world import request, target

from surefoot.domain.request import Request
from surefoot.domain.route import Route, Rung, When
from surefoot.domain.target import Target
from surefoot.domain.units import Price as Charge
from surefoot.policy.candidate import Candidate
from surefoot.policy.first_token import series_of
from surefoot.policy.options import PolicyOptions
from surefoot.policy.rules.condition import Condition
from surefoot.policy.rules.health import Health
from surefoot.policy.rules.latency import Latency
from surefoot.policy.rules.price import TYPICAL_ANSWER, Price
from surefoot.policy.rules.slots import Slots
from surefoot.policy.rules.window import Window
from surefoot.policy.suspicion import Suspicion, SuspicionOptions
from surefoot.policy.target_state import UNBOUNDED, ProbePermit, ProbeWanted, TargetState
from surefoot.policy.them_or_us import ThemOrUs, ThemOrUsOptions


def candidate(of: Target | None = None, when: When | None = None) -> Candidate:
    of = of or target("a")
    rung = Rung(of.name, when or When())
    return Candidate(
        Route("chat", (rung,)),
        rung,
        TargetState(of, PolicyOptions(), [], ThemOrUs(ThemOrUsOptions()), alone=True),
    )


@pytest.mark.parametrize(("tokens", "inside"), [(99, False), (100, True), (800, True), (801, False)])
def test_a_condition_admits_the_lengths_it_names_both_ends_included(tokens: int, inside: bool) -> None:  # noqa: FBT001
    c = candidate(when=When(100, 800))
    assert (Condition().reason(c, request(tokens), 0.0) is None) is inside


def test_a_condition_says_what_it_is_meant_for() -> None:
    assert Condition().reason(candidate(when=When(100, 800)), request(900), 0.0) == (
        "meant for 100 to 800 prompt tokens; this one has about 900"
    )
    assert Condition().reason(candidate(when=When(least=801)), request(10), 0.0) == (
        "meant for from 801 prompt tokens; this one has about 10"
    )


@pytest.mark.parametrize(("prompt", "answer", "fits"), [(600, 400, True), (601, 400, False), (1001, 0, False)])
def test_a_window_holds_prompt_and_answer_together(prompt: int, answer: int, fits: bool) -> None:  # noqa: FBT001
    c = candidate(target("a", window=1000))
    assert (Window().reason(c, request(prompt, max_tokens=answer), 0.0) is None) is fits


def test_a_window_says_how_much_was_needed() -> None:
    assert Window().reason(candidate(target("a", window=1000)), request(2000, max_tokens=5), 0.0) == (
        "window of 1000 tokens; prompt and answer may need about 2005"
    )


def test_an_unknown_window_admits_everything() -> None:
    assert Window().reason(candidate(), request(10_000_000), 0.0) is None


def test_slots_are_refused_once_all_are_taken() -> None:
    c = candidate(target("a", max_in_flight=2))
    c.state.launched(0.0)
    assert Slots().reason(c, request(), 0.0) is None
    c.state.launched(0.0)
    assert Slots().reason(c, request(), 0.0) == "full: 2 of 2 attempts under way"


def test_a_target_without_a_bound_has_slots_without_end() -> None:
    assert candidate().state.slots == UNBOUNDED


def test_health_admits_a_closed_breaker() -> None:
    assert Health().reason(candidate(), request(), 0.0) is None


def test_health_says_how_long_a_breaker_stays_open() -> None:
    c = candidate()
    c.state.breaker.open(100.0, 10.0)
    assert Health().reason(c, request(), 102.5) == "breaker open for another 7.5 s"


def test_health_admits_the_probe_and_then_nothing_until_it_has_ended() -> None:
    c = candidate()
    c.state.breaker.open(100.0, 10.0)
    assert Health().reason(c, request(), 110.0) is None
    c.state.launched(0.0)
    assert Health().reason(c, request(), 111.0) == "breaker half-open: its one probe is under way"


def test_health_asks_for_a_permit_where_other_workers_could_probe_as_well() -> None:
    c = candidate()
    c.state.alone = False
    c.state.breaker.open(100.0, 10.0)
    assert Health().reason(c, request(), 110.0) == "breaker open: another worker may hold the probe"
    assert c.state.news == []
    c.state.want_probe(110.0)
    c.state.want_probe(110.1)
    assert c.state.news == [ProbeWanted("a")]
    c.state.hear(ProbePermit("a", 5.0), 110.5)
    assert Health().reason(c, request(), 111.0) is None


def test_latency_ranks_by_the_median_of_the_requests_own_series() -> None:
    c = candidate()
    for _ in range(20):
        c.state.first_token.fresh[series_of(1, stream=True)](0.3)
        c.state.first_token.fresh[series_of(1, stream=False)](7.0)
    c.state.first_token.fold(Suspicion(SuspicionOptions()))
    assert Latency().rank(c, request(300)) == 0.3
    assert Latency().rank(c, request(300, stream=False)) == 7.0


def test_latency_ranks_what_is_unknown_first_so_that_it_becomes_known() -> None:
    assert Latency().rank(candidate(), request()) == 0.0


def test_price_ranks_by_what_the_call_would_cost() -> None:
    c = candidate(target("a", price=Charge(input=2.0, output=10.0)))
    assert Price().rank(c, Request("chat", stream=True, prompt_tokens=1000, max_tokens=100)) == pytest.approx(0.003)


def test_price_assumes_a_typical_answer_where_the_client_sets_no_bound() -> None:
    c = candidate(target("a", price=Charge(input=0.0, output=1_000_000.0)))
    assert Price().rank(c, request(1000)) == TYPICAL_ANSWER


def test_an_unknown_price_is_not_zero_but_last() -> None:
    assert Price().rank(candidate(), request()) == float("inf")
    assert Price().rank(candidate(target("a", price=Charge(0.0, 0.0))), request()) == 0.0
