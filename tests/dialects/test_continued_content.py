"""What a continuation adds: which of its events are new to the client, and what is no continuation at all."""

from typing import Any

import pytest
from tests.dialects.continuations import ALL, REASONING, SHOWN_ALL, answer, chunks, continued, first, join, read, text
from tests.dialects.streams import COMMENT, DONE, END, USAGE, event

from surefoot.dialects.delivered import delivered_of
from surefoot.dialects.openai_stream import OpenAIStreamReader
from surefoot.dialects.sse import events
from surefoot.domain.outcome import Kind
from surefoot.domain.target import Continues

USAGE_WANTED: dict[str, Any] = {"stream_options": {"include_usage": True}}


def test_text_is_held_back_only_while_it_may_be_a_repetition() -> None:
    subject = continued(delivered_of([first("one two three four")]), Continues.PROMPT)

    assert (subject.feed(event({"content": "three "})), subject.content, subject.events) == (b"", False, 1)
    assert text(subject.feed(event({"content": "five"}))) == "three five"
    assert subject.content
    assert text(subject.feed(event({"content": "three "}))) == "three "


def test_what_was_held_back_is_relayed_in_its_own_events() -> None:
    subject = continued(delivered_of([first("one two three four")]), Continues.PROMPT)

    relayed = read(subject, answer("t", "hree ", "five"))

    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks(relayed)] == ["t", "hree ", "five", None]


def test_roles_reasoning_and_comments_are_no_new_content() -> None:
    subject = continued(delivered_of([first("a")]), Continues.PREFILL)

    assert subject.feed(COMMENT + event({"role": "assistant", "content": ""}) + event()) == b""
    assert (subject.events, subject.seen, subject.progress) == (0, True, True)
    assert subject.feed(REASONING) == b""
    assert (subject.events, subject.content) == (1, False)
    assert subject.feed(COMMENT + event({})) == b""
    assert subject.events == 1
    assert subject.feed(COMMENT) == b""
    assert not subject.progress


@pytest.mark.parametrize(
    "nothing", [REASONING, event({}), event({"content": "", "tool_calls": []}), event({"role": "a"})]
)
def test_an_event_that_adds_nothing_is_not_relayed(nothing: bytes) -> None:
    subject = continued(delivered_of([first("a")]), Continues.PREFILL)

    assert len(events(subject.feed(event({"content": "b"})))) == 2
    assert subject.feed(nothing) == b""
    assert subject.feed(COMMENT) == COMMENT


@pytest.mark.parametrize("finish", ["stop", "length"])
@pytest.mark.parametrize("said", ["", "So. That is all.", "t is all."])
@pytest.mark.parametrize("how", SHOWN_ALL)
def test_an_end_without_new_text_is_no_continuation(how: Continues, said: str, finish: str) -> None:
    subject = continued(delivered_of([first("So. That is all.")]), how)

    assert read(subject, answer(said, finish=finish)) == b""
    assert (subject.wrong, subject.content, subject.finished, subject.whole) == (Kind.EMPTY, False, False, False)


@pytest.mark.parametrize("how", SHOWN_ALL)
def test_a_filter_that_lets_nothing_new_through_is_named(how: Continues) -> None:
    before = first("That is")

    assert join(before, how, answer(finish="content_filter")) == (before, Kind.CONTENT_FILTER)


def test_a_replay_that_ends_where_it_broke_completes_the_answer() -> None:
    client, wrong = join(first("That is all."), Continues.REPLAY, answer("That is ", "all."))

    assert (text(client), wrong, client.endswith(DONE)) == ("That is all.", None, True)


@pytest.mark.parametrize("how", ALL)
def test_nothing_after_reasoning_alone_is_no_answer(how: Continues) -> None:
    subject = continued(delivered_of([event({"reasoning": "hm"})]), how)

    assert read(subject, answer()) == b""
    assert (subject.content, subject.whole, subject.wrong) == (False, False, Kind.EMPTY)


def test_an_answer_that_may_be_empty_is_one_after_reasoning_alone() -> None:
    subject = continued(delivered_of([event({"reasoning": "hm"})]), Continues.PROMPT)

    assert read(subject, answer(finish="length")).endswith(DONE)
    assert subject.content


def test_a_text_after_reasoning_alone_is_relayed_from_its_beginning() -> None:
    client, _ = join(event({"reasoning": "hm"}), Continues.REPLAY, REASONING + answer("Hi", " you"))

    assert text(client) == "Hi you"
    assert client.count(b'"reasoning') == 1


@pytest.mark.parametrize("how", [Continues.PROMPT, Continues.PREFILL])
def test_a_continuation_that_says_nothing_at_all_is_none(how: Continues) -> None:
    subject = continued(delivered_of([first("That is")]), how)

    assert read(subject, DONE) == b""
    assert (subject.content, subject.finished) == (False, False)


