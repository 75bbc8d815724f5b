"""The reader of continuations: what was delivered and what it relays are together one whole answer, and no other."""

import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.dialects.continuations import TEXTS, answer, chunks, continued, first, join, pieces_of, read, text
from tests.dialects.streams import COMMENT, DONE, END, USAGE, WORDS, event, reader

from surefoot.dialects.alignment import LEAST
from surefoot.dialects.delivered import delivered_of
from surefoot.dialects.dialect import Usage
from surefoot.dialects.openai_stream import OpenAIStreamReader
from surefoot.dialects.sse import events
from surefoot.domain.outcome import Kind
from surefoot.domain.target import Continues

BOUNDS = st.lists(st.integers(0, 200), max_size=9)
SHOWN_ALL = [Continues.PROMPT, Continues.PREFILL]
SHOWN = st.sampled_from(SHOWN_ALL)
USAGE_WANTED: dict[str, Any] = {"stream_options": {"include_usage": True}}


def unambiguous(delivered: str, said: str, overlap: int) -> bool:
    """Whether the overlap is the longest there is, and long enough to be taken for one if there is one."""
    sizes = [size for size in range(1, min(len(delivered), len(said)) + 1) if len(said[:size].strip()) >= LEAST]
    return (not overlap or overlap in sizes) and not any(
        size > overlap and delivered.endswith(said[:size]) for size in sizes
    )


@given(
    whole=TEXTS, cut=st.integers(0, 60), overlap=st.integers(0, 60), bounds=BOUNDS, how=SHOWN, ascii_only=st.booleans()
)
@example(whole='Grüß dich, ❤ "schöne" Welt!', cut=22, overlap=12, bounds=[1, 5], how=Continues.PROMPT, ascii_only=True)
@example(whole="hello", cut=3, overlap=0, bounds=[], how=Continues.PREFILL, ascii_only=False)
def test_any_text_cut_anywhere_with_any_overlap_becomes_whole(
    whole: str, cut: int, overlap: int, bounds: list[int], how: Continues, *, ascii_only: bool
) -> None:
    cut = min(cut, len(whole))
    overlap = min(overlap, cut)
    assume(unambiguous(whole[:cut], whole[cut - overlap :], overlap))
    before = first(*pieces_of(whole[:cut], bounds), ascii_only=ascii_only)

    client, wrong = join(before, how, answer(*pieces_of(whole[cut - overlap :], bounds), ascii_only=ascii_only))

    assert (text(client), wrong) == (whole, None if whole[cut:] else Kind.EMPTY)
    assert client.endswith(DONE) == bool(whole[cut:])


@given(whole=TEXTS, cut=st.integers(0, 60), bounds=BOUNDS, other=BOUNDS)
def test_any_text_cut_anywhere_and_said_again_becomes_whole(
    whole: str, cut: int, bounds: list[int], other: list[int]
) -> None:
    before = first(*pieces_of(whole[:cut], bounds))

    client, wrong = join(before, Continues.REPLAY, answer(*pieces_of(whole, other)))

    assert (text(client), wrong) == (whole, None if whole else Kind.EMPTY)
    assert client.endswith(DONE) == bool(whole)


@given(whole=TEXTS, cuts=st.tuples(st.integers(0, 60), st.integers(0, 60)), bounds=BOUNDS, replay=st.booleans())
def test_an_answer_that_breaks_twice_becomes_whole(
    whole: str, cuts: tuple[int, int], bounds: list[int], *, replay: bool
) -> None:
    one, two = sorted(min(cut, len(whole)) for cut in cuts)
    assume(unambiguous(whole[:one], whole[one:two], 0))
    assume(unambiguous(whole[:two], whole[two:], 0))
    assume(whole[:two])
    how = Continues.REPLAY if replay else Continues.PROMPT
    second = pieces_of(whole[:two] if replay else whole[one:two], bounds)
    third = pieces_of(whole if replay else whole[two:], bounds)

    once, wrong = join(first(*pieces_of(whole[:one], bounds)), how, answer(*second, finish=None, id="2"))
    twice, wrong_again = join(once, how, answer(*third, id="3"))

    held_back = len(whole[:two]) - len(text(once))  # what might still have been an overlap when it broke
    assume(not held_back)
    ends = replay or bool(whole[two:])
    assert (text(twice), wrong, wrong_again) == (whole, None, None if ends else Kind.EMPTY)
    assert {chunk["id"] for chunk in chunks(twice)} == {"first"}
    assert twice.endswith(DONE) == ends


