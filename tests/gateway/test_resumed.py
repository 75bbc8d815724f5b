"""The resume contract on the wire: what the client reads when a text breaks and another target goes on with it."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import openai
import pytest
from tests.gateway.asking import MESSAGES, sdk
from tests.gateway.conftest import Pair
from tests.gateway.house import BRISK, House, settings_of, targets_at, until
from tests.gateway.raw import Answer, body_of, chat, exchange, post
from tests.gateway.test_failures_after_content import AFTER_CONTENT, WHOLE

from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits, Resume
from surefoot.domain.target import Continues
from surefoot.twin import Fault

WAYS = [Continues.PROMPT, Continues.PREFILL, Continues.REPLAY]


@pytest.fixture(scope="session", params=WAYS)
def started(started_twins: Pair, request: pytest.FixtureRequest) -> Iterator[House]:
    targets = targets_at(*(twin.port for twin in started_twins))
    targets = tuple(msgspec.structs.replace(target, continues=request.param) for target in targets)
    limits = Limits(idle=0.3, deadline=5.0)
    with House(settings_of(targets, limits=limits, options=BRISK, resume=Resume.TEXT)) as house:
        yield house


@pytest.fixture
def resuming(started: House, twins: Pair) -> House:
    assert twins
    return started


def events_of(answer: Answer) -> list[dict[str, Any]]:
    lines = [line[6:] for line in answer.body.split(b"\n") if line.startswith(b"data: {")]
    return [json.loads(line) for line in lines]


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event.get("choices"))


@pytest.mark.parametrize(("fault", "kind"), AFTER_CONTENT.values(), ids=AFTER_CONTENT.keys())
def test_litellm_40404_a_broken_text_becomes_whole_for_the_sdk(
    resuming: House, twins: Pair, fault: Fault, kind: Kind
) -> None:
    """A cut, stalled or malformed stream: the fallback is asked, and the client sees one answer."""
    twins[0].set_faults(fault)

    with (
        sdk(resuming) as client,
        client.chat.completions.with_streaming_response.create(model="chat", messages=MESSAGES, stream=True) as answer,
    ):
        chunks = list(answer.parse())
        call = answer.headers["surefoot-call"]

    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == WHOLE
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    record = resuming.record(call)
    assert [(a["target"], a["reason"], a["kind"], a["won"]) for a in record["attempts"]] == [
        ("primary", "first", kind, False),
        ("backup", "resume", Kind.OK, True),
    ]


def test_the_stream_tells_where_another_target_went_on(resuming: House, twins: Pair) -> None:
    twins[0].set_faults(Fault("cut"))

    answer = exchange(resuming.port, chat(stream=True))

    assert answer.end == "whole"
    assert answer.body.count(b": surefoot-resume target=backup attempt=1 after_characters=11\n\n") == 1
    assert answer.body.count(b"data: [DONE]") == 1
    assert text_of(events_of(answer)) == WHOLE


def test_usage_is_that_of_both_attempts_and_says_what_is_estimated(resuming: House, twins: Pair) -> None:
    twins[0].set_faults(Fault("cut"))

    answer = exchange(resuming.port, chat(stream=True, stream_options={"include_usage": True}))

    (usage,) = [event["usage"] for event in events_of(answer) if event.get("usage")]
    assert usage["surefoot_estimated"] is True
    assert usage["completion_tokens"] == 3 + 8
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_litellm_19077_a_client_may_decline_to_be_continued_in_mid_stream(resuming: House, twins: Pair) -> None:
    twins[0].set_faults(Fault("cut"))

    answer = exchange(resuming.port, post(body_of(stream=True), "surefoot-resume: off"))

    assert answer.end == "eof"
    assert b'"code":"cut"' in answer.raw
    assert not twins[1].log()


def test_a_second_target_that_dies_too_is_no_normal_end_and_the_error_says_what_there_was(
    resuming: House, twins: Pair
) -> None:
    for twin in twins:
        twin.set_faults(Fault("cut"))

    answer = exchange(resuming.port, chat(stream=True))

    assert answer.end == "eof"
    assert b"[DONE]" not in answer.raw
    error = events_of(answer)[-1]["error"]
    assert error["code"] == "cut"
    assert [attempt["target"] for attempt in error["attempts"]] == ["primary", "backup"]
    assert error["delivered"]["characters"] >= len("A sure foot")


def test_litellm_27967_a_rejected_continuation_does_not_hide_the_first_failure(resuming: House, twins: Pair) -> None:
    twins[0].set_faults(Fault("cut"))
    twins[1].set_faults(Fault("status:400"))

    answer = exchange(resuming.port, chat(stream=True))

    error = events_of(answer)[-1]["error"]
    assert error["code"] == "cut"
    assert [attempt["kind"] for attempt in error["attempts"]] == ["cut", "bad_request"]


def test_structured_output_is_not_continued(resuming: House, twins: Pair) -> None:
    twins[0].set_faults(Fault("cut"))

    answer = exchange(resuming.port, chat(stream=True, response_format={"type": "json_object"}))

    assert answer.end == "eof"
    assert not twins[1].log()


def test_several_answers_are_not_continued(resuming: House, twins: Pair) -> None:
    twins[0].set_faults(Fault("cut"))
    assert exchange(resuming.port, chat(stream=True, n=2)).end == "eof"
    assert not twins[1].log()


def test_without_leave_of_the_route_nothing_is_continued(house: House, twins: Pair) -> None:
    twins[0].set_faults(Fault("cut"))
    with sdk(house) as client, pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="chat", messages=MESSAGES, stream=True))
    assert until(twins[0].log)
    assert not twins[1].log()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("empty_answer"), Kind.EMPTY),
        (Fault("content_filter"), Kind.CONTENT_FILTER),
        (Fault("status:400", code="content_filter"), Kind.CONTENT_FILTER),
    ],
    ids=["nothing", "filtered to nothing", "refused by a filter"],
)
def test_a_second_target_that_adds_nothing_does_not_make_a_broken_answer_whole(
    resuming: House, twins: Pair, fault: Fault, kind: Kind
) -> None:
    twins[0].set_faults(Fault("cut"))
    twins[1].set_faults(fault)
    if resuming.settings.targets[1].continues is Continues.REPLAY and not fault.kind.startswith("status:"):
        kind = Kind.DIVERGED  # it ends before the place of the break

    answer = exchange(resuming.port, chat(stream=True))

    assert answer.end == "eof"
    assert b"[DONE]" not in answer.raw
    *told, last = events_of(answer)
    assert text_of(told) == "A sure foot"
    assert all(event["choices"][0]["finish_reason"] is None for event in told)
    error = last["error"]
    assert (error["code"], error["delivered"]["characters"]) == ("cut", len("A sure foot"))
    assert [attempt["kind"] for attempt in error["attempts"]] == ["cut", kind]
