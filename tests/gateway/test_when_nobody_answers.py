"""When every target fails: one error in OpenAI's shape that tells each attempt's story; and what is never repeated."""

import pytest
from tests.gateway.answering import Answering
from tests.gateway.asking import MESSAGES, sdk
from tests.gateway.conftest import Pair
from tests.gateway.house import House, settings_of, targets_at
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


PAGE = b"<html><body>blocked</body></html>"


def refused(status: int, body: bytes) -> bytes:
    head = b"HTTP/1.1 %d No\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("status", "body"), [(400, PAGE), (400, b""), (451, PAGE), (451, b"")])
def test_a_refusal_that_is_no_verdict_on_the_request_is_answered_by_the_next_target(
    twins: Pair, status: int, body: bytes, *, stream: bool
) -> None:
    with (
        Answering(refused(status, body)) as proxy,
        House(settings_of(targets_at(proxy.port, twins[1].port))) as house,
    ):
        answer = exchange(house.port, chat(stream=stream))

        assert proxy.asked
    assert answer.status == 200
    assert b"surefoot-target: backup" in answer.head


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Kind.MALFORMED), (413, Kind.CONTEXT_OVERFLOW), (422, Kind.MALFORMED), (451, Kind.AUTH)],
)
def test_html_is_never_the_answer(status: int, kind: Kind) -> None:
    with Answering(refused(status, PAGE)) as proxy, House(settings_of(targets_at(proxy.port))) as house:
        answer = exchange(house.port, chat())

    assert answer.json["error"]["code"] == kind
    assert b"html" not in answer.head


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
