"""The request that asks a target to go on with a broken answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dialects.continuations import TEXTS, first, target
from tests.dialects.streams import event

from surefoot.dialects.delivered import delivered_of
from surefoot.dialects.openai_chat import DIALECT
from surefoot.domain.target import Continues

PREFILL = {"continue_final_message": True, "add_generation_prompt": False}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
USER = {"role": "user", "content": "Go."}


def asked_to_continue(request: dict[str, Any], *texts: str, how: Continues, wording: str = "Go on.") -> dict[str, Any]:
    ask = DIALECT.read(json.dumps({"model": "chat", "stream": True} | request).encode())
    given_prefill = PREFILL if how is Continues.PREFILL else {}
    body = DIALECT.continuation(ask, target(how, prefill=given_prefill), delivered_of([first(*texts)]), wording)
    continued: dict[str, Any] = json.loads(body)
    return continued


@given(messages=st.lists(JSON, max_size=3), more=st.dictionaries(TEXTS.map("x{}".format), JSON, max_size=3), said=TEXTS)
def test_everything_the_client_sent_is_kept(messages: list[Any], more: dict[str, Any], said: str) -> None:
    request = more | {"messages": messages}
    whole = request | {"model": "the-model", "stream": True, "stream_options": {"include_usage": True}}
    shown = [*messages, {"role": "assistant", "content": "a" + said}]
    told = [*shown, {"role": "user", "content": "Go on."}]

    assert asked_to_continue(request, "a" + said, how=Continues.PROMPT) == whole | {"messages": told}
    assert asked_to_continue(request, "a" + said, how=Continues.PREFILL) == whole | {"messages": shown} | PREFILL
    assert asked_to_continue(request, "a" + said, how=Continues.REPLAY) == whole


@pytest.mark.parametrize("how", list(Continues))
def test_without_any_text_the_plain_request_is_sent(how: Continues) -> None:
    request = {"messages": [USER], "max_tokens": 5}
    ask = DIALECT.read(json.dumps({"model": "chat", "stream": True} | request).encode())
    thought = delivered_of([first(""), event({"reasoning": "so"})])
    assert thought.events == 1

    body = DIALECT.continuation(ask, target(how, prefill=PREFILL), thought, "Go on.")

    assert body == DIALECT.encode(ask, "the-model", usage=True)


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(("limit", "left"), [(10, 7), (4, 1), (3, 1), (1, 1), (None, None)])
def test_what_was_delivered_counts_against_the_limit(field: str, limit: int | None, left: int | None) -> None:
    request = {"messages": [USER], field: limit}

    for how in (Continues.PROMPT, Continues.PREFILL):
        assert asked_to_continue(request, "a", "b", "c", how=how)[field] == left
    assert asked_to_continue(request, "a", "b", "c", how=Continues.REPLAY)[field] == limit
    assert field not in asked_to_continue({"messages": [USER]}, "a", how=Continues.PROMPT)


def test_numbers_and_escapes_keep_their_bytes() -> None:
    body = b'{"model":"chat","stream":true,"messages":[ {"content":"\\u00fc","x":1.0e5} ],"seed":123456789012345678901}'
    delivered = delivered_of([first("x")])

    continued = DIALECT.continuation(DIALECT.read(body), target(Continues.PROMPT), delivered, "Go on.")

    assert b'{"content":"\\u00fc","x":1.0e5}' in continued
    assert b'"seed":123456789012345678901' in continued


@pytest.mark.parametrize("messages", ["go", {"a": 1}, 7, None])
def test_a_conversation_that_is_no_list_becomes_one(messages: Any) -> None:
    continued = asked_to_continue({"messages": messages}, "x", how=Continues.PREFILL)

    assert continued["messages"] == [messages, {"role": "assistant", "content": "x"}]


@pytest.mark.parametrize("options", [{"include_usage": False, "x": 1}, {"x": 1}, None, {}])
def test_usage_is_asked_for_where_the_target_tells_it(options: dict[str, Any] | None) -> None:
    ask = DIALECT.read(json.dumps({"model": "c", "messages": [], "stream_options": options}).encode())
    silent = target(Continues.PROMPT, usage_in_stream=False)
    delivered = delivered_of([first("x")])

    telling = json.loads(DIALECT.continuation(ask, target(Continues.PROMPT), delivered, "Go on."))

    assert telling["stream_options"] == {**(options or {}), "include_usage": True}
    assert json.loads(DIALECT.continuation(ask, silent, delivered, "Go on."))["stream_options"] == options


def test_the_wording_is_the_callers_own_litellm_18229() -> None:
    continued = asked_to_continue({"messages": [USER]}, "Es war", how=Continues.PROMPT, wording="Schreib weiter.")

    assert continued["messages"][1:] == [
        {"role": "assistant", "content": "Es war"},
        {"role": "user", "content": "Schreib weiter."},
    ]


RESUMABLE: list[dict[str, Any]] = [
    {},
    {"n": 1},
    {"n": None},
    {"response_format": None},
    {"response_format": {"type": "text"}},
    {"modalities": ["text"]},
    {"modalities": None, "audio": None},
    {"tools": [{"type": "function"}], "functions": [{}]},
]
NOT_RESUMABLE: list[dict[str, Any]] = [
    {"stream": False},
    {"stream": None},
    {"n": 2},
    {"response_format": {"type": "json_object"}},
    {"response_format": {"type": "json_schema", "json_schema": {}}},
    {"response_format": {}},
    {"response_format": "json"},
    {"modalities": ["text", "audio"]},
    {"audio": {"voice": "x"}},
]


@pytest.mark.parametrize(
    ("request_fields", "resumable"),
    [*((fields, True) for fields in RESUMABLE), *((fields, False) for fields in NOT_RESUMABLE)],
)
def test_one_streamed_text_without_a_form_is_resumable(request_fields: dict[str, Any], *, resumable: bool) -> None:
    body = {"model": "c", "messages": [], "stream": True} | request_fields

    assert DIALECT.read(json.dumps(body).encode()).resumable is resumable
