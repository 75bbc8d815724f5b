"""The open breaker: it admits nothing until its time is over, and then one probe."""

from surefoot.policy.breaker import Breaker, BreakerOptions, State


def opened(at: float = 100.0) -> Breaker:
    b = Breaker(BreakerOptions(open_for=10.0))
    assert b.open(at, 10.0)
    return b


def test_it_admits_nothing_before_its_time_is_over() -> None:
    assert not opened().admits(109.99)


def test_it_admits_once_its_time_is_over() -> None:
    assert opened().admits(110.0)


def test_the_launch_of_the_probe_makes_it_half_open() -> None:
    b = opened()
    b.launched()
    assert b.state is State.HALF_OPEN


def test_a_further_failure_neither_prolongs_it_nor_opens_it_anew() -> None:
    b = opened()
    assert not b.failed(105.0)
    assert b.until == 110.0


def test_a_later_retry_after_prolongs_it() -> None:
    b = opened()
    assert not b.failed(105.0, retry_after=60.0)
    assert b.until == 165.0


def test_an_opening_under_way_is_never_shortened() -> None:
    b = opened()
    assert not b.open(101.0, 1.0)
    assert b.until == 110.0


def test_a_success_of_an_attempt_from_before_leaves_it_open() -> None:
    b = opened()
    assert not b.succeeded(105.0)
    assert b.state is State.OPEN


def test_even_a_probe_that_succeeds_does_not_end_an_opening_that_began_after_it() -> None:
    b = opened()
    b.launched()
    b.open(111.0, 30.0)
    assert not b.succeeded(112.0, probe=True)
    assert b.state is State.OPEN


def test_abandoning_means_nothing_to_it() -> None:
    b = opened()
    b.abandoned(99.0)
    assert b.state is State.OPEN
    assert b.until == 110.0


def test_closing_by_word_of_another_worker_forgets_the_opening() -> None:
    b = opened()
    b.failed(101.0, retry_after=300.0)
    b.close()
    assert b.admits(102.0)
    b.open(103.0, 5.0)
    assert b.until == 108.0


def test_closing_forgets_the_streak_that_opened_it() -> None:
    b = Breaker(BreakerOptions(streak=3))
    for _ in range(3):
        b.failed(100.0)
    b.close()
    assert [b.failed(101.0) for _ in range(3)] == [False, False, True]
