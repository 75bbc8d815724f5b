"""What a client has got, read from the bytes that were relayed to it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dialects.continuations import TEXTS, answer, continued, first, pieces_of, read
from tests.dialects.streams import COMMENT, DONE, USAGE, event

from surefoot.dialects.delivered import delivered_of
from surefoot.domain.target import Continues


@given(whole=TEXTS, bounds=st.lists(st.integers(0, 60), max_size=9), ascii_only=st.booleans())
def test_the_text_is_what_was_said(whole: str, bounds: list[int], *, ascii_only: bool) -> None:
    texts = pieces_of(whole, bounds)

    delivered = delivered_of([COMMENT, first(*texts, ascii_only=ascii_only), COMMENT])

    assert delivered.text == whole
    assert delivered.events == delivered.text_events == sum(map(bool, texts))
    assert delivered.continuable


def test_the_first_answer_gives_identity_and_role() -> None:
    unnamed = event(choices=[], id=None)

    delivered = delivered_of([unnamed, first("a"), event({"content": "b"}, id="later", created=3, model="two")])

    assert (delivered.id, delivered.created, delivered.model, delivered.role) == ("first", 111, "one", True)


def test_nothing_is_known_of_an_answer_without_identity() -> None:
    delivered = delivered_of([b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n', b'data: {"choices":[{}]}\n\n'])

    assert (delivered.text, delivered.id, delivered.created, delivered.model, delivered.role) == (
        "x",
        *[None] * 3,
        False,
    )


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_noted_and_is_no_text(name: str) -> None:
    delivered = delivered_of([event({name: "hm"}), event({name: "so"}), event({"content": "x"})])

    assert (delivered.text, delivered.events, delivered.text_events) == ("x", 3, 1)
    assert delivered.reasoning
    assert delivered.continuable


NOT_TEXT: list[dict[str, Any]] = [
    {"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": ""}}]},
    {"function_call": {"name": "f"}},
    {"refusal": "no"},
    {"audio": {"id": "a"}},
    {"content": [{"type": "text", "text": "x"}]},
]


@pytest.mark.parametrize("delta", NOT_TEXT)
def test_an_answer_that_is_not_only_text_is_not_continued(delta: dict[str, Any]) -> None:
    delivered = delivered_of([first("a"), event(delta)])

    assert (delivered.text, delivered.text_only, delivered.continuable) == ("a", False, False)


@pytest.mark.parametrize(
    "delta",
    [{"tool_calls": []}, {"function_call": None}, {"refusal": None}, {"refusal": ""}, {"audio": {}}, {"new": 1}],
)
def test_an_empty_field_is_no_obstacle(delta: dict[str, Any]) -> None:
    assert delivered_of([first("a"), event(delta)]).continuable


@pytest.mark.parametrize(
    "broken",
    [
        b"data: {broken\n\n",
        b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"\xc3"}}]}\n\n',
    ],
    ids=["no JSON", "half a surrogate pair", "half a character"],
)
def test_an_answer_that_cannot_be_read_is_not_continued(broken: bytes) -> None:
    assert not delivered_of([first("a"), broken]).continuable


def test_a_second_choice_is_not_continued() -> None:
    delivered = delivered_of([first("a"), event(choices=[{"index": 1, "delta": {"content": "b"}}])])

    assert (delivered.text, delivered.continuable) == ("a", False)


@pytest.mark.parametrize("finish", ["stop", "length"])
def test_an_answer_that_has_said_its_end_is_not_continued(finish: str) -> None:
    delivered = delivered_of([answer("a", finish=finish), event({}), USAGE, DONE])

    assert (delivered.finish_reason, delivered.text_only, delivered.continuable) == (finish, True, False)


def test_a_continuation_that_broke_too_is_read_with_what_it_continued() -> None:
    before = first("It was ", "a dark ")
    second = read(continued(delivered_of([before]), Continues.PREFILL), answer("and ", "stormy", finish=None, id="x"))

    delivered = delivered_of([before, second])

    assert (delivered.text, delivered.events) == ("It was a dark and stormy", 4)
    assert (delivered.id, delivered.model, delivered.continuable) == ("first", "one", True)
