"""What a sample says of a target: compared with its own series, given up or not, whatever the order."""

from math import log
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.policy.suspecting import LAW, SERIES, USUAL, exact

from surefoot.policy.suspicion import Grade, Suspicion, SuspicionOptions


def test_each_series_is_compared_with_itself() -> None:
    suspicion = Suspicion(SuspicionOptions())
    for second in range(100):
        suspicion.note_first_token(0, 0.2)
        suspicion.note_first_token(4, 8.0)
        suspicion.tick(float(second))
    assert suspicion.grade is Grade.CALM


def test_a_series_that_is_not_known_yet_accuses_nobody() -> None:
    suspicion = exact([])
    for second in range(29):
        suspicion.note_first_token(4, 100.0)
        suspicion.tick(30.0 + second)
    assert suspicion.grade is Grade.CALM


def test_a_series_that_is_not_known_yet_acquits_nobody() -> None:
    suspicion = exact([])
    for second in range(5):
        suspicion.note_first_token(SERIES, 3 * USUAL)
        for _ in range(4):
            suspicion.note_first_token(4, USUAL)
        suspicion.tick(30.0 + second)
    assert suspicion.grade >= Grade.PREFER_OTHERS


def given_up(seconds: float, number: int) -> Suspicion:
    suspicion = exact([])
    for second in range(number):
        suspicion.note_first_token(SERIES, seconds, censored=True)
        suspicion.tick(30.0 + second)
    return suspicion


def test_attempts_that_were_given_up_accuse_with_the_time_they_were_waited_for() -> None:
    assert given_up(3 * USUAL, 5).grade >= Grade.PREFER_OTHERS


def test_attempts_that_were_given_up_early_neither_accuse_nor_acquit() -> None:
    assert given_up(0.1 * USUAL, 100).grade is Grade.CALM
    accused = exact([3 * USUAL] * 4)
    acquitted = exact([3 * USUAL] * 4)
    assert accused.grade >= Grade.PREFER_OTHERS
    for second in range(10):
        accused.note_first_token(SERIES, 0.1 * USUAL, censored=True)
        acquitted.note_first_token(SERIES, USUAL)
        accused.tick(40.0 + second)
        acquitted.tick(40.0 + second)
    assert accused.grade >= Grade.PREFER_OTHERS
    assert acquitted.grade is Grade.CALM


def test_attempts_that_were_given_up_early_do_not_teach_that_the_target_is_fast() -> None:
    suspicion = given_up(0.1 * USUAL, 500)
    for second in range(20):
        suspicion.note_first_token(SERIES, USUAL)
        suspicion.tick(600.0 + second)
    assert suspicion.grade is Grade.CALM


def test_attempts_that_were_given_up_late_do_teach() -> None:
    """Else only the fast ones would, and what is usual would look slow."""
    suspicion = exact([])
    for second in range(3_000):
        suspicion.note_first_token(SERIES, 1.15 * USUAL, censored=second % 2 == 0)
        suspicion.tick(30.0 + second)
    for second in range(20):
        suspicion.note_first_token(SERIES, 1.3 * USUAL)
        suspicion.tick(3_040.0 + second)
    assert suspicion.grade is Grade.CALM


def test_a_head_start_earns_its_target_no_preference_claude_code_hub_1339() -> None:
    """A slow primary wins every race because it was asked first: it is suspected, and the hedge that lost is not."""
    primary, fallback = exact([]), exact([])
    head_start = 4.0 * USUAL
    for second in range(10):
        primary.note_first_token(SERIES, head_start + 0.1)  # and so it wins
        fallback.note_first_token(SERIES, 0.1, censored=True)
        primary.tick(30.0 + second)
        fallback.tick(30.0 + second)
    assert primary.grade >= Grade.PREFER_OTHERS
    assert fallback.grade is Grade.CALM


def test_a_target_that_speaks_ever_more_slowly_is_suspected_though_it_begins_in_time() -> None:
    suspicion = Suspicion(SuspicionOptions())
    rate = 60.0
    for second in range(200):
        rate *= 0.98 if second >= 150 else 1.0
        suspicion.note_first_token(SERIES, USUAL)
        suspicion.note_rate(rate)
        suspicion.tick(float(second))
    assert suspicion.grade is not Grade.CALM


@LAW
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 2), st.floats(0.05, 20.0), st.booleans()), min_size=1, max_size=6),
        min_size=1,
        max_size=60,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_what_is_noted_between_two_ticks_changes_nothing(
    steps: list[list[tuple[int, float, bool]]], rng: Random
) -> None:
    told, shuffled = exact([]), exact([])
    for second, step in enumerate(steps):
        for suspicion, samples in ((told, step), (shuffled, rng.sample(step, len(step)))):
            for series, seconds, censored in samples:
                suspicion.note_first_token(series, seconds, censored=censored)
                suspicion.note_rate(log(2.0 + seconds))
        assert told.tick(30.0 + second) == shuffled.tick(30.0 + second)
        assert told.grade is shuffled.grade


def test_where_there_are_many_samples_some_stand_for_all_whatever_their_order() -> None:
    """Half of 1,000 times are ten times as long: the mean excess is half of the clipped one, 1.25 above the drift."""
    times = [USUAL] * 500 + [10.0 * USUAL] * 500
    for seed in range(3):
        suspicion = exact([])
        for second in range(6):
            for seconds in Random(seed).sample(times, 1_000):  # noqa: S311 - an order, not a secret
                suspicion.note_first_token(SERIES, seconds)
            suspicion.tick(30.0 + second)
            assert (suspicion.grade is Grade.CALM) == (second < 5)


@LAW
@given(st.lists(st.floats(0.0, 0.4), max_size=20))
def test_ticks_that_hear_nothing_of_a_calm_target_change_nothing(pauses: list[float]) -> None:
    often, seldom = exact([3 * USUAL] * 2), exact([3 * USUAL] * 2)
    now = 31.0
    for pause in pauses:
        now += pause
        assert not often.tick(now)
    now += 1.0
    for suspicion in (often, seldom):
        suspicion.note_first_token(SERIES, 3 * USUAL)
        suspicion.tick(now)
    assert often.grade is seldom.grade
