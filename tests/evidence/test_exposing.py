"""A year's exposure against closed forms of compound Poisson sums, and against months added up one by one."""

from math import exp

import numpy as np
import pytest
from scipy.fft import fft, ifft
from scipy.stats import lognorm, nbinom

from surefoot.errors import EvidenceError
from surefoot.evidence import (
    Between,
    Cases,
    Delay,
    Events,
    Hazard,
    Known,
    Risk,
    Sample,
    Stake,
    Years,
    annual_loss,
    cvar,
    expected_annual_loss,
    exposure,
    mean,
    mean_over_worlds,
    service_credit,
)
from surefoot.evidence.exposing import MONTH_MINUTES, PARTS, by_steps, uptime_of

IMPACT = Between(2_000, 60_000)
OUTAGE = Hazard(rate=Known(8), minutes=Between(10, 300), coverage=Known(0.8), residual_minutes=1, vendor=0)
STEPS = [(99.9, 5_000.0), (99.0, 20_000.0)]
STAKE = Stake(hazards=[OUTAGE], promises=[STEPS], vendors=[[(99.9, 300.0)]], revenue=Known(50), margin=0.6)


def years(stake: Stake, n: int = 60_000, seed: int = 5) -> Years:
    return exposure(stake, worlds=n, each=1, seed=seed)


def within_its_error(draws: np.ndarray, expected: float) -> bool:
    _, low, high = mean(draws, 0.9999)
    return low - 1e-9 <= expected <= high + 1e-9


def test_impacts_alone_are_the_compound_poisson_sum_of_annual_loss() -> None:
    risk = Risk(rate=3, low=2_000, high=60_000, coverage=0.7, residual=500)
    found = years(Stake(hazards=[Hazard(rate=Known(3), impact=IMPACT, coverage=Known(0.7), residual_cost=500)]))
    assert within_its_error(found.without.losses, expected_annual_loss(Risk(3, 2_000, 60_000)))
    assert within_its_error(found.kept.losses, expected_annual_loss(risk))
    theirs = annual_loss(risk, years=60_000, seed=1)
    for q in (0.5, 0.9, 0.99):
        assert np.quantile(found.kept.losses, q) == pytest.approx(np.quantile(theirs.losses, q), rel=0.05)


def test_the_variance_without_doubt_is_rate_times_the_second_moment() -> None:
    found = years(Stake(hazards=[Hazard(rate=Known(6), response=Between(100, 200))]), 200_000)
    second = lognorm(np.log(2) / (2 * 1.6448536269514722), scale=(100 * 200) ** 0.5).moment(2)
    assert found.without.losses.var() == pytest.approx(6 * second, rel=0.02)


def test_a_counted_rate_makes_the_number_of_incidents_negative_binomial() -> None:
    found = years(Stake(hazards=[Hazard(rate=Events(4, 2), impact=Known(1))]), 200_000).without.losses
    theirs = nbinom(4.5, 2 / 3)
    for count in range(6):
        assert (found == count).mean() == pytest.approx(theirs.pmf(count), abs=0.005)


def test_single_lengths_spread_the_years_and_put_the_doubt_of_their_mean_into_the_worlds() -> None:
    lengths = (2.0, 5, 5, 9, 14, 30, 45, 80, 240, 900)

    def stake(minutes: Known | Sample) -> Stake:
        return Stake(hazards=[Hazard(rate=Events(10, 1), minutes=minutes)], revenue=Known(1))

    single, alike = stake(Sample(lengths)), stake(Known(sum(lengths) / 10))
    found = years(single)
    assert within_its_error(found.without.minutes, 10.5 * sum(lengths) / 10)
    assert set(np.round(found.without.minutes % 1, 9)) == {0}  # each incident as long as one that was
    shared = [exposure(one, worlds=1_000, each=200, seed=3).without.minutes for one in (single, alike)]
    mean_of_worlds = [minutes.reshape(1_000, 200).mean(axis=1) for minutes in shared]
    relative = [float(means.std() / means.mean()) for means in mean_of_worlds]
    square = np.var(lengths) / np.mean(lengths) ** 2
    assert relative[1] == pytest.approx((1 / 10.5) ** 0.5, rel=0.1)
    # rate and mean length are independent: (1 + a)(1 + b) - 1, and the chance of 200 years
    assert relative[0] == pytest.approx(((1 + 1 / 10.5) * (1 + square / 11) - 1 + square / 2_000) ** 0.5, rel=0.1)


