"""A plain answer from a stream: whatever a provider's plain answer says, its stream cut in any way says as well."""

import json
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dialects.assembling import assembled, said
from tests.dialects.cutting import DONE, Chunk, chunks_of, event

from surefoot.dialects.dialect import LARGEST_ANSWER, Usage
from surefoot.dialects.openai_assembly import OpenAIAssembler
from surefoot.dialects.openai_chat import DIALECT
from surefoot.domain.outcome import Kind

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NAMES = TEXTS.filter(lambda name: name not in {"choices", "obfuscation", "usage", "object", "error", "delta"})
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
STATED = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
UNKNOWN = ("x_new", "x_other")


def _calls() -> st.SearchStrategy[list[dict[str, Any]]]:
    function = st.fixed_dictionaries({"name": TEXTS, "arguments": TEXTS})
    call = st.fixed_dictionaries({"id": TEXTS, "type": st.just("function"), "function": function})
    return st.lists(call, min_size=1, max_size=3)


MESSAGES = st.one_of(
    st.fixed_dictionaries({"role": st.just("assistant"), "content": TEXTS}),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": TEXTS, "refusal": st.none(), "tool_calls": _calls()}
    ),
    st.fixed_dictionaries({"role": st.just("assistant"), "content": st.none(), "tool_calls": _calls()}),
    st.fixed_dictionaries({"role": st.just("assistant"), "content": st.none(), "refusal": TEXTS}),
    st.fixed_dictionaries(
        {
            "role": st.just("assistant"),
            "content": TEXTS,
            "reasoning_content": TEXTS,
            "x_new": TEXTS | st.dictionaries(st.sampled_from(UNKNOWN), TEXTS, min_size=1),
            "annotations": st.lists(st.dictionaries(NAMES, STATED, max_size=2), max_size=3),
        }
    ),
)
LOGPROBS = st.none() | st.fixed_dictionaries(
    {"content": st.lists(st.fixed_dictionaries({"token": TEXTS, "logprob": st.integers()}), min_size=1, max_size=4)}
)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    choices = [
        {"index": index, "message": draw(MESSAGES), "logprobs": draw(LOGPROBS), "finish_reason": draw(TEXTS)}
        for index in range(draw(st.integers(1, 3)))
    ]
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "total_tokens": 7,
        "details": {"cached_tokens": draw(st.integers(0))},
    }
    known = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": draw(TEXTS)}
    more = draw(st.dictionaries(NAMES.filter(lambda name: name not in known), STATED, max_size=3))
    return known | more | {"choices": choices, "usage": usage}


def streamed(answer: dict[str, Any], rng: random.Random, **form: bool) -> list[bytes]:
    """The answer as events; chunks of several choices come in any order among them."""

    def pieces(text: str) -> list[str]:
        cuts = sorted(rng.choices(range(len(text) + 1), k=rng.randrange(4)))
        return [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]

    *spoken, last = chunks_of(answer, pieces)
    mixed: list[Chunk] = []
    while any(spoken):
        mixed.append(rng.choice([chunks for chunks in spoken if chunks]).pop(0))
    return [*(event(chunk, **form) for chunk in mixed + last), DONE]


@given(answers(), st.randoms(use_true_random=False), st.booleans(), st.booleans())
def test_any_answer_cut_into_any_deltas_is_put_together_again(
    answer: dict[str, Any],
    rng: random.Random,
    ascii_only: bool,  # noqa: FBT001 - drawn
    spaced: bool,  # noqa: FBT001 - drawn
) -> None:
    events = streamed(answer, rng, ascii_only=ascii_only, spaced=spaced)

    subject = assembled(events, len(answer["choices"]))

    assert (subject.wrong, subject.whole, subject.finished, subject.content) == (None, True, True, True)
    assert json.loads(subject.answer()) == answer
    assert subject.usage == Usage(3, 4)


ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "system_fingerprint": None,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": 'Grüß dich,\n"Welt" ❤ data: x', "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
}
STREAM = b": hello\n\n" + b"".join(event(chunk) for part in chunks_of(ANSWER, list) for chunk in part) + DONE


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_a_stream_cut_in_two_at_any_byte_gives_the_same_answer(ending: bytes) -> None:
    stream = STREAM.replace(b"\n", ending)
    for cut in range(len(stream) + 1):
        subject = assembled([stream[:cut], stream[cut:]])
        assert (subject.whole, subject.events) == (True, 27), cut
        assert json.loads(subject.answer()) == ANSWER


def test_a_stream_that_comes_byte_by_byte_gives_the_same_answer() -> None:
    assert json.loads(assembled([STREAM[at : at + 1] for at in range(len(STREAM))]).answer()) == ANSWER


def test_the_answer_may_be_asked_for_twice() -> None:
    subject = assembled(STREAM)

    assert subject.answer() == subject.answer()


