"""Plain calls that are streamed upstream, on the wire: what breaks on the way is seen, and one answer is delivered."""

import json
import re

import msgspec
import pytest
from tests.gateway.answering import Answering
from tests.gateway.asking import ask, sdk
from tests.gateway.conftest import Pair
from tests.gateway.house import BRISK, CALM, House, settings_of, targets_at
from tests.gateway.raw import Answer, body_of, chat, exchange, post

from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits, Watch
from surefoot.twin import Fault

WHOLE = "A sure foot tries the ground before it"
ON_THE_WAY = {
    "stall": (Fault("stall"), Kind.STALL),
    "cut": (Fault("cut"), Kind.CUT),
    "truncated": (Fault("truncate"), Kind.CUT),
    "truncated, and said to be whole": (Fault("done_unfinished"), Kind.CUT),
    "error first": (Fault("error_first"), Kind.SERVER_ERROR),
    "error later": (Fault("error_later"), Kind.SERVER_ERROR),
    "one broken event": (Fault("malformed_event"), Kind.MALFORMED),
    "silence": (Fault("silence"), Kind.SILENCE),
    "no text": (Fault("empty_answer"), Kind.EMPTY),
}


def call_of(answer: Answer) -> str:
    return re.search(rb"surefoot-call: (\S+)", answer.head)[1].decode()  # type: ignore[index]


@pytest.mark.parametrize(("fault", "kind"), ON_THE_WAY.values(), ids=ON_THE_WAY.keys())
def test_a_plain_call_whose_answer_breaks_on_the_way_is_answered_by_the_next_target(
    house: House, twins: Pair, fault: Fault, kind: Kind
) -> None:
    twins[0].set_faults(fault)

    with sdk(house) as client:
        heard = ask(client, stream=False)

    assert (heard.text, heard.target, heard.attempts, heard.finish) == (WHOLE, "backup", 2, "stop")
    assert [attempt["kind"] for attempt in house.record(heard.call)["attempts"]] == [kind, Kind.OK]
    assert {record.stream for twin in twins for record in twin.log()} == {True}


def test_the_client_gets_a_plain_answer_with_its_usage(house: House, twins: Pair) -> None:
    assert twins
    answer = exchange(house.port, chat(stream=False))
    body = json.loads(answer.body)
    assert answer.status == 200
    assert b"content-type: application/json" in answer.raw.lower()
    assert (body["object"], body["choices"][0]["message"]["content"]) == ("chat.completion", WHOLE)
    assert body["usage"]["completion_tokens"] == 8


def test_a_route_may_leave_it(started_twins: Pair, twins: Pair) -> None:
    assert twins
    with House(settings_of(targets_at(*(t.port for t in started_twins)), watch=Watch.OFF)) as house, sdk(house) as sdk_:
        assert ask(sdk_, stream=False).text == WHOLE
    assert [record.stream for record in twins[0].log()] == [False]


def test_an_unwatched_answer_that_does_not_say_why_it_ends_is_none(started_twins: Pair, twins: Pair) -> None:
    twins[0].set_faults("done_unfinished")
    with House(settings_of(targets_at(*(t.port for t in started_twins)), watch=Watch.OFF)) as house, sdk(house) as sdk_:
        heard = ask(sdk_, stream=False)
        attempts = house.record(heard.call)["attempts"]
    assert (heard.text, [attempt["kind"] for attempt in attempts]) == (WHOLE, [Kind.MALFORMED, Kind.OK])


PLAIN = (
    b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"plainly"},"finish_reason":"stop"}]}'
)
REFUSED = b'{"error":{"message":"no","type":"invalid_request_error","param":"stream","code":"unsupported_value"}}'


