"""Tables of quantiles: those of a known distribution come back, cells that lack samples are pooled, both is told."""

from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy.stats import kstest, lognorm

from surefoot.errors import EvidenceError
from surefoot.replay.models.fitting import LEAST, POINTS, lognormal, resampled
from surefoot.replay.models.measured import FASTEST, Source, measured, read_measured
from surefoot.replay.models.model import Floats, QuantileTable, quantiles

Z99 = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""


def drawn(table: QuantileTable, count: int = 20_000) -> Floats:
    uniform = np.random.default_rng(7).random(count)
    return np.array([table.at(u) for u in uniform])


def sample(count: int) -> Floats:
    return np.random.default_rng(5).lognormal(np.log(0.4), 0.7, count)


def test_two_quantiles_fix_a_lognormal() -> None:
    table = lognormal({0.5: 0.4, 0.99: 2.0})
    sigma = np.log(5) / Z99
    assert table.at(0.5) == pytest.approx(0.4)
    assert table.at(0.99) == pytest.approx(2.0)
    assert table.at(0.9) == pytest.approx(0.4 * np.exp(1.2815515655446004 * sigma))
    assert len(table.values) == POINTS
    assert kstest(drawn(table), lognorm(s=sigma, scale=0.4).cdf).pvalue > 0.01


def test_a_wrong_distribution_would_be_noticed() -> None:
    assert kstest(drawn(lognormal({0.5: 0.4, 0.99: 2.0})), lognorm(s=0.75, scale=0.4).cdf).pvalue < 0.01


def test_more_quantiles_are_all_kept_and_a_single_one_is_a_constant() -> None:
    given = {0.01: 5.0, 0.5: 60.0, 0.9: 70.0, 0.99: 300.0}
    table = lognormal(given)
    for probability, value in given.items():
        assert table.at(probability) == pytest.approx(value)
    assert lognormal({0.5: 0.4}).values == (0.4,)


@pytest.mark.parametrize("given", [{}, {0.0: 1.0}, {1.0: 1.0}, {0.5: 0.0}, {0.5: 2.0, 0.9: 1.0}, {0.5: float("nan")}])
def test_what_is_no_distribution_is_refused(given: dict[float, float]) -> None:
    with pytest.raises(EvidenceError):
        lognormal(given)


def test_what_was_measured_is_drawn_again() -> None:
    values = sample(400_000)
    fitted = resampled(values)
    ((table,),) = fitted.tables
    assert kstest(drawn(table), lognorm(s=0.7, scale=0.4).cdf).pvalue > 0.01
    assert (table.at(0.0), table.at(1.0)) == (values.min(), values.max())
    assert (fitted.samples, fitted.own) == (400_000, {"all": 1})


def test_a_cell_with_enough_samples_stands_by_itself_and_the_others_are_pooled() -> None:
    hours = np.repeat([0, 1, 2], [LEAST, LEAST - 1, 3 * LEAST])
    at = hours.astype(np.float64) * 3_600.0 + 60
    lengths = np.where(np.arange(len(at)) % 2 == 0, 100, 100)
    values = np.where(hours == 0, 1.0, np.where(hours == 1, 2.0, 3.0))
    fitted = resampled(values, at, lengths)
    assert fitted.own == {"hour and length": 2, "length": 22, "all": 96}
    assert len(fitted.tables) == 24

    def middle(hour: int) -> float:
        when, long = np.array([hour * 3_600.0]), np.array([100])
        return float(quantiles(fitted.tables, when, long, np.array([0.5]))[0])

    assert (middle(0), middle(2)) == (1.0, 3.0)
    assert middle(1) == middle(9) == np.quantile(values, 0.5)
    assert fitted.told == "499 samples (cells: 2 from hour and length, 22 from length, 96 from all)"


def test_a_length_with_too_few_samples_takes_the_times_of_all() -> None:
    lengths = np.repeat([100, 50_000], [LEAST, LEAST - 1])
    values = np.where(lengths == 100, 1.0, 9.0)
    fitted = resampled(values, None, lengths)
    (row,) = fitted.tables
    assert [table.at(0.25) for table in row] == [1.0, 1.0, 1.0, 1.0, 1.0]
    assert row[0].at(0.9) == 1.0
    assert row[4].at(0.9) == 9.0
    assert fitted.own == {"length": 1, "all": 4}


def test_no_class_is_kept_that_makes_no_difference() -> None:
    fitted = resampled(sample(LEAST - 1), np.arange(LEAST - 1, dtype=np.float64) * 3_600.0, np.full(LEAST - 1, 10))
    assert (len(fitted.tables), len(fitted.tables[0])) == (1, 1)


@pytest.mark.parametrize("values", [[], [1.0, 0.0], [1.0, float("nan")], [-1.0]])
def test_what_is_no_time_is_refused(values: list[float]) -> None:
    with pytest.raises(EvidenceError):
        resampled(np.array(values))


def test_failed_rows_and_answers_in_one_piece_are_left_out_and_counted() -> None:
    columns = {
        "ttft": np.array([0.5, 0.5, 0.5, np.nan, 0.5]),
        "total": np.array([1.5, 1.5, 0.5001, 1.5, 1.5]),
        "completion_tokens": np.array([101.0, 101.0, 101.0, 101.0, 1.0]),
    }
    found = measured(columns, np.array([False, True, False, False, False]))
    assert found.ttft.values.tolist() == [0.5, 0.5, 0.5]
    assert found.rate.values.tolist() == [100.0]
    assert found.left_out == {
        "failed": 1,
        "of rates: came in one piece": 1,
        "without a first-token time above 0": 1,
    }
    assert not found.inferred


