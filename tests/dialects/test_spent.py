"""Tokens over several attempts: counted where a provider counted, estimated where it did not, and said which."""

import json
from typing import Any

import pytest
from tests.dialects.continuations import answer, chunks, continued, first, read
from tests.dialects.streams import DONE, USAGE, asked, event

from surefoot.dialects.delivered import delivered_of
from surefoot.dialects.dialect import NO_USAGE, Complaint, Usage
from surefoot.dialects.openai_chat import DIALECT
from surefoot.dialects.spent import NOTHING, Spent, and_spent
from surefoot.domain.target import Continues

ASK = asked()
BEFORE = first("a", "b", "c")
STREAM = answer("d").removesuffix(DONE) + USAGE + DONE
WANTED: dict[str, Any] = {"stream_options": {"include_usage": True}}


def usage_of(stream: bytes, spent: Spent) -> dict[str, Any]:
    subject = continued(delivered_of([BEFORE]), Continues.PROMPT, spent, **WANTED)
    usage: dict[str, Any] = chunks(read(subject, stream))[-1]["usage"]
    assert subject.usage == Usage(3, 4), "the record of an attempt has its own tokens"
    return usage


def test_usage_is_the_sum_of_what_all_attempts_counted() -> None:
    spent = and_spent(NOTHING, ASK, Usage(10, 20), delivered_of([BEFORE]))

    assert usage_of(STREAM, spent) == {"prompt_tokens": 13, "completion_tokens": 24, "total_tokens": 37}


@pytest.mark.parametrize(
    ("known", "prompt", "completion"),
    [(NO_USAGE, ASK.prompt_tokens, 3), (Usage(10, None), 10, 3), (Usage(None, 20), ASK.prompt_tokens, 20)],
)
def test_what_no_provider_counted_is_estimated_and_marked(known: Usage, prompt: int, completion: int) -> None:
    usage = usage_of(STREAM, and_spent(NOTHING, ASK, known, delivered_of([BEFORE])))

    assert usage == {
        "prompt_tokens": 3 + prompt,
        "completion_tokens": 4 + completion,
        "total_tokens": 7 + prompt + completion,
        "surefoot_estimated": True,
    }


def test_each_event_is_estimated_once_over_two_breaks() -> None:
    once = and_spent(NOTHING, ASK, NO_USAGE, delivered_of([BEFORE]))
    twice = and_spent(once, ASK, NO_USAGE, delivered_of([BEFORE, event({"content": "d"}), event({"content": "e"})]))

    assert twice == Spent(2 * ASK.prompt_tokens, 5, estimated=True, events=5)


def test_one_estimate_makes_the_sum_an_estimate() -> None:
    once = and_spent(NOTHING, ASK, NO_USAGE, delivered_of([BEFORE]))

    assert and_spent(once, ASK, Usage(1, 1), delivered_of([BEFORE])).estimated


def test_details_stay_as_the_last_provider_told_them() -> None:
    own = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "prompt_tokens_details": {"cached_tokens": 2}}
    stream = answer("d").removesuffix(DONE) + event(usage=own) + DONE

    assert usage_of(stream, Spent(1, 1)) == own | {"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9}


@pytest.mark.parametrize("odd", [{"prompt_tokens": 3}, {}, {"x": 1}])
def test_usage_without_counts_is_left_alone(odd: dict[str, Any]) -> None:
    subject = continued(delivered_of([BEFORE]), Continues.PROMPT, Spent(1, 1), **WANTED)

    relayed = chunks(read(subject, event({"content": "d"}) + event(usage=odd)))

    assert relayed[-1]["usage"] == odd


def test_usage_with_the_last_text_is_summed_too() -> None:
    told = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    stream = event({"content": "d"}) + event({}, "stop", usage=told) + DONE

    assert usage_of(stream, Spent(1, 1, estimated=True))["total_tokens"] == 9


def test_an_error_tells_what_was_delivered_and_never_the_text() -> None:
    complaint = Complaint(
        504, "server_error", "stall", "No.", delivered_bytes=99, delivered=delivered_of([first("se", "cret")])
    )

    told = json.loads(DIALECT.error_event(complaint)[6:])["error"]

    assert told["delivered"] == {"bytes": 99, "characters": 6, "events": 2, "finish_reason": None}
    assert "cret" not in str(told)


def test_an_error_before_anything_was_delivered_says_nothing_of_it() -> None:
    assert "delivered" not in json.loads(DIALECT.error(Complaint(504, "server_error", "stall", "No.")))["error"]
