"""Learning how long a target takes to its first content, and when to stop waiting for it."""

import pytest
from tests.policy.world import SILENT, World, answers, fails, fleet, request, route, target

from surefoot.domain.outcome import Kind
from surefoot.domain.request import BUCKETS, bucket_of
from surefoot.policy.first_token import FirstToken, FirstTokenOptions, series_of
from surefoot.policy.suspicion import Suspicion, SuspicionOptions

OPTIONS = FirstTokenOptions(
    hedge_quantile=0.9, limit_quantile=0.99, margin=2.0, samples=10, memory=100, hedge_floor=0.1, limit_floor=0.5,
    hedge=1.5, limit=3.0, plain_hedge_floor=1.0, plain_limit_floor=3.0, plain_hedge=15.0, plain_limit=30.0, cap=60.0,
)  # fmt: skip
STREAMED = [series_of(bucket, stream=True) for bucket in range(len(BUCKETS) + 1)]
PLAIN = [series_of(bucket, stream=False) for bucket in range(len(BUCKETS) + 1)]


def learned(samples: dict[int, list[float]], options: FirstTokenOptions = OPTIONS) -> FirstToken:
    first_token = FirstToken(options)
    for series, seconds in samples.items():
        for one in seconds:
            first_token.fresh[series](one)
    first_token.fold(Suspicion(SuspicionOptions()))
    return first_token


def hedge_and_limit(first_token: FirstToken, series: int) -> tuple[float, float]:
    delays = first_token.table[series]
    return delays.hedge, delays.limit


@pytest.mark.parametrize(
    ("tokens", "bucket"), [(0, 0), (256, 0), (257, 1), (1_024, 1), (4_096, 2), (16_384, 3), (16_385, 4)]
)
def test_a_prompt_falls_into_the_bucket_of_its_length(tokens: int, bucket: int) -> None:
    assert bucket_of(tokens) == bucket


def test_every_bucket_has_its_own_series_streamed_and_plain() -> None:
    assert sorted(STREAMED + PLAIN) == list(range(2 * (len(BUCKETS) + 1)))


def test_while_nothing_is_learned_the_defaults_hold() -> None:
    first_token = learned({})
    assert hedge_and_limit(first_token, STREAMED[0]) == (1.5, 3.0)
    assert hedge_and_limit(first_token, PLAIN[4]) == (15.0, 30.0)
    assert first_token.table[STREAMED[0]].median is None


def test_defaults_obey_the_cap_and_no_limit_comes_before_its_hedge_delay() -> None:
    first_token = FirstToken(FirstTokenOptions(hedge=1.5, limit=1.0, plain_hedge=15.0, plain_limit=30.0, cap=10.0))
    assert hedge_and_limit(first_token, STREAMED[0]) == (1.0, 1.0)
    assert hedge_and_limit(first_token, PLAIN[0]) == (10.0, 10.0)


def test_the_delays_are_quantiles_of_what_was_seen() -> None:
    first_token = learned({STREAMED[1]: [n / 10 for n in range(1, 101)]})  # 0.1 to 10 s
    assert hedge_and_limit(first_token, STREAMED[1]) == (9.0, 2 * 9.9)
    assert first_token.table[STREAMED[1]].median == 5.0


@pytest.mark.parametrize(("count", "rank"), [(10, 9), (11, 10), (19, 18), (20, 18), (21, 19)])
def test_a_quantile_is_the_smallest_sample_with_its_share_at_or_below_it(count: int, rank: int) -> None:
    first_token = learned({STREAMED[0]: [float(n) for n in range(1, count + 1)]})
    assert first_token.table[STREAMED[0]].hedge == rank


def test_one_sample_less_than_needed_teaches_nothing() -> None:
    assert hedge_and_limit(learned({STREAMED[1]: [0.3] * 9}), STREAMED[1]) == (1.5, 3.0)
    assert hedge_and_limit(learned({STREAMED[1]: [0.3] * 10}), STREAMED[1]) == (0.3, 0.6)


def test_samples_count_only_once_they_are_folded() -> None:
    first_token = FirstToken(OPTIONS)
    for _ in range(10):
        first_token.fresh[STREAMED[0]](0.2)
    assert first_token.table[STREAMED[0]].median is None
    assert first_token.samples() == 0
    first_token.fold(Suspicion(SuspicionOptions()))
    assert first_token.samples() == 10
    assert first_token.table[STREAMED[0]].median == 0.2
    first_token.fold(Suspicion(SuspicionOptions()))
    assert first_token.samples() == 10


