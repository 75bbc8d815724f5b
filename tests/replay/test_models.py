"""Target models: what a file says comes first, then what the traffic shows, then an assumption that is told as one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest
from tests.replay.planned import TARGETS, batch, configured, traffic

from surefoot.domain.outcome import Kind
from surefoot.domain.units import Price
from surefoot.errors import ConfigError
from surefoot.replay.arms import arms
from surefoot.replay.demand import demand_of
from surefoot.replay.modelling import DEFAULT_RATE, DEFAULT_TTFT, Models, models_of
from surefoot.replay.models.measured import Source, read_measured
from surefoot.replay.models.model import ROUND_TRIP, TargetModel, quantiles
from surefoot.replay.models.models_file import Given, read_models
from surefoot.replay.virtual.driver import KINDS, run

NAMES = ("azure-eu", "openai-us", "claude-us")


def written(folder: Path, text: str) -> Path:
    path = folder / "models.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read_models(path, NAMES)
    told = list(refused.value.faults)
    assert all(fault.startswith(f"{path}: ") for fault in told)
    return [fault.removeprefix(f"{path}: ") for fault in told]


def at(model: TargetModel, u: float, *, hour: int = 0, prompt: int = 100, rate: bool = False) -> float:
    tables = model.rate if rate else model.ttft
    found = quantiles(tables, np.array([hour * 3_600.0]), np.array([prompt]), np.array([u]))
    return float(found[0])


def calls(count: int, **changed: object) -> list[dict[str, object]]:
    """Streamed calls of one target, of a known distribution, a minute apart."""
    wait = np.random.default_rng(9).lognormal(np.log(0.8), 0.5, count)
    return [
        {"at": 1_700_000_000.0 + 60 * number, "ttft": float(ttft), "duration": float(ttft) + 100 / 40} | changed
        for number, ttft in enumerate(wait)
    ]


def modelled(folder: Path, listed: list[dict[str, object]], given: dict[str, Given] | None = None) -> Models:
    file = traffic(folder / "traffic.parquet", listed)
    return models_of(configured(folder), file, demand_of(file), given)


def stands(models: Models, target: str, part: str) -> tuple[str, bool]:
    (one,) = (one for one in models.stand_on if (one.target, one.part) == (target, part))
    return one.text, one.measured


def test_a_file_gives_quantiles_limits_and_price(tmp_path: Path) -> None:
    text = """
[targets.azure-eu]
ttft = { p50 = "400ms", p99 = "2s" }
rate = { p1 = 15, p50 = 60 }
servers = 40
queue = 100
requests_per_minute = 600
tokens_per_minute = 400_000
price = { input = "$1/MTok", output = "$8/MTok" }
round_trip = "80ms"
"""
    models = modelled(tmp_path, calls(3), read_models(written(tmp_path, text), NAMES))
    model = models.of["azure-eu"]
    assert [at(model, u) for u in (0.5, 0.99)] == pytest.approx([0.4, 2.0])
    assert [at(model, u, rate=True) for u in (0.01, 0.5)] == pytest.approx([15, 60])
    assert (model.servers, model.queue, model.requests_per_minute, model.tokens_per_minute) == (40, 100, 600, 400_000)
    assert (model.price, model.round_trip) == (Price(1.0, 8.0), 0.08)
    assert stands(models, "azure-eu", "round trip") == ("80ms, given in the models file", True)
    assert stands(models, "azure-eu", "capacity") == (
        "given in the models file: servers 40, queue 100, requests_per_minute 600, tokens_per_minute 400000",
        True,
    )


def test_cells_hold_for_their_hours_and_lengths_and_the_first_that_does_wins(tmp_path: Path) -> None:
    text = """
[targets.azure-eu]
ttft = { p50 = "400ms" }

[[targets.azure-eu.cells]]
prompt_tokens = "> 4096"
hours = "22..1"
ttft = { p50 = "5s" }

[[targets.azure-eu.cells]]
prompt_tokens = "> 4096"
ttft = { p50 = "3s" }
"""
    model = modelled(tmp_path, calls(3), read_models(written(tmp_path, text), NAMES)).of["azure-eu"]
    assert [at(model, 0.5, hour=hour, prompt=5_000) for hour in (21, 22, 0, 1, 2)] == [3.0, 5.0, 5.0, 5.0, 3.0]
    assert [at(model, 0.5, hour=23, prompt=prompt) for prompt in (4_096, 4_097)] == [0.4, 5.0]


def test_all_faults_of_a_file_are_told_at_once_each_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("ttft_ms,n\n1,2\n", encoding="utf-8")
    text = """
