"""Common causes, against the formula by hand, every state counted out, and simulation."""

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import EvidenceError
from surefoot.evidence import common_cause

unit = st.floats(0, 1)


def fails(q: float, needed: int, of: int) -> float:
    """The probability that fewer than `needed` of independent targets work, over all states of the group."""
    return sum(
        prod(1 - q if works else q for works in state)
        for state in product((True, False), repeat=of)
        if sum(state) < needed
    )


def test_one_of_two_is_the_formula_by_hand() -> None:
    assert common_cause(0.01, 0.1) == pytest.approx(0.001 + 0.009**2)


@given(unit, unit, st.integers(1, 6).flatmap(lambda of: st.tuples(st.integers(1, of), st.just(of))))
def test_what_is_not_common_is_the_count_over_all_states(q: float, beta: float, group: tuple[int, int]) -> None:
    needed, of = group
    exact = beta * q + fails((1 - beta) * q, needed, of)
    assert common_cause(q, beta, needed, of) == pytest.approx(min(exact, 1.0), abs=1e-12)


@given(unit)
def test_where_all_is_shared_a_second_target_is_worth_nothing(q: float) -> None:
    assert common_cause(q, 1.0) == pytest.approx(q)
    assert common_cause(q, 0.0) == pytest.approx(q * q)
    assert common_cause(q, 0.3, needed=1, of=1) == pytest.approx(q)


@given(st.floats(0, 0.5), unit, unit)
def test_more_in_common_is_never_better(q: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert common_cause(q, low) <= common_cause(q, high) + 1e-12
    assert common_cause(q, low, needed=2, of=3) >= common_cause(q, low, needed=1, of=3)


def test_simulated_targets_that_share_a_cloud_fail_as_often() -> None:
    random = np.random.default_rng(3)
    q, beta, n = 0.02, 0.25, 2_000_000
    cloud = random.random(n) < beta * q
    alone = random.random((3, n)) < (1 - beta) * q
    down = (cloud | (alone.sum(axis=0) > 1)).mean()
    assert common_cause(q, beta, needed=2, of=3) == pytest.approx(down, rel=0.03)


@pytest.mark.parametrize(
    ("q", "beta", "needed", "of"),
    [(-0.1, 0.1, 1, 2), (1.1, 0.1, 1, 2), (0.1, 1.1, 1, 2), (0.1, 0.1, 3, 2), (0.1, 0.1, 0, 2), (0.1, 0.1, 1, 0)],
)
def test_what_is_no_group_is_refused(q: float, beta: float, needed: int, of: int) -> None:
    with pytest.raises(EvidenceError):
        common_cause(q, beta, needed, of)
