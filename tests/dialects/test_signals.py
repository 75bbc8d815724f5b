"""Signals: bytes as a vendor writes them in, one kind out; every row of the table, and every stream cut everywhere."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.dialects.streams import COMMENT, DONE, END, ROLE, USAGE, WORDS, asked, event, reader

from surefoot.dialects.openai_chat import DIALECT
from surefoot.dialects.openai_errors import LARGEST_ERROR
from surefoot.dialects.signals import SIGNALS, Api, Signal, Where
from surefoot.domain.outcome import OUTCOMES, Kind


def rows(*places: Where) -> pytest.MarkDecorator:
    found = [row for row in SIGNALS if row.where in places]
    return pytest.mark.parametrize("row", found, ids=[f"{row.api}-{row.status}-{row.word[:30]}" for row in found])


def body(error: Any) -> bytes:
    return json.dumps({"error": error}).encode()


def read_everywhere(stream: bytes) -> set[tuple[Kind | None, bool, bytes]]:
    """What a reader makes of a stream, cut in two at every byte: kind, whether whole, what is relayed."""
    seen = set()
    for cut in range(len(stream) + 1):
        subject = reader()
        relayed = subject.feed(stream[:cut]) + subject.feed(stream[cut:])
        seen.add((subject.wrong, subject.whole, relayed))
    return seen


def assembled_everywhere(stream: bytes) -> set[tuple[Kind | None, bool]]:
    """The same for a plain call that is watched."""
    seen = set()
    for cut in range(len(stream) + 1):
        subject = DIALECT.assembler(asked())
        subject.feed(stream[:cut])
        subject.feed(stream[cut:])
        seen.add((subject.wrong, subject.whole))
    return seen


@rows(Where.STATUS)
def test_a_status_alone_is_a_kind(row: Signal) -> None:
    assert row.status is not None
    for answer in (b"", b"<html>502 Bad Gateway</html>", b'{"detail":"no"}', b'{"error":{"message":"no"}}'):
        assert DIALECT.classify(row.status, answer) is row.kind


@rows(Where.WORD)
def test_a_word_is_a_kind_at_any_place_of_the_error(row: Signal) -> None:
    for place in ("code", "type", "status"):
        error = body({"message": "m", place: row.word})
        if row.status != 200:
            for status in (row.status,) if row.status else (400, 403, 429, 500):
                assert DIALECT.classify(status, error) is row.kind
                assert DIALECT.classify(status, b"[" + error + b"]") is row.kind
        if row.status in {None, 200}:
            assert DIALECT.plain_reader().judge(error) is row.kind


@rows(Where.WORD)
def test_a_word_in_a_stream_is_a_kind_wherever_the_bytes_are_cut(row: Signal) -> None:
    if row.status in {None, 200}:
        stream = ROLE + event(error={"message": "m", "code": row.word}) + DONE
        assert read_everywhere(stream) == {(row.kind, False, b"")}


@rows(Where.OPENING, Where.MESSAGE)
def test_a_message_is_a_kind(row: Signal) -> None:
    assert row.status is not None
    told = {"type": "invalid_request_error", "message": f"{row.word.capitalize()}: 9 tokens > 8"}

    assert DIALECT.classify(row.status, body(told)) is row.kind
    assert DIALECT.plain_reader().judge(body(told)) is row.kind
    inside = body({"message": f"Unknown value: {row.word}"})
    assert (DIALECT.classify(row.status, inside) is row.kind) is (row.where is Where.MESSAGE)


@rows(Where.BREAK)
def test_an_end_that_is_a_break_is_a_kind_whatever_was_said(row: Signal) -> None:
    for text in ("", "Half an"):
        answer = {"choices": [{"message": {"content": text}, "finish_reason": row.word}]}
        assert DIALECT.plain_reader().judge(json.dumps(answer).encode()) is row.kind
    for said, relayed in ((b"", b""), (WORDS[0], ROLE + WORDS[0])):
        stream = ROLE + said + event({}, row.word) + DONE
        assert read_everywhere(stream) == {(row.kind, False, relayed)}
        assert assembled_everywhere(stream) == {(row.kind, False)}


@rows(Where.ENDING)
def test_an_ending_without_content_is_a_kind_and_one_with_content_an_answer(row: Signal) -> None:
    def ended(text: str) -> bytes:
        return json.dumps({"choices": [{"message": {"content": text}, "finish_reason": row.word}]}).encode()

    assert DIALECT.plain_reader().judge(ended("")) is row.kind
    assert DIALECT.plain_reader().judge(ended("Half an")) is Kind.OK
    assert read_everywhere(ROLE + event({}, row.word) + DONE) == {(row.kind, False, b"")}
    assert assembled_everywhere(ROLE + event({}, row.word) + DONE) == {(row.kind, False)}
    spoken = WORDS[0] + event({}, row.word) + DONE
    assert read_everywhere(ROLE + spoken) == {(None, True, ROLE + spoken)}


AS_WRITTEN: dict[str, tuple[int, bytes, Kind]] = {
    "openai: quota with the type of a rate limit": (
        429,
        b'{"error":{"message":"You exceeded your quota","type":"rate_limit_error","code":"insufficient_quota"}}',
        Kind.QUOTA,
    ),
    "openai: spend limit of a project": (
        429,
        b'{"error":{"message":"m","type":"insufficient_quota","param":null,"code":"project_spend_limit_exceeded"}}',
        Kind.QUOTA,
    ),
    "openai: rate limit": (
        429,
        b'{"error":{"message":"Rate limit reached","type":"tokens","param":null,"code":"rate_limit_exceeded"}}',
        Kind.RATE_LIMIT,
    ),
    "openai: slow down": (429, b'{"error":{"type":"rate_limit_error","code":"slow_down"}}', Kind.RATE_LIMIT),
    "openai: overloaded": (
        503,
        b'{"error":{"type":"service_unavailable_error","code":"server_is_overloaded"}}',
        Kind.OVERLOAD,
    ),
    "openai: filter": (
        400,
        b'{"error":{"message":"m","type":"invalid_request_error","code":"content_policy_violation"}}',
        Kind.CONTENT_FILTER,
    ),
    "openai: window": (
        400,
        b'{"error":{"message":"m","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}',
        Kind.CONTEXT_OVERFLOW,
    ),
    "openai: model": (
        404,
        b'{"error":{"message":"m","type":"invalid_request_error","code":"model_not_found"}}',
        Kind.MODEL_GONE,
    ),
    "openai: bad parameter": (
        400,
        b'{"error":{"message":"m","type":"invalid_request_error","param":"n","code":"unsupported_value"}}',
        Kind.BAD_REQUEST,
    ),
    "anthropic: tier's spend limit": (
        429,
        (
            b'{"type":"error","error":{"type":"rate_limit_error","message":"m",'
            b'"details":{"error_code":"enforced_spend_limit_reached"}},"request_id":"r"}'
        ),
        Kind.QUOTA,
    ),
    "anthropic: own spend limit": (
        400,
        (
            b'{"type":"error","error":{"type":"invalid_request_error",'
            b'"message":"You have reached your specified API usage limits. You will regain access on 2026-12-01."}}'
        ),
        Kind.QUOTA,
    ),
    "anthropic: no credit": (
        400,
        b'{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to"}}',
        Kind.QUOTA,
    ),
    "anthropic: billing": (402, b'{"type":"error","error":{"type":"billing_error","message":"m"}}', Kind.QUOTA),
    "anthropic: rate limit": (
        429,
        b'{"type":"error","error":{"type":"rate_limit_error","message":"m","details":null}}',
        Kind.RATE_LIMIT,
    ),
    "anthropic: overload": (529, b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}', Kind.OVERLOAD),
    "anthropic: timeout": (504, b'{"type":"error","error":{"type":"timeout_error","message":"m"}}', Kind.SERVER_ERROR),
    "anthropic: window": (
        400,
        (
            b'{"type":"error","error":{"type":"invalid_request_error",'
            b'"message":"prompt is too long: 208310 tokens > 200000 maximum"}}'
        ),
        Kind.CONTEXT_OVERFLOW,
    ),
    "anthropic: body": (413, b'{"type":"error","error":{"type":"request_too_large"}}', Kind.CONTEXT_OVERFLOW),
    "google: rate limit, in a list": (
        429,
        (
            b'[{"error":{"code":429,"message":"Resource has been exhausted","status":"RESOURCE_EXHAUSTED",'
            b'"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"36s"}]}}]'
        ),
        Kind.RATE_LIMIT,
    ),
    "google: no credit": (402, b'{"error":{"code":402,"status":"RESOURCE_EXHAUSTED"}}', Kind.QUOTA),
    "google: window": (
        400,
        (
            b'{"error":{"code":400,"status":"INVALID_ARGUMENT",'
            b'"message":"The input token count (9) exceeds the maximum number of tokens allowed (8)."}}'
        ),
        Kind.CONTEXT_OVERFLOW,
    ),
    "google: wrong argument": (400, b'{"error":{"code":400,"status":"INVALID_ARGUMENT"}}', Kind.BAD_REQUEST),
    "bedrock: throttled": (400, b'{"message":"Too many","__type":"ThrottlingException"}', Kind.RATE_LIMIT),
    "bedrock: model not ready": (429, b'{"message":"m","__type":"ModelNotReadyException"}', Kind.SERVER_ERROR),
    "bedrock: window": (
        400,
        b'{"message":"Input is too long for requested model.","__type":"ValidationException"}',
        Kind.CONTEXT_OVERFLOW,
    ),
    "azure: filter": (
        400,
        (
            b'{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter",'
            b'"status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}'
        ),
        Kind.CONTENT_FILTER,
    ),
    "azure: filter, inner code alone": (
        400,
        b'{"error":{"code":"BadRequest","innererror":{"code":"ResponsibleAIPolicyViolation"}}}',
        Kind.CONTENT_FILTER,
    ),
    "openrouter: flagged": (
        403,
        b'{"error":{"code":403,"message":"m","metadata":{"reasons":["violence"],"flagged_input":"x"}}}',
        Kind.CONTENT_FILTER,
    ),
    "openrouter: credits": (402, b'{"error":{"code":402,"message":"Insufficient credits"}}', Kind.QUOTA),
    "openrouter: type": (
        400,
        b'{"error":{"code":400,"message":"m","metadata":{"error_type":"context_length_exceeded"}}}',
        Kind.CONTEXT_OVERFLOW,
    ),
    "llama.cpp: window": (
        400,
        b'{"error":{"code":400,"message":"m","type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":8}}',
        Kind.CONTEXT_OVERFLOW,
    ),
    "llama.cpp: window while generating": (
        500,
        b'{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}',
        Kind.CONTEXT_OVERFLOW,
    ),
    "llama.cpp: loading": (
        503,
        b'{"error":{"code":503,"message":"Loading","type":"unavailable_error"}}',
        Kind.OVERLOAD,
    ),
    "vllm: window, without an error key": (
        400,
        (
            b'{"object":"error","message":"This model\'s maximum context length is 8 tokens.",'
            b'"type":"BadRequestError","param":null,"code":400}'
        ),
        Kind.CONTEXT_OVERFLOW,
    ),
    "surefoot: all targets refuse": (503, b'{"error":{"code":"no_target","type":"server_error"}}', Kind.OVERLOAD),
    "a proxy: error as text": (400, b'{"error":"prompt is too long: 9 > 8"}', Kind.CONTEXT_OVERFLOW),
    "a proxy: a text beside a type": (429, b'{"error":"x","code":"insufficient_quota","message":"m"}', Kind.QUOTA),
}


@pytest.mark.parametrize(("status", "answer", "kind"), AS_WRITTEN.values(), ids=AS_WRITTEN.keys())
def test_an_error_answer_is_the_kind_that_its_vendor_means(status: int, answer: bytes, kind: Kind) -> None:
    assert DIALECT.classify(status, answer) is kind


QUOTA = {"code": "insufficient_quota", "message": "You exceeded your current quota", "param": None}
CREATED = b'data: {"type":"response.created","response":{"id":"r","status":"in_progress","error":null}}\n\n'
NAMED_CREATED = b"event: response.created\n" + CREATED


def data(told: Any, name: str = "") -> bytes:
    line = f"event: {name}\n" if name else ""
    return f"{line}data: {json.dumps(told)}\n\n".encode()


IN_BAND: dict[str, tuple[bytes, Kind]] = {
    "an error object": (data({"error": QUOTA}), Kind.QUOTA),
    "an error object under its name": (data({"error": QUOTA}, "error"), Kind.QUOTA),
    "a bare error": (data({"type": "error", "sequence_number": 2} | QUOTA), Kind.QUOTA),
    "a bare error under its name": (data({"type": "error"} | QUOTA, "error"), Kind.QUOTA),
    "a name alone": (data(QUOTA, "error"), Kind.QUOTA),
    "a name and no JSON": (b"event: error\ndata: it broke\n\n", Kind.SERVER_ERROR),
    "a failed response": (
        data({"type": "response.failed", "response": {"status": "failed", "error": QUOTA}}),
        Kind.QUOTA,
    ),
    "a failed response under its name": (
        data({"type": "response.failed", "response": {"status": "failed", "error": QUOTA}}, "response.failed"),
        Kind.QUOTA,
    ),
    "a failed response that says nothing": (data({"type": "response.failed"}), Kind.SERVER_ERROR),
    "anthropic's": (data({"type": "error", "error": {"type": "overloaded_error"}}, "error"), Kind.OVERLOAD),
    "vllm's": (
        data({"object": "error", "message": "m", "type": "InternalServerError", "code": 500}),
        Kind.SERVER_ERROR,
    ),
    "llama.cpp's": (b'error: {"code":500,"message":"m","type":"server_error"}\n\n', Kind.SERVER_ERROR),
    "openrouter's": (
        data({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}], "error": {"code": 429}}),
        Kind.RATE_LIMIT,
    ),
    "a number as text": (data({"error": {"code": "503", "message": "m"}}), Kind.OVERLOAD),
    "a wrong request": (data({"error": {"type": "invalid_request_error", "message": "m"}}), Kind.BAD_REQUEST),
    "a wrong request that is too long": (
        data({"error": {"type": "invalid_request_error", "message": "prompt is too long"}}),
        Kind.CONTEXT_OVERFLOW,
    ),
}


@pytest.mark.parametrize("before", [b"", ROLE, CREATED, NAMED_CREATED, COMMENT + CREATED], ids=range(5))
@pytest.mark.parametrize(("error", "kind"), IN_BAND.values(), ids=IN_BAND.keys())
def test_an_error_before_content_is_a_kind_and_nothing_is_relayed(before: bytes, error: bytes, kind: Kind) -> None:
    assert read_everywhere(before + error + DONE) == {(kind, False, b"")}
    assert assembled_everywhere(before + error + DONE) == {(kind, False)}


@pytest.mark.parametrize(("error", "kind"), IN_BAND.values(), ids=IN_BAND.keys())
def test_an_error_after_content_ends_it_and_what_came_before_is_relayed(error: bytes, kind: Kind) -> None:
    assert read_everywhere(WORDS[0] + error + WORDS[1] + DONE) == {(kind, False, WORDS[0])}


@pytest.mark.parametrize("nothing", ["null", "{}", '""', "false"])
def test_an_error_that_is_none_is_none(nothing: str) -> None:
    word = WORDS[0].replace(b'{"id"', b'{"error":%b,"id"' % nothing.encode())

    assert read_everywhere(word + END + DONE) == {(None, True, word + END + DONE)}
    answer = b'{"error":%b,"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}' % nothing.encode()
    assert DIALECT.plain_reader().judge(answer) is Kind.OK


def test_the_words_error_and_event_inside_a_text_are_text() -> None:
    word = event({"content": '"error": event: error\nerror: {"type":"error"}'})

    assert read_everywhere(ROLE + word + END + DONE) == {(None, True, ROLE + word + END + DONE)}


def test_an_event_of_another_api_is_no_content_and_is_not_relayed() -> None:
    assert read_everywhere(NAMED_CREATED + ROLE + WORDS[0] + END + DONE) == {(None, True, ROLE + WORDS[0] + END + DONE)}
    assert assembled_everywhere(NAMED_CREATED + ROLE + WORDS[0] + END + DONE) == {(None, True)}


def test_usage_after_the_end_completes_a_watched_answer() -> None:
    assert assembled_everywhere(ROLE + WORDS[0] + END) == {(None, False)}
    assert assembled_everywhere(ROLE + WORDS[0] + END + USAGE) == {(None, True)}


def test_an_error_in_a_plain_answer_without_an_error_key_is_a_kind() -> None:
    assert DIALECT.plain_reader().judge(b'{"object":"error","message":"m","code":429}') is Kind.RATE_LIMIT
    assert DIALECT.plain_reader().judge(b'{"type":"error","code":"insufficient_quota"}') is Kind.QUOTA
    assert DIALECT.plain_reader().judge(b'{"text":"error"}') is Kind.EMPTY


def test_an_endless_error_is_judged_by_its_status() -> None:
    assert (
        DIALECT.classify(429, body({"code": "insufficient_quota", "message": "x" * LARGEST_ERROR})) is Kind.RATE_LIMIT
    )


def test_the_table_names_every_failure_that_counts_and_no_signal_twice() -> None:
    assert {kind for kind, row in OUTCOMES.items() if row.counted} <= {row.kind for row in SIGNALS}
    looked_up = [(row.where, row.status, row.word.lower()) for row in SIGNALS]
    assert len(looked_up) == len(set(looked_up))
    assert all(row.source for row in SIGNALS)
    assert {row.api for row in SIGNALS} == set(Api)


@rows(Where.WIRE)
def test_what_is_seen_on_the_wire_is_seen_by_code_that_exists(row: Signal) -> None:
    package = Path(__file__).parents[2] / "src" / "surefoot"
    assert all((package / file.strip()).exists() for file in row.source.split(","))
