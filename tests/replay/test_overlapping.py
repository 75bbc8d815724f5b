"""Which of several outages strikes an attempt, and which one its call is noted in."""

import pytest
from tests.replay.world import alone, arm, calls, kinds, model, outage, replayed

from surefoot.domain.outcome import Kind


@pytest.mark.parametrize(
    ("earlier", "later", "noted"),
    [
        ("bad_request", "server_error", 0),  # the graver one, though the other began last
        ("server_error", "bad_request", 1),
        ("server_error", "overload", 1),  # equally bad: the one that began last
        ("cut", "silence", 0),
        ("slow_first_token", "no_done", 0),
    ],
)
def test_the_outage_that_struck_is_the_one_that_is_noted(earlier: str, later: str, noted: int) -> None:
    outages = [outage("a", -10, 10, earlier), outage("a", -5, 10, later)]

    both = replayed(alone(model("a")), calls([0.0]), outages)
    one = replayed(alone(model("a")), calls([0.0]), [outages[noted]])

    assert both.outage.tolist() == [noted]
    assert (kinds(both), both.e2e.tolist()) == (kinds(one), one.e2e.tolist())


def test_an_outage_of_some_calls_strikes_those_that_it_would_strike_alone() -> None:
    some, all_of_them = outage("a", -10, 100, "bad_request", share=0.3), outage("a", -5, 100, "server_error")
    at = [step / 10 for step in range(200)]

    alone_struck = replayed(alone(model("a")), calls(at), [some]).outage == 0
    both = replayed(alone(model("a")), calls(at), [some, all_of_them])

    assert 0 < alone_struck.sum() < 200
    assert ((both.outage == 0) == alone_struck).all()
    assert ((both.outage == 1) == ~alone_struck).all()


def test_an_attempt_that_a_limit_refuses_is_struck_by_no_outage() -> None:
    narrow = model("a", requests_per_minute=2.0)

    results = replayed(arm(narrow, model("b")), calls([0.0, 0.1, 0.2]), [outage("a", 0.15, 10, "bad_request")])

    assert results.outage.tolist() == [-1, -1, -1]
    assert kinds(results)[2] is Kind.OK  # a full target's refusal falls back; what the outage says would not
    struck = replayed(arm(model("a"), model("b")), calls([0.0, 0.1, 0.2]), [outage("a", 0.15, 10, "bad_request")])
    assert struck.outage.tolist() == [-1, -1, 0]
    assert kinds(struck)[2] is Kind.BAD_REQUEST


def test_a_struck_attempt_uses_up_the_limit_by_the_minute_and_no_place() -> None:
    busy = model("a", servers=1, queue=0, requests_per_minute=2.0)

    results = replayed(arm(busy, model("b")), calls([0.0, 0.1, 0.2]), [outage("a", -1, 10, "silence")])

    assert results.outage.tolist() == [0, 0, -1]
