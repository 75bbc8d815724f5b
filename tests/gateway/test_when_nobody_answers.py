"""When every target fails: one error in OpenAI's shape that tells each attempt's story; and what is never repeated."""

import pytest
from tests.gateway.asking import MESSAGES, sdk
from tests.gateway.conftest import Pair
from tests.gateway.house import House
from tests.gateway.raw import chat, exchange

from surefoot.domain.outcome import Kind
from surefoot.twin import Fault

ALL_FAIL = {
    "500": (Fault("status:500"), Kind.SERVER_ERROR, 502),
    "401": (Fault("status:401"), Kind.AUTH, 502),
    "404": (Fault("status:404"), Kind.MODEL_GONE, 502),
    "429": (Fault("status:429", retry_after=7.0), Kind.RATE_LIMIT, 429),
    "quota": (Fault("status:429", code="insufficient_quota"), Kind.QUOTA, 429),
    "529": (Fault("status:529"), Kind.OVERLOAD, 503),
    "reset": (Fault("reset"), Kind.RESET, 502),
    "no JSON": (Fault("not_json"), Kind.MALFORMED, 502),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("fault", "kind", "status"), ALL_FAIL.values(), ids=ALL_FAIL.keys())
def test_an_error_tells_each_attempt(
    house: House, twins: Pair, fault: Fault, kind: Kind, status: int, *, stream: bool
) -> None:
    for twin in twins:
        twin.set_faults(fault)

    answer = exchange(house.port, chat(stream=stream))

    error = answer.json["error"]
    assert (answer.status, error["code"]) == (status, kind)
    assert {"message", "type", "param", "code", "attempts"} == set(error)
    assert [(told["target"], told["kind"]) for told in error["attempts"]][:2] == [("primary", kind), ("backup", kind)]
    assert all(0 <= told["duration_ms"] < 5000 for told in error["attempts"])
    assert b"surefoot-attempts: %d" % len(error["attempts"]) in answer.head
    assert b"surefoot-target" not in answer.head


def test_the_time_to_wait_is_handed_on(house: House, twins: Pair) -> None:
    for twin in twins:
        twin.set_faults(Fault("status:429", retry_after=7.0))

    answer = exchange(house.port, chat())

    assert b"retry-after: " in answer.head


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_wrong_request_gets_the_providers_own_words_and_no_other_target(
    house: House, twins: Pair, *, stream: bool
) -> None:
    twins[0].set_faults("status:400")

    answer = exchange(house.port, chat(stream=stream))

    assert answer.status == 400
    assert answer.json["error"]["message"] == "We could not parse the body of your request."
    assert b"surefoot-target: primary" in answer.head
    assert not twins[1].log()


def test_unknown_fields_pass_both_ways(house: House, twins: Pair) -> None:
    assert twins
    with sdk(house) as client:
        answer = client.chat.completions.create(model="chat", messages=MESSAGES, extra_body={"x_unknown": {"a": [1]}})

    assert answer.system_fingerprint is None
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 8


def test_a_request_of_five_megabytes_is_served(house: House, twins: Pair) -> None:
    answer = exchange(house.port, chat(messages=[{"role": "user", "content": "é" * 850_000}]))

    assert answer.status == 200
    assert len(twins[0].log()) == 1
