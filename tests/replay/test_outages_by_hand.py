"""Outages whose every time can be reckoned by hand: targets are always as fast, and calls come when they are told to.

A first token after 0.5 s, twenty tokens a second: 11 tokens are whole after 1.0 s. A refusal takes 0.1 s. Nothing is
learned yet, so that a streamed call hedges after 1.5 s and gives up after 3 s.
"""

from math import isnan, nan

import numpy as np
import pytest
from tests.replay.world import BEGAN, alone, arm, calls, kinds, model, outage, replayed, target

from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits, Resume, Watch
from surefoot.domain.target import Continues
from surefoot.replay.counting.tally import Tally
from surefoot.replay.counting.toll import tolls
from surefoot.replay.outages.outage import GATEWAY, Outage

PRICE = (100 * 1.0 + 11 * 2.0) / 1e6
"""US dollars of one whole answer."""


def about(*values: float) -> object:
    return pytest.approx(list(values), nan_ok=True, abs=1e-6)


def test_without_an_outage_a_call_takes_what_its_target_takes() -> None:
    results = replayed(arm(model("a"), model("b")), calls([0.0, 5.0]))

    assert kinds(results) == [Kind.OK, Kind.OK]
    assert results.ttft.tolist() == about(0.5, 0.5)
    assert results.e2e.tolist() == about(1.0, 1.0)
    assert results.winner.tolist() == results.first.tolist() == [0, 0]
    assert results.cost.tolist() == about(PRICE, PRICE)
    assert results.extra.tolist() == [0.0, 0.0]
    assert results.outage.tolist() == [-1, -1]
    assert np.isnan(results.detect).all()


def test_a_plain_call_has_its_first_content_with_the_whole_of_it() -> None:
    for watch in Watch:
        results = replayed(arm(model("a"), watch=watch), calls([0.0], stream=False))

        assert results.ttft.tolist() == results.e2e.tolist() == about(1.0)


def test_a_refused_call_is_answered_by_the_next_target_one_round_trip_later() -> None:
    results = replayed(arm(model("a"), model("b", first=0.7)), calls([0.0, 10.0]), [outage("a", 5, 15)])

    assert kinds(results) == [Kind.OK, Kind.OK]
    assert results.winner.tolist() == [0, 1]
    assert results.first.tolist() == [0, 0]
    assert results.attempts.tolist() == [1, 2]
    assert results.detect.tolist() == about(nan, 0.1)
    assert results.switch.tolist() == about(nan, 0.0)
    assert results.ttft.tolist() == about(0.5, 0.8)
    assert results.e2e.tolist() == about(1.0, 1.3)
    assert results.outage.tolist() == [-1, 0]
    assert results.cost.tolist() == about(PRICE, PRICE)


def test_an_outage_is_on_from_its_start_and_no_more_at_its_end() -> None:
    results = replayed(alone(model("a")), calls([4.999, 5.0, 14.999, 15.0]), [outage("a", 5, 15)])

    assert [kind is Kind.OK for kind in kinds(results)] == [True, False, False, True]


def test_silence_is_hedged_after_the_hedge_delay_and_costs_the_prompt() -> None:
    results = replayed(arm(model("a"), model("b")), calls([0.0]), [outage("a", -1, 1, "silence")])

    assert results.ttft.tolist() == about(2.0)
    assert results.e2e.tolist() == about(2.5)
    assert isnan(results.detect[0])
    assert results.extra.tolist() == about(100 * 1.0 / 1e6)
    assert results.cost.tolist() == about(PRICE + 100 * 1.0 / 1e6)


def test_silence_without_a_hedge_is_given_up_at_the_first_token_limit() -> None:
    results = replayed(arm(model("a"), model("b"), hedge=0.0), calls([0.0]), [outage("a", -1, 1, "silence")])

    assert results.detect.tolist() == about(3.0)
    assert results.switch.tolist() == about(0.0)
    assert results.ttft.tolist() == about(3.5)


