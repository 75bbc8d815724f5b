"""Bodies: the model is replaced and nothing else; answers and errors are judged by one table."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.dialects.openai_chat import DIALECT
from surefoot.domain.outcome import Kind
from surefoot.errors import DialectError

TEXTS = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS | st.just("model") | st.just('"model":"x"'),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXTS | st.sampled_from(["model", "stream_options", 'a"model"']), inner, max_size=3)
    ),
    max_leaves=8,
)
KNOWN = {"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "response_format"}
MORE = st.dictionaries(TEXTS.filter(lambda name: name not in KNOWN), VALUES, max_size=4)


@given(
    more=MORE,
    model=TEXTS,
    messages=VALUES,
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
    first=st.booleans(),
)
def test_the_model_is_replaced_and_nothing_else(
    more: dict[str, Any], model: str, messages: Any, indent: int | None, *, ascii_only: bool, first: bool
) -> None:
    asked = {"model": model, "messages": messages} | more if first else more | {"messages": messages, "model": model}
    body = json.dumps(asked, ensure_ascii=ascii_only, indent=indent).encode()

    ask = DIALECT.read(body)

    assert ask.model == model
    assert json.loads(DIALECT.encode(ask, 'tür"\\', usage=True)) == asked | {"model": 'tür"\\'}


@given(more=MORE, usage=st.sampled_from([None, {}, {"include_usage": False}, {"include_usage": True, "x": 1}]))
def test_a_stream_is_asked_for_its_usage(more: dict[str, Any], usage: dict[str, Any] | None) -> None:
    asked = more | {"model": "m", "messages": [], "stream": True}
    if usage is not None:
        asked["stream_options"] = usage

    encoded = json.loads(DIALECT.encode(DIALECT.read(json.dumps(asked).encode()), "new", usage=True))

    expected = {"include_usage": True} if usage is None else usage | {"include_usage": True}
    assert encoded == asked | {"model": "new", "stream_options": expected}


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"old","messages":[1.0,1e5,"\\u00fc"],"a":1,"a":2}',
        b' {\n"messages" : [],\t"model"  :\n "old" , "x":{"y":[]}}\n',
        b'{"messages":[{"content":"the \\"model\\": \\"old\\""}],"model":"old"}',
    ],
)
def test_all_other_bytes_stay_as_they_were(body: bytes) -> None:
    assert DIALECT.encode(DIALECT.read(body), "new", usage=False) == body.replace(b'"old"', b'"new"')


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","messages":[],"model":"old"}',
        b'{"x":{"model":"old"},"messages":[],"model":"old"}',
        b'{"x":{"model":"old"},"messages":[],"mod\\u0065l":"old"}',
        b'{"messages":["model"],"model":"old"}',
        b'{"model":"\\u006fld","messages":[]}',
    ],
)
def test_a_body_with_several_models_gets_the_new_one_where_it_counts(body: bytes) -> None:
    ask = DIALECT.read(body)

    assert ask.model == "old"
    assert json.loads(DIALECT.encode(ask, "new", usage=False)) == json.loads(body) | {"model": "new"}


WATCHED = {"stream": True, "stream_options": {"include_usage": True}}


@given(
    more=MORE,
    said=st.sampled_from([{}, {"stream": False}, {"stream": None}]),
    messages=VALUES,
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
    order=st.randoms(use_true_random=False),
)
def test_a_watched_call_is_asked_as_a_stream_with_its_usage(
    more: dict[str, Any],
    said: dict[str, Any],
    messages: Any,
    indent: int | None,
    order: random.Random,
    *,
    ascii_only: bool,
) -> None:
    fields = list((more | said | {"model": "old", "messages": messages}).items())
    order.shuffle(fields)
    asked = dict(fields)
    ask = DIALECT.read(json.dumps(asked, ensure_ascii=ascii_only, indent=indent).encode())

    assert ask.watchable
    encoded = DIALECT.encode(ask, "new", usage=True, watched=True)
    assert json.loads(encoded, object_pairs_hook=_no_key_twice) == asked | WATCHED | {"model": "new"}


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


ASK = b'{"stream_options":{"include_usage":true},'
ASK_ALL = b'{"stream":true,"stream_options":{"include_usage":true},'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model":"old","messages":[1.0]}', ASK_ALL + b'"model":"new","messages":[1.0]}'),
        (b'{"model":"old","stream":false,"messages":[]}', ASK + b'"model":"new","stream":true,"messages":[]}'),
        (b'{"stream" : null, "messages":[],"model" : "old"}', ASK + b'"stream" : true, "messages":[],"model" : "new"}'),
        (b'{"model":"old","messages":[{"stream":false}]}', ASK_ALL + b'"model":"new","messages":[{"stream":false}]}'),
    ],
)
def test_of_a_watched_call_all_other_bytes_stay_as_they_were(body: bytes, expected: bytes) -> None:
    assert DIALECT.encode(DIALECT.read(body), "new", usage=True, watched=True) == expected


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"old","messages":[],"stream":false,"x":{"stream":false}}',
        b'{"model":"old","messages":["stream"],"stream":false}',
        b'{"model":"old","messages":[],"x":{"stream":false},"\\u0073tream":false}',
        b'{"model":"old","messages":[],"x":{"stream":false},"str\\u0065am":false}',
        b'{"model":"old","messages":[],"stream_options":null}',
        b' {"model":"old","messages":[]}',
    ],
)
def test_a_watched_call_whose_stream_is_not_plain_to_see_is_written_anew(body: bytes) -> None:
    encoded = json.loads(DIALECT.encode(DIALECT.read(body), "new", usage=True, watched=True))

    assert encoded == json.loads(body) | WATCHED | {"model": "new"}


@pytest.mark.parametrize(
    ("more", "watchable"),
    [
        ({}, True),
        ({"stream": False, "n": 3, "logprobs": True, "response_format": {"type": "json_object"}}, True),
        ({"modalities": ["text"], "prompt_logprobs": None, "stream_options": None}, True),
        ({"stream": True}, False),
        ({"stream_options": {"include_usage": True}}, False),
        ({"modalities": ["text", "audio"], "audio": {"format": "wav"}}, False),
        ({"prompt_logprobs": 1}, False),
    ],
)
def test_a_call_is_watchable_unless_its_stream_would_answer_otherwise(more: dict[str, Any], *, watchable: bool) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "audio"}]} | more

    assert DIALECT.read(json.dumps(body).encode()).watchable is watchable


@pytest.mark.parametrize(
    ("status", "error", "declined"),
    [
        (400, {"param": "stream", "code": "unsupported_value"}, True),
        (400, {"param": "stream_options", "code": "unknown_parameter"}, True),
        (400, {"param": "temperature"}, False),
        (400, {"param": ["stream"]}, False),
        (400, "stream", False),
        (403, {"param": "stream"}, False),
    ],
)
def test_a_target_that_does_not_stream_says_so(status: int, error: Any, *, declined: bool) -> None:
    assert DIALECT.declines_stream(status, json.dumps({"error": error}).encode()) is declined
    assert not DIALECT.declines_stream(status, b"<html>")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"messages":[]}', b'{"model":1,"messages":[]}', b"\xff"])
def test_a_body_that_is_no_request_is_refused_with_a_sentence(body: bytes) -> None:
    with pytest.raises(DialectError, match=r"The request body .+\."):
        DIALECT.read(body)


ERRORS: list[tuple[int, Any, Kind]] = [
    (400, {"message": "x"}, Kind.BAD_REQUEST),
    (400, {"code": "model_not_found"}, Kind.MODEL_GONE),
    (401, None, Kind.AUTH),
    (402, None, Kind.QUOTA),
    (403, None, Kind.AUTH),
    (404, None, Kind.MODEL_GONE),
    (408, None, Kind.SERVER_ERROR),
    (413, None, Kind.CONTEXT_OVERFLOW),
    (422, None, Kind.BAD_REQUEST),
    (429, None, Kind.RATE_LIMIT),
    (429, {"code": "insufficient_quota"}, Kind.QUOTA),
    (500, None, Kind.SERVER_ERROR),
    (502, None, Kind.SERVER_ERROR),
    (503, None, Kind.OVERLOAD),
    (529, {"type": "overloaded_error"}, Kind.OVERLOAD),
    (302, None, Kind.MALFORMED),
    (204, None, Kind.MALFORMED),
]


@pytest.mark.parametrize(("status", "error", "kind"), ERRORS)
def test_a_status_and_its_body_are_one_kind(status: int, error: Any, kind: Kind) -> None:
    assert DIALECT.classify(status, json.dumps({"error": error}).encode()) is kind
    if error is None and kind is not Kind.BAD_REQUEST:
        assert DIALECT.classify(status, b"<html>") is kind
        assert DIALECT.classify(status, b"\xff[") is kind
        assert DIALECT.classify(status, b"[" * 100_000) is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"choices":[{"message":{"content":"x"}}]}', Kind.MALFORMED),
        (b'{"choices":[{"message":{"content":"x"},"finish_reason":null}]}', Kind.MALFORMED),
        (b'{"choices":[{"message":{"content":"x"},"finish_reason":""}]}', Kind.CUT),
        (b'{"choices":[{"message":{"content":"x"},"finish_reason":"abort"}]}', Kind.CUT),
        (b'{"choices":[{"message":{"content":"x"},"finish_reason":"cancelled"}]}', Kind.CUT),
        (b'{"choices":[{"message":{"content":"x"},"finish_reason":"error"}]}', Kind.SERVER_ERROR),
        (b'{"choices":[{"error":{"code":429},"finish_reason":"error"}]}', Kind.RATE_LIMIT),
        (b'{"choices":[{"message":{"content":"x"},"error":{"message":"m"}}]}', Kind.SERVER_ERROR),
        (b'{"choices":[{"message":{"content":"x"},"finish_reason":"a new one"}]}', Kind.OK),
        (b'{"choices":[{"message":{"content":null,"tool_calls":[{}]},"finish_reason":"tool_calls"}]}', Kind.OK),
        (b'{"choices":[{"message":{"content":""},"finish_reason":"length"}]}', Kind.OK),
        (b'{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}', Kind.EMPTY),
        (b'{"choices":[]}', Kind.EMPTY),
        (b"{}", Kind.EMPTY),
        (b"", Kind.EMPTY),
        (b"<html>", Kind.MALFORMED),
        (b"[]", Kind.MALFORMED),
        (b"[" * 100_000, Kind.MALFORMED),
        (b'{"error":{"code":"insufficient_quota"}}', Kind.QUOTA),
        (b'{"error":null,"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}', Kind.OK),
    ],
)
def test_a_plain_answer_is_judged(body: bytes, kind: Kind) -> None:
    assert DIALECT.plain_reader().judge(body) is kind


def with_text(content: Any, finish: str = "stop", **more: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"content": content} | more, "finish_reason": finish}]}).encode()


def with_call(arguments: Any, finish: str = "tool_calls") -> bytes:
    return with_text(None, finish, tool_calls=[{"id": "t", "function": {"name": "f", "arguments": arguments}}])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (with_call('{"city":"Bern"}'), Kind.OK),
        (with_call('{"city":"Bern'), Kind.MALFORMED),
        (with_call("city=Bern"), Kind.MALFORMED),
        (with_call("{} and more"), Kind.MALFORMED),
        (with_call('{"city":"Bern', "length"), Kind.OK),
        (with_call(""), Kind.OK),
        (with_call({"city": "Bern"}), Kind.OK),
        (with_text(None, tool_calls=[{"type": "custom", "custom": {"name": "f", "input": "free text"}}]), Kind.OK),
        (with_text(None, tool_calls="f()"), Kind.MALFORMED),
        (with_text(None, function_call={"name": "f", "arguments": "{"}), Kind.MALFORMED),
        (with_text(None, function_call={"name": "f", "arguments": "{}"}), Kind.OK),
    ],
)
def test_the_arguments_of_a_call_have_to_be_json(body: bytes, kind: Kind) -> None:
    assert DIALECT.plain_reader().judge(body) is kind


JSON_ASKED = [{"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}]
NO_JSON_ASKED = [None, {"type": "text"}, "json_object", {"type": 1}, {}]


@pytest.mark.parametrize("asked", JSON_ASKED)
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (with_text('{"a": 1}'), Kind.OK),
        (with_text(' [1, "ü"]\n'), Kind.OK),
        (with_text("Here it is: {}"), Kind.MALFORMED),
        (with_text('```json\n{"a": 1}\n```'), Kind.MALFORMED),
        (with_text('{"a": '), Kind.MALFORMED),
        (with_text('{"a": ', "length"), Kind.OK),
        (with_text('{"a": ', "content_filter"), Kind.OK),
        (with_text(None, refusal="I will not."), Kind.OK),
        (with_text([{"type": "text", "text": "{}"}]), Kind.MALFORMED),
        (with_call("{}"), Kind.OK),
    ],
)
def test_the_text_has_to_be_json_where_the_client_asked_for_it(asked: Any, body: bytes, kind: Kind) -> None:
    ask = DIALECT.read(json.dumps({"model": "m", "messages": [], "response_format": asked}).encode())

    assert DIALECT.plain_reader(ask).judge(body) is kind


@pytest.mark.parametrize("asked", NO_JSON_ASKED)
def test_the_text_may_be_prose_where_the_client_did_not_ask_for_json(asked: Any) -> None:
    ask = DIALECT.read(json.dumps({"model": "m", "messages": [], "response_format": asked}).encode())

    assert DIALECT.plain_reader(ask).judge(with_text("Prose.")) is Kind.OK


def test_one_broken_alternative_spoils_an_answer_and_one_good_one_saves_a_filtered_one() -> None:
    def together(*bodies: bytes) -> bytes:
        return json.dumps({"choices": [json.loads(body)["choices"][0] for body in bodies]}).encode()

    good, filtered = with_text("x"), with_text("", "content_filter")
    assert DIALECT.plain_reader().judge(together(good, with_call("{"))) is Kind.MALFORMED
    assert DIALECT.plain_reader().judge(together(filtered, good)) is Kind.OK
    assert DIALECT.plain_reader().judge(together(good, with_text("x", "abort"))) is Kind.CUT
    assert DIALECT.plain_reader().judge(together(filtered, filtered)) is Kind.CONTENT_FILTER