[targets.azure-eu]
ttft = { p5O = "400ms", p99 = 2 }
rate = { p50 = "60" }
server = 3
[targets.openai-us]
ttft = { p50 = "2s", p99 = "1s" }
servers = 0
requests_per_minute = -1
price = { input = "1" }
[[targets.openai-us.cells]]
hours = "8..24"
prompt_tokens = "> 1000"
[targets.claude-us.measured]
file = "runs.csv"
total = "all"
"""
    told = faults(written(tmp_path, text))
    for path, words in [
        ("targets.azure-eu.ttft.p5O", "is no quantile"),
        ("targets.azure-eu.ttft.p99", "carries its unit"),
        ("targets.azure-eu.rate.p50", "valid number"),
        ("targets.azure-eu.server", "did you mean `servers`?"),
        ("targets.openai-us.ttft", "must not be smaller"),
        ("targets.openai-us.servers", "out of range"),
        ("targets.openai-us.requests_per_minute", "greater than 0"),
        ("targets.openai-us.price.input", "dollars per million"),
        ("targets.openai-us.price.output", "is required"),
        ("targets.openai-us.cells[0].hours", "8..17"),
        ("targets.openai-us.cells[0].prompt_tokens", "classes of lengths"),
        ("targets.claude-us.measured.unit", "is required"),
    ]:
        assert any(fault.startswith(f"{path}") and words in fault for fault in told), (path, told)
    assert len(told) == 12


def test_what_does_not_go_together_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("ttft_ms,n\n1,2\n", encoding="utf-8")
    text = """
[targets.azur-eu]
ttft = { p50 = "1s" }
[targets.azure-eu]
queue = 5
ttft = { p50 = "1s" }
minutes_of = "azure"
[[targets.azure-eu.cells]]
hours = "0..11"
rate = { p50 = 5 }
[targets.openai-us]
ttft = { p50 = "1s" }
[targets.openai-us.measured]
file = "runs.csv"
unit = "ms"
ttft = "ttft"
[targets.openai-us.measured.where]
who = "us"
[targets.claude-us.measured]
file = "none.csv"
unit = "s"
ttft = "ttft"
"""
    told = faults(written(tmp_path, text))
    for path, words in [
        ("targets.azur-eu", "did you mean `azure-eu`?"),
        ("targets.azure-eu.queue", "needs `servers`"),
        ("targets.azure-eu.minutes_of", "needs `minute_share`"),
        ("targets.azure-eu.rate", "is required beside cells"),
        ("targets.openai-us.measured.ttft", "given by hand too"),
        ("targets.openai-us.measured.ttft", 'no column "ttft"; did you mean `ttft_ms`?'),
        ("targets.openai-us.measured.where.who", 'no column "who"'),
        ("targets.claude-us.measured.file", "cannot be read as CSV or Parquet"),
    ]:
        assert any(fault.startswith(f"{path}: ") and words in fault for fault in told), (path, told)
    assert len(told) == 8


def test_a_models_file_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    assert faults(tmp_path / "none.toml") == ["there is no such file; leave --models away to go by the traffic alone"]


def test_a_measured_file_is_resampled(tmp_path: Path) -> None:
    wait = np.random.default_rng(2).lognormal(6.0, 0.5, 2_000)
    lines = ["ttft_ms,e2e_ms,n_out"] + [f"{one},{one + 2_000},101" for one in wait]
    (tmp_path / "runs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = """
[targets.azure-eu.measured]
file = "runs.csv"
unit = "ms"
ttft = "ttft_ms"
total = "e2e_ms"
completion_tokens = "n_out"
"""
    models = modelled(tmp_path, calls(3), read_models(written(tmp_path, text), NAMES))
    uniform = np.random.default_rng(4).random(5_000)
    drawn = [at(models.of["azure-eu"], u) for u in uniform]
    assert kstest(drawn, wait / 1_000).pvalue > 0.01
    assert at(models.of["azure-eu"], 0.5, rate=True) == pytest.approx(50)
    assert stands(models, "azure-eu", "ttft") == ("resampled from runs.csv, 2,000 samples (cells: 1 from all)", True)


def test_the_traffic_itself_tells_how_fast_its_targets_are(tmp_path: Path) -> None:
    others = calls(50, attempts=2, first_failed=True, first_kind="server_error", ttft=90.0)
    listed = calls(3_000) + calls(50, failed=True, ttft=90.0) + others
    models = modelled(tmp_path, listed)
    uniform = np.random.default_rng(4).random(5_000)
    drawn = [at(models.of["openai-us"], u, hour=3, prompt=500) for u in uniform]
    wait = np.random.default_rng(9).lognormal(np.log(0.8), 0.5, 3_000)
    assert kstest(drawn, wait).statistic < 0.1
    assert max(drawn) < 90
    text, measured = stands(models, "openai-us", "ttft")
    assert measured
    assert "3,000 samples" in text
    assert text.endswith("left out: 50 failed, 50 answered by another attempt")
    assert at(models.of["openai-us"], 0.5, rate=True) == pytest.approx(40)


def test_an_attempt_that_was_cut_off_is_not_taken_for_a_short_one(tmp_path: Path) -> None:
    """Its end is ours or the client's; its first token is its own, if it came."""
    gone = {"failed": None, "first_failed": None, "duration": 0.01}
    listed = calls(1_000)
    listed += calls(1_000, kind="client_gone", ttft=0.01, completion_tokens=101, **gone)
    listed += calls(1_000, kind="cancelled", ttft=None, **gone)
    model = modelled(tmp_path, listed)
    text, _ = stands(model, "openai-us", "ttft")
    assert "2,000 samples" in text
    assert "left out: 1,000 cut off before the first token" in text
    assert at(model.of["openai-us"], 0.4) == pytest.approx(0.01)
    text, _ = stands(model, "openai-us", "rate")
    assert "1,000 samples" in text
    assert at(model.of["openai-us"], 0.999, rate=True) == pytest.approx(40)


