"""The rate at which a target speaks, and the slow drip that no idle limit notices."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.policy.token_rate import TokenRate, TokenRateOptions

LAW = settings(derandomize=True, max_examples=80, deadline=None, database=None)


def learned(*rates: float, options: TokenRateOptions | None = None) -> TokenRate:
    """A target that has given one answer of 10 s at each of these rates."""
    token_rate = TokenRate(options or TokenRateOptions())
    for rate in rates:
        token_rate.note(int(rate * 10), 10.0)
    token_rate.fold()
    return token_rate


def test_nothing_drips_while_too_little_is_known() -> None:
    token_rate = learned(*[20.0] * 19)
    assert token_rate.floor is None
    assert not token_rate.verdict(5, 100.0)
    token_rate.note(200, 10.0)
    token_rate.fold()
    assert token_rate.floor == pytest.approx(4.0)


def test_the_floor_is_a_share_of_a_low_quantile() -> None:
    options = TokenRateOptions(quantile=0.25, share=0.5, most=1_000)
    assert learned(*[float(n) for n in range(1, 101)], options=options).floor == 0.5 * 26


def test_the_floor_is_below_what_can_be_read_however_fast_the_target_is() -> None:
    assert learned(*[500.0] * 20).floor == 10.0


def test_what_is_noted_counts_only_once_it_is_folded() -> None:
    token_rate = TokenRate(TokenRateOptions(samples=1))
    token_rate.note(100, 5.0)
    assert token_rate.floor is None
    assert token_rate.fold() == [20.0]
    assert token_rate.fold() == []
    assert token_rate.floor == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("tokens", "seconds", "drips"),
    [(4, 4.9, False), (3, 60.0, False), (4, 5.0, True), (19, 5.0, True), (20, 5.0, False), (39, 10.0, True)],
)
def test_a_drip_is_far_below_the_usual_rate_and_was_watched_for_long_enough(
    tokens: int,
    seconds: float,
    drips: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert learned(*[20.0] * 20).verdict(tokens, seconds) is drips


@pytest.mark.parametrize(
    ("tokens", "seconds", "rates"),
    [
        (15, 0.5, []),  # too short to say anything
        (16, 0.5, [32.0]),
        (4, 5.0, [0.8]),  # few, but it took its time
        (3, 60.0, []),
        (900, 0.0, []),  # all in one segment
        (900, 0.001, [1_000.0]),
    ],
)
def test_an_answer_teaches_if_it_was_long_in_tokens_or_in_time(tokens: int, seconds: float, rates: list[float]) -> None:
    token_rate = TokenRate(TokenRateOptions())
    token_rate.note(tokens, seconds)
    assert token_rate.fold() == rates


def test_no_more_than_its_memory_is_kept_and_the_oldest_is_forgotten() -> None:
    options = TokenRateOptions(memory=20)
    token_rate = learned(*[10.0] * 20, options=options)
    for _ in range(20):
        token_rate.note(400, 10.0)
    token_rate.fold()
    assert token_rate.floor == pytest.approx(8.0)


def test_a_slowness_that_lasts_becomes_what_is_normal() -> None:
    """Verdicts teach as well, or a target that has become slower would be closed for ever."""
    token_rate = learned(*[40.0] * 256)
    verdicts = 0
    while token_rate.verdict(10, 5.0):
        token_rate.note(10, 5.0)
        token_rate.fold()
        verdicts += 1
    assert verdicts == 65


@LAW
@given(st.lists(st.floats(0.5, 200.0), min_size=20, max_size=60), st.integers(4, 500), st.floats(5.0, 100.0))
def test_an_answer_at_a_rate_that_was_usual_never_drips(rates: list[float], tokens: int, seconds: float) -> None:
    token_rate = learned(*rates)
    if tokens / seconds >= sorted(rates)[len(rates) // 4]:
        assert not token_rate.verdict(tokens, seconds)


@LAW
@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0.0, 60.0)), max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_answers_changes_nothing(answers: list[tuple[int, float]], rng: Random) -> None:
    first, second = TokenRate(TokenRateOptions()), TokenRate(TokenRateOptions())
    for token_rate, told in ((first, answers), (second, rng.sample(answers, len(answers)))):
        for tokens, seconds in told:
            token_rate.note(tokens, seconds)
        token_rate.fold()
    assert first.floor == second.floor
