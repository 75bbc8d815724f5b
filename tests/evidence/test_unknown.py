"""Quantities with doubt in them, against scipy's distributions and counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, gamma, lognorm

from surefoot.errors import EvidenceError
from surefoot.evidence import Between, Cases, Events, Known, Sample, cases_of, event_rate

DRAWS = 40_000


def of(quantity: Known | Between | Events | Cases) -> np.ndarray:
    return quantity.draw(np.random.default_rng(4), DRAWS)


def test_what_is_known_is_drawn_as_it_is() -> None:
    assert set(of(Known(3.5))) == {3.5}
    assert Known(3.5).mean == 3.5
    assert Known(3.5).interval(0.95) is None  # type: ignore[func-returns-value]


def test_ninety_of_a_hundred_draws_lie_between_the_ends_and_five_on_either_side() -> None:
    draws = of(Between(20, 300))
    assert (draws < 20).mean() == pytest.approx(0.05, abs=0.005)
    assert (draws > 300).mean() == pytest.approx(0.05, abs=0.005)
    assert draws.mean() == pytest.approx(Between(20, 300).mean, rel=0.02)


@given(st.floats(0.1, 1e4), st.floats(1.01, 50))
def test_its_mean_and_interval_are_those_of_scipys_lognormal(low: float, factor: float) -> None:
    told = Between(low, low * factor)
    theirs = lognorm(np.log(factor) / (2 * 1.6448536269514722), scale=low * factor**0.5)
    assert told.mean == pytest.approx(theirs.mean())
    assert told.interval(0.9) == pytest.approx((low, low * factor))
    assert told.interval(0.5) == pytest.approx(tuple(theirs.ppf([0.25, 0.75])))


@given(st.floats(0, 500), st.floats(0.1, 20))
def test_a_counted_rate_is_scipys_gamma(events: float, years: float) -> None:
    told, theirs = Events(events, years), gamma(events + 0.5, scale=1 / years)
    assert told.mean == pytest.approx(theirs.mean())
    assert told.interval(0.95) == pytest.approx(event_rate(events, years))
    assert told.interval(0.8) == pytest.approx(tuple(theirs.ppf([0.1, 0.9])))


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_share_of_cases_is_scipys_beta(k: int, rest: int) -> None:
    told, theirs = Cases(k, k + rest), beta(k + 0.5, rest + 0.5)
    assert told.mean == pytest.approx(theirs.mean())
    assert told.interval(0.9) == pytest.approx(tuple(theirs.ppf([0.05, 0.95])))


def test_draws_of_counts_have_the_mean_of_their_distribution() -> None:
    assert of(Events(12, 1.5)).mean() == pytest.approx(12.5 / 1.5, rel=0.02)
    assert of(Cases(9, 10)).mean() == pytest.approx(9.5 / 11, rel=0.01)


def test_no_cases_are_neither_none_nor_all() -> None:
    low, high = Cases(0, 0).interval(0.9)
    assert low < 0.05
    assert high > 0.95


def test_a_sample_draws_what_was_seen_and_its_mean_is_in_doubt_from_world_to_world() -> None:
    sample, worlds, each = Sample((1.0, 2.0, 30.0, 7.0)), 4_000, 500
    random, doubt = np.random.default_rng(1), np.random.default_rng(2)
    drawn = sample.draw(random, doubt, np.repeat(np.arange(worlds), each), worlds)
    assert set(drawn) == {1, 2, 7, 30}
    assert [np.mean(drawn == value) for value in sample.values] == pytest.approx([0.25] * 4, abs=0.01)
    means = drawn.reshape(worlds, each).mean(axis=1)
    spread = np.var(sample.values)
    # the doubt of the mean, and what the chance of so few incidents adds to it
    assert means.var() == pytest.approx(spread / 5 + spread * (1 - 1 / 5) / each, rel=0.08)
    ends = sample.interval(0.95)
    assert ends is not None
    assert ends == pytest.approx(np.quantile(means, [0.025, 0.975]), rel=0.1)


def test_a_sample_of_values_that_are_alike_has_no_interval() -> None:
    for values in ((5.0,), (5.0, 5.0)):
        assert (Sample(values).mean, Sample(values).interval(0.95)) == (5, None)


def test_a_share_without_clusters_keeps_its_n_and_a_wider_interval_makes_it_smaller() -> None:
    own = Cases(90, 100).interval(0.95)
    assert cases_of(0.9, *own, 100) == Cases(90, 100)
    wider = cases_of(0.9, own[0] - 0.05, min(own[1] + 0.02, 1), 100)
    assert wider.n < 60
    bottom, top = wider.interval(0.95)
    assert top - bottom == pytest.approx(own[1] - own[0] + 0.07, rel=1e-6)


def test_a_narrow_interval_never_makes_more_of_the_cases_than_there_are() -> None:
    assert cases_of(0.5, 0.49, 0.51, 30) == Cases(15, 30)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Known(-1),
        lambda: Known(float("nan")),
        lambda: Between(0, 1),
        lambda: Between(2, 1),
        lambda: Between(1e-300, 1e300),
        lambda: Events(-1, 1),
        lambda: Events(1, 0),
        lambda: Cases(3, 2),
        lambda: Cases(-1, 2),
        lambda: Sample(()),
        lambda: Sample((1, -1)),
        lambda: cases_of(0.5, 0.6, 0.7, 10),
        lambda: cases_of(0.5, 0.4, 0.6, -1),
        lambda: cases_of(0.5, 0.4, 0.6, 10, 1.0),
    ],
)
def test_what_cannot_be_known_so_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(EvidenceError):
        make()