def test_plain_answers_that_were_cut_off_make_no_target_fast(tmp_path: Path) -> None:
    plain = [call | {"stream": False, "completion_tokens": 101 + n % 50} for n, call in enumerate(calls(400))]
    short = [call | {"kind": "client_gone", "failed": None, "first_failed": None, "duration": 0.001} for call in plain]
    whole, mixed = (modelled(tmp_path, listed) for listed in (plain, plain + short))
    assert at(mixed.of["openai-us"], 0.5) == pytest.approx(at(whole.of["openai-us"], 0.5), rel=0.01)
    assert "400 cut off before the first token" in stands(mixed, "openai-us", "ttft")[0]


def test_a_call_that_won_although_it_was_hedged_counts_and_one_that_was_given_up_is_told_of(tmp_path: Path) -> None:
    slow = calls(1_000, attempts=2, first_kind="ok", ttft=7.0)
    overtaken = calls(30, attempts=2, first_failed=True, first_kind="overtaken", ttft=9.0)
    models = modelled(tmp_path, calls(3_000) + slow + overtaken)
    assert at(models.of["openai-us"], 0.9) == pytest.approx(7.0)
    assert at(models.of["openai-us"], 1.0) < 9.0
    text, _ = stands(models, "openai-us", "ttft")
    assert "left out: 30 answered by another attempt" in text
    assert text.endswith("not of 30 calls, of any target, that were given up while silent: those are longer")


def test_a_target_of_which_nothing_is_known_is_assumed_and_told_so(tmp_path: Path) -> None:
    models = modelled(tmp_path, calls(3_000))
    assert models.of["claude-us"].ttft == DEFAULT_TTFT
    assert models.of["claude-us"].rate == DEFAULT_RATE
    for part in ("ttft", "rate", "capacity", "price"):
        _, measured = stands(models, "claude-us", part)
        assert not measured
    assert "assumed: 5,985 measurements" in models.of["claude-us"].measured


def test_a_round_trip_that_nobody_told_is_assumed_and_told_so(tmp_path: Path) -> None:
    models = modelled(tmp_path, calls(3))
    assert models.of["claude-us"].round_trip == ROUND_TRIP
    text, measured = stands(models, "claude-us", "round trip")
    assert text.startswith("assumed: 50ms until it says no")
    assert not measured


def test_what_stands_on_a_default_is_known_by_target_and_part(tmp_path: Path) -> None:
    given = '[targets.azure-eu]\nttft = { p50 = "1s" }\nround_trip = "80ms"\n'
    models = modelled(tmp_path, calls(3_000), read_models(written(tmp_path, given), NAMES))
    assert models.by_default == {
        ("openai-us", "round trip"),
        ("azure-eu", "rate"),
        *(("claude-us", part) for part in ("ttft", "rate", "round trip")),
    }


def test_another_providers_calls_of_the_same_model_tell_nothing(tmp_path: Path) -> None:
    models = modelled(tmp_path, calls(3_000))
    assert models.of["azure-eu"].ttft == DEFAULT_TTFT
    named_by_model = modelled(tmp_path, calls(3_000, provider=None))
    assert named_by_model.of["azure-eu"].ttft != DEFAULT_TTFT


def test_too_few_calls_are_no_model(tmp_path: Path) -> None:
    models = modelled(tmp_path, calls(99))
    assert models.of["openai-us"].ttft == DEFAULT_TTFT


