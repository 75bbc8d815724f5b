"""What a refusal says beside its words: an exception's name in a header, a time to wait in the body."""

import json
from typing import Any

import pytest

from surefoot.dialects.openai_chat import DIALECT
from surefoot.dialects.signals import SIGNALS, Api, Where
from surefoot.domain.outcome import Kind

MESSAGE_ONLY = b'{"message":"Your request was not served."}'
EXCEPTIONS = [row for row in SIGNALS if row.api is Api.BEDROCK and row.where is Where.WORD and row.status is None]
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}
HELP = {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "d", "url": "https://example.com"}]}


def google(*details: object) -> bytes:
    error = {"code": 429, "message": "Quota.", "status": "RESOURCE_EXHAUSTED", "details": list(details)}
    return json.dumps({"error": error}, indent=2).encode()


# ── the exception's name ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["%s", "%s:http://internal.amazon.com/coral/", "aws.protocols#%s", "a.b#%s:http://c/"])
@pytest.mark.parametrize("row", EXCEPTIONS, ids=lambda row: row.word)
def test_an_exception_that_only_a_header_names_is_its_kind(row: Any, form: str) -> None:
    headers = {b"x-amzn-errortype": (form % row.word).encode()}

    assert DIALECT.classify(400, MESSAGE_ONLY, headers) is row.kind
    assert DIALECT.classify(400, b"<html>", headers) is row.kind


def test_the_words_of_the_body_come_before_the_header_and_the_header_before_message_and_status() -> None:
    headers = {b"x-amzn-errortype": b"ThrottlingException"}
    spent = b'{"error":{"code":"insufficient_quota"}}'
    long = b'{"message":"Input is too long for requested model."}'

    assert DIALECT.classify(400, spent, headers) is Kind.QUOTA
    assert DIALECT.classify(400, long, headers) is Kind.RATE_LIMIT
    assert DIALECT.classify(400, long) is Kind.CONTEXT_OVERFLOW
    assert DIALECT.classify(503, MESSAGE_ONLY, headers) is Kind.RATE_LIMIT


@pytest.mark.parametrize("name", [b"", b":", b"#", b"\xff\xfe", b"NewException"])
def test_a_name_that_is_not_known_leaves_the_status(name: bytes) -> None:
    assert DIALECT.classify(503, MESSAGE_ONLY, {b"x-amzn-errortype": name}) is Kind.OVERLOAD


# ── a 400 that is not about the request ─────────────────────────────────────────────────────────────────────────────


INVALID = {"code": 400, "status": "INVALID_ARGUMENT"}
NOT_VALID = INVALID | {"message": "API key not valid. Please pass a valid API key."}
EXPIRED = INVALID | {"message": "m", "details": [HELP, {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}]}
RETIRED = {"message": "The model `m` is gone.", "type": "invalid_request_error", "code": "model_decommissioned"}
XAI = {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***1. Obtain one."}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"error": NOT_VALID}, Kind.AUTH),
        ([{"error": NOT_VALID}], Kind.AUTH),
        ([{"error": EXPIRED}], Kind.AUTH),
        (XAI, Kind.AUTH),
        ({"error": RETIRED}, Kind.MODEL_GONE),
        ({"error": INVALID | {"message": "Invalid value: 'API key not valid'"}}, Kind.BAD_REQUEST),
        ({"error": INVALID | {"message": "m", "details": [HELP, "API_KEY_INVALID"]}}, Kind.BAD_REQUEST),
        ({"error": "Prompt: Incorrect API key provided"}, Kind.BAD_REQUEST),
    ],
)
def test_a_400_about_our_key_or_model_is_not_the_requests_fault(said: object, kind: Kind) -> None:
    assert DIALECT.classify(400, json.dumps(said).encode()) is kind


@pytest.mark.parametrize("status", [400, 405, 422, 431])
@pytest.mark.parametrize("said", [b"", b"<html>400 Bad Request</html>", b"Bad Request", b'"no"', b"[]", b"{}", b'{"er'])
def test_a_refusal_without_an_object_is_no_verdict_on_the_request(status: int, said: bytes) -> None:
    assert DIALECT.classify(status, said) is Kind.MALFORMED
    assert DIALECT.classify(status, b'{"detail":"no"}') is Kind.BAD_REQUEST
    assert DIALECT.classify(status, said, {b"x-amzn-errortype": b"ValidationException"}) is Kind.BAD_REQUEST


# ── a time to wait ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_googles_time_to_wait_is_found_among_the_details_of_one_error_or_of_a_list_of_one() -> None:
    for body in (google(HELP, RETRY_INFO), b"[" + google(RETRY_INFO, HELP) + b"\n]"):
        assert DIALECT.asks_to_wait(body) == b"17s"
        assert DIALECT.classify(429, body) is Kind.RATE_LIMIT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>google.rpc.RetryInfo",
        b'"google.rpc.RetryInfo"',
        google(),
        google(HELP),
        google(HELP | {"description": "google.rpc.RetryInfo", "retryDelay": "17s"}),
        google({"@type": RETRY_INFO["@type"]}),
        google(RETRY_INFO | {"retryDelay": 17}),
        google(RETRY_INFO | {"retryDelay": {"seconds": 17}}),
        google("google.rpc.RetryInfo", None, 7, ["google.rpc.RetryInfo"]),
        b'{"error":{"details":{"@type":"google.rpc.RetryInfo","retryDelay":"17s"}}}',
        b"[" * 100_000 + b"google.rpc.RetryInfo",
    ],
)
def test_a_body_without_one_asks_for_nothing(body: bytes) -> None:
    assert DIALECT.asks_to_wait(body) is None


def test_what_is_no_latin_is_handed_on_as_something_that_cannot_be_read() -> None:
    assert DIALECT.asks_to_wait(google(RETRY_INFO | {"retryDelay": "sieben ❤"})) == b"sieben ?"