def test_months_below_a_step_are_those_of_panjers_sum_by_fourier_transform() -> None:
    """P(minutes of a month > 0.1 % of it), the compound Poisson density on a grid of half minutes."""
    step, size = 0.5, 2**15
    of_one = lognorm(np.log(30) / (2 * 1.6448536269514722), scale=(10 * 300) ** 0.5)
    edges = (np.arange(size + 1) - 0.5) * step
    density = np.diff(of_one.cdf(edges))
    total = np.real(ifft(np.exp(8 / 12 * (fft(density) - 1))))
    below = 1 - total[: int(0.001 * MONTH_MINUTES / step) + 1].sum()
    found = years(STAKE, 100_000)
    assert found.without.below[0][:, 1].mean() / 12 == pytest.approx(below, rel=0.02)


def test_penalties_margin_and_credits_are_those_of_each_month_by_hand() -> None:
    """One incident of a known length in a year falls into one month; the others are whole."""
    hazard = Hazard(rate=Known(0.7), minutes=Known(500), struck=0.5, vendor=0)
    found = years(
        Stake(hazards=[hazard], promises=[STEPS], vendors=[[(99.9, 300.0)]], revenue=Known(50), margin=0.6), 4_000
    )
    one = found.without.minutes == 250
    uptime = 100 * (1 - 250 / MONTH_MINUTES)
    assert one.sum() > 500
    assert set(found.without.parts["penalties"][one]) == {service_credit([(99.9, 25), (99.0, 100)], uptime) * 200}
    assert set(found.without.parts["margin"][one]) == {250 * 50 * 0.6}
    assert set(found.credits[0][one]) == {300.0}
    assert set(found.without.quarters.reshape(-1, 4)[one].max(axis=1)) == {250 * 50.0}
    nothing = found.without.minutes == 0
    assert set(found.without.losses[nothing]) == {0.0}
    assert nothing.mean() == pytest.approx(exp(-0.7), abs=0.03)


def test_amounts_by_steps_are_service_credits_month_by_month() -> None:
    steps = [(99.9, 10.0), (95.0, 100.0), (99.0, 25.0)]
    months = np.array([100, 99.9, 99.8999, 99.0, 98.999, 95.0, 94.999, 0.0])
    assert by_steps(steps, months).tolist() == [service_credit(steps, float(month)) for month in months]


def test_a_month_cannot_lose_more_than_it_has() -> None:
    assert uptime_of(np.array([0, MONTH_MINUTES, 9 * MONTH_MINUTES])).tolist() == [100, 0, 0]
    found = years(Stake(hazards=[Hazard(rate=Known(400), minutes=Known(10_000))], revenue=Known(1)), 50)
    assert found.without.minutes.max() <= 12 * MONTH_MINUTES * (1 + 1e-12)


def test_both_arms_have_the_same_incidents_whatever_the_coverage() -> None:
    more = Hazard(rate=Known(8), minutes=Between(10, 300), coverage=Known(0.99), residual_minutes=1, vendor=0)
    first, second = years(STAKE, 2_000), years(Stake(hazards=[more], vendors=[[(99.9, 300.0)]]), 2_000)
    assert (first.without.minutes == second.without.minutes).all()
    assert (first.kept.minutes <= first.without.minutes + 1e-9).all()
    assert (second.kept.minutes <= first.kept.minutes + 1e-9).all()
    assert (first.credits[0] == second.credits[0]).all()


def test_all_covered_leaves_the_residual_and_a_short_incident_no_more_than_it_lasted() -> None:
    hazard = Hazard(rate=Known(5), minutes=Known(0.5), coverage=Known(1), residual_minutes=3, residual_cost=7)
    found = years(Stake(hazards=[hazard], revenue=Known(1)), 500)
    assert found.kept.minutes == pytest.approx(found.without.minutes)
    assert found.kept.parts["impact"] == pytest.approx(found.kept.minutes / 0.5 * 7)


def test_a_delay_comes_at_most_once_a_year_and_the_fallback_never_adds_one() -> None:
    delay = Delay(chance=Known(0.3), chance_kept=Known(0.1), days=Known(20), cost_per_day=1_000)
    found = years(Stake(hazards=[], delays=[delay]), 50_000)
    assert set(found.without.losses) == {0.0, 20_000.0}
    assert (found.without.losses > 0).mean() == pytest.approx(0.3, abs=0.01)
    assert (found.kept.losses > 0).mean() == pytest.approx(0.1, abs=0.01)
    assert (found.kept.losses <= found.without.losses).all()


