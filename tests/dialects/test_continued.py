"""The reader of continuations: what was delivered and what it relays are together one whole answer, and no other."""

import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.dialects.continuations import (
    ALL,
    REASONING,
    SHOWN_ALL,
    TEXTS,
    answer,
    chunks,
    continued,
    first,
    join,
    pieces_of,
    read,
    text,
)
from tests.dialects.streams import COMMENT, DONE, END, USAGE, WORDS, event, reader

from surefoot.dialects.alignment import LEAST
from surefoot.dialects.delivered import delivered_of
from surefoot.dialects.dialect import Usage
from surefoot.dialects.sse import events
from surefoot.domain.outcome import Kind
from surefoot.domain.target import Continues

BOUNDS = st.lists(st.integers(0, 200), max_size=9)
SHOWN = st.sampled_from(SHOWN_ALL)


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


@pytest.mark.parametrize("end", [END + DONE, event({}, "length") + DONE, event({"content": ""}, "stop")])
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
REPEATED = [event({"content": word}) for word in ("dich, ", "sch", "öne ", 'W"elt', " ❤", '\\u00fc "')]
STREAM = b"".join([COMMENT, event({"role": "assistant"}), REASONING, *REPEATED, COMMENT, REASONING, END, USAGE, DONE])


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
