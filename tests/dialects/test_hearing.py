"""Words that an answer says of itself: found wherever they stand, once, and never by breaking on what is not there."""

import pytest

from surefoot.dialects.hearing import LARGEST_EVENT, LONGEST_WORD, Hearing
from surefoot.domain.place import Confirmation, Fact

REGION = Confirmation(Fact.PROCESSES, header="X-Ms-Region")
GEO = Confirmation(Fact.PROCESSES, body=("usage", "inference_geo"))
MODEL = Confirmation(Fact.MODEL, body=("model",))
STREAM = (
    b': hello\n\ndata: {"model":"m-1","choices":[]}\n\ndata: {"model":"m-2","choices":[]}\n\n'
    b'data: {"choices":[],"usage":{"prompt_tokens":1,"inference_geo":"us"}}\n\ndata: [DONE]\n\n'
)


def test_a_header_is_found_by_its_name_whatever_its_case_and_only_where_it_was_looked_for() -> None:
    assert Hearing([MODEL, REGION]).head({b"x-ms-region": b" East US "}) == ((1, "East US"),)
    assert Hearing([REGION]).head({b"x-other": b"East US"}) == ()
    assert Hearing([REGION]).head({b"x-ms-region": b""}) == ()


def test_in_a_stream_each_word_is_told_once_and_then_nothing_is_looked_for() -> None:
    hearing = Hearing([MODEL, GEO])
    assert hearing.open
    assert hearing.stream(STREAM) == ((0, "m-1"), (1, "us"))
    assert not hearing.open
    assert hearing.stream(STREAM) == ()


@pytest.mark.parametrize("at", range(1, len(STREAM)))
def test_a_stream_may_be_cut_anywhere(at: int) -> None:
    hearing = Hearing([MODEL, GEO])
    assert hearing.stream(STREAM[:at]) + hearing.stream(STREAM[at:]) == ((0, "m-1"), (1, "us"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'not json, but with "model" in it',
        b'["model"]',
        b'{"model": null}',
        b'{"model": 5}',
        b'{"model": ""}',
        b'{"usage": "inference_geo"}',
        b'{"usage": {"inference_geo": {}}}',
        b'{"other": {"model": "m", "inference_geo": "us"}}',
        b'{"model": "\xff"}',
    ],
)  # fmt: skip
def test_what_is_no_word_at_its_place_is_silence(body: bytes) -> None:
    hearing = Hearing([MODEL, GEO])
    assert hearing.body(body) == ()
    assert hearing.open


def test_a_word_is_shown_in_one_line_of_bounded_length() -> None:
    (_, word) = Hearing([MODEL]).body(b'{"model": "a\\nb\\u001b[31m%b"}' % (b"x" * 500))[0]
    assert word.startswith("a?b?[31mx")
    assert len(word) == LONGEST_WORD


def test_an_event_without_an_end_is_not_held_for_ever() -> None:
    hearing = Hearing([MODEL])
    for _ in range(3):
        hearing.stream(b"data: " + b"x" * (LARGEST_EVENT // 2))
    assert not hearing.open
