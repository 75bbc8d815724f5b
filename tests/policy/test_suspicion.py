"""Suspicion: a slow decline is seen before any limit rings, and health is hardly ever taken for one."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from math import exp, log
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.policy.first_token import FirstToken, FirstTokenOptions
from surefoot.policy.suspicion import Grade, Suspicion, SuspicionOptions

LAW = settings(derandomize=True, max_examples=30, deadline=None, database=None)
SERIES = 1
USUAL = 0.5
SIGMA = 0.4
"""Spread of the logarithm of first-token times, as hosted models have it."""


class Watched:
    """A suspicion on given time, and every grade it had: one sample per step, unless told otherwise."""

    def __init__(
        self, seed: int = 1, usual: float = USUAL, sigma: float = SIGMA, options: SuspicionOptions | None = None
    ) -> None:
        self.suspicion = Suspicion(options or SuspicionOptions())
        self.now = 1_000.0
        self.grades = [Grade.CALM]
        self.opens = 0
        self._rng = Random(seed)  # noqa: S311 - samples, not a secret
        self._usual = usual
        self._sigma = sigma

    def grade(self) -> Grade:
        return self.suspicion.grade

    @property
    def changes(self) -> int:
        return sum(before is not after for before, after in pairwise(self.grades))

    def time(self, slowdown: float = 1.0) -> float:
        return slowdown * self._usual * exp(self._rng.gauss(0.0, self._sigma))

    def tick(self, after: float = 1.0) -> None:
        self.now += after
        self.opens += self.suspicion.tick(self.now)
        self.grades.append(self.suspicion.grade)

    def sees(self, number: int, slowdown: float = 1.0, every: float = 1.0) -> "Watched":
        for _ in range(number):
            self.suspicion.note_first_token(SERIES, self.time(slowdown))
            self.tick(every)
        return self

    def sees_until(self, grade: Grade, slowdown: Callable[[int], float], most: int = 1_000, every: float = 1.0) -> int:
        """Samples until this grade is reached."""
        for number in range(1, most + 1):
            self.sees(1, slowdown(number), every)
            if self.grade() is grade:
                return number
        raise AssertionError(f"not {grade.name} after {most} samples, but {self.grade().name}")


def exact(times: Iterable[float]) -> Suspicion:
    """A suspicion that has seen 30 times of USUAL, and then these, one a second."""
    suspicion = Suspicion(SuspicionOptions())
    for second, seconds in enumerate([USUAL] * 30 + list(times)):
        suspicion.note_first_token(SERIES, seconds)
        suspicion.tick(float(second))
    return suspicion


# ── health ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_healthy_target_is_suspected_about_once_in_a_hundred_thousand_samples() -> None:
    """The average run length until a false alarm: 3 alarms at most in 10^5 samples, each over soon after."""
    watched = Watched(seed=7).sees(100_000)
    alarms = sum(after > before == Grade.CALM for before, after in pairwise(watched.grades))
    assert alarms <= 3
    assert max(watched.grades) <= Grade.PREFER_OTHERS
    assert watched.grades.count(Grade.CALM) >= 99_800


def test_a_target_that_was_just_met_is_not_suspected_for_what_is_not_known_of_it() -> None:
    alarmed = sum(Watched(seed).sees(200).changes > 0 for seed in range(100))
    assert alarmed <= 3


@LAW
@given(st.floats(0.001, 100.0), st.integers(1, 40))
def test_constant_healthy_samples_never_raise_suspicion(seconds: float, batch: int) -> None:
    suspicion = Suspicion(SuspicionOptions())
    for second in range(60):
        for _ in range(batch):
            suspicion.note_first_token(SERIES, seconds)
            suspicion.note_rate(1 / seconds)
        assert not suspicion.tick(float(second))
        assert suspicion.grade is Grade.CALM


@LAW
@given(st.integers(0, 10_000), st.floats(0.05, 0.6))
def test_who_becomes_faster_is_never_suspected(seed: int, sigma: float) -> None:
    watched = Watched(seed, sigma=sigma).sees(100)
    watched.grades = []
    watched.sees(50, slowdown=0.5)
    assert set(watched.grades) == {Grade.CALM}


def test_two_times_in_a_row_that_are_out_of_all_proportion_are_not_enough() -> None:
    assert exact([1_000.0] * 2).grade is Grade.CALM
    assert exact([1_000.0] * 3).grade is Grade.PREFER_OTHERS


def test_what_nobody_feels_is_no_slowdown() -> None:
    suspicion = Suspicion(SuspicionOptions(least=0.05))
    for second in range(200):
        suspicion.note_first_token(SERIES, 0.002 if second < 100 else 0.04)
        suspicion.tick(float(second))
    assert suspicion.grade is Grade.CALM


def test_a_change_as_slow_as_the_day_is_followed_and_not_suspected() -> None:
    watched = Watched(3)
    for minute in range(24 * 60):  # twice as slow at noon as at midnight
        watched.sees(1, 2.0 ** (minute / 720 if minute < 720 else 2 - minute / 720), every=60.0)
    assert watched.changes == 0


# ── decline ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_target_that_turns_twice_as_slow_is_found_after_a_handful_of_samples() -> None:
    took = [Watched(seed).sees(100).sees_until(Grade.PREFER_OTHERS, lambda _: 2.0) for seed in range(50)]
    assert median(took) <= 8
    assert max(took) <= 30


@LAW
@given(st.integers(0, 10_000), st.floats(0.05, 0.5), st.floats(0.3, 10.0))
def test_a_decline_of_two_per_cent_a_sample_moves_traffic_before_the_first_token_limit_is_near(
    seed: int, sigma: float, usual: float
) -> None:
    """The limit is what the gateway has really learned by then, from the same samples, slow ones included."""
    watched, first_token = Watched(seed, usual, sigma), FirstToken(FirstTokenOptions())
    slowdown = 1.0
    for number in range(250):
        slowdown *= 1.02 if number >= 150 else 1.0
        seconds = watched.time(slowdown)
        watched.suspicion.note_first_token(SERIES, seconds)
        first_token.fresh[SERIES](seconds)
        watched.tick()
        first_token.fold(Suspicion(SuspicionOptions()))
        if number >= 150 and watched.grade():
            break
    assert watched.grade() is Grade.PREFER_OTHERS
    assert usual * slowdown < 0.75 * first_token.table[SERIES].limit


def test_the_very_step_at_which_a_twice_as_slow_target_is_left_lies_before_three_limits_in_a_row() -> None:
    """What the breaker would have needed: so no breaker has opened by then, in any of 50 seeds."""
    for seed in range(50):
        watched = Watched(seed).sees(100)
        late = 0
        while not watched.grade():
            seconds = watched.time(2.0)
            late = late + 1 if seconds > 1.5 * USUAL * exp(2.326 * SIGMA) else 0
            assert late < 3
            watched.suspicion.note_first_token(SERIES, seconds)
            watched.tick()


@pytest.mark.parametrize(
    ("slowdown", "worst"),
    [(1.15, Grade.CALM), (1.6, Grade.PREFER_OTHERS), (2.6, Grade.HEDGE_AT_ONCE), (6.0, Grade.OPEN)],
)
def test_the_grade_is_as_grave_as_the_target_is_slow(slowdown: float, worst: Grade) -> None:
    watched = Watched(5).sees(300).sees(300, slowdown)
    assert max(watched.grades) is worst
    assert watched.grade() is worst


def test_only_steps_that_are_that_slow_themselves_speak_for_opening() -> None:
    watched = Watched(5).sees(100)
    watched.sees_until(Grade.OPEN, lambda _: 8.0)
    assert watched.opens == 1
    watched.sees(10, 8.0)
    assert 8 <= watched.opens <= 11
    before = watched.opens
    watched.sees(1)
    watched.tick(30.0)
    assert watched.grade() is Grade.OPEN
    assert watched.opens == before


def test_it_works_at_one_call_a_minute() -> None:
    watched = Watched(2).sees(60, every=60.0)
    assert watched.sees_until(Grade.PREFER_OTHERS, lambda _: 2.5, every=60.0) <= 12


def test_it_works_at_a_thousand_calls_a_second() -> None:
    watched = Watched(2)

    def sees(seconds: float, slowdown: float) -> None:
        for _ in range(int(seconds * 4)):
            for _ in range(250):
                watched.suspicion.note_first_token(SERIES, watched.time(slowdown))
            watched.tick(0.25)

    sees(5.0, 1.0)
    assert watched.changes == 0
    sees(2.0, 2.0)
    assert watched.grade() is Grade.CALM
    sees(4.0, 2.0)
    assert watched.grade() is Grade.PREFER_OTHERS


@LAW
@given(st.lists(st.floats(0.001, 1_000.0), min_size=1, max_size=200))
def test_one_burst_alone_suspects_nobody(burst: list[float]) -> None:
    suspicion = exact([])
    for seconds in burst:
        suspicion.note_first_token(SERIES, seconds)
    for tenth in range(5):
        suspicion.tick(29.5 + tenth / 10)
    assert suspicion.grade is Grade.CALM


@LAW
@given(
    st.lists(st.tuples(st.floats(0.0, 5.0), st.lists(st.floats(0.01, 100.0), max_size=5)), max_size=100),
    st.booleans(),
)
def test_a_tick_moves_the_grade_by_one_at_most(steps: list[tuple[float, list[float]]], censored: bool) -> None:  # noqa: FBT001 - drawn
    suspicion = exact([])
    now, before, moved_at = 29.0, Grade.CALM, 0.0
    for after, times in steps:
        now += after
        for seconds in times:
            suspicion.note_first_token(SERIES, seconds, censored=censored)
            suspicion.note_rate(seconds)
        suspicion.tick(now)
        assert abs(suspicion.grade - before) <= 1
        if suspicion.grade is not before:
            assert now - moved_at >= 0.5
            before, moved_at = suspicion.grade, now


# ── recovery ───────────────────────────────────────────────────────────────────────────────────────────────────────


@LAW
@given(st.integers(0, 10_000), st.sampled_from([2.0, 4.0, 20.0]), st.sampled_from([30, 300]))
def test_a_target_that_is_well_again_is_calm_within_sixty_samples_however_long_it_was_ill(
    seed: int, slowdown: float, ill: int
) -> None:
    watched = Watched(seed).sees(100).sees(ill, slowdown)
    assert watched.grade() >= Grade.PREFER_OTHERS
    assert watched.sees_until(Grade.CALM, lambda _: 1.0) <= 60


def test_a_target_that_nobody_asks_is_forgiven_within_three_half_lives() -> None:
    watched = Watched(4).sees(300).sees(300, 20.0)
    assert watched.grade() is Grade.OPEN
    for _ in range(3 * 600):
        watched.tick()
    assert watched.grade() is Grade.CALM
    assert watched.changes == 6


def test_the_illness_itself_is_not_learned() -> None:
    watched = Watched(6).sees(300).sees(500, 2.0).sees(60)
    assert watched.grade() is Grade.CALM
    assert watched.sees_until(Grade.PREFER_OTHERS, lambda _: 2.0) <= 15


def test_a_target_that_stays_slower_is_taken_as_it_is_after_an_hour() -> None:
    watched = Watched(6).sees(300).sees(3_500, 2.0)
    assert watched.grade() is Grade.PREFER_OTHERS
    watched.sees(200, 2.0)
    assert watched.grade() is Grade.CALM
    watched.grades = [Grade.CALM]
    watched.sees(1_000, 2.0)
    assert watched.changes == 0
    assert watched.sees_until(Grade.PREFER_OTHERS, lambda _: 4.0) <= 15


@pytest.mark.parametrize("drift", [0.75, 1.5, 3.0])
def test_at_the_boundary_of_a_grade_there_is_no_flapping(drift: float) -> None:
    """Three changes in a hundred samples at most, on average, where noise alone decides."""
    changes = 0
    for seed in range(5):
        watched = Watched(seed, options=SuspicionOptions(patience=80_000.0)).sees(1_000)
        watched.grades = [Grade.CALM]
        changes += watched.sees(1_000, exp(drift * SIGMA)).changes
    assert 0 < changes <= 3 * 50


# ── what a sample says ─────────────────────────────────────────────────────────────────────────────────────────────


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
