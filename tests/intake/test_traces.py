"""Public traces of traffic: made-up files of their shape, and the real ones where they are at hand."""

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.intake.brought_in import bring_in, calls_in

from surefoot.errors import IntakeError
from surefoot.intake import azure, burstgpt, mooncake
from surefoot.intake.importing import Order, import_traffic
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source, Told

START = 1767225600.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace"


def test_azures_traces_of_both_years_are_read(path: Path) -> None:
    path.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2023-11-16 18:17:03.9799600,4808,10\n"
        "2024-05-10 00:00:00.009930+00:00,100,20\n",
        encoding="utf-8",
    )
    with Source(str(path), Told(zone=UTC)) as source:
        assert list(azure.read(source)) == [
            Row(line=2, call=None, at=1700158623.97996, prompt_tokens=4808, completion_tokens=10),
            Row(line=3, call=None, at=1715299200.00993, prompt_tokens=100, completion_tokens=20),
        ]


def test_azures_trace_of_2023_needs_its_zone(path: Path) -> None:
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9,4808,10\n", encoding="utf-8")
    with Source(str(path)) as source, pytest.raises(IntakeError, match="--time-zone"):
        list(azure.read(source))


@pytest.mark.parametrize(
    "content",
    [
        '{"timestamp": 1500, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1]}\n{"timestamp": "x"}\n[]\n',
        "timestamp,input_length,output_length\n1500,6758,500\nx,1,1\n",
    ],
)
def test_mooncake_is_read_as_json_lines_and_as_a_table(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
    with Source(str(path), Told(start=START)) as source:
        first, *rest = mooncake.read(source)
    assert isinstance(first, Row)
    assert (first.at, first.prompt_tokens, first.completion_tokens) == (START + 1.5, 6758, 500)
    assert [one.why for one in rest if isinstance(one, Unreadable)] == ["at: not a number", "not an object"][
        : len(rest)
    ]


def test_a_request_of_burstgpt_without_an_answer_has_failed_and_its_length_is_unknown(path: Path) -> None:
    path.write_text(
        "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
        "5,,1.25,ChatGPT,472,18,490,Conversation log\n"
        "9,7,0.5,GPT-4,0,0,0,API log\n",
        encoding="utf-8",
    )
    with Source(str(path), Told(start=START)) as source:
        good, bad = burstgpt.read(source)
    assert good == Row(
        line=2, call=None, at=START + 5, model="ChatGPT", route="Conversation log", prompt_tokens=472,
        completion_tokens=18, failed=False, duration=1.25,
    )  # fmt: skip
    assert isinstance(bad, Row)
    assert (bad.failed, bad.prompt_tokens, bad.completion_tokens, bad.model) == (True, None, 0, "GPT-4")


def test_burstgpt_without_the_newer_columns_is_read_as_well(path: Path) -> None:
    path.write_text(
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,API log\n",
        encoding="utf-8",
    )
    with Source(str(path), Told(start=START)) as source:
        (row,) = burstgpt.read(source)
    assert isinstance(row, Row)
    assert row.duration is None


def real(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a real file, read without us."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@pytest.mark.parametrize("name", ["azure2023_conv", "azure2023_code"])
def test_the_real_traces_of_azure_come_in_whole(tmp_path: Path, real_data: Path, name: str) -> None:
    out = tmp_path / "traffic.parquet"
    source = real_data / f"{name}.csv.gz"
    imported = import_traffic(Order(format="azure", files=(str(source),), out=out, told=Told(zone=UTC)))
    expected = sorted(
        (
            round(datetime.fromisoformat(row["TIMESTAMP"]).replace(tzinfo=UTC).timestamp(), 6),
            int(row["ContextTokens"]),
            int(row["GeneratedTokens"]),
        )
        for row in real(source)
    )
    found = [(round(call["at"], 6), call["prompt_tokens"], call["completion_tokens"]) for call in calls_in(out)]
    assert sorted(found) == expected
    assert [at for at, _, _ in found] == [at for at, _, _ in expected]
    assert (imported.unreadable, imported.joined) == (0, "false")


def test_the_real_trace_of_mooncake_comes_in_whole(tmp_path: Path, real_data: Path) -> None:
    out = tmp_path / "traffic.parquet"
    source = real_data / "mooncake_conversation.csv.gz"
    import_traffic(Order(format="mooncake", files=(str(source),), out=out, told=Told(start=START)))
    expected = sorted((int(row["timestamp"]), int(row["input_length"])) for row in real(source))
    found = [(round((call["at"] - START) * 1000), call["prompt_tokens"]) for call in calls_in(out)]
    assert sorted(found) == expected
    assert len(found) == 12_031


def test_the_real_errors_of_an_agents_calls_come_in_by_a_column_map(tmp_path: Path, real_data: Path) -> None:
    out = tmp_path / "traffic.parquet"
    source = real_data / "exgentic_azure_agent_calls.csv.gz"
    columns = "at=start_time_s:s,duration=duration_ms:ms,failed=is_error,prompt_tokens=input_tokens:nonzero"
    imported = bring_in(out, str(source), columns=columns)
    assert imported.calls.failed == sum(row["is_error"] == "True" for row in real(source)) == 148
    assert imported.calls.known["prompt_tokens"] == sum(row["input_tokens"] != "0" for row in real(source))
    longest = max(call["duration"] for call in calls_in(out))
    assert longest == pytest.approx(max(float(row["duration_ms"]) for row in real(source)) / 1000)


def test_the_real_first_token_times_of_a_coding_agent_come_in_by_a_column_map(tmp_path: Path, real_data: Path) -> None:
    out = tmp_path / "traffic.parquet"
    source = real_data / "claude_code_traces.csv.gz"
    columns = "at=request_arrival_delta_s:+s,ttft=ttft_s,duration=api_time_s,model=model_id,prompt_tokens=input_tokens"
    imported = bring_in(out, str(source), columns=columns, start=START)
    assert imported.rows == 5_000
    measured = [float(row["ttft_s"]) for row in real(source) if row["ttft_s"]]
    assert sorted(call["ttft"] for call in calls_in(out) if call["ttft"] is not None) == sorted(measured)
    assert imported.calls.known["ttft"] == len(measured) == 4_977