def test_silence_with_nobody_else_to_ask_lasts_up_to_the_deadline() -> None:
    the_arm = arm(model("a"), limits=Limits(deadline=20.0))
    results = replayed(the_arm, calls([0.0]), [outage("a", -1, 1, "silence")])

    assert kinds(results) == [Kind.DEADLINE]
    assert results.e2e.tolist() == about(20.0)
    assert results.winner.tolist() == [-1]


def test_a_stalled_stream_breaks_off_after_the_idle_limit() -> None:
    results = replayed(arm(model("a"), model("b")), calls([0.0]), [outage("a", -1, 1, "stall")])

    assert kinds(results) == [Kind.STALL]
    assert results.e2e.tolist() == about(0.6 + 15.0)
    assert results.ttft.tolist() == about(0.5)


def test_a_stalled_plain_call_that_is_watched_falls_back() -> None:
    results = replayed(arm(model("a"), model("b")), calls([0.0], stream=False), [outage("a", -1, 1, "stall")])

    assert kinds(results) == [Kind.OK]
    assert results.detect.tolist() == about(0.6 + 15.0)
    assert results.e2e.tolist() == about(0.6 + 15.0 + 1.0)


@pytest.mark.parametrize(
    ("continues", "content", "end", "cost"),
    [
        (Continues.PROMPT, 0.6 + 0.5, 0.6 + 0.5 + 7 * 0.05, (100 + 3 * 2) + (103 + 8 * 2)),
        (Continues.REPLAY, 0.6 + 0.5 + 3 * 0.05, 0.6 + 1.0, (100 + 3 * 2) + (100 + 11 * 2)),
    ],
)
def test_a_broken_text_goes_on_at_another_target(continues: Continues, content: float, end: float, cost: float) -> None:
    targets = [target("a"), target("b", continues=continues)]
    the_arm = arm(model("a"), model("b"), targets=targets, resume=Resume.TEXT)

    results = replayed(the_arm, calls([0.0]), [outage("a", -1, 1, "cut")])

    assert content < end
    assert kinds(results) == [Kind.OK]
    assert results.winner.tolist() == [1]
    assert results.ttft.tolist() == about(0.5)
    assert results.e2e.tolist() == about(end)
    assert results.cost.tolist() == about(cost / 1e6)


def test_an_open_breaker_spares_the_calls_that_follow_and_its_probe_finds_the_target_well() -> None:
    at = [0.0, 1.0, 2.0, 3.0, 4.0, 13.0, 14.0]
    results = replayed(arm(model("a"), model("b")), calls(at), [outage("a", -1, 4.5)])

    assert results.first.tolist() == [0, 0, 0, 1, 1, 0, 0]
    assert results.attempts.tolist() == [2, 2, 2, 1, 1, 1, 1]
    assert results.e2e.tolist() == about(1.1, 1.1, 1.1, 1.0, 1.0, 1.0, 1.0)


def test_a_call_whose_only_attempt_has_failed_waits_for_the_others_probe_and_is_answered() -> None:
    """`b` has asked to be left alone for 5 s from 0.2 on, when a call finds `a` failing at 2.1."""
    dead = [outage("a", -1, 3, "model_gone"), outage("b", -1, 1, "rate_limit")]

    results = replayed(arm(model("a"), model("b")), calls([0.0, 2.0]), dead)

    assert kinds(results) == [Kind.RATE_LIMIT, Kind.OK]
    assert results.attempts.tolist() == [2, 2]
    assert results.e2e.tolist() == about(0.2, 5.2 - 2.0 + 1.0)
    assert results.switch.tolist() == about(0.0, 3.1)