def test_plain_calls_have_no_first_token_time_and_it_is_inferred(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    listed = [
        call | {"stream": False, "ttft": call["duration"], "completion_tokens": tokens, "duration": 0.5 + tokens / 20}
        for call, tokens in zip(calls(1_000), rng.integers(1, 400, 1_000).tolist(), strict=True)
    ]
    models = modelled(tmp_path, listed)
    text, measured = stands(models, "openai-us", "ttft")
    assert not measured
    assert "inferred" in text
    assert at(models.of["openai-us"], 0.5, rate=True) == pytest.approx(20, rel=0.01)
    assert at(models.of["openai-us"], 0.5) == pytest.approx(0.55, rel=0.01)


def test_what_times_have_in_common_is_measured_in_the_traffic_or_given(tmp_path: Path) -> None:
    listed = [
        call | {"at": 1_700_000_000.0 + 20 * n, "duration": call["ttft"] + 100 / (40 / call["ttft"])}  # type: ignore[operator]
        for n, call in enumerate(calls(3_000))
    ]
    models = modelled(tmp_path, listed)
    assert models.of["openai-us"].together == pytest.approx(-1.0, abs=0.01)  # the slower, the slower
    assert models.of["openai-us"].minute_share == pytest.approx(0.0, abs=0.05)
    text, measured = stands(models, "openai-us", "common")
    assert measured
    assert "correlation of -1.00" in text
    assert (models.of["claude-us"].together, models.of["claude-us"].minute_share) == (0.0, 0.0)
    assert not [one for one in models.stand_on if one.part == "common" and one.target != "openai-us"]
    given = '[targets.openai-us]\ntogether = 0.5\nminute_share = 0.25\nminutes_of = "azure"\n'
    model = modelled(tmp_path, listed, read_models(written(tmp_path, given), NAMES)).of["openai-us"]
    assert (model.together, model.minute_share, model.minutes_of) == (0.5, 0.25, "azure")


@pytest.mark.parametrize(
    "wrong", ["together = true", 'together = "0.2"', 'minute_share = "0.2"', "minute_share = true"]
)
def test_a_share_or_a_correlation_is_a_number_and_nothing_that_looks_like_one(tmp_path: Path, wrong: str) -> None:
    (told,) = faults(written(tmp_path, f"[targets.azure-eu]\n{wrong}\n"))
    assert told.startswith(f"targets.azure-eu.{wrong.partition(' ')[0]}")
    assert read_models(written(tmp_path, "[targets.azure-eu]\ntogether = 1\n"), NAMES)["azure-eu"].together == 1.0


def test_no_fallback_is_infinite(tmp_path: Path) -> None:
    listed = calls(300) + [{"at": 1_700_000_100.0, "prompt_tokens": 7_000} for _ in range(70)]
    models = modelled(tmp_path, listed)
    peak = demand_of(tmp_path / "traffic.parquet")
    assert (peak.peak_requests, peak.peak_tokens) == (72.0, 72 * 101 + 70 * 7_000 + 2 * 500)
    for model in models.of.values():
        assert model.bounded
        assert (model.requests_per_minute, model.tokens_per_minute) == (peak.peak_requests, peak.peak_tokens)
    assert stands(models, "openai-us", "capacity")[0].startswith("assumed: the peak minute of the traffic, 72 requests")


def test_the_assumed_capacity_never_refuses_the_traffic_that_it_is_taken_from(tmp_path: Path) -> None:
    at = 1_700_000_000.0 + np.sort(np.random.default_rng(6).random(600) ** 3) * 7_200
    file = traffic(tmp_path / "traffic.parquet", [{"at": float(one)} for one in at])
    models = models_of(configured(tmp_path), file, demand_of(file))
    _, cut = arms(configured(tmp_path), None, lambda _: models.of)
    calls = replace(batch(600), at=at, prompt_tokens=np.full(600, 500), completion_tokens=np.full(600, 101))
    (found,) = run(cut, [calls], [], 1)
    assert set(found.kind) == {KINDS.index(Kind.OK)}


def test_a_static_target_needs_no_model(tmp_path: Path) -> None:
    file = traffic(tmp_path / "traffic.parquet", calls(3))
    static = TARGETS + '[targets.sorry]\nprovider = "static"\nmodel = "none"\ntext = "Sorry."\n'
    configuration = configured(tmp_path, '[routes.chat]\ntargets = ["openai-us", "sorry"]\n', static)
    assert "sorry" not in models_of(configuration, file, demand_of(file)).of


def test_the_defaults_are_what_was_measured_in_public(real_data: Path) -> None:
    found = read_measured(
        Source(
            file=real_data / "thefastest_ttft.csv.gz",
            unit=1.0,
            ttft="ttft_s",
            total="total_time_s",
            completion_tokens="num_tokens",
        )
    )
    ttft, rate = DEFAULT_TTFT[0][0], DEFAULT_RATE[0][0]
    assert len(found.ttft.values) == 5_984  # one of 5,985 says 0
    assert np.quantile(found.ttft.values, [0.5, 0.99]) == pytest.approx([ttft.at(0.5), ttft.at(0.99)], rel=0.02)
    assert np.quantile(found.rate.values, [0.01, 0.5]) == pytest.approx([rate.at(0.01), rate.at(0.5)], rel=0.02)
