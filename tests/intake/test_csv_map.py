"""What the columns of a table mean, as a person writes it, and what their cells say."""

from collections.abc import Mapping
from datetime import UTC
from pathlib import Path

import pytest

from surefoot.errors import ConfigError, IntakeError
from surefoot.intake.csv_map import Column, mapped, read_columns
from surefoot.intake.importing import settled
from surefoot.intake.moments import read_moment, read_start, read_zone
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Record, Told

EXAMPLE = "at=when:ms, ttft=first:ms, duration=secs, prompt_tokens=in:nonzero, failed=status:http, cost=price:cents"


def test_one_line_and_a_toml_file_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "map.toml"
    file.write_text('at = "when:ms"\nttft = "first:ms"\nduration = "secs"\n', encoding="utf-8")
    assert read_columns(str(file)) == read_columns("at=when:ms,ttft=first:ms,duration=secs")


def test_a_column_may_have_colons_and_commas_in_its_name() -> None:
    columns = read_columns("at=time: of day, local,prompt_tokens=a:b")
    assert columns == {"at": Column("time: of day, local", "iso"), "prompt_tokens": Column("a:b", "count")}


def test_all_faults_of_a_map_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        read_columns("tftt=a,prompt_tokens=")
    assert [fault.split(": ", 1)[1] for fault in refused.value.faults] == [
        "tftt: is no field; did you mean `ttft`?",
        'prompt_tokens: write the name of its column, as "ttft_ms:ms"',
        "at: is missing; a call without its time cannot be replayed",
    ]
    with pytest.raises(ConfigError, match="there is no such file"):
        read_columns(str(tmp_path / "map.toml"))


def rows(text: str, *contents: Mapping[str, object], told: Told | None = None) -> list[Row | Unreadable]:
    records = [Record(number, dict(content)) for number, content in enumerate(contents, 2)]
    return list(mapped(records, read_columns(text), told or Told()))


def test_units_are_converted_and_an_empty_cell_says_nothing() -> None:
    cells = {"when": "1500", "first": "250", "secs": "2.5", "in": "0", "status": "503", "price": "50"}
    empty = {**dict.fromkeys(cells, ""), "when": "0"}
    assert rows(EXAMPLE, cells, empty) == [
        Row(line=2, call=None, at=1.5, ttft=0.25, duration=2.5, failed=True, status=503, cost=0.5),
        Row(line=3, call=None, at=0.0),
    ]


def test_what_stands_in_quotes_is_the_same_in_every_row() -> None:
    text = "at=t:s, provider='openai', model='a:b', stream='yes', max_tokens='4096', route=r"
    row = Row(line=2, call=None, at=1.0, provider="openai", model="a:b", stream=True, max_tokens=4096, route="chat")
    assert rows(text, {"t": "1", "r": "chat"}) == [row]


def test_a_constant_that_cannot_be_meant_is_a_fault_of_the_map() -> None:
    with pytest.raises(ConfigError) as refused:
        read_columns("at='2026-01-01T00:00:00Z',call='x',max_tokens='many',failed='2'")
    assert [fault.split(": ", 1)[1] for fault in refused.value.faults] == [
        "at: cannot be the same in every row; write the name of its column",
        "call: cannot be the same in every row; write the name of its column",
        "max_tokens: 'many' is not a number",
        "failed: '2' is neither true nor false",
    ]


def test_a_status_that_says_whether_a_call_failed_says_how_too() -> None:
    ok, throttled, gone = rows("at=t:s,failed=code:http", *({"t": "1", "code": code} for code in ("200", "429", "499")))
    assert [settled(row) for row in (ok, throttled, gone) if isinstance(row, Row)] == [
        Row(line=2, call=None, at=1.0, failed=False, status=200, kind="ok"),
        Row(line=3, call=None, at=1.0, failed=True, status=429, kind="rate_limit"),
        Row(line=4, call=None, at=1.0, failed=None, status=499, kind="client_gone"),
    ]
    assert rows("at=t:s,failed=code:http", {"t": "1", "code": "0"}) == [Unreadable(2, "failed: not an HTTP status")]


@pytest.mark.parametrize(
    ("kind", "failed"), [("ok", False), ("rate_limit", True), ("client_gone", None), ("cancelled", None), (None, None)]
)
def test_a_kind_says_whether_a_call_failed(kind: str | None, failed: bool | None) -> None:  # noqa: FBT001 - a parameter
    assert settled(Row(line=1, call=None, at=1.0, kind=kind)).failed is failed


def test_a_number_for_a_time_is_told_with_the_unit_that_is_meant() -> None:
    (moment,) = rows("at=t", {"t": "1767225600.5"})
    assert isinstance(moment, Unreadable)
    assert moment.why.endswith("if it counts from 1970, write at=COLUMN:s or at=COLUMN:ms")