def test_the_parts_are_all_of_the_loss() -> None:
    found = years(STAKE, 500)
    assert set(found.without.parts) == set(PARTS)
    assert found.without.losses == pytest.approx(sum(found.without.parts.values()))


def test_the_same_seed_gives_the_same_years_and_another_one_others() -> None:
    first, again, other = years(STAKE, 3_000), years(STAKE, 3_000), years(STAKE, 3_000, seed=6)
    assert first.without.losses.tobytes() == again.without.losses.tobytes()
    assert first.without.losses.tobytes() != other.without.losses.tobytes()


def test_a_hazard_that_is_added_does_not_move_the_incidents_of_another() -> None:
    both = Stake(hazards=[OUTAGE, Hazard(rate=Known(1), minutes=Known(10))], vendors=[[(99.9, 300.0)]])
    assert (years(both, 1_000).credits[0] == years(STAKE, 1_000).credits[0]).all()


def test_the_interval_of_a_mean_is_that_of_what_is_not_known_and_not_of_chance() -> None:
    """With a counted rate and a known impact the mean of a world is its rate: quantiles of the Gamma."""
    found = exposure(Stake(hazards=[Hazard(rate=Events(10, 2), impact=Between(1, 9))]), worlds=2_000, each=100, seed=3)
    _, low, high = mean_over_worlds(found.without.losses, 100)
    expected = [end * Between(1, 9).mean for end in Events(10, 2).interval(0.95)]
    assert [low, high] == pytest.approx(expected, rel=0.06)


def test_where_all_is_known_the_interval_of_the_mean_has_hardly_any_width() -> None:
    found = exposure(STAKE, worlds=1_000, each=100, seed=3)
    value, low, high = mean_over_worlds(found.without.losses, 100)
    raw = found.without.losses.reshape(-1, 100).mean(axis=1)
    assert low <= value <= high
    assert high - low < 0.4 * (np.quantile(raw, 0.975) - np.quantile(raw, 0.025))


def test_worlds_without_any_difference_have_no_interval() -> None:
    assert mean_over_worlds([4.0] * 6, 2) == (4, 4, 4)


@pytest.mark.parametrize(("values", "each"), [([1.0] * 5, 2), ([1.0] * 2, 2), ([1.0] * 4, 1), ([], 2)])
def test_worlds_that_are_not_filled_are_refused(values: list[float], each: int) -> None:
    with pytest.raises(EvidenceError):
        mean_over_worlds(values, each)


def test_the_cvar_is_the_mean_of_the_worst_years_and_its_interval_holds_the_truth() -> None:
    losses = np.random.default_rng(2).exponential(1, 100_000)
    value, low, high = cvar(losses)
    worst = np.sort(losses)[-5_000:]
    assert value == pytest.approx(worst.mean(), rel=1e-3)
    assert low < np.log(20) + 1 < high  # of an exponential: its 95 % quantile and 1
    with pytest.raises(EvidenceError):
        cvar(losses[:1_999])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Hazard(rate=Known(10_001)),
        lambda: Hazard(rate=Known(1), struck=1.1),
        lambda: Hazard(rate=Known(1), coverage=Known(1.1)),
        lambda: Hazard(rate=Known(1), residual_minutes=-1),
        lambda: Hazard(rate=Known(1), residual_cost=-1),
        lambda: Delay(chance=Known(2), chance_kept=Known(0), days=Known(1), cost_per_day=1),
        lambda: Delay(chance=Cases(0, 1), chance_kept=Known(0), days=Known(1), cost_per_day=-1),
        lambda: Stake(hazards=[]),
        lambda: Stake(hazards=[OUTAGE]),
        lambda: Stake(hazards=[Hazard(rate=Known(1))], margin=2),
        lambda: Stake(hazards=[Hazard(rate=Known(1))], promises=[[]]),
        lambda: Stake(hazards=[Hazard(rate=Known(1))], promises=[[(99.0, 1), (99.9, 2)]]),
        lambda: Stake(hazards=[Hazard(rate=Known(1))], promises=None),  # type: ignore[arg-type]
        lambda: Stake(hazards=[Hazard(rate=Known(1))], vendors=3.5),  # type: ignore[arg-type]
        lambda: Hazard(rate=Known(1), vendor=-1),
        lambda: Hazard(rate=Known(1), vendor="primary"),  # type: ignore[arg-type]
        lambda: exposure(STAKE, worlds=0, each=1, seed=1),
        lambda: exposure(STAKE, worlds=2_000, each=1_001, seed=1),
        lambda: exposure("a stake", worlds=1, each=1, seed=1),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_at_stake_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(EvidenceError):
        make()
