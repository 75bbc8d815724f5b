"""Refusals in the vendors' own forms, on the wire: what they say beside the status is heeded."""

import json
import re

import pytest
from tests.gateway.answering import Answering
from tests.gateway.house import CALM, House, settings_of, targets_at
from tests.gateway.raw import Answer, chat, exchange

from surefoot.policy.breaker import BreakerOptions
from surefoot.policy.options import PolicyOptions

DETAIL = {"@type": "type.googleapis.com/google.rpc.RetryInfo"}


def refusal(body: object, *headers: bytes) -> bytes:
    data = json.dumps(body).encode()
    lines = [b"HTTP/1.1 429 Too Many Requests", b"content-type: application/json", *headers]
    return b"\r\n".join([*lines, b"content-length: %d" % len(data), b"", data])


def google(delay: str) -> list[object]:
    details = [{"@type": "type.googleapis.com/google.rpc.Help"}, DETAIL | {"retryDelay": delay}]
    return [{"error": {"code": 429, "message": "Quota.", "status": "RESOURCE_EXHAUSTED", "details": details}}]


def answered(refused: bytes, options: PolicyOptions = CALM) -> tuple[Answer, int]:
    """What a client of two calls gets in the end, and how often the provider was asked."""
    with Answering(refused) as provider, House(settings_of(targets_at(provider.port), options=options)) as house:
        exchange(house.port, chat(stream=True))
        answer = exchange(house.port, chat(stream=True))
        return answer, len(provider.asked)


def waits(answer: Answer) -> int | None:
    found = re.search(rb"\r\nretry-after: (\d+)", answer.head)
    return None if found is None else int(found[1])


@pytest.mark.parametrize(("delay", "least", "most"), [("17s", 10, 18), ("34.074824224s", 25, 36)])
def test_googles_retry_info_closes_the_target_off_for_so_long(delay: str, least: int, most: int) -> None:
    answer, asked = answered(refusal(google(delay)))

    assert (answer.status, answer.code, asked) == (503, "no_target", 1)
    assert least <= (waits(answer) or 0) <= most


def test_it_is_bounded_as_a_header_is() -> None:
    options = PolicyOptions(CALM.first_token, BreakerOptions(longest=60.0), suspicion=CALM.suspicion)
    answer, asked = answered(refusal(google("9999999s")), options)

    assert (answer.code, asked) == ("no_target", 1)
    assert 50 <= (waits(answer) or 0) <= 61


def test_a_header_that_can_be_read_comes_before_it() -> None:
    answer, _ = answered(refusal(google("500s"), b"retry-after: 40"))
    assert 30 <= (waits(answer) or 0) <= 41

    answer, _ = answered(refusal(google("40s"), b"retry-after: soon"))
    assert 30 <= (waits(answer) or 0) <= 41


def test_what_cannot_be_read_is_no_time_to_wait() -> None:
    answer, asked = answered(refusal(google("a while")))

    assert (answer.status, answer.code, asked) == (429, "rate_limit", 2)


def test_an_exception_that_only_the_header_names_is_known() -> None:
    named = b"x-amzn-ErrorType: ResourceNotFoundException:http://internal.amazon.com/coral/"
    answer, _ = answered(refusal({"message": "no such model"}, named))

    assert answer.code == "model_gone"
