"""Suspicion: a slow decline is seen before any limit rings, and health is hardly ever taken for one."""

from itertools import pairwise
from math import exp
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.suspecting import LAW, SERIES, SIGMA, USUAL, Watched, exact

from surefoot.policy.first_token import FirstToken, FirstTokenOptions
from surefoot.policy.suspicion import Grade, Suspicion, SuspicionOptions

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
