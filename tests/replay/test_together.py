"""What times have in common is drawn as it was found: the two of a call, all of a minute. The tables stay as told."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest
from tests.replay.world import model

from surefoot.errors import EvidenceError
from surefoot.replay.models.fitting import LEAST
from surefoot.replay.models.measured import Source, read_measured
from surefoot.replay.models.model import Floats, TargetModel
from surefoot.replay.models.together import Chances, lasting, of_call, of_minute, scores

COUNT = 30_000
AT: Floats = np.linspace(1_700_000_000.0, 1_700_000_000.0 + 12.0 * (COUNT - 1), COUNT)
"""Five calls a minute."""


def drawn(one: TargetModel, at: Floats = AT, first: int = 0, seed: int = 3) -> Chances:
    return Chances(one, at, first, seed)


@pytest.mark.parametrize(("together", "share"), [(0.0, 0.0), (-0.6, 0.0), (0.0, 0.4), (0.5, 0.3), (-1.0, 1.0)])
def test_what_was_drawn_is_found_again_and_no_distribution_changes(together: float, share: float) -> None:
    chances = drawn(model("a", together=together, minute_share=share))
    first, rate = np.exp(chances.first), np.sqrt(chances.rate)  # whatever the times are: only their ranks count

    assert of_call(first, rate, AT, None) == pytest.approx(together, abs=0.03)
    assert of_minute(first, AT, None) == pytest.approx(share, abs=0.03)
    for uniform in (chances.first, chances.rate):
        assert kstest(uniform, "uniform").statistic < 0.03  # 6,000 minutes at worst


def test_a_model_without_anything_in_common_draws_as_it_always_did() -> None:
    chances = drawn(model("a"))

    assert (chances.first == chances.chance[:, 0]).all()
    assert (chances.rate == chances.chance[:, 1]).all()


def test_draws_do_not_depend_on_how_calls_are_batched() -> None:
    one = model("a", together=-0.4, minute_share=0.3)
    whole, rest = drawn(one), drawn(one, AT[12_345:], 12_345)

    assert (whole.first[12_345:] == rest.first).all()
    assert (whole.rate[12_345:] == rest.rate).all()
    assert whole.again(20_000) == rest.again(20_000 - 12_345)
    assert (whole.first != drawn(one, seed=4).first).all()


def test_another_attempt_has_times_of_its_own_in_the_same_minute() -> None:
    one = drawn(model("a", together=0.7, minute_share=0.5))
    again = np.array([one.again(row) for row in range(4_000)])[:, :, 0]
    z = [scores(values, None, None) for values in (one.first[:4_000], again[:, 0], again[:, 1])]

    assert np.corrcoef(z[0], z[1])[0, 1] == pytest.approx(0.5, abs=0.06)
    assert np.corrcoef(z[1], z[2])[0, 1] == pytest.approx(0.7, abs=0.06)


@pytest.mark.parametrize(("minutes_of", "expected"), [("azure", 0.4), ("", 0.0)])
def test_targets_are_slow_in_the_same_minutes_if_they_say_so(minutes_of: str, expected: float) -> None:
    one, other = (drawn(model(name, minute_share=0.4, minutes_of=minutes_of)).first for name in ("a", "b"))

    found = np.corrcoef(scores(one, None, None), scores(other, None, None))[0, 1]

    assert found == pytest.approx(expected, abs=0.04)


def test_what_the_hour_and_the_length_explain_is_in_the_tables_already() -> None:
    rng = np.random.default_rng(1)
    slow = np.where((AT // 3_600) % 24 < 12, 10.0, 1.0)
    ttft, rate = slow * rng.lognormal(0, 0.1, COUNT), slow * rng.lognormal(0, 0.1, COUNT)

    assert of_call(ttft, rate, None, None) > 0.5
    assert of_minute(ttft, AT, None) == pytest.approx(0.0, abs=0.02)
    assert of_call(ttft, rate, AT, None) == pytest.approx(0.0, abs=0.02)


def test_slow_days_are_found_as_what_minutes_share_and_as_what_lasts() -> None:
    rng = np.random.default_rng(4)
    at = AT[0] + 24.0 * np.arange(COUNT)  # eight days
    slow_day = np.where((at // 86_400) % 2 == 0, 5.0, 1.0)
    of_days = slow_day * rng.lognormal(0, 0.7, COUNT)
    of_minutes = drawn(model("a", minute_share=0.4)).first

    assert of_minute(of_days, at, None) > 0.3
    assert lasting(of_days, at, None) == pytest.approx(of_minute(of_days, at, None), abs=0.05)
    assert of_minute(of_minutes, AT, None) == pytest.approx(0.4, abs=0.03)
    assert lasting(of_minutes, AT, None) == pytest.approx(0.0, abs=0.03)


def test_too_little_to_tell_is_nothing_in_common() -> None:
    few = np.arange(1.0, LEAST)
    many = np.arange(1.0, 5 * LEAST)

    assert of_call(few, few, None, None) == 0.0
    assert of_call(many, np.ones_like(many), None, None) == 0.0
    assert of_minute(many, None, None) == 0.0
    assert of_minute(many, 60.0 * many, None) == 0.0  # no minute has two
    assert of_minute(many, 0.0 * many, None) == 0.0  # there is only one
    assert lasting(many, None, None) == 0.0
    assert lasting(many, 120.0 * many, None) == 0.0  # no minute has a next one
    assert lasting(np.ones_like(many), 60.0 * many, None) == 0.0


def test_who_begins_late_goes_on_a_little_slower_in_public_measurements(real_data: Path) -> None:
    """Calls of agents, in classes of prompt lengths: the figure of docs/replay.md."""
    found = read_measured(
        Source(
            file=real_data / "claude_code_traces.csv.gz",
            unit=1.0,
            ttft="ttft_s",
            total="api_time_s",
            prompt_tokens="input_tokens",
            completion_tokens="output_tokens",
        )
    )
    assert found.paired is not None
    ttft, rate = found.paired
    assert len(ttft.values) == 4_890
    assert of_call(ttft.values, rate.values, ttft.at, ttft.prompt_tokens) == pytest.approx(-0.08, abs=0.005)


@pytest.mark.parametrize("wrong", [{"together": 1.1}, {"together": float("nan")}, {"minute_share": -0.1}])
def test_what_is_no_correlation_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(EvidenceError, match="together is from -1 to 1"):
        model("a", **wrong)
