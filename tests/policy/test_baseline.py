"""What is normal: a middle and a spread that samples teach, and that no single one can move far."""

from math import log
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.policy.baseline import Baseline

LAW = settings(derandomize=True, max_examples=80, deadline=None, database=None)


def learned(values: list[float], samples: int = 10, least: float = 0.01) -> Baseline:
    baseline = Baseline(samples, least, memory=3_600.0)
    baseline.learn(values, 0.0)
    return baseline


def test_nothing_is_normal_before_enough_was_seen() -> None:
    baseline = learned([1.0] * 9)
    assert baseline.centre is None
    assert baseline.excesses([5.0], 4.0) == [0.0]
    baseline.learn([1.0], 1.0)
    assert baseline.centre == 1.0


def test_middle_and_spread_are_those_of_what_was_seen() -> None:
    rng = Random(1)  # noqa: S311 - samples, not a secret
    baseline = learned([rng.gauss(2.0, 0.4) for _ in range(10_000)])
    assert baseline.centre == pytest.approx(2.0, abs=0.02)
    assert baseline.spread == pytest.approx(0.4, abs=0.02)
    assert baseline.excesses([2.8, 1.2], 4.0) == pytest.approx([2.0, -2.0], abs=0.1)


def test_what_scatters_less_than_counts_is_judged_by_the_least_that_counts() -> None:
    baseline = learned([1.0] * 10, least=0.25)
    assert baseline.spread == 0.25
    assert baseline.excesses([1.5, 9.0, -9.0], 4.0) == [2.0, 4.0, -4.0]


def test_one_sample_however_far_off_moves_the_middle_no_further_than_one_that_is_two_spreads_off() -> None:
    seen = [1.0 + (-1) ** n * 0.1 for n in range(20)]
    far, near = learned(seen), learned(seen)
    far.learn([1_000.0], 1.0)
    near.learn([1.0 + 2.0 * near.spread], 1.0)
    assert far.centre is not None
    assert far.centre == near.centre
    assert 1.0 < far.centre < 1.0 + 0.03
    assert far.spread < 1.3 * near.spread


def test_a_lesson_counts_once_however_many_samples_it_holds() -> None:
    one, many = learned([1.0, 1.2] * 5), learned([1.0, 1.2] * 5)
    one.learn([1.15], 1.0)
    many.learn([1.15] * 1_000, 1.0)
    assert one.centre == pytest.approx(many.centre)
    assert one.spread == pytest.approx(many.spread)


def test_lessons_are_averaged_while_they_are_few() -> None:
    baseline = learned([1.0, 1.2] * 5)
    baseline.learn([1.2], 0.0)
    assert baseline.centre == pytest.approx(1.1 + 0.1 / 11)
    baseline.learn([1.1 + 0.1 / 11 + 0.12], 0.0)
    assert baseline.centre == pytest.approx(1.1 + 0.1 / 11 + 0.12 / 12)


def test_after_a_long_time_one_lesson_still_has_no_more_than_its_share() -> None:
    baseline = learned([1.0, 1.2] * 5)
    baseline.learn([1.2], 1_000_000.0)
    assert baseline.centre == pytest.approx(1.1 + 0.1 / 11)


def test_many_lessons_in_a_short_time_make_it_forget_no_faster() -> None:
    baseline = learned([1.0, 1.2] * 5)
    for lesson in range(1_000):
        baseline.learn([1.0, 1.2], 50.0 + lesson / 100)
    before = baseline.centre
    assert before is not None
    baseline.learn([1.2], 60.0)
    assert baseline.centre == pytest.approx(before + (1.2 - before) / 1_011)


def test_it_follows_a_slow_change_within_its_memory() -> None:
    baseline = learned([0.0, 0.2] * 50)
    for minute in range(600):
        baseline.learn([0.0, 0.2] if minute < 60 else [0.1, 0.3], 60.0 * minute)
    assert baseline.centre == pytest.approx(0.2, abs=0.01)


@LAW
@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_the_order_inside_a_lesson_does_not_matter(seconds: list[float], rng: Random) -> None:
    values = [log(one) for one in seconds]
    shuffled = rng.sample(values, len(values))
    first, second = learned([0.0] * 10), learned([0.0] * 10)
    first.learn(values, 5.0)
    second.learn(shuffled, 5.0)
    assert (first.centre, first.spread) == (second.centre, second.spread)
