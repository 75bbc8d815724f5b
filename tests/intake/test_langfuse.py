import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.intake.logs import ANSWERED, FAILED, FIXTURES, read_file, read_fixture

from surefoot.intake import langfuse

SIBLINGS = "tr-1/span-1"
GOOD = replace(
    ANSWERED,
    siblings=SIBLINGS,
    model="gpt-x",
    stream=True,
    max_tokens=256,
    ttft=0.5,
    cost=0.00275,
    user="u-7",
)
BAD = replace(FAILED, siblings=SIBLINGS, model="gpt-x", max_tokens=256, status=503, kind="overload", user="u-7")


def test_a_generation_has_the_parts_of_its_usage_added_up() -> None:
    rows, _ = read_fixture(langfuse.read, "langfuse.jsonl")
    assert rows[1] == GOOD


def test_a_failed_generation_has_status_and_kind_from_its_message_and_is_a_sibling() -> None:
    rows, _ = read_fixture(langfuse.read, "langfuse.jsonl")
    assert rows[0] == BAD


def test_other_observations_and_broken_lines_are_told() -> None:
    rows, told = read_fixture(langfuse.read, "langfuse.jsonl")
    assert len(rows) == 2
    assert told == [(3, "not a call of a language model"), (4, "no start time that can be read"), (5, "not JSON")]


def test_the_csv_of_the_interface_says_the_same_though_its_dates_stand_in_quotes() -> None:
    rows, told = read_fixture(langfuse.read, "langfuse.csv")
    assert (rows, told) == ([replace(BAD, line=2), replace(GOOD, line=3)], [])


def test_the_blob_export_has_the_names_of_the_database_and_its_latency_is_not_believed() -> None:
    rows, told = read_fixture(langfuse.read, "langfuse_blob.jsonl")
    assert told == []
    assert rows == [replace(GOOD, line=1, siblings="tr-1", user=None)]


def observations() -> list[dict[str, object]]:
    """Those of the fixture, without the user, whom the API tells of the trace alone."""
    lines = (FIXTURES / "langfuse.jsonl").read_text().splitlines()[:3]
    return [{key: value for key, value in json.loads(line).items() if key != "userId"} for line in lines]


def test_a_trace_has_its_observations_inside_once_with_its_user_however_it_was_got(tmp_path: Path) -> None:
    trace = {"id": "tr-1", "userId": "u-7", "observations": observations()}
    log = tmp_path / "trace.json"
    for told in (trace, {"trace": trace, "observations": observations()}):
        log.write_text(json.dumps(told))
        assert read_file(langfuse.read, log) == ([BAD, GOOD], [(3, "not a call of a language model")])


def test_a_page_of_the_public_api_is_read_too(tmp_path: Path) -> None:
    log = tmp_path / "page.json"
    log.write_text(json.dumps({"data": observations(), "meta": {"page": 1}}, indent=2))
    rows, _ = read_file(langfuse.read, log)
    assert rows == [replace(BAD, user=None), replace(GOOD, user=None)]


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"usage": {"input": 13, "output": 353, "total": 366, "unit": "TOKENS"}}, (13, 353)),
        ({"promptTokens": 13, "completionTokens": 353, "unit": "TOKENS"}, (13, 353)),
        ({"usage": {"input": 13, "output": 353, "total": 366, "unit": "CHARACTERS"}, "promptTokens": 13}, (None, None)),
        ({"usageDetails": {}, "inputUsage": 24, "outputUsage": 1407}, (24, 1407)),
        ({"usageDetails": {"input": 0, "output": 0}, "promptTokens": 0}, (None, None)),
    ],
)
def test_older_servers_tell_usage_and_cost_otherwise(
    tmp_path: Path, usage: dict[str, object], tokens: tuple[int | None, int | None]
) -> None:
    log = tmp_path / "old.jsonl"
    old = {"type": "GENERATION", "startTime": "2026-01-01T00:00:00Z", "calculatedTotalCost": 0.5, **usage}
    log.write_text(json.dumps(old))
    (row,), _ = read_file(langfuse.read, log)
    assert ((row.prompt_tokens, row.completion_tokens), row.cost) == (tokens, 0.5)


@pytest.mark.parametrize(
    ("fields", "failed"),
    [
        ({"level": "DEFAULT", "endTime": "2026-01-01T00:00:01Z"}, False),
        ({"level": "DEFAULT", "endTime": None}, None),
        ({"level": "ERROR", "endTime": None}, True),
        ({"endTime": "2026-01-01T00:00:01Z"}, None),
    ],
)
def test_a_generation_that_never_ended_is_neither_good_nor_failed(
    tmp_path: Path, fields: dict[str, str | None], *, failed: bool | None
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"type": "GENERATION", "startTime": "2026-01-01T00:00:00Z", **fields}))
    (row,), _ = read_file(langfuse.read, log)
    assert row.failed is failed