@pytest.mark.parametrize("how", [Continues.PREFILL, Continues.REPLAY])
def test_an_answer_that_breaks_at_any_byte_becomes_whole(how: Continues) -> None:
    words, escaped = ["Grüß", ' "❤"', " \\u00e9\n"], [" è😀\\", '\t"']
    stream = answer(*words, id="first") + answer(*escaped, id="first", ascii_only=True)
    whole = "".join(words + escaped)
    stream = stream.replace(DONE, b"").replace(b'"stop"', b"null")
    for cut in range(len(stream) + 1):
        relayed = reader().feed(stream[:cut])
        said = text(relayed)
        rest = whole[0 if how is Continues.REPLAY else len(said) :]

        client, wrong = join(relayed, how, answer(rest[:7], rest[7:]))

        ends = how is Continues.REPLAY or bool(rest)
        assert (text(client), wrong) == (whole, None if ends else Kind.EMPTY), cut


@given(whole=TEXTS.filter(bool), at=st.integers(0, 59), bounds=BOUNDS, other=st.characters(codec="utf-8"))
def test_a_replay_that_differs_anywhere_has_diverged_and_adds_nothing(
    whole: str, at: int, bounds: list[int], other: str
) -> None:
    at %= len(whole)
    assume(whole[at] != other)
    before = first(*pieces_of(whole, bounds))

    client, wrong = join(before, Continues.REPLAY, answer(whole[:at] + other + whole[at + 1 :] + " and more"))

    assert (client, wrong) == (before, Kind.DIVERGED)


@pytest.mark.parametrize("end", [DONE, END + DONE, event({}, "length") + DONE, event({"content": ""}, "stop")])
@pytest.mark.parametrize("said", ["", "One tw"])
def test_a_replay_that_ends_before_the_break_is_not_the_answer_portkey_1797(end: bytes, said: str) -> None:
    subject = continued(delivered_of([first("One two")]), Continues.REPLAY)

    assert read(subject, event({"content": said}) + end) == b""
    assert (subject.wrong, subject.content, subject.whole, subject.finished) == (Kind.DIVERGED, False, False, False)


def test_a_replay_stops_at_the_first_difference() -> None:
    subject = continued(delivered_of([first("One two")]), Continues.REPLAY)

    assert subject.feed(event({"content": "One"})) == b""
    assert subject.wrong is None
    assert subject.feed(event({"content": "  t"})) == b""
    assert subject.wrong is Kind.DIVERGED
    assert subject.feed(event({"content": "wo"}) + END + DONE) == b""
    assert not subject.whole


# ── bytes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

BEFORE = first("Grüß dich, ", "schöne ")
REASONING = event({"reasoning_content": "hm"})
REPEATED = [event({"content": word}) for word in ("dich, ", "sch", "öne ", 'W"elt', " ❤", '\\u00fc "')]
STREAM = b"".join([COMMENT, event({"role": "assistant"}), REASONING, *REPEATED, COMMENT, REASONING, END, USAGE, DONE])
ALL = [Continues.PROMPT, Continues.PREFILL, Continues.REPLAY]


def stream_for(how: Continues) -> bytes:
    return event({"content": "Grüß "}) + STREAM if how is Continues.REPLAY else STREAM


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("how", ALL)
def test_a_continuation_cut_in_two_at_any_byte_is_read_the_same(how: Continues, ending: bytes) -> None:
    delivered, stream = delivered_of([BEFORE]), stream_for(how).replace(b"\n", ending)
    expected = read(continued(delivered, how), stream)
    assert text(expected) == 'W"elt ❤\\u00fc "'

    for cut in range(1, len(stream)):
        subject = continued(delivered, how)
        assert read(subject, stream, (cut,)) == expected, cut
        assert (subject.whole, subject.finished, subject.wrong, subject.seen) == (True, True, None, True)
        assert subject.usage == Usage(3, 4)


