from pathlib import Path

from msgspec.structs import replace
from tests.intake.logs import ANSWERED, FAILED, FIXTURES, read_file, read_fixture

from surefoot.intake import helicone


def test_an_answered_request_has_milliseconds_as_seconds_and_cached_and_reasoning_tokens_added() -> None:
    rows, _ = read_fixture(helicone.read, "helicone.jsonl")
    assert rows[1] == replace(
        ANSWERED, provider="OPENAI", model="gpt-x", stream=True, ttft=0.5, status=200, cost=0.00275, user="u-7"
    )


def test_a_failed_request_has_its_status_and_no_zeros() -> None:
    rows, _ = read_fixture(helicone.read, "helicone.jsonl")
    assert rows[0] == replace(FAILED, provider="ANTHROPIC", model="claude-x", status=529, kind="overload", user="u-7")


def test_a_request_that_has_no_answer_yet_is_neither_good_nor_failed() -> None:
    rows, _ = read_fixture(helicone.read, "helicone.jsonl")
    pending = rows[2]
    assert (pending.failed, pending.status, pending.kind, pending.duration, pending.ttft) == (None,) * 5


def test_cached_answers_other_paths_and_broken_lines_are_told() -> None:
    rows, told = read_fixture(helicone.read, "helicone.jsonl")
    assert len(rows) == 3
    assert told == [
        (4, "answered from a cache; no provider was asked"),
        (5, "not a call of a language model"),
        (6, "no start time that can be read"),
        (7, "not JSON"),
    ]


def test_the_csv_of_the_export_tool_tells_less() -> None:
    rows, told = read_fixture(helicone.read, "helicone.csv")
    assert told == []
    assert rows == [
        replace(
            ANSWERED,
            model="gpt-x",
            prompt_tokens=200,
            completion_tokens=100,
            status=200,
            cost=0.00275,
            user="u-7",
        )
    ]


def test_an_answer_of_the_api_holds_the_requests_on_a_page(tmp_path: Path) -> None:
    lines = (FIXTURES / "helicone.jsonl").read_text().splitlines()[:2]
    page = tmp_path / "page.json"
    page.write_text(f'{{"data": [{",".join(lines)}, 7], "error": null}}')
    alone, _ = read_fixture(helicone.read, "helicone.jsonl")
    assert read_file(helicone.read, page) == (alone[:2], [(3, "not an object")])
    page.write_text(f'{{"data": [\n{",".join(lines)}\n],\n"error": null}}')
    assert read_file(helicone.read, page) == (alone[:2], []), "also where it does not keep to a line"