def framed(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


def test_a_target_that_answers_plainly_all_the_same_is_taken_at_its_word() -> None:
    with Answering(framed(b"200 OK", PLAIN)) as provider, House(settings_of(targets_at(provider.port))) as house:
        answer = exchange(house.port, chat(stream=False))
    assert (answer.status, answer.body) == (200, PLAIN)


def test_a_target_that_declines_to_stream_is_asked_again_plainly_and_not_watched_any_more() -> None:
    with (
        Answering(framed(b"400 Bad Request", REFUSED), framed(b"200 OK", PLAIN)) as provider,
        House(settings_of(targets_at(provider.port), options=BRISK)) as house,
    ):
        answers = [exchange(house.port, chat(stream=False)) for _ in range(2)]
        asked = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in provider.asked]
    assert [answer.body for answer in answers] == [PLAIN, PLAIN]
    assert [body.get("stream", False) for body in asked] == [True, False, False]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_finished_stream_that_does_not_end_is_not_waited_for(twins: Pair, *, stream: bool) -> None:
    twins[0].set_faults("no_done_open")
    limits = Limits(idle=9.0)
    with House(settings_of(targets_at(*(t.port for t in twins)), limits=limits, options=CALM)) as house:
        with sdk(house) as client:
            heard = ask(client, stream=stream)
        assert (heard.text, heard.target, heard.attempts) == (WHOLE, "primary", 1)
        assert house.record(heard.call)["ended"] < limits.idle


def test_tool_arguments_and_structured_output_that_do_not_parse_go_to_the_next_target(
    house: House, twins: Pair
) -> None:
    for fault, more in (
        ("bad_arguments", {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}),
        ("bad_structure", {"response_format": {"type": "json_object"}}),
    ):
        twins[0].set_faults(fault)
        answer = exchange(house.port, chat(stream=False, **more))
        assert (answer.status, b"surefoot-target: backup" in answer.raw) == (200, True)


def test_a_deadline_of_the_clients_is_kept(house: House, twins: Pair) -> None:
    for twin in twins:
        twin.set_faults("silence")
    answer = exchange(house.port, post(body_of(stream=True), "surefoot-deadline: 200"))
    assert (answer.status, answer.code) == (504, "deadline")
    assert house.record(call_of(answer))["ended"] < 1.0


def test_the_rest_of_the_deadline_is_handed_on_to_another_surefoot() -> None:
    with Answering(framed(b"200 OK", PLAIN)) as provider:
        targets = [
            msgspec.structs.replace(target, deadline_header="surefoot-deadline") for target in targets_at(provider.port)
        ]
        with House(settings_of(targets)) as house:
            exchange(house.port, post(body_of(), "surefoot-deadline: 4000"))
            exchange(house.port, chat())
    left = [int(found[1]) for found in re.finditer(rb"surefoot-deadline: (\d+)", b"".join(provider.asked))]
    assert 3000 < left[0] <= 4000
    assert 299_000 < left[1] <= 300_000


def test_a_target_that_is_asked_again_plainly_is_told_what_is_left_of_the_deadline_by_then() -> None:
    slow = 0.3
    with Answering(framed(b"400 Bad Request", REFUSED), framed(b"200 OK", PLAIN), slow=slow) as provider:
        (target,) = targets_at(provider.port)
        target = msgspec.structs.replace(target, deadline_header="surefoot-deadline")
        with House(settings_of([target], options=CALM)) as house:
            assert exchange(house.port, post(body_of(), "surefoot-deadline: 9000")).status == 200
    first, again = [int(found[1]) for found in re.finditer(rb"surefoot-deadline: (\d+)", b"".join(provider.asked))]
    assert first <= 9000
    assert again <= first - slow * 1000 + 1  # each is rounded down to a millisecond


# ── static answers ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_static_answer_is_given_rather_than_an_error_and_marked(twins: Pair, *, stream: bool) -> None:
    twins[0].set_faults(Fault("status:500"))
    (primary,) = targets_at(twins[0].port)
    canned = msgspec.structs.replace(primary, name="canned", model="none", text="Back in a minute.")
    with House(settings_of([primary, canned])) as house, sdk(house) as client:
        heard = ask(client, stream=stream)
        answer = exchange(house.port, chat(stream=stream))
        record = house.record(heard.call)

    assert (heard.text, heard.target, heard.finish) == ("Back in a minute.", "canned", "stop")
    assert b"surefoot-static: 1" in answer.head
    assert b'"surefoot_static":true' in answer.body
    assert record["kind"] == Kind.OK


def test_without_need_nobody_hears_the_static_answer(twins: Pair) -> None:
    (primary,) = targets_at(twins[0].port)
    canned = msgspec.structs.replace(primary, name="canned", model="none", text="Back in a minute.")
    with House(settings_of([primary, canned])) as house, sdk(house) as client:
        assert ask(client, stream=False).text == WHOLE
