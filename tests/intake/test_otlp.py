from pathlib import Path

import pytest
from tests.intake.logs import NEW_YEAR, read_file, read_fixture

from surefoot.intake import otlp
from surefoot.intake.row import Row

SIBLINGS = "4bf92f3577b34da6a3ce929d0e0e4736/00f067aa0ba902b7"


def test_a_span_by_the_new_names_gives_every_field() -> None:
    rows, _ = read_fixture(otlp.read, "otlp.jsonl")
    assert rows[1] == Row(
        line=1,
        call=None,
        siblings=SIBLINGS,
        at=NEW_YEAR + 1.5,
        provider="anthropic",
        model="claude-x",
        stream=True,
        prompt_tokens=600,
        completion_tokens=125,
        max_tokens=1024,
        ttft=0.5,
        duration=2.75,
        failed=False,
        kind="ok",
        cost=0.00275,
        user="u-7",
        key="shop",
    )


def test_a_failed_sibling_has_its_status_from_the_error_type() -> None:
    rows, _ = read_fixture(otlp.read, "otlp.jsonl")
    assert rows[0] == Row(
        line=1,
        call=None,
        siblings=SIBLINGS,
        at=NEW_YEAR,
        provider="openai",
        model="gpt-x",
        duration=1.25,
        failed=True,
        status=429,
        kind="rate_limit",
        key="shop",
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
        (3, "no start time"),
        (4, "no spans in it: another signal, or not OTLP"),
        (5, "not JSON"),
    ]


@pytest.mark.parametrize(
    ("error", "kind"),
    [("openai.RateLimitError", "rate_limit"), ("APITimeoutError", "silence"), ("timeout", "silence"), ("_OTHER", None)],
)
def test_an_error_type_that_is_an_exception_tells_the_kind(tmp_path: Path, error: str, kind: str | None) -> None:
    attributes = [
        {"key": "gen_ai.system", "value": {"stringValue": "openai"}},
        {"key": "error.type", "value": {"stringValue": error}},
    ]
    span = f'{{"startTimeUnixNano": "1767225600000000000", "attributes": {attributes}}}'.replace("'", '"')
    log = tmp_path / "spans.json"
    log.write_text(f'{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{span}]}}]}}]}}')
    (row,), told = read_file(otlp.read, log)
    assert (row.failed, row.kind, told) == (True, kind, [])
