"""The reader of streams: what counts as content, what is relayed, and that no cut of the bytes makes a difference."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dialects.streams import COMMENT, DONE, END, ROLE, USAGE, WORDS, event, reader

from surefoot.dialects.dialect import Usage
from surefoot.domain.outcome import Kind

STREAM = b"".join([COMMENT, ROLE, *WORDS, COMMENT, END, USAGE, DONE])
SAID = b"".join([ROLE, *WORDS, COMMENT, END])
RELAYED = SAID + DONE
ENDINGS = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_stream_cut_in_two_at_any_byte_is_read_the_same(ending: bytes) -> None:
    stream, relayed = STREAM.replace(b"\n", ending), SAID.replace(b"\n", ending) + DONE
    for cut in range(len(stream) + 1):
        subject = reader()
        got = subject.feed(stream[:cut]) + subject.feed(stream[cut:])
        assert (got, subject.whole, subject.finished, subject.wrong) == (relayed, True, True, None), cut
        assert subject.usage == Usage(3, 4)


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_stream_that_comes_byte_by_byte_is_read_the_same(ending: bytes) -> None:
    subject = reader()
    stream = STREAM.replace(b"\n", ending)

    relayed = b"".join(subject.feed(stream[at : at + 1]) for at in range(len(stream)))
    assert relayed == SAID.replace(b"\n", ending) + DONE
    assert subject.whole


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_a_stream_in_any_pieces_is_read_the_same(cuts: list[int]) -> None:
    subject = reader()
    bounds = [0, *sorted(cuts), len(STREAM)]

    assert b"".join(subject.feed(STREAM[a:b]) for a, b in pairwise(bounds)) == RELAYED


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": ""}}]},
        {"function_call": {"name": "f"}},
        {"refusal": "no"},
        {"audio": {"id": "a"}},
    ],
)
def test_text_reasoning_and_tool_calls_are_content(delta: dict[str, Any]) -> None:
    subject = reader()

    assert subject.feed(ROLE) == b""
    assert subject.feed(event(delta)) == ROLE + event(delta)
    assert subject.content


@pytest.mark.parametrize(
    "data",
    [
        ROLE,
        COMMENT,
        event({}),
        event({"content": None}),
        event({"content": "", "tool_calls": []}),
        event(),
        b"event: ping\n\n",
        b"data: {broken\n\n",
    ],
)
def test_roles_comments_and_empty_deltas_are_no_content(data: bytes) -> None:
    subject = reader()

    assert subject.feed(data) == b""
    assert not subject.content


@pytest.mark.parametrize("finish", ["length", "max_tokens"])
def test_an_answer_that_may_be_empty_counts_as_content(finish: str) -> None:
    subject = reader()

    assert subject.feed(ROLE + event({}, finish) + DONE).endswith(DONE)
    assert subject.content


def test_the_usage_event_is_stripped_unless_the_client_asked_for_it() -> None:
    stream = ROLE + WORDS[0] + END + USAGE + DONE

    assert reader().feed(stream) == ROLE + WORDS[0] + END + DONE
    assert reader(stream_options={"include_usage": True}).feed(stream) == stream


def test_a_segment_of_plain_deltas_is_relayed_to_the_byte() -> None:
    subject = reader()
    subject.feed(WORDS[0])
    odd = b'data: {"choices":[{"delta":{"content":"x","new":1},"finish_reason":null}],  "unknown" : {}}\n\n'

    assert subject.feed(odd + odd) == odd + odd


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "x"}, Kind.SERVER_ERROR),
        ({"message": "x", "code": "rate_limit_exceeded"}, Kind.RATE_LIMIT),
        ({"message": "x", "type": "overloaded_error"}, Kind.OVERLOAD),
        ({"message": "x", "code": 503}, Kind.OVERLOAD),
        ({"message": "x", "code": 400}, Kind.BAD_REQUEST),
        ({"message": "x", "code": 502}, Kind.SERVER_ERROR),
        ("gone", Kind.SERVER_ERROR),
    ],
)
def test_an_error_event_is_a_kind_before_and_after_content(error: Any, kind: Kind) -> None:
    for before in (b"", WORDS[0]):
        subject = reader()
        subject.feed(before)
        assert subject.feed(event(error=error) + DONE) == b""
        assert (subject.wrong, subject.whole) == (kind, False)


def test_a_broken_event_in_a_good_stream_is_left_out() -> None:
    subject = reader()

    assert subject.feed(WORDS[0] + b"data: {broken\n\n" + WORDS[1] + END + DONE) == WORDS[0] + WORDS[1] + END + DONE
    assert subject.whole


def test_an_event_nested_too_deeply_is_left_out() -> None:
    subject = reader()
    subject.feed(WORDS[0])

    assert subject.feed(b'data: {"choices":' + b"[" * 100_000 + b"\n\n") == b""


def test_a_stream_is_finished_when_all_its_answers_are() -> None:
    subject = reader(n=2)
    subject.feed(WORDS[0] + END)
    assert not subject.finished

    subject.feed(event(choices=[{"index": 1, "delta": {}, "finish_reason": "stop"}]))
    assert subject.finished
    assert subject.close() == DONE


def test_what_comes_after_the_end_is_not_relayed() -> None:
    subject = reader()

    assert subject.feed(WORDS[0] + END + DONE + WORDS[1]) == WORDS[0] + END + DONE


def test_usage_after_the_end_is_the_end_and_nobody_waits_for_done() -> None:
    for asked, relayed in (({}, b""), ({"stream_options": {"include_usage": True}}, USAGE)):
        subject = reader(**asked)
        subject.feed(ROLE + WORDS[0] + END)
        assert (subject.finished, subject.whole) == (True, False)

        assert subject.feed(USAGE) == relayed + DONE
        assert subject.whole
        assert subject.close() == b""
        assert subject.feed(DONE) == b""


def test_usage_before_the_end_ends_nothing() -> None:
    subject = reader(stream_options={"include_usage": True})

    assert subject.feed(WORDS[0] + USAGE) == WORDS[0] + USAGE
    assert not subject.whole
    assert subject.feed(WORDS[1] + END + USAGE) == WORDS[1] + END + USAGE + DONE


def test_usage_within_the_last_choice_leaves_room_for_an_event_of_its_own() -> None:
    subject = reader()
    subject.feed(WORDS[0] + event({}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 4}))

    assert (subject.finished, subject.whole, subject.usage) == (True, False, Usage(3, 4))


def test_an_empty_finish_reason_is_none() -> None:
    subject = reader()
    subject.feed(event({"content": "Hi"}, ""))

    assert not subject.finished


def test_an_answer_that_ends_without_content_is_empty_before_the_stream_is_over() -> None:
    subject = reader(n=2)
    subject.feed(ROLE + END)
    assert subject.wrong is None

    assert subject.feed(event(choices=[{"index": 1, "delta": {}, "finish_reason": "stop"}])) == b""
    assert subject.wrong is Kind.EMPTY


def test_one_filtered_alternative_of_two_does_not_spoil_the_other() -> None:
    subject = reader(n=2)
    subject.feed(event({}, "content_filter") + event(choices=[{"index": 1, "delta": {"content": "x"}}]))
    subject.feed(event(choices=[{"index": 1, "delta": {}, "finish_reason": "stop"}]) + DONE)

    assert (subject.wrong, subject.whole) == (None, True)
