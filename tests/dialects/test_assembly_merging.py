"""How an assembler merges what comes in pieces: by index, by name, and by where it stands."""

from tests.dialects.assembling import answer_of, message_of, said
from tests.dialects.cutting import event


def test_choices_and_tool_calls_stand_in_the_order_of_their_index() -> None:
    call = [{"index": index, "id": f"c{index}", "function": {"name": "f", "arguments": "{}"}} for index in (1, 0)]
    answer = answer_of(
        event({"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"}]}),
        said({"tool_calls": call[:1]}),
        said({"tool_calls": call[1:]}),
    )

    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    assert [call["id"] for call in answer["choices"][0]["message"]["tool_calls"]] == ["c0", "c1"]


def test_tool_calls_lose_the_index_that_only_streams_have() -> None:
    function = {"name": "weather", "arguments": ""}
    message = message_of(
        {"role": "assistant", "content": None},
        {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": function}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]},
        {"tool_calls": [{"index": 1, "id": "b", "type": "function", "function": function}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '"Ulm"}'}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
    )

    assert message == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Ulm"}'}},
            {"id": "b", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
        ],
    }


def test_tool_calls_without_an_index_or_with_the_same_one_stay_apart() -> None:
    calls = [{"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}} for name in "abc"]

    for form in ({}, {"index": 0}):
        assert message_of(*({"tool_calls": [form | call]} for call in calls))["tool_calls"] == calls


def test_names_that_come_with_every_delta_are_not_strung_together() -> None:
    call = {"index": 0, "id": "a", "type": "function", "function": {"arguments": "1"}}
    message = message_of(*({"role": "assistant", "tool_calls": [call]} for _ in range(3)))

    assert message["role"] == "assistant"
    assert message["tool_calls"] == [{"id": "a", "type": "function", "function": {"arguments": "111"}}]


def test_an_empty_text_beside_tool_calls_or_a_refusal_is_null() -> None:
    assert message_of({"content": ""}, {"refusal": "no"})["content"] is None
    assert message_of({"content": ""}, {"tool_calls": [{"index": 0, "id": "a"}]})["content"] is None
    assert message_of({"content": ""}, {"reasoning_content": "hm"})["content"] == ""
    assert message_of({"reasoning_content": "hm"})["content"] is None


def test_a_null_or_an_empty_name_erases_nothing() -> None:
    message = message_of(
        {"role": "assistant", "content": "a", "x": 1, "tool_calls": [{"index": 0, "id": "i"}]},
        {"role": "", "content": None, "x": None, "tool_calls": [{"index": 0, "id": ""}]},
    )

    assert message == {"role": "assistant", "content": "a", "x": 1, "tool_calls": [{"id": "i"}]}


def test_what_is_said_of_a_choice_or_of_the_whole_answer_is_said_anew() -> None:
    filtered = {"hate": {"filtered": False, "severity": "safe"}}
    first = {"id": "", "created": 0, "model": "m", "service_tier": "default", "citations": ["u"], "choices": []}
    chunk = first | {"id": "x", "created": 5}
    choice = {"index": 0, "content_filter_results": filtered, "finish_reason": None}
    answer = answer_of(
        event(first),
        *(event(chunk | {"choices": [choice | {"delta": {"content": text}}]}) for text in "abc"),
        event(first | {"service_tier": None, "x_groq": {"id": "r"}}),
        event(chunk | {"x_groq": {"usage": 1}, "flag": True}),
        event(chunk | {"flag": False}),
    )

    assert answer == {
        "id": "x",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
        "service_tier": "default",
        "citations": ["u"],
        "x_groq": {"id": "r", "usage": 1},
        "flag": False,
        "choices": [choice | {"message": {"role": "assistant", "content": "abc"}}],
    }


def test_padding_and_what_is_repeated_in_full_are_left_out() -> None:
    events = [
        event({"id": "x", "choices": [{"delta": {"content": text}, "message": {"content": "…"}}], "obfuscation": pad})
        for text, pad in (("a", "q"), ("b", "zz7"), ("c", ""), ('"d"', "k"))
    ]

    assert answer_of(*events) == {
        "id": "x",
        "object": "chat.completion",
        "choices": [{"message": {"role": "assistant", "content": 'abc"d"'}}],
    }


def test_an_event_that_only_looks_like_the_one_before_is_read_for_what_it_is() -> None:
    def spoken(text: str) -> bytes:
        return b'data: {"n":1,"choices":[{"delta":{"content":' + text.encode() + b"}}]}\n\n"

    odd = ['"a"', '"b"', '"c","x":"d"', '"e"},"y":{"content":"f"', "null", '"g" ', '"\\u00fc"', '""', '"h"']
    answer = answer_of(*map(spoken, odd))

    assert answer["choices"] == [
        {"message": {"role": "assistant", "content": "abcegüh", "x": "d"}, "y": {"content": "f"}}
    ]


def test_what_stands_where_the_text_stood_before_is_not_taken_for_it() -> None:
    def spoken(other: str, text: str, name: str = "content") -> bytes:
        delta = '{"' + name + '":"' + text + '"}'
        return ('data: {"x":{"content":"' + other + '"},"choices":[{"delta":' + delta + "}]}\n\n").encode()

    for name in ("content", "cont\\u0065nt"):
        answer = answer_of(spoken("a", "b", name), spoken("c", "b", name), spoken("d", "e", name))
        assert answer["choices"] == [{"message": {"role": "assistant", "content": "bbe"}}]
        assert answer["x"] == {"content": "d"}


def test_of_what_goes_to_and_fro_the_last_counts() -> None:
    def spoken(tier: str) -> bytes:
        return event({"tier": tier, "choices": [{"index": 0, "delta": {"content": tier}}]})

    answer = answer_of(spoken("a"), spoken("b"), spoken("a"))

    assert (answer["tier"], answer["choices"][0]["message"]["content"]) == ("a", "aba")
    between = event({"tier": "b", "choices": []})
    assert answer_of(spoken("a"), between, spoken("a"))["tier"] == "a"


def test_a_list_beside_the_text_grows_with_every_delta() -> None:
    chunk = said({"content": "a"}, token_ids=[7])

    assert answer_of(chunk * 4)["choices"][0]["token_ids"] == [7] * 4