@pytest.mark.parametrize("other", ["2", "2.0", "429", "unset", "timeout", "-1"])
def test_a_column_of_flags_that_holds_something_else_is_refused_whole_also_where_a_cell_of_it_could_be_read(
    other: str,
) -> None:
    with pytest.raises(IntakeError) as refused:
        rows("at=t:s,failed=code", *({"t": "1", "code": code} for code in ("1", "0", "", other, "1")))
    assert str(refused.value) == (
        "line 5: failed: `code` holds here what is neither true nor false, so its 1 and 0 may mean something else, "
        "too, and nothing was imported; write failed=code:http if it is an HTTP status, failed=code:otel if it is a "
        "status of OpenTelemetry (1 is ok, 2 an error), or leave the cell empty where nobody knows"
    )


def test_flags_of_failure_are_read_as_tables_spell_them() -> None:
    told = {"1": True, "True": True, "yes": True, "t": True, "1.0": True, "ERROR": True}
    told |= {"0": False, "FALSE": False, "No": False, "f": False, "0.0": False, "ok": False}
    found = rows("at=t:s,failed=code", *({"t": "1", "code": code} for code in [*told, ""]))
    assert [row.failed for row in found if isinstance(row, Row)] == [*told.values(), None]


def test_a_status_of_opentelemetry_has_failed_where_it_is_an_error() -> None:
    told = {"0": False, "1": False, "2": True, "2.0": True, "Unset": False, "Ok": False, "STATUS_CODE_ERROR": True}
    *found, last = rows("at=t:s,failed=code:otel", *({"t": "1", "code": code} for code in [*told, "3"]))
    assert [row.failed for row in found if isinstance(row, Row)] == list(told.values())
    assert last == Unreadable(9, "failed: not a status of OpenTelemetry: 0, 1 and 2, or Unset, Ok and Error")


def test_a_flag_of_anything_else_costs_only_its_row() -> None:
    assert rows("at=t:s,stream=s", {"t": "1", "s": "2"}) == [Unreadable(2, "stream: neither true nor false")]


def test_a_unit_that_there_is_not_is_told_with_those_that_there_are() -> None:
    with pytest.raises(IntakeError) as refused:
        rows("at=t:s,duration=total_ms:min", {"t": "1", "total_ms": "5"})
    assert str(refused.value) == (
        "`min` is no unit of duration; write total_ms:s, total_ms:ms, total_ms:us, total_ms:ns"
    )


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ({"a": "", "p": "1"}, "no start time"),
        ({"a": "noon", "p": "1"}, "at: not a time such as 2026-01-31T12:00:00Z"),
        ({"a": "2026-01-01T00:00:00Z", "p": "many"}, "prompt_tokens: not a number"),
        ({"a": "2026-01-01T00:00:00Z", "p": "nan"}, "prompt_tokens: not a number"),
        ({"a": "2026-01-01T00:00:00Z", "p": "1.5"}, "prompt_tokens: not a whole number from 0"),
        ({"a": "2026-01-01T00:00:00Z", "p": "-1"}, "prompt_tokens: not a whole number from 0"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told_with_its_field_and_without_its_content(
    cell: dict[str, object], why: str
) -> None:
    assert rows("at=a,prompt_tokens=p", cell) == [Unreadable(2, why)]


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(IntakeError, match="has no column `TIMESTAMP`; it has: `time`, `tokens`"):
        rows("at=TIMESTAMP", {"time": "1", "tokens": "2"})


def test_a_table_without_a_header_does_not_show_its_first_row_whole() -> None:
    with pytest.raises(IntakeError) as refused:
        rows("at=t", {"a prompt of somebody's that goes on and on and on": "", **{f"cell {n}": "" for n in range(20)}})
    assert "`a prompt of somebody's that goes on and `" in str(refused.value)
    assert str(refused.value).endswith("`cell 10` and 9 more")


def test_a_time_without_a_zone_needs_one_and_a_relative_one_needs_a_start() -> None:
    with pytest.raises(IntakeError, match="--time-zone"):
        rows("at=a", {"a": "2026-01-01 00:00:00"})
    with pytest.raises(IntakeError, match="--start"):
        rows("at=a:+s", {"a": "5"})
    berlin = Told(zone=read_zone("Europe/Berlin"), start=100.0)
    assert rows("at=a", {"a": "1970-01-01 01:00:09"}, told=berlin) == [Row(line=2, call=None, at=9.0)]
    assert rows("at=a:+ms", {"a": "1500"}, told=berlin) == [Row(line=2, call=None, at=101.5)]


def test_an_hour_that_was_there_twice_or_never_is_no_time() -> None:
    berlin = read_zone("Europe/Berlin")
    for text in ("2026-10-25 02:30:00", "2026-03-29 02:30:00"):
        with pytest.raises(ValueError, match="twice, or not at all"):
            read_moment(text, berlin)
    assert read_moment("2026-10-25 02:30:00+01:00", berlin) == 1792891800.0


def test_zones_and_starts_are_read_as_people_write_them() -> None:
    assert read_zone("utc") is UTC
    assert read_moment("2026-01-01T02:00:00", read_zone("+02:00")) == read_start("2026-01-01T00:00:00Z") == 1767225600
    assert read_start("1767225600") == 1767225600
    for reader, text in ((read_zone, "Mars/Olympus"), (read_zone, "+2"), (read_start, "2026-01-01"), (read_start, "x")):
        with pytest.raises(ValueError, match="write"):
            reader(text)
