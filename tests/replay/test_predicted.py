"""What the replay predicts is what a drill measures: eight modes of every sort, drilled here and replayed.

`make predicted` does the same for all modes, with the drill's own intervals of 95 %. Here they are of 99.99 %, so that
nothing fails by chance, and a busy machine may add a little.
"""

from dataclasses import replace

import pytest
from benchmarks import observed as drills
from benchmarks.observed import Observed
from benchmarks.predicted import FILE, ROUTE, TTFT
from benchmarks.prediction import Predicted, Prediction
from msgspec.structs import replace as changed

from surefoot.drill.coverage import cold
from surefoot.drill.plan import DrillOptions
from surefoot.drill.repetition import Repetition
from surefoot.evidence.intervals import wilson
from surefoot.evidence.order import percentile

MODES = (
    "refuse", "silence", "slow_first_token", "cut", "server_error", "rate_limit", "plain_silence", "plain_cut",
)  # fmt: skip
REPEAT, REPLAYS = 40, 5
CONFIDENCE = 0.9999
BUSY = 0.15
"""Seconds that a busy machine may add or take."""

pytestmark = [pytest.mark.timeout(120), pytest.mark.alone]


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    out = tmp_path_factory.mktemp("predicted") / "drill"
    told = DrillOptions(routes=(ROUTE,), modes=MODES, repeat=REPEAT, rate=100.0, patience=20.0, ttft=TTFT)
    drills.drill(FILE, told, out)
    return drills.read(FILE, out)


@pytest.fixture(scope="module")
def measured(observed: Observed) -> dict[str, list[Repetition]]:
    """The drilled calls that count, by mode."""
    counted = cold(observed.repetitions)
    return {mode: [one for one in counted if one.mode == mode] for mode in MODES}


@pytest.fixture(scope="module")
def predicted(observed: Observed) -> dict[str, Predicted]:
    return Prediction(observed, seed=1).by_mode(REPLAYS)


def holds(times: list[float], predictions: list[float], q: float) -> bool:
    """Whether the interval of the measured quantile holds the predicted one."""
    _, low, high = percentile(times, q, CONFIDENCE)
    value = percentile(predictions, q)[0]
    return low - BUSY <= value <= (float("inf") if high is None else high + BUSY)


@pytest.mark.parametrize("mode", MODES)
def test_predicted_coverage_is_inside_the_drills_interval(
    measured: dict[str, list[Repetition]], predicted: dict[str, Predicted], mode: str
) -> None:
    saved = sum(one.mitigated and not one.passed_off for one in measured[mode])
    low, high = wilson(saved, len(measured[mode]), CONFIDENCE)

    assert len(measured[mode]) == REPEAT
    assert low <= predicted[mode].mitigated / predicted[mode].calls <= high + 1e-9


@pytest.mark.parametrize("q", [0.5, 0.95])
@pytest.mark.parametrize("mode", MODES)
def test_predicted_times_are_inside_the_drills_intervals(
    measured: dict[str, list[Repetition]], predicted: dict[str, Predicted], mode: str, q: float
) -> None:
    ttfts = [one.ttft for one in measured[mode] if one.ttft is not None]
    ends = [one.end_to_end for one in measured[mode] if one.end_to_end is not None]

    assert holds(ttfts, predicted[mode].ttft, q)
    assert holds(ends, predicted[mode].end_to_end, q)


def test_a_replay_that_hedges_later_than_the_drill_is_noticed(
    observed: Observed, measured: dict[str, list[Repetition]]
) -> None:
    options = observed.configuration.options
    later = changed(options, first_token=changed(options.first_token, hedge_floor=2.0))
    other = replace(observed, configuration=changed(observed.configuration, options=later))

    predicted = Prediction(other, seed=1).by_mode(REPLAYS)

    for mode in ("silence", "slow_first_token", "plain_silence"):
        times = [one.end_to_end for one in measured[mode] if one.end_to_end is not None]
        assert not holds(times, predicted[mode].end_to_end, 0.5), mode


def test_the_same_seed_predicts_the_same(observed: Observed, predicted: dict[str, Predicted]) -> None:
    again = Prediction(observed, seed=1).by_mode(REPLAYS)

    assert {mode: one.end_to_end for mode, one in again.items()} == {
        mode: one.end_to_end for mode, one in predicted.items()
    }