def test_a_fast_target_is_given_the_floors() -> None:
    first_token = learned({STREAMED[0]: [0.001] * 10, PLAIN[0]: [0.001] * 10})
    assert hedge_and_limit(first_token, STREAMED[0]) == (0.1, 0.5)
    assert hedge_and_limit(first_token, PLAIN[0]) == (1.0, 3.0)


def test_a_slow_target_is_given_the_cap() -> None:
    assert hedge_and_limit(learned({STREAMED[0]: [500.0] * 10}), STREAMED[0]) == (60.0, 60.0)


def test_the_limit_is_never_before_the_hedge_delay() -> None:
    options = FirstTokenOptions(samples=10, hedge_quantile=0.99, limit_quantile=0.1, margin=1.0)
    hedge, limit = hedge_and_limit(learned({STREAMED[0]: [0.2] * 5 + [2.0] * 5}, options), STREAMED[0])
    assert hedge == limit == 2.0


def test_the_oldest_samples_are_forgotten() -> None:
    first_token = learned({STREAMED[0]: [9.0] * 100 + [0.3] * 100})
    assert hedge_and_limit(first_token, STREAMED[0]) == (0.3, 0.6)
    assert first_token.samples() == 100


def test_streamed_and_plain_times_do_not_mix() -> None:
    first_token = learned({PLAIN[1]: [20.0] * 10})
    assert hedge_and_limit(first_token, STREAMED[1]) == (1.5, 3.0)
    assert hedge_and_limit(first_token, PLAIN[1]) == (20.0, 40.0)


def test_a_shorter_prompt_borrows_from_the_next_longer_one_that_is_learned() -> None:
    first_token = learned({STREAMED[2]: [0.7] * 10, STREAMED[3]: [5.0] * 10})
    assert hedge_and_limit(first_token, STREAMED[0]) == (0.7, 1.4)


def test_a_longer_prompt_borrows_from_a_shorter_one_but_not_less_than_the_defaults() -> None:
    fast = learned({STREAMED[1]: [0.2] * 10})
    assert hedge_and_limit(fast, STREAMED[4]) == (1.5, 3.0)
    assert fast.table[STREAMED[4]].median == 0.2
    slow = learned({STREAMED[0]: [0.2] * 10, STREAMED[1]: [5.0] * 10})
    assert hedge_and_limit(slow, STREAMED[4]) == (5.0, 10.0)


def test_what_is_learned_of_its_own_length_is_preferred_to_any_neighbour() -> None:
    first_token = learned({series: [1.0 + series] * 10 for series in STREAMED[:3]})
    assert [first_token.table[series].median for series in STREAMED[:3]] == [1.0, 2.0, 3.0]


def test_a_call_teaches_its_targets_series_the_time_to_its_first_content() -> None:
    world = World(fleet([target("a")], route("a")), {"a": [answers(0.4, 9.0)]})
    world.calls(20, the_request=request(300))
    table = world.fleet.targets["a"].first_token.table
    assert table[STREAMED[1]].median == pytest.approx(0.4)
    assert table[PLAIN[1]].median is None
    assert table[STREAMED[1]].hedge == pytest.approx(0.4)
    assert table[STREAMED[1]].limit == pytest.approx(0.6)


def test_an_attempt_that_was_given_up_counts_with_the_time_it_had_waited() -> None:
    world = World(fleet([target("a"), target("b")], route("a", "b", hedge=0.0)), {"a": [SILENT], "b": [answers()]})
    world.call()
    assert list(world.fleet.targets["a"].first_token._buckets[STREAMED[1]].kept) == [pytest.approx(3.0)]


def test_an_attempt_that_failed_at_once_teaches_no_time() -> None:
    world = World(fleet([target("a"), target("b")], route("a", "b")), {"a": [fails(Kind.RESET)], "b": [answers()]})
    world.call()
    assert world.fleet.targets["a"].first_token.samples() == 0


def test_what_one_has_learned_another_can_begin_with() -> None:
    taught = learned({STREAMED[1]: [n / 10 for n in range(1, 101)]})
    fresh = FirstToken(OPTIONS)
    fresh.learn_from(taught)
    assert fresh.table == taught.table
    assert fresh.samples() == taught.samples() == 100
    fresh.fresh[STREAMED[1]](50.0)
    fresh.fold(Suspicion(SuspicionOptions()))
    assert taught.samples() == 100  # they go separate ways from here
