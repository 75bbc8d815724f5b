"""Failures after content: the caller is told in band, and never shown a normal end; harmless ones go unnoticed."""

import openai
import pytest
from tests.gateway.asking import MESSAGES, ask, sdk
from tests.gateway.conftest import Pair
from tests.gateway.house import House, until
from tests.gateway.raw import chat, exchange

from surefoot.domain.outcome import Kind
from surefoot.twin import Fault, FaultPlan, Rule

WHOLE = "A sure foot tries the ground before it"
AFTER_CONTENT = {
    "stall": (Fault("stall"), Kind.STALL),
    "closed": (Fault("cut", cut_by="close"), Kind.CUT),
    "cut within an event": (Fault("cut", cut_by="mid_event"), Kind.CUT),
    "reset": (Fault("cut", cut_by="reset"), Kind.CUT),
    "truncated": (Fault("truncate"), Kind.CUT),
    "truncated, and said to be whole": (Fault("done_unfinished"), Kind.CUT),
    "error later": (Fault("error_later"), Kind.SERVER_ERROR),
}
TABLE = pytest.mark.parametrize(("fault", "kind"), AFTER_CONTENT.values(), ids=AFTER_CONTENT.keys())


@TABLE
def test_a_failure_after_content_raises_in_the_sdk(house: House, twins: Pair, fault: Fault, kind: Kind) -> None:
    twins[0].set_faults(fault)

    with (
        sdk(house) as client,
        client.chat.completions.with_streaming_response.create(model="chat", messages=MESSAGES, stream=True) as answer,
    ):
        call = answer.headers["surefoot-call"]
        with pytest.raises(openai.APIError) as raised:
            list(answer.parse())

    assert raised.value.code == kind
    record = house.record(call)
    assert (record["kind"], record["winner"], len(record["attempts"])) == (kind, 0, 1)
    assert not twins[1].log()


@TABLE
def test_a_failure_after_content_has_no_normal_end_on_the_wire(
    house: House, twins: Pair, fault: Fault, kind: Kind
) -> None:
    twins[0].set_faults(fault)

    answer = exchange(house.port, chat(stream=True))

    assert answer.end == "eof"
    assert b"[DONE]" not in answer.raw
    assert not answer.raw.endswith(b"0\r\n\r\n")
    assert b'"code":"%b"' % kind.encode() in answer.raw
    assert b'"attempts":[{"target":"primary"' in answer.raw
    assert answer.raw.count(b'"delta":{"content":') == 3


@pytest.mark.parametrize("kind", ["no_done", "malformed_event"])
def test_a_flaw_that_takes_nothing_away_is_not_passed_on(house: House, twins: Pair, kind: str) -> None:
    twins[0].set_faults(kind)

    with sdk(house) as client:
        heard = ask(client, stream=True)

    assert (heard.text, heard.target, heard.attempts) == (WHOLE, "primary", 1)
    assert house.record(heard.call)["kind"] == Kind.OK


def test_a_stream_without_its_last_event_is_given_one(house: House, twins: Pair) -> None:
    twins[0].set_faults("no_done")

    answer = exchange(house.port, chat(stream=True))

    assert answer.body.count(b"data: [DONE]\n\n") == 1
    assert answer.raw.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("stale_at", ["after_answer", "next_request"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_stale_connection_is_replaced_unnoticed(house: House, twins: Pair, stale_at: str, *, stream: bool) -> None:
    twins[0].set_faults(FaultPlan((Rule(Fault("stale", stale_at=stale_at)),)))  # type: ignore[arg-type]

    with sdk(house) as client:
        heard = [ask(client, stream=stream) for _ in range(4)]

    assert {(one.text, one.target, one.attempts) for one in heard} == {(WHOLE, "primary", 1)}


def test_the_answer_says_what_the_record_says(house: House, twins: Pair) -> None:
    with sdk(house) as client:
        heard = ask(client, stream=True)

    record = house.record(heard.call)
    (attempt,) = record["attempts"]
    assert (attempt["target"], attempt["won"], attempt["completion_tokens"]) == ("primary", True, 8)
    assert 0 <= attempt["sent"] <= attempt["heard"] <= attempt["first_content"] <= attempt["ended"] <= record["ended"]
    seen = until(twins[0].log)
    assert (seen[0].model, seen[0].stream) == ("primary-model", True)
