"""Them or us: whether all targets fail at once, so that the fault is more likely the gateway's own."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.domain.outcome import OUTCOMES, Kind
from surefoot.policy.them_or_us import ANSWERED, ANSWERLESS, ThemOrUs, ThemOrUsOptions

LAW = settings(derandomize=True, max_examples=150, deadline=None, database=None)
WINDOW = 120.0


def told(*signs: tuple[float, str, Kind | str]) -> ThemOrUs:
    """What was shown when, by whom: a kind of failure, `ok` or `slow`."""
    us = ThemOrUs(ThemOrUsOptions(WINDOW))
    for now, target, sign in signs:
        if sign == "slow":
            us.suspected(target, now)
        elif sign is Kind.OK:
            us.succeeded(target, now)
        else:
            us.failed(target, Kind(sign), now)
    return us


def test_it_is_us_when_every_target_fails_without_an_answer() -> None:
    us = told((1.0, "a", Kind.CONNECT), (1.1, "b", Kind.SILENCE), (1.2, "c", Kind.TLS))
    assert us.ours(2.0)


def test_it_is_them_when_another_answers() -> None:
    us = told((1.0, "a", Kind.CONNECT), (1.1, "b", Kind.OK), (2.0, "a", Kind.CONNECT))
    assert not us.ours(2.0)


@pytest.mark.parametrize("kind", sorted(ANSWERED))
def test_a_status_is_an_answer_and_proves_that_our_side_works(kind: Kind) -> None:
    assert not told((1.0, "a", Kind.RESET), (1.1, "b", kind), (2.0, "a", Kind.RESET)).ours(2.0)
    assert not told((1.0, "a", kind), (1.1, "b", kind)).ours(2.0)


def test_with_one_target_it_is_never_us() -> None:
    us = told(*[(float(n), "a", Kind.CONNECT) for n in range(50)])
    assert not us.ours(50.0)
    us.suspected("a", 50.0)
    assert not us.slowed(50.0)


def test_a_target_that_nobody_asked_is_not_counted() -> None:
    us = told((1.0, "c", Kind.OK), (200.0, "a", Kind.CONNECT), (200.1, "b", Kind.CONNECT))
    assert us.ours(201.0)


def test_a_sign_from_before_anybody_last_answered_is_no_sign_any_more() -> None:
    us = told((1.0, "a", Kind.CONNECT), (2.0, "b", Kind.OK), (3.0, "b", Kind.CONNECT))
    assert not us.ours(3.0)
    us.failed("a", Kind.CONNECT, 4.0)
    assert us.ours(4.0)


def test_of_three_that_were_asked_two_are_not_all() -> None:
    """Two targets of one cloud are down and a third answers each call: both breakers may open."""
    us = told((0.5, "a", Kind.RESET), (1.0, "c", Kind.OK), (2.0, "a", Kind.RESET), (2.1, "b", Kind.RESET))
    assert not us.ours(2.1)


def test_signs_outside_the_window_say_nothing() -> None:
    us = told((1.0, "b", Kind.CONNECT), (121.0, "a", Kind.CONNECT))
    assert us.ours(121.0)
    assert not us.ours(121.1)
    assert us.slowed(121.0)
    assert not us.slowed(121.1)


def test_what_breaks_off_after_content_says_neither() -> None:
    for kind in (Kind.CUT, Kind.STALL, Kind.SLOW_DRIP, Kind.OVERTAKEN, Kind.CLIENT_GONE):
        assert told((1.0, "a", Kind.CONNECT), (1.1, "b", Kind.CONNECT), (1.2, "a", kind)).ours(2.0)
        assert not told((1.0, "a", kind), (1.1, "b", kind)).ours(2.0)


def test_no_kind_is_both_and_every_blamed_kind_before_content_is_one_of_them() -> None:
    assert not ANSWERED & ANSWERLESS
    neither = {kind for kind, row in OUTCOMES.items() if row.blame} - ANSWERED - ANSWERLESS
    assert neither == {Kind.OVERTAKEN, Kind.STALL, Kind.CUT, Kind.SLOW_DRIP}


def test_successes_need_not_be_told_while_there_is_nothing_to_refute() -> None:
    us = told((1.0, "a", Kind.OK))
    assert not us.signs
    us.failed("a", Kind.CONNECT, 2.0)
    assert us.signs
    us.tick(122.0)
    assert us.signs
    us.tick(122.1)
    assert not us.signs


def test_a_slow_answer_refutes_that_all_fail_but_not_that_all_are_slow() -> None:
    us = told((1.0, "a", "slow"), (1.0, "b", "slow"), (1.5, "a", Kind.OK), (2.0, "b", Kind.SILENCE))
    assert us.slowed(2.0)
    assert not us.ours(2.0)


def test_one_answer_of_a_target_that_is_not_suspected_shows_that_it_is_them() -> None:
    us = told((1.0, "a", "slow"), (1.0, "b", "slow"))
    assert us.slowed(1.0)
    us.succeeded("c", 1.5)
    assert not us.slowed(2.0)


def test_a_suspicion_that_has_passed_is_no_excuse_for_others() -> None:
    us = told((1.0, "a", "slow"), (150.0, "a", Kind.OK), (150.0, "b", "slow"))
    assert not us.slowed(150.0)


def test_a_target_that_fails_and_one_that_is_slow_are_ill_at_once() -> None:
    us = told((1.0, "a", "slow"), (1.1, "b", Kind.CONNECT))
    assert us.slowed(2.0)
    us.succeeded("b", 2.0)
    assert not us.slowed(2.0)


def test_an_answer_in_the_same_moment_counts_for_them() -> None:
    us = told((1.0, "a", Kind.CONNECT), (1.0, "b", Kind.CONNECT), (1.0, "b", Kind.OK))
    assert not us.ours(1.0)
    assert not us.slowed(1.0)


signs = st.lists(
    st.tuples(
        st.floats(0.0, 300.0),
        st.sampled_from("abc"),
        st.sampled_from([Kind.OK, Kind.CONNECT, Kind.SILENCE, Kind.RATE_LIMIT, Kind.CUT, "slow"]),
    ),
    max_size=20,
)


@LAW
@given(signs)
def test_it_is_us_exactly_when_two_have_failed_since_the_last_answer_and_no_third_was_asked(
    drawn: list[tuple[float, str, Kind | str]],
) -> None:
    drawn = [(0.0, "z", Kind.CONNECT), *sorted(drawn, key=lambda sign: sign[0])]
    now = drawn[-1][0]
    answers = [(at, who) for at, who, what in drawn if what in {Kind.OK, Kind.RATE_LIMIT} and at >= now - WINDOW]
    failures = [(at, who) for at, who, what in drawn if what in ANSWERLESS and at >= now - WINDOW]
    last = max((at for at, _ in answers), default=-1.0)
    asked = {who for _, who in answers + failures}
    since = {who for at, who in failures if at > last}
    assert told(*drawn).ours(now) == (len(asked) > 1 and asked == since)


@LAW
@given(signs, st.randoms(use_true_random=False))
def test_the_order_in_which_signs_arrive_changes_nothing(
    drawn: list[tuple[float, str, Kind | str]], rng: Random
) -> None:
    first = [(0.0, "z", Kind.CONNECT)]  # from here on answers are told
    ordered, shuffled = told(*first, *drawn), told(*first, *rng.sample(drawn, len(drawn)))
    for now in (0.0, 150.0, 300.0):
        assert ordered.ours(now) == shuffled.ours(now)
        assert ordered.slowed(now) == shuffled.slowed(now)


@LAW
@given(signs, st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([Kind.CUT, Kind.CLIENT_GONE, Kind.NO_ROOM]))))
def test_signs_that_say_nothing_change_nothing(
    drawn: list[tuple[float, str, Kind | str]], noise: list[tuple[str, Kind]]
) -> None:
    quiet, noisy = told(*drawn), told(*drawn, *[(300.0, who, what) for who, what in noise])
    assert quiet.ours(300.0) == noisy.ours(300.0)
    assert quiet.slowed(300.0) == noisy.slowed(300.0)
