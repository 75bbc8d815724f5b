"""The budget of second attempts: what traffic earns, and no more."""

import pytest

from surefoot.policy.budget import Budget


def test_it_starts_with_its_burst() -> None:
    budget = Budget(share=0.1, burst=2)
    budget.pay()
    assert budget.has()
    budget.pay()
    assert not budget.has()
    assert budget.spent == 2


def test_calls_earn_their_share() -> None:
    budget = Budget(share=0.25, burst=1)
    budget.pay()
    for _ in range(3):
        budget.earn()
    assert not budget.has()
    budget.earn()
    assert budget.has()


def test_no_more_than_the_burst_is_saved_up() -> None:
    budget = Budget(share=0.75, burst=2)
    for _ in range(100):
        budget.earn()
    assert budget.saved == 2
    budget.pay()
    for _ in range(100):
        budget.earn()
    assert budget.saved == 2


def test_a_share_of_nothing_pays_for_nothing() -> None:
    budget = Budget(share=0.0, burst=10)
    for _ in range(100):
        budget.earn()
    assert not budget.has()


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_the_workers_bursts_add_up_to_the_gateways(workers: int) -> None:
    assert sum(Budget(0.1, 10 / workers).saved for _ in range(workers)) == pytest.approx(10)


def test_a_burst_that_is_shared_out_thinly_can_still_save_up_one_whole_attempt() -> None:
    budget = Budget(share=0.5, burst=1 / 4)
    assert not budget.has()
    budget.earn()
    budget.earn()
    assert budget.has()
