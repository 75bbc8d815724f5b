"""An input by lines, by JSON records and by rows of a table; what cannot be given out is told in its place."""

import gzip
import json
import os
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import IntakeError
from surefoot.intake.row import Unreadable
from surefoot.intake.source import LONGEST, Line, Record, Source


def read(path: Path, content: bytes, how: str) -> list[Line | Record | Unreadable]:
    path.write_bytes(content)
    with Source(str(path)) as source:
        return list(getattr(source, how)())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_lines_are_numbered_as_an_editor_numbers_them_and_blank_ones_are_passed_over(path: Path) -> None:
    assert read(path, b"\xef\xbb\xbfa\r\n\n  \nb", "lines") == [Line(1, b"a"), Line(4, b"b")]


def test_gzip_is_known_by_its_bytes_whatever_the_file_is_called(path: Path) -> None:
    assert read(path, gzip.compress(b"a\nb\n"), "lines") == [Line(1, b"a"), Line(2, b"b")]


def test_a_compressed_file_that_breaks_off_gives_what_is_there_and_says_so(path: Path) -> None:
    whole = gzip.compress("".join(f"{n * n}\n" for n in range(50_000)).encode())
    *found, last = read(path, whole[: len(whole) // 2], "lines")
    assert len(found) > 1_000
    assert isinstance(last, Unreadable)
    assert last.why == "the file breaks off or is damaged here"
    assert last.line > len(found)


def test_a_line_longer_than_memory_should_hold_is_told_and_the_next_one_is_read(path: Path) -> None:
    assert read(path, b"a\n" + b"x" * (LONGEST + 5) + b"\nb\n", "lines") == [
        Line(1, b"a"),
        Unreadable(2, "longer than 64 MiB"),
        Line(3, b"b"),
    ]


def test_a_line_of_just_the_longest_length_is_whole(path: Path) -> None:
    (only,) = read(path, b"x" * LONGEST + b"\n", "lines")
    assert isinstance(only, Line)
    assert len(only.content) == LONGEST


def test_of_json_lines_a_broken_one_costs_only_itself(path: Path) -> None:
    assert read(path, b'{"a": 1}\n{"a": \n{"a": 3}\n', "records") == [
        Record(1, {"a": 1}),
        Unreadable(2, "not JSON"),
        Record(3, {"a": 3}),
    ]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_member_by_member_across_chunks(path: Path, indent: int | None) -> None:
    members = [{"n": n, "text": "]},{[" * 50, "é": n * 0.5} for n in range(9_000)]
    content = json.dumps(members, indent=indent, ensure_ascii=False).encode()
    assert len(content) > 2 * 1024 * 1024
    assert read(path, content, "records") == [Record(n, member) for n, member in enumerate(members, 1)]


def test_values_that_are_spread_over_lines_are_read_without_an_array(path: Path) -> None:
    assert read(path, b'{\n  "a": 1\n}\n{\n  "a": 2\n}\n', "records") == [Record(1, {"a": 1}), Record(2, {"a": 2})]


def test_an_object_that_opens_a_list_on_its_first_line_is_spread_over_lines(path: Path) -> None:
    assert read(path, b'{"data": [\n{"a": 1},\n{"a": 2}\n]}\n', "records") == [
        Record(1, {"data": [{"a": 1}, {"a": 2}]})
    ]


def test_two_columns_of_one_name_are_refused_and_two_without_any_are_not(path: Path) -> None:
    with pytest.raises(IntakeError, match="has several columns called `at`: give them names of their own"):
        read(path, b"at,model,at\n1,m,2\n", "table")
    assert read(path, b"at,,\n1,2,3\n", "table") == [Record(2, {"at": "1", "": "3"})]


def test_an_array_that_breaks_off_says_where(path: Path) -> None:
    assert read(path, b'[{"a": 1}, {"a": 2', "records") == [
        Record(1, {"a": 1}),
        Unreadable(2, "not JSON; nothing after it was read"),
    ]


@pytest.mark.parametrize("rest", ["", ",", ",\n", "\n"])
def test_an_array_that_is_cut_off_between_two_members_is_not_taken_for_a_whole_one(path: Path, rest: str) -> None:
    assert read(path, b'[{"a": 1}, {"a": 2}' + rest.encode(), "records") == [
        Record(1, {"a": 1}),
        Record(2, {"a": 2}),
        Unreadable(3, "the file breaks off or is damaged here"),
    ]
    assert read(path, b"[" + rest.encode(), "records")[-1:] == [
        Unreadable(1, "the file breaks off or is damaged here"),
    ]


@pytest.mark.parametrize("end", ["]", "\n]\n", ",]", ",\n] \r\n"])
def test_an_array_is_whole_with_its_end_and_a_comma_before_that_is_nothing(path: Path, end: str) -> None:
    assert read(path, b'[{"a": 1}' + end.encode(), "records") == [Record(1, {"a": 1})]
    assert read(path, b"[" + end.encode(), "records") == []


def test_an_end_of_an_array_that_never_began_is_told(path: Path) -> None:
    assert read(path, b'{\n"a": 1\n}\n]', "records") == [
        Record(1, {"a": 1}),
        Unreadable(2, "not JSON; nothing after it was read"),
    ]


def test_a_cell_may_go_on_over_lines_and_the_row_has_the_number_of_its_first(path: Path) -> None:
    assert read(path, b'x,y\n1,"a\nb"\n2,c\n', "table") == [
        Record(2, {"x": "1", "y": "a\nb"}),
        Record(4, {"x": "2", "y": "c"}),
    ]


def test_rows_of_another_width_and_lines_that_are_not_utf_8_are_told(path: Path) -> None:
    assert read(path, b"x,y\n1\n\xff,2\n3,4\n", "table") == [
        Unreadable(2, "1 fields under a header of 2"),
        Unreadable(3, "not UTF-8"),
        Record(4, {"x": "3", "y": "4"}),
    ]


def test_a_quote_that_is_not_closed_says_how_many_lines_it_took(path: Path) -> None:
    assert read(path, b'x,y\n1,2\n"3,4\n5,6\n7,8\n', "table") == [
        Record(2, {"x": "1", "y": "2"}),
        Unreadable(3, "not CSV: unexpected end of data, over 3 lines"),
    ]


def test_what_is_piped_in_is_read_as_a_file_is() -> None:
    code = "from surefoot.intake.source import Source\nwith Source('-') as s: print([r.content for r in s.records()])"
    done = subprocess.run(
        [sys.executable, "-c", code], input=b'{"a":1}\n{"a":2}\n', capture_output=True, check=True, env=os.environ
    )
    assert done.stdout.decode().strip() == "[{'a': 1}, {'a': 2}]"


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="there cannot be read: No such file"), Source(str(tmp_path / "there")):
        pass


_LINES = st.lists(st.one_of(st.binary(max_size=30), st.text(string.printable, max_size=30).map(str.encode)))


@given(_LINES)
def test_whatever_the_bytes_every_line_that_is_not_blank_is_a_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    content = b"\n".join(line.replace(b"\n", b"") for line in lines)
    given_ = [line for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    if content.startswith(b"\x1f\x8b"):
        return
    path = tmp_path_factory.mktemp("lines") / "log"
    assert len(read(path, content, "lines")) == len(given_)
    spread = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if spread[:1] != b"[" and spread.split(b"\n")[0].rstrip()[-1:] not in {b"{", b"["}:
        assert len(read(path, content, "records")) == len(given_)
