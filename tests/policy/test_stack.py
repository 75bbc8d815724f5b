"""The stack: what is chosen, why what was refused was refused, and that both speak of the same rules."""

import pytest
from tests.policy.world import fleet, request, route, target

from surefoot.domain.outcome import Kind
from surefoot.domain.request import Request
from surefoot.domain.route import Order, Route, Rung, When
from surefoot.domain.target import Target
from surefoot.domain.units import Price
from surefoot.policy.first_token import series_of
from surefoot.policy.stack import CLASSES_KEPT, Stack, Verdict
from surefoot.policy.suspicion import Suspicion, SuspicionOptions


def stack_of(targets: list[Target], the_route: Route | None = None) -> Stack:
    return fleet(targets, the_route or route(*(t.name for t in targets))).stacks["chat"]


def chosen(stack: Stack, the_request: Request | None = None, now: float = 100.0, tried: tuple[str, ...] = ()) -> str:
    """The chosen target's name; empty if there is none."""
    states = {c.state.name: c.state for c in stack._candidates}
    state = stack.choose(the_request or request(), now, [states[name] for name in tried])
    return "" if state is None else state.name


def test_the_first_listed_target_is_chosen() -> None:
    assert chosen(stack_of([target("a"), target("b")])) == "a"


def test_what_was_tried_is_not_chosen_again() -> None:
    stack = stack_of([target("a"), target("b")])
    assert chosen(stack, tried=("a",)) == "b"
    assert chosen(stack, tried=("a", "b")) == ""


def test_what_is_out_of_order_is_passed_over() -> None:
    stack = stack_of([target("a"), target("b")])
    stack.first.breaker.open(100.0, 10.0)
    assert chosen(stack, now=109.0) == "b"
    assert chosen(stack, now=110.0) == "a"


def test_what_is_full_is_passed_over() -> None:
    stack = stack_of([target("a", max_in_flight=1), target("b")])
    stack.first.in_flight = 1
    assert chosen(stack) == "b"


def test_the_cheapest_is_chosen_by_price_and_an_unknown_price_comes_last() -> None:
    targets = [target("unknown"), target("dear", price=Price(5, 5)), target("cheap", price=Price(1, 1))]
    stack = stack_of(targets, route("unknown", "dear", "cheap", order=Order.PRICE))
    assert chosen(stack) == "cheap"
    assert [v.target for v in stack.explain(request(), 100.0)] == ["cheap", "dear", "unknown"]


def test_the_fastest_is_chosen_by_latency() -> None:
    stack = stack_of([target("slow"), target("fast")], route("slow", "fast", order=Order.LATENCY))
    for candidate, seconds in zip(stack._candidates, (0.9, 0.2), strict=True):
        for _ in range(20):
            candidate.state.first_token.fresh[series_of(1, stream=True)](seconds)
        candidate.state.first_token.fold(Suspicion(SuspicionOptions()))
    assert chosen(stack) == "fast"


def test_equals_keep_the_listed_order() -> None:
    targets = [target("a", price=Price(1, 1)), target("b", price=Price(1, 1))]
    assert chosen(stack_of(targets, route("b", "a", order=Order.PRICE))) == "b"


def test_short_prompts_stay_at_the_edge_and_long_ones_go_upstream() -> None:
    rungs = (Rung("edge", When(most=800)), Rung("cloud", When(least=801)))
    stack = stack_of([target("edge"), target("cloud")], Route("chat", rungs))
    assert [chosen(stack, request(n)) for n in (0, 800, 801, 50_000)] == ["edge", "edge", "cloud", "cloud"]


def test_the_verdict_cache_answers_as_the_rules_do_at_every_length() -> None:
    rungs = (Rung("a", When(100, 800)), Rung("b", When(most=500)), Rung("c"))
    stack = stack_of([target("a"), target("b"), target("c", window=1_000)], Route("chat", rungs))
    for tokens in (*range(95, 105), *range(495, 505), *range(795, 805), *range(995, 1005)):
        for answer in (0, 1, 200):
            the_request = request(tokens, max_tokens=answer)
            assert stack.admitted(the_request) == stack.admitted(the_request) == stack._judge(the_request)


def test_a_place_the_client_invents_fills_no_memory() -> None:
    stack = stack_of([target("a"), target("b", "us")])
    for n in range(CLASSES_KEPT + 50):
        assert chosen(stack, request(place=f"nowhere-{n}")) == ""
    assert len(stack._only) == CLASSES_KEPT
    assert chosen(stack, request(place="us")) == "b"


def test_a_forbidden_place_is_never_chosen_however_healthy_it_is() -> None:
    stack = stack_of(
        [target("us", "us"), target("eu"), target("unknown", None)], route("us", "eu", "unknown", jurisdiction="eu")
    )
    assert chosen(stack) == "eu"
    assert chosen(stack, tried=("eu",)) == ""


def test_explain_ranks_the_admitted_and_gives_each_refusal_its_rule() -> None:
    rungs = (Rung("short", When(most=100)), Rung("us"), Rung("small"), Rung("full"), Rung("ill"), Rung("b"), Rung("a"))
    targets = [
        target("short"), target("us", "us"), target("small", window=10), target("full", max_in_flight=1), target("ill"),
        target("a", price=Price(1, 1)), target("b", price=Price(2, 2)),
    ]  # fmt: skip
    stack = stack_of(targets, Route("chat", rungs, Order.PRICE, jurisdiction="eu"))
    for candidate in stack._candidates:
        if candidate.target.name == "full":
            candidate.state.in_flight = 1
        if candidate.target.name == "ill":
            candidate.state.breaker.open(100.0, 10.0)
    verdicts = stack.explain(request(), 100.0)
    assert verdicts[:2] == [Verdict("a", rank=1), Verdict("b", rank=2)]
    assert [(v.target, v.rank, v.rule) for v in verdicts[2:]] == [
        ("short", None, "condition"),
        ("us", None, "jurisdiction"),
        ("small", None, "window"),
        ("full", None, "slots"),
        ("ill", None, "health"),
    ]
    assert all(v.reason for v in verdicts[2:])