def test_progress_is_seen_before_and_apart_from_content() -> None:
    subject = OpenAIAssembler(1)
    seen = []
    for piece in (
        b": hi\n\n",
        said({"role": "assistant", "content": ""}),
        said({"content": "a"}),
        said({"content": "b"}),
    ):
        subject.feed(piece)
        seen.append((subject.seen, subject.progress, subject.content, subject.events))
    assert seen == [(False, False, False, 0), (True, True, False, 0), (True, True, True, 1), (True, True, True, 2)]
    subject.feed(b": hi\n\n")
    assert not subject.progress


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "hm"},
        {"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": ""}}]},
        {"function_call": {"name": "f"}},
        {"refusal": "no"},
    ],
)
def test_what_is_content_in_a_stream_is_content_here(delta: dict[str, Any]) -> None:
    assert assembled(said(delta)).content
    assert not assembled(said({"role": "assistant", "content": "", "refusal": None, "tool_calls": []})).content


@pytest.mark.parametrize("finish", ["length", "max_tokens"])
def test_an_answer_that_may_be_empty_counts_as_content(finish: str) -> None:
    subject = assembled(said({"role": "assistant", "content": ""}) + said(finish=finish) + DONE)

    assert subject.content
    assert DIALECT.plain_reader().judge(subject.answer()) is Kind.OK


def test_an_empty_answer_is_judged_empty_as_a_plain_one_is() -> None:
    for stream in (DONE, said({"role": "assistant", "content": ""}) + said(finish="stop") + DONE):
        assert DIALECT.plain_reader().judge(assembled(stream).answer()) is Kind.EMPTY


def test_it_is_finished_when_all_its_choices_are() -> None:
    subject = assembled(said({"content": "a"}, "stop"), answers=2)
    assert not subject.finished

    subject.feed(event({"choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]}))
    assert (subject.finished, subject.whole, subject.close()) == (True, False, b"")


def test_a_text_behind_an_empty_one_is_content() -> None:
    subject = assembled(said({"content": ""}))
    assert not subject.content

    subject.feed(said({"content": "a"}))
    assert subject.content


def test_an_event_that_is_the_end_of_a_comment_is_none() -> None:
    subject = assembled([said({"content": "a"}), b": wait, ", said({"content": "b"}), said({"content": "c"})])

    assert json.loads(subject.answer())["choices"][0]["message"]["content"] == "ac"


@pytest.mark.parametrize(
    "broken",
    [
        b"{broken",
        b"[]",
        b"7",
        b'{"choices":{"a":1}}',
        b'{"choices":[7]}',
        b'{"choices":[{"index":"0"}]}',
        b'{"choices":[{"delta":[1]}]}',
        b'{"choices":[{"finish_reason":7}]}',
        b'{"choices":[{"delta":{"content":"\xff"}}]}',
        b'{"choices":' + b"[" * 100_000,
    ],
)
def test_a_stream_with_an_event_that_cannot_be_read_gives_no_answer(broken: bytes) -> None:
    subject = assembled(said({"content": "a"}) * 3 + b"data: " + broken + b"\n\n" + said({}, "stop") + DONE)

    assert (subject.wrong, subject.whole) == (Kind.MALFORMED, False)


def test_deltas_nested_too_deeply_are_malformed_and_not_a_crash() -> None:
    deep = b'{"x":' * 900 + b"1" + b"}" * 900
    chunk = b'data: {"choices":[{"delta":{"y":' + deep + b"}}]}\n\n"
    subject = assembled(chunk * 2 + DONE)

    assert subject.wrong is Kind.MALFORMED or json.loads(subject.answer())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "insufficient_quota"}, Kind.QUOTA),
        ({"type": "overloaded_error"}, Kind.OVERLOAD),
        ("x", Kind.SERVER_ERROR),
    ],
)
def test_an_error_event_is_a_kind_before_and_after_content(error: Any, kind: Kind) -> None:
    for before in (b"", said({"content": "a"}) * 3):
        subject = assembled(before + event({"error": error}) + DONE)
        assert (subject.wrong, subject.whole) == (kind, False)
    assert assembled(event({"error": None, "choices": []})).wrong is None


def test_a_stream_without_end_is_malformed() -> None:
    subject = OpenAIAssembler(1)
    megabyte = b": " + b"x" * (1024 * 1024 - 4) + b"\n\n"
    for _ in range(LARGEST_ANSWER // len(megabyte)):
        subject.feed(megabyte)
    assert subject.wrong is None

    subject.feed(said({"content": "a"}))
    assert subject.wrong is Kind.MALFORMED
    assert not subject.content


def test_a_usage_that_is_none_is_left_to_the_judge() -> None:
    subject = assembled(said({"content": "a"}, "stop") + event({"choices": [], "usage": {"prompt_tokens": "x"}}) + DONE)

    assert subject.usage == Usage()
    assert DIALECT.plain_reader().judge(subject.answer()) is Kind.MALFORMED
