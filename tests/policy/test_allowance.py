"""What a worker may let in under one key, on virtual time."""

import pytest

from surefoot.domain.front import NO_LIMITS, KeyLimits
from surefoot.policy.allowance import SOON, Allowance, Refused, Share, home_of


def allowance(in_flight: int | None = None, per_minute: int | None = None, *, home: int | None = None) -> Allowance:
    made = Allowance("app", home)
    made.hold(Share("app", in_flight, per_minute), 100.0, full=True)
    return made


def test_until_it_is_told_its_share_nobody_is_let_in() -> None:
    assert Allowance("app").enter(1.0) == Refused("in_flight", SOON)


def test_a_call_that_ends_makes_room_for_another() -> None:
    key = allowance(in_flight=2)
    assert [key.enter(100.0) for _ in range(3)] == [None, None, Refused("in_flight", SOON)]
    key.leave()
    assert key.enter(100.0) is None
    assert key.in_flight == 2
    assert key.refused == 1


def test_a_bucket_holds_a_tenth_of_a_minutes_worth_and_earns_the_rest_in_time() -> None:
    key = allowance(per_minute=60)
    assert [key.enter(100.0) for _ in range(7)] == [None] * 6 + [Refused("per_minute", 1.0)]
    assert key.enter(100.5) == Refused("per_minute", 0.5)
    assert key.enter(101.0) is None
    assert [key.enter(200.0) for _ in range(7)].count(None) == 6


def test_a_call_that_is_refused_for_one_limit_costs_nothing_of_the_other() -> None:
    key = allowance(in_flight=1, per_minute=20)
    assert key.enter(100.0) is None
    assert [key.enter(100.0) for _ in range(5)] == [Refused("in_flight", SOON)] * 5
    key.leave()
    assert key.enter(100.0) is None


def test_the_home_of_a_small_limit_holds_at_least_one_call() -> None:
    assert allowance(per_minute=2, home=0).enter(100.0) is None
    assert allowance(per_minute=2).enter(100.0) == Refused("per_minute", 24.0)
    assert allowance(per_minute=0).enter(100.0) == Refused("per_minute", SOON)


def test_a_bucket_that_shrinks_spills_and_one_that_grows_is_not_fuller_for_it() -> None:
    key = allowance(per_minute=60)
    key.hold(Share("app", None, 20), 100.0)
    assert [key.enter(100.0) for _ in range(3)].count(None) == 2
    key.hold(Share("app", None, 600), 100.0)
    assert isinstance(key.enter(100.0), Refused)
    assert [key.enter(101.0) for _ in range(11)].count(None) == 10


def test_a_worker_that_follows_another_one_begins_with_an_empty_bucket() -> None:
    key = Allowance("app")
    key.hold(Share("app", None, 60), 100.0)
    assert key.enter(100.0) == Refused("per_minute", 1.0)
    assert key.enter(101.0) is None


def test_demand_follows_what_is_asked_for_and_is_never_more_than_the_share() -> None:
    key = allowance(per_minute=600)
    for _ in range(4):
        key.enter(100.0)
    assert key.demand(1.0) == 120
    assert [key.demand(1.0) for _ in range(3)] == [60, 30, 15]
    for _ in range(1000):
        key.enter(100.0)
    assert key.demand(1.0) == 600
    assert Allowance("app").demand(1.0) == 0


@pytest.mark.parametrize(
    ("limits", "has"),
    [
        (NO_LIMITS, False),
        (KeyLimits(in_flight=31), True),
        (KeyLimits(in_flight=32), False),
        (KeyLimits(per_minute=1199), True),
        (KeyLimits(per_minute=1200), False),
        (KeyLimits(in_flight=32, per_minute=60), True),
        (KeyLimits(in_flight=1, per_minute=9000), True),
    ],
)
def test_a_limit_that_is_too_small_for_two_workers_has_a_home(limits: KeyLimits, has: bool) -> None:  # noqa: FBT001
    assert (home_of("app", limits, 2) is not None) is has


def test_homes_are_spread_over_the_workers_and_stay_where_they_are() -> None:
    homes = [home_of(f"key-{number}", KeyLimits(in_flight=1), 4) for number in range(400)]
    assert all(70 < homes.count(worker) < 130 for worker in range(4))
    assert homes == [home_of(f"key-{number}", KeyLimits(in_flight=1), 4) for number in range(400)]
