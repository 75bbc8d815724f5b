"""Logs are written by others: whatever they hold, a reader gives rows or says why not, and keeps no words of a call."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.intake.logs import FIXTURES, Reader, read_file, read_fixture

from surefoot.intake import helicone, langfuse, litellm, otlp
from surefoot.intake.openai_usage import Sum, sums
from surefoot.intake.row import Unreadable
from surefoot.intake.source import Source

READERS: dict[str, Reader] = {
    "litellm": litellm.read,
    "langfuse": langfuse.read,
    "helicone": helicone.read,
    "otlp": otlp.read,
}
NAMES = sorted(path.name for path in FIXTURES.iterdir() if path.name.split(".")[0].split("_")[0] in READERS)
WORDS = b'{}[]":,\\\n\r\0 0123456789.eE-"startTime""resourceSpans""type":"GENERATION"\xff\xd8\x1f\x8b'

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
) | st.just("\ud800")
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def reader_of(name: str) -> Reader:
    return READERS[name.split(".", maxsplit=1)[0].split("_", maxsplit=1)[0]]


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=300) | st.lists(st.sampled_from(WORDS), max_size=300).map(bytes))
def test_any_bytes_give_rows_or_reasons(name: str, content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    log = tmp_path_factory.mktemp("logs") / "log"
    log.write_bytes(content)
    rows, told = read_file(READERS[name], log)
    if content.strip() and b"\n" not in content and content[:1] == b"{":
        assert rows or told


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".jsonl")])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_value_in_any_field_gives_a_row_or_a_reason_for_each_record(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    records = [json.loads(line) for line in (FIXTURES / name).read_text().splitlines() if line.endswith("}")]
    log = tmp_path_factory.mktemp("logs") / "log.jsonl"
    spoilt = [{key: _spoilt(value, data) for key, value in record.items()} for record in records]
    log.write_text("".join(json.dumps(record) + "\n" for record in spoilt))
    rows, told = read_file(reader_of(name), log)
    lines = {row.line for row in rows} | {line for line, _ in told}
    assert lines == set(range(1, len(records) + 1))
    for row in rows:
        assert all(value is None or value >= 0 for value in (row.ttft, row.duration, row.cost, row.prompt_tokens))
        (row.user or "").encode()


@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=300), page=values)
def test_any_export_of_usage_gives_sums_or_reasons(
    content: bytes, page: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = tmp_path_factory.mktemp("logs") / "usage"
    for text in (content, json.dumps({"data": [{"start_time": page, "results": page}, page]}).encode()):
        log.write_bytes(text)
        with Source(str(log)) as source:
            assert all(isinstance(found, Sum | Unreadable) for found in sums(source))


@pytest.mark.parametrize("name", NAMES)
def test_no_words_of_a_call_are_kept(name: str) -> None:
    """Every fixture has `redacted` wherever a prompt, an answer or an error's message stands."""
    rows, told = read_fixture(reader_of(name), name)
    assert rows
    assert "redacted" not in repr((rows, told))


@pytest.mark.parametrize("line", ['{"a":' * 100_000, '{"a": "\udc80"}', '{"a": ' + "1" * 5000 + "}"])
@pytest.mark.parametrize("before", ["", "{}\n", "["])
def test_json_that_no_parser_takes_is_told(line: str, before: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes((before + line + "\n").encode(errors="surrogateescape"))
    rows, told = read_file(litellm.read, log)
    assert rows == []
    assert told


def _spoilt(record: Any, data: st.DataObject) -> Any:
    """The record with some of its values, however deep, put in place of others."""
    if data.draw(st.integers(0, 9)) == 0:
        return data.draw(values)
    if isinstance(record, dict):
        return {key: _spoilt(value, data) for key, value in record.items()}
    if isinstance(record, list):
        return [_spoilt(value, data) for value in record]
    return record