@pytest.mark.parametrize("how", ALL)
@pytest.mark.parametrize("end", [event({"tool_calls": [{"index": 0}]}), event(error={"message": "x"})])
def test_a_continuation_that_goes_wrong_is_read_the_same_at_any_cut(how: Continues, end: bytes) -> None:
    stream = b"".join([event({"content": "Grüß dich, schöne "}), *WORDS, end, WORDS[0], DONE])
    expected = continued(delivered_of([BEFORE]), how)
    relayed = read(expected, stream)
    assert expected.wrong in {Kind.DIVERGED, Kind.SERVER_ERROR}

    for cut in range(1, len(stream)):
        subject = continued(delivered_of([BEFORE]), how)
        assert (read(subject, stream, (cut,)), subject.wrong, subject.whole) == (relayed, expected.wrong, False), cut


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_a_continuation_in_any_pieces_is_read_the_same(cuts: list[int]) -> None:
    expected = read(continued(delivered_of([BEFORE]), Continues.PROMPT), STREAM)

    assert read(continued(delivered_of([BEFORE]), Continues.PROMPT), STREAM, tuple(sorted(cuts))) == expected


def test_the_client_sees_one_answer_with_its_provenance() -> None:
    relayed = read(continued(delivered_of([BEFORE]), Continues.PROMPT, name="a b\nc\r\u2028"), STREAM)

    comment, *rest = events(relayed)
    assert comment == b": surefoot-resume target=a_b_c__ attempt=1 after_characters=18\n\n"
    assert [json.loads(one[6:]) for one in rest if one.startswith(b"data: {")] == [
        {"id": "first", "object": "chat.completion.chunk", "created": 111, "choices": [choice]}
        for choice in (
            {"index": 0, "delta": {"content": 'W"elt'}, "finish_reason": None},
            {"index": 0, "delta": {"content": " ❤"}, "finish_reason": None},
            {"index": 0, "delta": {"content": '\\u00fc "'}, "finish_reason": None},
            {"index": 0, "delta": {}, "finish_reason": "stop"},
        )
    ]
    assert rest[-1] == DONE


def test_the_model_and_unknown_fields_are_those_of_the_target_that_speaks() -> None:
    said = event({"content": "!", "new": [1]}, id="b", created=2, model="two", system_fingerprint="f")

    (chunk,) = chunks(read(continued(delivered_of([first("a")]), Continues.PROMPT), said))

    assert (chunk["id"], chunk["created"], chunk["model"], chunk["system_fingerprint"]) == ("first", 111, "two", "f")
    assert chunk["choices"][0]["delta"] == {"content": "!", "new": [1]}


def test_an_answer_that_had_no_identity_takes_that_of_the_continuation() -> None:
    delivered = delivered_of([b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'])

    (chunk,) = chunks(read(continued(delivered, Continues.PROMPT), event({"content": "y"}, id="b", created=2)))

    assert (chunk["id"], chunk["created"]) == ("b", 2)


def test_probabilities_of_a_text_that_was_cut_are_left_out() -> None:
    def choice(content: str) -> dict[str, Any]:
        return {"index": 0, "delta": {"content": content}, "finish_reason": None, "logprobs": {"content": [1]}}

    stream = event(choices=[choice("12345678 9")]) + event(choices=[choice(" 10")])

    relayed = chunks(read(continued(delivered_of([first("0 12345678")]), Continues.PROMPT), stream))

    assert [(c["choices"][0]["delta"]["content"], c["choices"][0]["logprobs"]) for c in relayed] == [
        (" 9", None),
        (" 10", {"content": [1]}),
    ]


# ── what is content ────────────────────────────────────────────────────────────────────────────────────────────────


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
