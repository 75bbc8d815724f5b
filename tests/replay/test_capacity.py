"""What a target takes at once and by the minute, and that a fallback which gets all traffic feels it."""

import numpy as np
import pytest
from tests.replay.world import TRIP, alone, arm, calls, kinds, model, outage, replayed

from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits
from surefoot.replay.models.capacity import Bucket, Capacity
from surefoot.replay.models.model import TargetModel

PATIENT = Limits(attempts=1, wait=0.0)


def test_a_bucket_is_full_at_first_and_filled_evenly() -> None:
    bucket = Bucket(60.0)

    for _ in range(60):
        assert bucket.wait(100.0, 1.0) == 0.0
        bucket.take(1.0)

    assert bucket.wait(100.0, 1.0) == pytest.approx(1.0)
    assert bucket.wait(100.5, 1.0) == pytest.approx(0.5)
    assert bucket.wait(101.0, 1.0) == pytest.approx(0.0)
    assert bucket.wait(10_000.0, 60.0) == 0.0
    assert bucket.wait(10_000.0, 61.0) == pytest.approx(1.0)


def test_what_is_refused_is_not_counted() -> None:
    capacity: Capacity[str] = Capacity(model("a", requests_per_minute=60.0, tokens_per_minute=1_000.0))

    assert capacity.limited(0.0, 900) == 0.0
    assert capacity.limited(0.0, 900) == pytest.approx(48.0)
    assert capacity.limited(0.0, 100) == 0.0
    assert capacity.limited(0.0, 5_000) == 60.0


def test_places_are_given_to_whoever_has_waited_longest() -> None:
    capacity: Capacity[str] = Capacity(model("a", servers=1, queue=2))

    assert [capacity.enter(name) for name in ("one", "two", "three", "four")] == [True, False, False, None]
    assert capacity.leave() == "two"
    capacity.give_up("three")
    assert capacity.leave() is None
    assert capacity.enter("five") is True


def test_calls_wait_for_their_place_and_are_turned_away_beyond_the_queue() -> None:
    one = model("a", servers=1, queue=1)

    results = replayed(alone(one, PATIENT), calls([0.0, 0.1, 0.2, 5.0]))

    assert kinds(results) == [Kind.OK, Kind.OK, Kind.OVERLOAD, Kind.OK]
    assert results.ttft[:2].tolist() == pytest.approx([0.5, 1.4], abs=1e-6)
    assert results.e2e.tolist() == pytest.approx([1.0, 1.9, TRIP, 1.0], abs=1e-6)


def test_an_attempt_that_was_given_up_frees_its_place_or_its_turn() -> None:
    limits = Limits(attempts=1, wait=0.0, deadline=2.0)
    one = model("a", first=1.9, servers=1)

    results = replayed(alone(one, limits), calls([0.0, 0.1, 3.0], tokens=1))

    assert kinds(results) == [Kind.OK, Kind.DEADLINE, Kind.OK]  # the second waited from 0.1 and began at 1.9
    assert results.e2e.tolist() == pytest.approx([1.9, 2.0, 1.9], abs=1e-6)


def test_beyond_a_limit_a_target_says_when_to_come_back() -> None:
    one = model("a", requests_per_minute=2.0)

    results = replayed(arm(one, model("b")), calls([0.0, 1.0, 2.0, 3.0]))

    assert set(kinds(results)) == {Kind.OK}
    assert results.first.tolist() == [0, 0, 0, 1]  # its `Retry-After` has opened the breaker
    assert results.attempts.tolist() == [1, 1, 2, 1]
    assert results.outage.tolist() == [-1] * 4


def test_a_fallback_that_suddenly_gets_all_traffic_slows_down() -> None:
    second = model("b", servers=4)
    at = np.arange(0.0, 60.0, 0.2)
    dead = [outage("a", -1, 100)]

    quiet = replayed(arm(model("a"), second, hedge=0.0), calls(at))
    loaded = replayed(arm(model("a"), second, hedge=0.0), calls(at), dead)
    ample = replayed(arm(model("a"), model("b", servers=400), hedge=0.0), calls(at), dead)

    assert set(kinds(quiet)) == {Kind.OK}
    assert np.median(ample.e2e) == pytest.approx(1.0, abs=0.11)
    assert np.nanmedian(loaded.ttft) > 2 * np.nanmedian(ample.ttft)


@pytest.mark.parametrize("limits", [{"requests_per_minute": 30.0}, {"tokens_per_minute": 4_000.0}])
def test_a_limit_by_the_minute_does_not_depend_on_outages(limits: dict[str, float]) -> None:
    """So that an outage more can never make room for another call where there is no fallback."""
    one: TargetModel = model("a", **limits)
    at = np.arange(0.0, 120.0, 0.7)

    well = replayed(alone(one, PATIENT), calls(at))
    ill = replayed(alone(one, PATIENT), calls(at), [outage("a", 10, 40), outage("a", 60, 70, "slow_first_token", 0.5)])

    assert Kind.RATE_LIMIT in kinds(well)
    assert not ((ill.kind == 0) & (well.kind != 0)).any()