def test_the_end_of_the_road_is_an_error_or_the_static_text_which_is_no_answer() -> None:
    dead = [outage("a", -1, 1), outage("b", -1, 1)]
    plain = arm(model("a"), model("b"), limits=Limits(wait=0.0), hedge=0.0)
    canned = arm(
        model("a"),
        model("b"),
        targets=[target("a"), target("b"), target("sorry", text="Later, please.")],
        limits=Limits(wait=0.0),
        hedge=0.0,
        static="sorry",
    )

    for the_arm, winner, ttft in ((plain, -1, nan), (canned, 2, 0.2)):
        for stream in (True, False):
            results = replayed(the_arm, calls([0.0], stream=stream), dead)

            assert kinds(results) == [Kind.SERVER_ERROR]
            assert results.winner.tolist() == [winner]
            assert results.e2e.tolist() == about(0.2)
            assert results.ttft.tolist() == about(ttft)
            assert results.cost.tolist() == [0.0]


def test_four_hours_become_three_calls_of_a_tenth_of_a_second() -> None:
    minutes = np.arange(0.0, 240.0) * 60.0
    dead = [outage("a", -1, 240 * 60)]

    without = replayed(alone(model("a")), calls(minutes), dead)
    with_fallback = replayed(arm(model("a"), model("b")), calls(minutes), dead)

    assert set(kinds(without)) == {Kind.SERVER_ERROR}
    assert set(kinds(with_fallback)) == {Kind.OK}
    # Attempts are rare here and `b` can stand in: one failure opens the breaker, and each call is its probe again.
    assert with_fallback.e2e.max() == pytest.approx(1.1)


def test_while_the_gateway_is_down_its_calls_fail_and_direct_ones_do_not() -> None:
    down = [outage(GATEWAY, 5, 15, "refuse")]

    behind = replayed(arm(model("a")), calls([0.0, 10.0, 20.0]), down)
    direct = replayed(alone(model("a")), calls([0.0, 10.0, 20.0]), down)

    assert kinds(behind) == [Kind.OK, Kind.CONNECT, Kind.OK]
    assert behind.attempts.tolist() == [1, 0, 1]
    assert behind.outage.tolist() == [-1, 0, -1]
    assert kinds(direct) == [Kind.OK] * 3


def test_a_cost_is_unknown_where_a_price_is() -> None:
    results = replayed(arm(model("a"), model("b", price=None)), calls([0.0, 10.0]), [outage("a", 5, 15)])

    assert results.cost.tolist() == about(PRICE, nan)


@pytest.mark.parametrize("stream", [True, False])
def test_a_call_that_had_to_queue_still_ends_at_its_deadline(*, stream: bool) -> None:
    """The second one begins at 5.9 and would be whole at 11.8: by its deadline it has spoken, and is not done."""
    slow = alone(model("a", first=1.0, rate=10.0, servers=1), Limits(deadline=10.0, attempts=1, wait=0.0))

    results = replayed(slow, calls([0.0, 0.0], tokens=50, stream=stream))

    assert kinds(results) == [Kind.OK, Kind.DEADLINE]
    assert results.e2e.tolist() == about(5.9, 10.0)


@pytest.mark.parametrize("later", ["server_error", "silence", "slow_first_token"])
def test_minutes_of_two_incidents_at_once_are_the_union_and_each_has_its_calls(later: str) -> None:
    """Played, not made up: what strikes, what calls belong to and what minutes are counted have to be the same one."""
    outages = [
        Outage(target="a", start=BEGAN, end=BEGAN + 40 * 60, mode="server_error", incident="long", provider="acme"),
        Outage(target="a", start=BEGAN + 600, end=BEGAN + 1200, mode=later, incident="short", provider="acme"),
    ]
    minutes = np.arange(0.0, 41.0) * 60.0
    without = replayed(alone(model("a")), calls(minutes), outages)
    with_it = replayed(arm(model("a"), model("b")), calls(minutes), outages)
    tally = Tally(outages, ["a", "b"], (0.0,))

    tally.add(without.first, without, with_it)

    found = {toll.incident: (toll.calls, toll.minutes(0), toll.minutes(1)) for toll in tolls(tally)}
    assert set(found) == {"long", "short"}
    assert [*found["long"], *found["short"]] == about(30, 30.0, 0.0, 10, 10.0, 0.0)
