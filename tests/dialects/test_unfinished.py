"""Streams that claim to be over, or to end well, and are not: half an answer is never taken for a whole one."""

from typing import Any

import pytest
from tests.dialects.assembling import assembled
from tests.dialects.continuations import answer, continued, first, read
from tests.dialects.streams import DONE, END, ROLE, USAGE, WORDS, event, reader

from surefoot.dialects.delivered import delivered_of
from surefoot.dialects.openai_chat import DIALECT
from surefoot.domain.outcome import Kind
from surefoot.domain.target import Continues

OTHER = [event(choices=[{"index": 1, "delta": {"content": word}, "finish_reason": None}]) for word in "ab"]
OTHER_END = event(choices=[{"index": 1, "delta": {}, "finish_reason": "stop"}])
EMPTY_REASONS = event({"content": "x"}, "") * 2
UNFINISHED = {
    "one": (1, ROLE + b"".join(WORDS)),
    "with usage": (1, ROLE + WORDS[0] + USAGE),
    "an empty reason": (1, ROLE + EMPTY_REASONS),
    "the second of two": (2, ROLE + WORDS[0] + b"".join(OTHER) + END),
    "the first of two": (2, ROLE + WORDS[0] + b"".join(OTHER) + OTHER_END),
}
STREAMS = pytest.mark.parametrize(("answers", "stream"), UNFINISHED.values(), ids=UNFINISHED.keys())


@STREAMS
def test_done_does_not_make_a_stream_whole_of_which_a_choice_is_unfinished(answers: int, stream: bytes) -> None:
    for pieces in ([stream, DONE], [stream + DONE], [*(part + b"\n\n" for part in stream.split(b"\n\n")[:-1]), DONE]):
        subject = reader(n=answers)
        relayed = b"".join(map(subject.feed, pieces))
        assert (subject.wrong, subject.whole, subject.finished) == (Kind.CUT, False, False)
        assert relayed == stream.replace(USAGE, b"")


@STREAMS
def test_nor_does_it_make_one_whole_that_is_put_together(answers: int, stream: bytes) -> None:
    subject = assembled(stream + DONE, answers)

    assert (subject.wrong, subject.whole) == (Kind.CUT, False)


def test_a_target_may_give_fewer_answers_than_were_asked_for() -> None:
    stream = ROLE + WORDS[0] + WORDS[1] + END + DONE
    subject = reader(n=2)

    assert subject.feed(stream) == stream
    assert (subject.wrong, subject.whole) == (None, True)
    assert assembled(stream, 2).whole


@pytest.mark.parametrize("stream", [DONE, ROLE + DONE])
def test_a_stream_without_content_is_empty_as_before(stream: bytes) -> None:
    for subject in (reader(), DIALECT.assembler(DIALECT.read(b'{"model":"m","messages":[]}'))):
        assert subject.feed(stream) == b""
        assert (subject.wrong, subject.whole, subject.content) == (None, True, False)


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        ({"finish_reason": "error"}, Kind.SERVER_ERROR),
        ({"finish_reason": "ERROR"}, Kind.SERVER_ERROR),
        ({"finish_reason": "abort"}, Kind.CUT),
        ({"finish_reason": "cancelled"}, Kind.CUT),
        ({"finish_reason": "error", "error": {"code": 429, "message": "m"}}, Kind.RATE_LIMIT),
        ({"error": {"code": "insufficient_quota"}}, Kind.QUOTA),
        ({"error": "gone"}, Kind.SERVER_ERROR),
    ],
)
def test_a_choice_that_breaks_ends_the_stream_before_and_after_content(choice: dict[str, Any], kind: Kind) -> None:
    last = event(choices=[{"index": 0, "delta": {"content": "x"}} | choice])
    for before in (b"", WORDS[0]):
        subject = reader()
        subject.feed(before)
        assert subject.feed(last + DONE) == b""
        assert (subject.wrong, subject.whole, subject.content) == (kind, False, bool(before))

        both = assembled(before + last + DONE)
        assert (both.wrong, both.whole) == (kind, False)


def test_a_reason_that_nobody_knows_and_an_error_of_null_are_good() -> None:
    stream = ROLE + WORDS[0] + event(choices=[{"delta": {}, "finish_reason": "a new one", "error": None}]) + DONE
    subject = reader()

    assert subject.feed(stream) == stream
    assert (subject.wrong, subject.whole, assembled(stream).whole) == (None, True, True)


@pytest.mark.parametrize("said", ["", "One tw"])
def test_so_is_a_replay_that_claims_to_be_over_before_the_break(said: str) -> None:
    subject = continued(delivered_of([first("One two")]), Continues.REPLAY)

    assert read(subject, event({"content": said}) + DONE) == b""
    assert (subject.wrong, subject.content, subject.whole) == (Kind.CUT, False, False)


def test_a_continuation_that_claims_to_be_over_is_cut() -> None:
    subject = continued(delivered_of([first("a")]), Continues.PROMPT)

    assert not read(subject, answer("b", finish=None) + DONE).endswith(DONE)
    assert (subject.wrong, subject.whole) == (Kind.CUT, False)
