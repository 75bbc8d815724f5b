from msgspec.structs import replace
from tests.intake.logs import NEW_YEAR, read_fixture

from surefoot.intake import langfuse
from surefoot.intake.row import Row

ANSWERED = Row(
    line=2,
    call=None,
    siblings="tr-1/span-1",
    at=NEW_YEAR + 1.5,
    model="gpt-x",
    stream=True,
    prompt_tokens=600,
    completion_tokens=125,
    max_tokens=256,
    ttft=0.5,
    duration=2.75,
    failed=False,
    kind="ok",
    cost=0.00275,
    user="u-7",
)
FAILED = Row(
    line=1,
    call=None,
    siblings="tr-1/span-1",
    at=NEW_YEAR,
    model="gpt-x",
    max_tokens=256,
    duration=1.25,
    failed=True,
    status=503,
    kind="overload",
    user="u-7",
)


def test_a_generation_has_the_parts_of_its_usage_added_up() -> None:
    rows, _ = read_fixture(langfuse.read, "langfuse.jsonl")
    assert rows[1] == ANSWERED


def test_a_failed_generation_has_status_and_kind_from_its_message_and_is_a_sibling() -> None:
    rows, _ = read_fixture(langfuse.read, "langfuse.jsonl")
    assert rows[0] == FAILED


def test_other_observations_and_broken_lines_are_told() -> None:
    rows, told = read_fixture(langfuse.read, "langfuse.jsonl")
    assert len(rows) == 2
    assert told == [(3, "not a call of a language model"), (4, "no start time"), (5, "not JSON")]


def test_the_csv_of_the_interface_says_the_same_though_its_dates_stand_in_quotes() -> None:
    rows, told = read_fixture(langfuse.read, "langfuse.csv")
    assert (rows, told) == ([replace(FAILED, line=2), replace(ANSWERED, line=3)], [])


def test_the_blob_export_has_the_names_of_the_database_and_its_latency_is_not_believed() -> None:
    rows, told = read_fixture(langfuse.read, "langfuse_blob.jsonl")
    assert told == []
    assert rows == [replace(ANSWERED, line=1, siblings="tr-1", user=None)]
