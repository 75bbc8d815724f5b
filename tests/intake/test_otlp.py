import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.intake.logs import ANSWERED, FAILED, NEW_YEAR, read_file, read_fixture

from surefoot.intake import otlp
from surefoot.intake.row import Row

SIBLINGS = "4bf92f3577b34da6a3ce929d0e0e4736/00f067aa0ba902b7"


def test_a_span_by_the_new_names_gives_every_field() -> None:
    rows, _ = read_fixture(otlp.read, "otlp.jsonl")
    assert rows[1] == replace(
        ANSWERED,
        line=1,
        siblings=SIBLINGS,
        provider="anthropic",
        model="claude-x",
        stream=True,
        max_tokens=1024,
        ttft=0.5,
        cost=0.00275,
        user="u-7",
        key="shop",
    )


def test_a_failed_sibling_has_its_status_from_the_error_type() -> None:
    rows, _ = read_fixture(otlp.read, "otlp.jsonl")
    assert rows[0] == replace(
        FAILED, siblings=SIBLINGS, provider="openai", model="gpt-x", status=429, kind="rate_limit", key="shop"
    )


def test_a_span_by_the_old_names_is_a_call_too_and_without_a_parent_stands_alone() -> None:
    rows, _ = read_fixture(otlp.read, "otlp.jsonl")
    assert rows[2] == Row(
        line=2,
        call=None,
        at=NEW_YEAR + 10,
        provider="openai",
        model="gpt-x",
        stream=False,
        prompt_tokens=10,
        completion_tokens=20,
        duration=2.0,
        failed=False,
        kind="ok",
        user="u-8",
        key="shop",
    )


def test_a_status_code_by_its_name_is_a_failure_whose_kind_nobody_tells() -> None:
    rows, _ = read_fixture(otlp.read, "otlp.jsonl")
    assert (rows[3].line, rows[3].failed, rows[3].kind) == (3, True, None)


def test_other_spans_and_signals_are_told_under_their_line() -> None:
    rows, told = read_fixture(otlp.read, "otlp.jsonl")
    assert len(rows) == 4
    assert told == [
        (1, "not a call of a language model"),
        (3, "no start time that can be read"),
        (4, "no spans in it: another signal, or not OTLP"),
        (5, "not JSON"),
    ]


@pytest.mark.parametrize(
    ("error", "kind"),
    [("openai.RateLimitError", "rate_limit"), ("APITimeoutError", "silence"), ("timeout", "silence"), ("_OTHER", None)],
)
def test_an_error_type_that_is_an_exception_tells_the_kind(tmp_path: Path, error: str, kind: str | None) -> None:
    attributes = {"gen_ai.system": "openai", "error.type": error}
    (row,), told = read_file(otlp.read, export(tmp_path, attributes))
    assert (row.failed, row.kind, told) == (True, kind, [])


def export(folder: Path, attributes: Mapping[str, str | float], **span: str) -> Path:
    """One span with these attributes."""
    told = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    whole = {"startTimeUnixNano": "1767225600000000000", "attributes": told, **span}
    log = folder / "spans.json"
    log.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [whole]}]}]}, indent=1))
    return log


def test_a_span_of_openrouter_names_the_model_that_answered_a_cost_and_a_user(tmp_path: Path) -> None:
    attributes = {
        "gen_ai.response.model": "openai/gpt-x",
        "gen_ai.usage.input_tokens": "120",
        "gen_ai.usage.total_cost": "0.0042",
        "user.id": "u-7",
    }
    (row,), _ = read_file(otlp.read, export(tmp_path, attributes))
    assert (row.model, row.prompt_tokens, row.cost, row.user) == ("openai/gpt-x", 120, 0.0042, "u-7")


def test_a_first_chunk_in_milliseconds_is_a_ttft_in_seconds_and_means_a_stream(tmp_path: Path) -> None:
    attributes: dict[str, str | float] = {"gen_ai.system": "openai.chat", "ai.response.msToFirstChunk": 250.5}
    (row,), _ = read_file(otlp.read, export(tmp_path, attributes))
    assert (row.ttft, row.stream) == (0.2505, True)


def test_a_parent_of_zeros_is_none(tmp_path: Path) -> None:
    ids = {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "parentSpanId": "0000000000000000"}
    (row,), _ = read_file(otlp.read, export(tmp_path, {"gen_ai.system": "openai"}, **ids))
    assert row.siblings is None


@pytest.mark.parametrize(("status", "kind"), [("200", "ok"), ("429", "rate_limit")])
def test_an_http_status_of_an_error_is_one_though_the_span_has_no_status(
    tmp_path: Path, status: str, kind: str
) -> None:
    (row,), _ = read_file(otlp.read, export(tmp_path, {"gen_ai.system": "openai", "http.response.status_code": status}))
    assert (row.kind, row.failed) == (kind, kind != "ok")
