"""Exercise: some calls begin at a fallback, so that it is known to work; never more than the share, never at a cost."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.world import target

from surefoot.policy.exercise import SAVED, Exercise, ExerciseOptions
from surefoot.policy.options import PolicyOptions
from surefoot.policy.suspicion import Grade
from surefoot.policy.target_state import TargetState
from surefoot.policy.them_or_us import ThemOrUs, ThemOrUsOptions

LAW = settings(derandomize=True, max_examples=80, deadline=None, database=None)
LONG = 300.0


class Known(TargetState):
    """A target's state with what it is suspected of."""

    grade = Grade.CALM


def known(name: str) -> Known:
    return Known(target(name), PolicyOptions(), [], ThemOrUs(ThemOrUsOptions()), alone=True)


def exercise(share: float = 0.1, seed: int = 1) -> Exercise:
    return Exercise(share, ExerciseOptions(), Random(seed))  # noqa: S311 - rhythm, not a secret


def begun(the_exercise: Exercise, admitted: list[Known], calls: int, remaining: float = LONG) -> list[str]:
    chosen = [the_exercise.begin_at(admitted, remaining) for _ in range(calls)]
    return ["" if state is None else state.name for state in chosen]


def test_in_the_long_run_the_share_is_reached() -> None:
    names = begun(exercise(0.01), [known("a"), known("b")], 100_000)
    assert names.count("b") == pytest.approx(1_000, abs=2)


def test_every_fallback_has_its_turn_and_the_usual_target_never() -> None:
    names = begun(exercise(0.1), [known("a"), known("b"), known("c")], 10_000)
    assert names.count("b") == pytest.approx(500, abs=80)
    assert names.count("c") == pytest.approx(500, abs=80)
    assert set(names) == {"", "b", "c"}


def test_it_keeps_no_step_with_traffic_that_has_a_rhythm() -> None:
    """One call in ten is of another sort: it is used as often as any."""
    names = begun(exercise(0.1), [known("a"), known("b")], 20_000)
    used = [sum(bool(name) for name in names[place::10]) for place in range(10)]
    assert min(used) > 130
    assert max(used) < 270


@LAW
@given(st.floats(0.0001, 0.1), st.integers(0, 1_000), st.lists(st.booleans(), max_size=400))
def test_it_is_never_more_than_the_share_over_any_stretch(share: float, seed: int, well: list[bool]) -> None:
    the_exercise, usual, fallback = exercise(share, seed), known("a"), known("b")
    done = []
    for healthy in well:
        fallback.grade = Grade.CALM if healthy else Grade.PREFER_OTHERS
        done.append(the_exercise.begin_at([usual, fallback], LONG) is not None)
    for first in range(len(done)):
        for last in range(first, len(done)):
            assert sum(done[first : last + 1]) <= share * (last + 1 - first) + SAVED
    assert sum(done) <= share * len(done)  # nothing is saved up at the start


def test_a_call_with_a_short_deadline_is_never_used_and_saves_nothing() -> None:
    the_exercise, admitted = exercise(0.1), [known("a"), known("b")]
    assert set(begun(the_exercise, admitted, 1_000, remaining=59.9)) == {""}
    assert set(begun(the_exercise, admitted, 9, remaining=60.0)) == {""}
    assert "b" in begun(the_exercise, admitted, 12, remaining=60.0)


def test_without_a_fallback_there_is_no_exercise() -> None:
    assert set(begun(exercise(), [known("a")], 100)) == {""}
    assert set(begun(exercise(), [], 100)) == {""}


def unwell(name: str) -> list[Known]:
    """The same target, ill in each of the ways that count."""
    suspected, opened, full = known(name), known(name), known(name)
    suspected.grade = Grade.PREFER_OTHERS
    opened.breaker.open(0.0, 10.0)
    full.slots = full.in_flight = 3
    return [suspected, opened, full]


def test_a_fallback_that_is_suspected_open_or_full_is_not_exercised() -> None:
    ill = unwell("b")
    assert set(begun(exercise(), [known("a"), *ill], 100)) == {""}
    assert set(begun(exercise(), [known("a"), *ill, known("c")], 100)) == {"", "c"}


def test_a_route_that_has_fallen_back_already_is_not_exercised() -> None:
    for ill in unwell("a"):
        assert set(begun(exercise(), [ill, known("b")], 100)) == {""}


def test_after_an_illness_no_more_is_made_up_for_than_was_saved() -> None:
    the_exercise, usual, fallback = exercise(0.1), known("a"), unwell("b")[0]
    begun(the_exercise, [usual, fallback], 10_000)
    fallback.grade = Grade.CALM
    assert begun(the_exercise, [usual, fallback], 10).count("b") <= 3


def test_the_same_seed_exercises_the_same_calls() -> None:
    admitted = [known("a"), known("b"), known("c")]
    first, second, other = (begun(exercise(0.05, seed), admitted, 500) for seed in (1, 1, 2))
    assert first == second != other


class Highest:
    """Chance that always draws the upper end, as a float may by rounding."""

    def uniform(self, a: float, b: float, /) -> float:
        return max(a, b)


def test_the_upper_end_of_chance_is_a_fallback_too() -> None:
    the_exercise = Exercise(0.1, ExerciseOptions(), Highest())
    assert set(begun(the_exercise, [known("a"), known("b"), known("c")], 100)) == {"", "c"}
