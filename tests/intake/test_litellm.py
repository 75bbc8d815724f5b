from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.intake.logs import ANSWERED, FAILED, FIXTURES, NEW_YEAR, read_file, read_fixture

from surefoot.intake import litellm
from surefoot.intake.row import Row

STREAMED = replace(
    ANSWERED,
    call="call-1",
    provider="anthropic",
    model="claude-x",
    route="chat",
    stream=True,
    max_tokens=1024,
    ttft=0.5,
    cost=0.00275,
    user="u-7",
    key="mobile-app",
)


def test_a_streamed_attempt_has_its_ttft_from_the_start_of_the_completion() -> None:
    rows, _ = read_fixture(litellm.read, "litellm.jsonl")
    assert rows[1] == STREAMED


def test_a_failed_attempt_has_the_call_of_the_one_that_replaced_it_and_no_invented_zeros() -> None:
    rows, _ = read_fixture(litellm.read, "litellm.jsonl")
    assert rows[0] == replace(
        FAILED,
        call="call-1",
        provider="openai",
        model="gpt-x",
        route="chat",
        stream=True,
        max_tokens=1024,
        status=429,
        kind="rate_limit",
        user="u-7",
        key="mobile-app",
    )


def test_a_plain_answer_has_no_ttft_and_an_unknown_price_is_not_zero() -> None:
    rows, _ = read_fixture(litellm.read, "litellm.jsonl")
    assert rows[2] == Row(
        line=3,
        call="trace-2",
        at=NEW_YEAR + 10,
        provider="hosted_vllm",
        model="own-model",
        route="chat",
        stream=False,
        prompt_tokens=10,
        completion_tokens=20,
        max_tokens=64,
        duration=2.0,
        failed=False,
        kind="ok",
        key="team-3",
    )


def test_what_is_no_attempt_at_a_provider_is_told_with_its_line() -> None:
    rows, told = read_fixture(litellm.read, "litellm.jsonl")
    assert len(rows) == 3
    assert told == [
        (4, "answered from a cache; no provider was asked"),
        (5, "not a call of a language model"),
        (6, "no start time that can be read"),
        (7, "not JSON"),
        (8, "not an object"),
    ]


def test_the_table_of_spend_logs_is_read_as_utc_and_knows_streams_by_their_first_token() -> None:
    rows, told = read_fixture(litellm.read, "litellm_spend_logs.csv")
    assert rows[0] == replace(STREAMED, call="call-11", max_tokens=None)
    assert told == [(5, "no start time that can be read"), (6, "2 fields under a header of 33")]


def test_a_failure_in_the_table_is_told_by_its_metadata() -> None:
    rows, _ = read_fixture(litellm.read, "litellm_spend_logs.csv")
    timeout = rows[1]
    assert (timeout.call, timeout.failed, timeout.status, timeout.kind) == ("call-12", True, 408, "silence")
    assert (timeout.stream, timeout.ttft, timeout.cost, timeout.key) == (None, None, None, "team-3")


def test_a_row_of_the_table_without_a_status_is_neither_a_success_nor_a_failure() -> None:
    rows, _ = read_fixture(litellm.read, "litellm_spend_logs.csv")
    old = rows[2]
    assert (old.at, old.call, old.failed, old.kind) == (NEW_YEAR + 120, None, None, None)


def test_the_table_exported_as_json_says_the_same_as_its_csv() -> None:
    (row,), told = read_fixture(litellm.read, "litellm_spend_logs.json")
    (other, *_), _ = read_fixture(litellm.read, "litellm_spend_logs.csv")
    assert told == []
    assert row == replace(other, line=1)


@pytest.mark.parametrize(
    ("error", "kind", "asked"),
    [
        ({"error_code": "429", "error_class": "RouterRateLimitError"}, "no_target", False),
        ({"error_class": "RateLimitError", "error_rate_limit_category": "litellm_rate_limit"}, None, False),
        ({"error_class": "RateLimitError", "error_rate_limit_category": "vendor_rate_limit"}, "rate_limit", True),
        ({"error_code": "500", "error_class": "APIConnectionError", "error_message": "something"}, None, True),
        ({"error_code": "400", "error_class": "ContextWindowExceededError"}, "context_overflow", True),
        ({"error_code": "499", "error_class": "ClientDisconnected"}, "client_gone", True),
        ({"error_code": "503", "error_class": "ServiceUnavailableError"}, "overload", True),
        ({}, None, True),
    ],
)
def test_an_error_tells_the_kind_or_nothing_and_whether_a_provider_was_asked(
    tmp_path: Path, error: dict[str, str], kind: str | None, *, asked: bool
) -> None:
    log = tmp_path / "log.jsonl"
    told = ",".join(f'"{name}":"{value}"' for name, value in error.items())
    log.write_text(
        f'{{"call_type":"completion","startTime":1767225600.0,"status":"failure","error_information":{{{told}}}}}\n'
    )
    (row,), _ = read_file(litellm.read, log)
    assert (row.failed, row.kind, row.asked) == (True, kind, asked)


def test_a_start_in_milliseconds_is_not_guessed_to_be_one(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"call_type": "completion", "startTime": 1767225600000}\n')
    assert read_file(litellm.read, log) == ([], [(1, "no start time that can be read")])


def test_a_record_of_another_tool_with_a_start_time_is_no_call(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"type": "GENERATION", "startTime": "2026-01-01T00:00:00Z", "model": "gpt-x"}\n')
    assert read_file(litellm.read, log) == ([], [(1, "no log of LiteLLM: neither call_type nor a cost")])


def test_an_answer_of_the_proxy_holds_the_table_on_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    rows = (FIXTURES / "litellm_spend_logs.json").read_text().strip().removeprefix("[").removesuffix("]")
    page.write_text(f'{{"data": [{rows}], "total": 1, "page": 1, "page_size": 50, "total_pages": 1}}')
    assert read_file(litellm.read, page) == read_fixture(litellm.read, "litellm_spend_logs.json")
