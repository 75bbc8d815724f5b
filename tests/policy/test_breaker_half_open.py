"""The half-open breaker: one probe is under way, and everything depends on it."""

from surefoot.policy.breaker import Breaker, BreakerOptions, State


def probing() -> Breaker:
    """Opened at 100 by three failures, its probe launched at 110."""
    b = Breaker(BreakerOptions(streak=3, open_for=10.0))
    for _ in range(3):
        b.failed(100.0)
    assert b.admits(110.0)
    b.launched()
    return b


def test_no_second_probe_is_admitted() -> None:
    assert not probing().admits(1000.0)


def test_the_probes_success_closes_it() -> None:
    b = probing()
    assert b.succeeded(111.0, probe=True)
    assert b.state is State.CLOSED


def test_the_success_of_an_attempt_that_began_before_the_opening_does_not_close_it() -> None:
    b = probing()
    assert not b.succeeded(111.0)
    assert b.state is State.HALF_OPEN


def test_the_probes_failure_opens_it_anew_from_then() -> None:
    b = probing()
    assert b.failed(111.0)
    assert b.state is State.OPEN
    assert b.until == 121.0


def test_after_it_closed_the_old_failures_count_no_more() -> None:
    b = probing()
    b.succeeded(111.0, probe=True)
    assert [b.failed(112.0) for _ in range(3)] == [False, False, True]
    assert (b.good, b.wrong, b.before) == (0, 3, (0, 0))


def test_a_probe_without_a_verdict_lets_the_next_call_probe_at_once() -> None:
    b = probing()
    b.abandoned(110.0)
    assert b.state is State.OPEN
    assert b.admits(110.5)


def test_the_end_of_a_probe_of_an_earlier_opening_sets_no_second_one_free() -> None:
    b = probing()
    b.failed(113.0)  # its verdict; the attempt itself goes on
    b.launched()
    b.abandoned(110.0)
    assert b.state is State.HALF_OPEN


def test_word_of_another_worker_opens_it() -> None:
    b = probing()
    assert b.open(111.0, 20.0)
    assert not b.admits(130.0)
    assert b.admits(131.0)


def test_the_failure_of_an_older_attempt_does_not_open_it_anew() -> None:
    b = probing()
    assert not b.failed(110.5, probe=False)
    assert b.state is State.HALF_OPEN


def test_a_retry_after_of_nothing_is_no_opening() -> None:
    b = Breaker(BreakerOptions())
    assert not b.failed(100.0, 0.0)
    assert b.state is State.CLOSED