@pytest.mark.parametrize("how", ALL)
def test_a_continuation_that_breaks_too_is_not_an_end_portkey_1797(how: Continues) -> None:
    subject = continued(delivered_of([first("One ")]), how)

    relayed = read(subject, answer("One two", finish=None))

    assert text(relayed).endswith("two")
    assert (subject.finished, subject.whole, subject.wrong, subject.seen) == (False, False, None, True)


def test_a_finished_continuation_gets_the_end_that_it_lacked() -> None:
    subject = continued(delivered_of([first("a")]), Continues.PROMPT)

    relayed = read(subject, answer("b").removesuffix(DONE))

    assert (subject.whole, subject.finished, subject.close()) == (False, True, DONE)
    assert text(relayed) == "b"


@pytest.mark.parametrize(
    "chunk",
    [
        event({"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": "{"}}]}),
        event({"content": "b", "tool_calls": [{"index": 0, "function": {"arguments": "}"}}]}),
        event({"function_call": {"name": "f"}}),
        event({"refusal": "I cannot"}),
        event({"audio": {"id": "a"}}),
        event({"content": [{"type": "text", "text": "b"}]}),
        event({}, "tool_calls"),
        event({}, "function_call"),
        event(choices=[{"index": 1, "delta": {"content": "b"}}]),
        event(choices=[{"index": 0, "delta": {"content": "b"}}, {"index": 1, "delta": {"content": "b"}}]),
    ],
)
@pytest.mark.parametrize("how", ALL)
def test_a_continuation_by_anything_but_text_is_refused_litellm_31067(how: Continues, chunk: bytes) -> None:
    before = first("a")

    assert join(before, how, chunk + DONE) == (before, Kind.DIVERGED)

    begun = continued(delivered_of([before]), how)
    relayed = read(begun, event({"content": "ab"}) + chunk + DONE)
    assert text(relayed) in {"b", "ab"}
    assert (begun.wrong, begun.whole) == (Kind.DIVERGED, False)
    assert b"tool_calls" not in relayed
    assert begun.feed(event({"content": "b"})) == b"", "what follows is not read"


def test_a_broken_event_in_a_good_continuation_is_left_out() -> None:
    subject = continued(delivered_of([first("a")]), Continues.PROMPT)

    assert text(read(subject, event({"content": "b"}) + b"data: {broken\n\n" + answer("c"))) == "bc"
    assert subject.whole


@pytest.mark.parametrize("half", [b"w\xc3", b"\xa4", b"\xff"])
@pytest.mark.parametrize("how", ALL)
def test_a_continuation_with_a_character_cut_in_two_is_malformed(how: Continues, half: bytes) -> None:
    subject = continued(delivered_of([first("a")]), how)
    broken = event({"content": "HALF"}).replace(b"HALF", half)

    relayed = read(subject, event({"content": "ab"}) + broken + answer("c"))

    assert text(relayed) in {"b", "ab"}
    assert (subject.wrong, subject.whole) == (Kind.MALFORMED, False)


def test_a_field_whose_name_cannot_be_read_is_malformed() -> None:
    broken = event({"content": "b"}, HALF=1).replace(b"HALF", b"\xc3")

    assert join(first("a"), Continues.PROMPT, broken + DONE) == (first("a"), Kind.MALFORMED)


def test_a_target_that_never_continues_is_not_joined_unseen() -> None:
    assert join(first("a"), Continues.NEVER, answer("b")) == (first("a"), Kind.DIVERGED)
    assert text(join(first("a"), Continues.NEVER, answer("ab"))[0]) == "ab"


def test_an_error_inside_a_continuation_is_its_kind() -> None:
    subject = continued(delivered_of([first("a")]), Continues.PROMPT)

    relayed = read(subject, event({"content": "b"}) + event(error={"code": "insufficient_quota"}) + DONE)

    assert (text(relayed), subject.wrong, subject.whole) == ("b", Kind.QUOTA, False)


def test_an_event_about_the_whole_stream_passes_once_there_is_content() -> None:
    remark = event(choices=[], prompt_filter_results=[1])

    relayed = read(continued(delivered_of([first("a")]), Continues.PROMPT), remark + answer("b") + remark)
    after = read(continued(delivered_of([first("a")]), Continues.PROMPT), event({"content": "b"}) + remark)

    assert b"prompt_filter_results" not in relayed
    assert chunks(after)[-1] == {"id": "first", "created": 111, "prompt_filter_results": [1]} | {
        "object": "chat.completion.chunk",
        "choices": [],
    }


def test_usage_events_are_stripped_unless_the_client_asked_for_them() -> None:
    stream = answer("b").removesuffix(DONE) + USAGE + DONE
    delivered = delivered_of([first("a")])

    assert b"usage" not in read(continued(delivered, Continues.PROMPT), stream)
    assert chunks(read(continued(delivered, Continues.PROMPT, **USAGE_WANTED), stream))[-1]["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "total_tokens": 7,
    }


def test_an_inner_reader_holds_nothing_back_for_want_of_content() -> None:
    inner = OpenAIStreamReader(1, strip_usage=True)
    inner.content = True

    assert inner.feed(END) == END
