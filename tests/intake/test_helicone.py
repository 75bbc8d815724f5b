from tests.intake.logs import NEW_YEAR, read_fixture

from surefoot.intake import helicone
from surefoot.intake.row import Row

ANSWERED = Row(
    line=2,
    call=None,
    at=NEW_YEAR + 1.5,
    provider="OPENAI",
    model="gpt-x",
    stream=True,
    prompt_tokens=600,
    completion_tokens=125,
    ttft=0.5,
    duration=2.75,
    failed=False,
    status=200,
    kind="ok",
    cost=0.00275,
    user="u-7",
)


def test_an_answered_request_has_milliseconds_as_seconds_and_cached_and_reasoning_tokens_added() -> None:
    rows, _ = read_fixture(helicone.read, "helicone.jsonl")
    assert rows[1] == ANSWERED


def test_a_failed_request_has_its_status_and_no_zeros() -> None:
    rows, _ = read_fixture(helicone.read, "helicone.jsonl")
    assert rows[0] == Row(
        line=1,
        call=None,
        at=NEW_YEAR,
        provider="ANTHROPIC",
        model="claude-x",
        duration=1.25,
        failed=True,
        status=529,
        kind="overload",
        user="u-7",
    )


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
        (6, "no start time"),
        (7, "not JSON"),
    ]


def test_the_csv_of_the_export_tool_tells_less() -> None:
    rows, told = read_fixture(helicone.read, "helicone.csv")
    assert told == []
    assert rows == [
        Row(
            line=2,
            call=None,
            at=NEW_YEAR + 1.5,
            model="gpt-x",
            prompt_tokens=200,
            completion_tokens=100,
            duration=2.75,
            failed=False,
            status=200,
            kind="ok",
            cost=0.00275,
            user="u-7",
        )
    ]
