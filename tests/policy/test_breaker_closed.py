"""The closed breaker: it lets everything through, and knows when to open."""

import pytest

from surefoot.policy.breaker import Breaker, BreakerOptions, State

OPTIONS = BreakerOptions(streak=3, share=0.5, certain=10, window=10.0, open_for=10.0, longest=300.0)


def breaker() -> Breaker:
    return Breaker(OPTIONS)


def test_a_new_breaker_admits() -> None:
    assert breaker().admits(0.0)


def test_launching_leaves_a_closed_breaker_closed() -> None:
    b = breaker()
    b.launched()
    assert b.state is State.CLOSED


def test_fewer_failures_than_a_streak_do_not_open_it() -> None:
    b = breaker()
    assert not b.failed(1.0)
    assert not b.failed(1.0)
    assert b.state is State.CLOSED


def test_a_streak_that_is_all_that_was_seen_opens_it() -> None:
    b = breaker()
    assert [b.failed(1.0) for _ in range(3)] == [False, False, True]
    assert b.state is State.OPEN
    assert b.until == 11.0


def test_a_success_breaks_the_streak() -> None:
    b = breaker()
    b.failed(1.0)
    b.failed(1.0)
    assert not b.succeeded(1.0)
    assert not b.failed(1.0)
    assert not b.failed(1.0)
    assert b.state is State.CLOSED


def test_a_streak_that_is_a_small_share_of_the_window_does_not_open_it() -> None:
    b = breaker()
    for _ in range(4):
        b.succeeded(1.0)
    assert [b.failed(1.0) for _ in range(3)] == [False, False, False]
    assert b.failed(1.0)  # the fourth makes it half


def test_failures_in_a_row_are_certain_whatever_was_seen_before() -> None:
    b = breaker()
    for _ in range(1000):
        b.succeeded(1.0)
    assert [b.failed(1.0) for _ in range(10)] == [False] * 9 + [True]


def test_the_last_window_still_counts_after_the_turn() -> None:
    b = breaker()
    for _ in range(8):
        b.succeeded(1.0)  # the window ends at 11
    assert [b.failed(12.0) for _ in range(3)] == [False, False, False]


def test_successes_turn_the_window_too() -> None:
    b = breaker()
    for _ in range(8):
        b.failed(1.0)
        b.succeeded(1.0)
    b.succeeded(12.0)
    assert (b.good, b.wrong) == (1, 0)
    assert b.before == (8, 8)


def test_a_window_that_ended_long_ago_is_forgotten() -> None:
    b = breaker()
    for _ in range(100):
        b.succeeded(1.0)  # that window ends at 11, the one after it at 21
    assert [b.failed(21.0) for _ in range(3)] == [False, False, True]


def test_it_opens_at_one_call_a_minute() -> None:
    b = breaker()
    for minute in range(5):
        b.succeeded(60.0 * minute)
    assert [b.failed(60.0 * minute) for minute in range(5, 8)] == [False, False, True]


def test_a_retry_after_opens_it_at_once_for_as_long_as_it_says() -> None:
    b = breaker()
    assert b.failed(1.0, retry_after=42.0)
    assert b.until == 43.0


def test_a_retry_after_is_believed_up_to_the_longest() -> None:
    b = breaker()
    b.failed(1.0, retry_after=86_400.0)
    assert b.until == 301.0


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_is_a_bound_that_counts_itself(share: float) -> None:
    b = Breaker(BreakerOptions(streak=2, share=share))
    if share == 0.0:
        b.succeeded(1.0)
    assert [b.failed(1.0), b.failed(1.0)] == [False, True]