def test_explain_puts_first_what_choose_takes() -> None:
    stack = stack_of([target("a", "us"), target("b"), target("c")], route("a", "b", "c", jurisdiction="eu"))
    assert stack.explain(request(), 100.0)[0].target == chosen(stack) == "b"


def test_a_target_on_two_rungs_is_explained_once() -> None:
    rungs = (Rung("a", When(most=100)), Rung("b"), Rung("a", When(least=200)))
    stack = stack_of([target("a"), target("b")], Route("chat", rungs))
    assert [(v.target, v.rank) for v in stack.explain(request(300), 100.0)] == [("b", 1), ("a", 2)]
    assert [(v.target, v.rank) for v in stack.explain(request(150), 100.0)] == [("b", 1), ("a", None)]


def test_no_target_is_the_refusal_where_the_moment_is_at_fault() -> None:
    stack = stack_of([target("a")])
    stack.first.breaker.open(100.0, 10.0)
    assert stack.refusal(request()) is Kind.NO_TARGET


def test_not_allowed_is_the_refusal_where_the_place_is() -> None:
    assert stack_of([target("a", "us")]).refusal(request(place="eu")) is Kind.NOT_ALLOWED


def test_too_long_is_the_refusal_where_an_allowed_targets_window_is() -> None:
    stack = stack_of([target("a", "us"), target("b", window=100)], route("a", "b", jurisdiction="eu"))
    assert stack.refusal(request(300)) is Kind.TOO_LONG


def test_a_length_that_no_rung_takes_is_not_blamed_on_the_place() -> None:
    stack = stack_of([target("a")], Route("chat", (Rung("a", When(most=100)),), jurisdiction="eu"))
    assert stack.refusal(request(300)) is Kind.TOO_LONG


def test_what_was_passed_over_is_written_down_with_its_rule() -> None:
    stack = stack_of(
        [target("a", "us"), target("b"), target("c"), target("d", window=1)],
        route("a", "b", "c", "d", jurisdiction="eu"),
    )
    by_name = {c.state.name: c.state for c in stack._candidates}
    by_name["b"].breaker.open(100.0, 10.0)
    assert stack.passed_over(request(), by_name["c"], 100.0) == "a:jurisdiction,b:health"
    by_name["b"].breaker.close()
    assert (
        stack.passed_over(request(), by_name["c"], 100.0) == "a:jurisdiction"
    )  # b was admitted, and is merely not named
    by_name["d"].breaker.close()
    assert stack.passed_over(request(), stack.first, 100.0) == ""


def test_passed_over_knows_a_route_whose_last_target_is_of_another_route() -> None:
    stack = stack_of([target("a", "us")], route("a", jurisdiction="eu"))
    stranger = fleet([target("z")], route("z")).targets["z"]
    assert stack.passed_over(request(), stranger, 100.0) == "a:jurisdiction"


def test_who_was_passed_over_depends_on_the_length_and_on_what_binds() -> None:
    the_route = Route("chat", (Rung("a", When(most=100)), Rung("b"), Rung("c")))
    stack = stack_of([target("a"), target("b", "us"), target("c")], the_route)
    c = stack.states[2]
    for _ in range(2):  # the second time it is remembered
        assert stack.passed_over(request(50, place="EU"), c, 100.0) == "b:jurisdiction"
        assert stack.passed_over(request(300, place="EU"), c, 100.0) == "a:condition,b:jurisdiction"
        assert stack.passed_over(request(300), c, 100.0) == "a:condition"
        assert stack.passed_over(request(50), c, 100.0) == ""


def test_the_soonest_is_the_first_open_breaker_of_an_admitted_target() -> None:
    stack = stack_of([target("a"), target("b"), target("us", "us")], route("a", "b", "us", jurisdiction="eu"))
    states = {c.state.name: c.state for c in stack._candidates}
    assert stack.soonest(request(), 100.0) is None
    states["us"].breaker.open(100.0, 1.0)
    assert stack.soonest(request(), 100.0) is None
    states["a"].breaker.open(100.0, 60.0)
    states["b"].breaker.open(100.0, 20.0)
    assert stack.soonest(request(), 105.0) == pytest.approx(15.0)
    assert stack.soonest(request(), 125.0) == 0.0


def test_where_nothing_is_admitted_nothing_comes_soon() -> None:
    assert stack_of([target("a", "us")]).soonest(request(place="eu"), 100.0) is None


def test_a_target_under_suspicion_stands_behind_the_others_and_is_asked_where_nobody_else_is() -> None:
    of = fleet([target(name) for name in "abc"], route("a", "b", "c"))
    stack = of.stacks["chat"]
    a = of.targets["a"]
    a.suspect, a.plain, a.tried_at = True, False, 0.0
    assert [verdict.target for verdict in stack.explain(request(), 0.0)] == ["b", "c", "a"]
    assert stack.choose(request(), 0.0) is of.targets["b"]
    for name in "bc":
        of.targets[name].breaker.open(0.0, 60.0)
    assert stack.choose(request(), 1.0) is of.targets["a"]
