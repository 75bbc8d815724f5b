import pytest
from tests.intake.logs import FIXTURES, NEW_YEAR

from surefoot.errors import IntakeError
from surefoot.intake.openai_usage import Sum, read, sums
from surefoot.intake.row import Unreadable
from surefoot.intake.source import Source

DAY = 86_400.0


def found(name: str) -> list[Sum | Unreadable]:
    with Source(str(FIXTURES / name)) as source:
        return list(sums(source))


@pytest.mark.parametrize(
    ("name", "total"),
    [
        (
            "openai_usage.json",
            "2026-01-01 00:00 to 2026-01-03 00:00 UTC: 5 requests, 3,000,000,000 tokens of prompts, 500 of answers.",
        ),
        ("openai_costs.jsonl", "2026-01-01 00:00 to 2026-01-02 00:00 UTC: $0.06; 3 could not be read."),
        ("openai_costs.csv", "2026-01-01 00:00 to 2026-01-03 00:00 UTC: $0.90."),
    ],
)
def test_sums_are_refused_as_traffic_with_a_sentence_that_says_why_and_what_they_come_to(name: str, total: str) -> None:
    with Source(str(FIXTURES / name)) as source, pytest.raises(IntakeError) as refused:
        read(source)
    assert "sums over a period, not calls" in str(refused.value)
    assert str(refused.value).endswith(f"In this one, {total}")


def test_a_page_of_usage_gives_tokens_and_requests_of_every_bucket_also_of_an_empty_one() -> None:
    assert found("openai_usage.json") == [
        Sum(
            line=1,
            start=NEW_YEAR,
            end=NEW_YEAR + DAY,
            model="gpt-x",
            project="proj_1",
            key="key_1",
            requests=5,
            prompt_tokens=3_000_000_000,
            completion_tokens=500,
        ),
        Sum(line=1, start=NEW_YEAR + DAY, end=NEW_YEAR + 2 * DAY),
    ]


def test_costs_give_dollars_and_nothing_else_is_taken_for_them() -> None:
    assert found("openai_costs.jsonl") == [
        Sum(line=1, start=NEW_YEAR, end=NEW_YEAR + DAY, item="gpt-x, input", project="proj_1", cost=0.06),
        Unreadable(1, "an amount that is not in US dollars"),
        Unreadable(2, "no bucket of usage or costs"),
        Unreadable(3, "no start time that can be read"),
    ]


def test_the_csv_of_costs_has_the_same_sums() -> None:
    assert found("openai_costs.csv") == [
        Sum(line=2, start=NEW_YEAR, end=NEW_YEAR + DAY, project="proj_1", cost=0.895874),
        Sum(line=3, start=NEW_YEAR + DAY, end=NEW_YEAR + 2 * DAY),
    ]


def test_the_csv_of_usage_has_the_same_sums() -> None:
    assert found("openai_completions.csv") == [
        Sum(
            line=2,
            start=NEW_YEAR,
            end=NEW_YEAR + 60,
            model="gpt-x",
            project="proj_1",
            key="key_1",
            requests=5,
            prompt_tokens=1000,
            completion_tokens=500,
        )
    ]