def test_without_first_token_times_they_are_what_durations_leave() -> None:
    rng = np.random.default_rng(3)
    tokens = rng.integers(1, 500, 5_000).astype(np.float64)
    wait = rng.lognormal(np.log(0.4), 0.3, 5_000)
    found = measured({"total": wait + (tokens - 1) / 80, "completion_tokens": tokens})
    assert found.inferred
    assert np.median(found.rate.values) == pytest.approx(80, rel=0.02)
    assert kstest(found.ttft.values, wait).statistic < 0.05


def test_rows_without_an_hour_are_left_out_where_others_have_one() -> None:
    found = measured({"ttft": np.array([1.0, 2.0, 3.0]), "at": np.array([0.0, np.nan, 7_200.0])})
    assert found.ttft.values.tolist() == [1.0, 3.0]
    assert found.left_out == {"without the hour or the length that others have": 1}
    assert found.ttft.at is not None
    assert measured({"ttft": np.array([1.0]), "at": np.array([np.nan])}).ttft.at is None


def test_every_row_that_gives_no_rate_is_counted_by_its_reason_unless_it_has_too_few_tokens() -> None:
    columns = {
        "ttft": np.array([0.5, 0.5, 0.5, 0.5, np.nan]),
        "total": np.array([1.5, 0.4, 1.5, 1.5, 0.4]),
        "completion_tokens": np.array([101.0, 101.0, 101.0, 1.0, 101.0]),
        "prompt_tokens": np.array([10.0, 10.0, np.nan, 10.0, 10.0]),
    }
    found = measured(columns)
    assert found.rate.values.tolist() == [100.0]
    assert found.left_out == {
        "of rates: ended before the first token": 1,
        "without a first-token time above 0": 1,
        "without the hour or the length that others have": 1,
        "of rates: without the hour or the length that others have": 1,
    }
    given = measured({"ttft": np.array([0.5, 0.5, 0.5, 0.5]), "rate": np.array([50.0, 0.0, -1.0, 6_000.0])})
    assert given.rate.values.tolist() == [50.0]
    assert given.left_out == {"of rates: came in one piece": 1, "of rates: not above 0": 2}


def test_nothing_to_go_by_is_refused() -> None:
    for columns in ({}, {"ttft": np.array([0.0])}, {"total": np.array([1.0])}):
        with pytest.raises(EvidenceError, match="nothing can be used"):
            measured(columns)


def test_a_file_is_read_with_its_units_its_times_and_its_failures(tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    lines = ["when,ms,all_ms,n,who,error"]
    lines += [f"2026-11-24T{hour:02}:00:00,400,1400,51,us,{code}" for hour, code in ((0, ""), (5, "0"), (5, "429"))]
    lines += ["2026-11-24T05:00:00,400,1400,51,eu,"]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = read_measured(
        Source(
            file=file,
            unit=0.001,
            ttft="ms",
            total="all_ms",
            completion_tokens="n",
            at="when",
            failed="error",
            where={"who": "us"},
        )
    )
    assert found.ttft.values.tolist() == pytest.approx([0.4, 0.4])
    assert found.rate.values.tolist() == pytest.approx([50.0, 50.0])
    assert found.ttft.at is not None
    assert ((found.ttft.at // 3_600) % 24).tolist() == [0, 5]
    assert found.left_out == {"failed": 1}


def test_first_token_times_of_public_measurements_are_drawn_again(real_data: Path) -> None:
    found = read_measured(
        Source(
            file=real_data / "thefastest_ttft.csv.gz",
            unit=1.0,
            ttft="ttft_s",
            total="total_time_s",
            completion_tokens="num_tokens",
            at="time",
            where={"model": "openai/gpt-4-turbo"},
        )
    )
    ((table,),) = resampled(found.ttft.values, found.ttft.at).tables
    assert len(found.ttft.values) == 95
    assert kstest(drawn(table), found.ttft.values).pvalue > 0.01


def test_agents_calls_are_kept_apart_by_the_length_of_their_prompts(real_data: Path) -> None:
    source = Source(
        file=real_data / "claude_code_traces.csv.gz",
        unit=1.0,
        ttft="ttft_s",
        total="api_time_s",
        prompt_tokens="input_tokens",
        completion_tokens="output_tokens",
    )
    found = read_measured(source)
    fitted = resampled(found.ttft.values, found.ttft.at, found.ttft.prompt_tokens)
    assert fitted.samples == 4_977
    assert found.left_out["without a first-token time above 0"] == 23
    assert found.rate.values.max() <= FASTEST
    with duckdb.connect() as base:
        bare = base.execute(
            "SELECT quantile_cont(ttft_s, 0.99) FROM read_csv($file) WHERE input_tokens > 16384",
            {"file": str(source.file)},
        ).fetchall()[0][0]
    assert fitted.tables[0][-1].at(0.99) == pytest.approx(bare, rel=0.01)


def test_milliseconds_and_failures_of_a_public_run_are_read_as_what_they_are(real_data: Path) -> None:
    bedrock = read_measured(
        Source(
            file=real_data / "bedrock_claude_instant_350.csv.gz",
            unit=0.001,
            ttft="ttft_ms",
            total="e2e_latency_ms",
            prompt_tokens="number_input_tokens",
            completion_tokens="number_output_tokens",
            failed="error_code",
        )
    )
    assert np.median(bedrock.ttft.values) == pytest.approx(1.136, abs=0.001)
    lepton = read_measured(
        Source(
            file=real_data / "llmperf_individual.csv.gz",
            unit=1.0,
            ttft="ttft_s",
            total="e2e_s",
            completion_tokens="n_out",
            failed="error_code",
            where={"endpoint": "lepton_7b"},
        )
    )
    assert (len(lepton.ttft.values), lepton.left_out) == (20, {"failed": 130})
