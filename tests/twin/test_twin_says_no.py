"""A twin that refuses, in the words of each provider, and whole answers that are none; seen by a raw socket."""

import http.client
import json
import time
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest
from tests.twin.conftest import TOKENS, Ask, Seen, json_fault, parses

from surefoot.twin import Fault, TwinProcess

BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
DONE = b"data: [DONE]"


@BOTH
@pytest.mark.parametrize(
    ("status", "code", "proof"),
    [
        (400, "context_length_exceeded", b'"code":"context_length_exceeded"'),
        (400, "content_policy_violation", b'"code":"content_policy_violation"'),
        (400, "content_filter", b'"innererror":{"code":"ResponsibleAIPolicyViolation"}'),
        (400, "spend_limit", b'"message":"You have reached your specified API usage limits.'),
        (400, "prompt_too_long", b'"message":"prompt is too long'),
        (401, None, b'"code":"invalid_api_key"'),
        (402, None, b'"type":"billing_error"'),
        (403, None, b'"type":"request_forbidden"'),
        (404, None, b'"code":"model_not_found"'),
        (413, None, b'"type":"request_too_large"'),
        (429, None, b'"code":"rate_limit_exceeded"'),
        (429, "project_spend_limit_exceeded", b'"code":"project_spend_limit_exceeded"'),
        (429, "enforced_spend_limit_reached", b'"details":{"error_code":"enforced_spend_limit_reached"}'),
        (429, "insufficient_quota", b'"type":"insufficient_quota"'),
        (500, None, b'"type":"server_error"'),
        (502, None, b"<title>502 Bad Gateway</title>"),
        (503, None, b"currently overloaded"),
        (504, None, b'"type":"timeout_error"'),
        (529, None, b'"type":"overloaded_error"'),
    ],
)
def test_status_carries_the_body_a_provider_would_send(
    twin: TwinProcess, ask: Ask, status: int, code: str | None, proof: bytes, *, stream: bool
) -> None:
    twin.set_faults(Fault(f"status:{status}", code=code))
    seen = ask(stream=stream)
    assert seen.status == status
    assert proof in seen.body
    assert (b"text/html" in seen.head) is (status == 502)


def test_retry_after_is_written_in_seconds_or_as_a_date(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults(Fault("status:429", retry_after=7))
    assert b"retry-after: 7" in ask().head.split(b"\r\n")
    twin.set_faults(Fault("status:429", retry_after=60, retry_after_form="http_date"))
    client = http.client.HTTPConnection("127.0.0.1", twin.port, timeout=5)
    client.request("POST", "/v1/chat/completions", b'{"model":"m","messages":[]}')
    when = client.getresponse().headers["retry-after"]
    client.close()
    assert 55 < parsedate_to_datetime(when).timestamp() - time.time() <= 60


@pytest.mark.parametrize(
    ("form", "header"),
    [
        ("milliseconds", b"retry-after-ms: 1500"),
        ("reset_duration", b"x-ratelimit-reset-requests: 1.5s"),
        ("seconds", b"retry-after: 1.5"),
    ],
)
def test_the_time_to_wait_may_stand_in_another_header(twin: TwinProcess, ask: Ask, form: str, header: bytes) -> None:
    twin.set_faults(json_fault(kind="status:429", retry_after=1.5, retry_after_form=form))
    lines = ask().head.split(b"\r\n")
    assert header in lines
    assert not [line for line in lines if line.startswith(b"date")]


@pytest.mark.parametrize(
    ("form", "header"), [("http_date", "retry-after"), ("reset_moment", "anthropic-ratelimit-requests-reset")]
)
def test_a_clock_that_is_wrong_shows_in_the_date_and_in_the_time_to_come_back(
    twin: TwinProcess, ask: Ask, form: str, header: str
) -> None:
    twin.set_faults(json_fault(kind="status:429", retry_after=60, retry_after_form=form, date_skew=-3600))
    headers = dict(line.split(b": ", 1) for line in ask().head.split(b"\r\n")[1:])
    date = parsedate_to_datetime(headers[b"date"].decode())
    assert -3605 < date.timestamp() - time.time() < -3595
    told = headers[header.encode()].decode()
    when = parsedate_to_datetime(told) if form == "http_date" else datetime.fromisoformat(told.upper())
    assert 59 <= (when - date).total_seconds() <= 60


@pytest.mark.parametrize(("kind", "tokens"), [("error_first", 0), ("error_later", 2)])
def test_an_error_event_comes_first_or_after_tokens(twin: TwinProcess, ask: Ask, kind: str, tokens: int) -> None:
    twin.set_faults(Fault(kind, after_tokens=2, code="insufficient_quota"))
    seen = ask(stream=True)
    assert (seen.status, seen.tokens) == (200, tokens)
    assert b'data: {"error":{' in seen.raw
    assert b"insufficient_quota" in seen.raw
    assert (b"assistant" in seen.raw) is (kind == "error_later")
    assert DONE not in seen.raw


def test_an_error_comes_after_the_response_was_created(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults("error_created")
    seen = ask(stream=True)
    created, _, error = seen.raw.partition(b'"type":"response.created"')[2].partition(b"\n\n")
    assert b'"status":"in_progress"' in created
    assert b'data: {"error":{' in error
    assert b"insufficient_quota" in error
    assert (seen.status, seen.tokens) == (200, 0)
    assert b"assistant" not in seen.raw


@pytest.mark.parametrize(
    ("form", "proof"),
    [
        ("data", b'\ndata: {"error":{'),
        ("named", b'event: error\ndata: {"error":{'),
        ("bare", b'event: error\ndata: {"type":"error","code":"insufficient_quota"'),
        ("failed", b'event: response.failed\ndata: {"type":"response.failed","response":{'),
    ],
)
def test_an_error_event_is_written_in_the_form_told(twin: TwinProcess, ask: Ask, form: str, proof: bytes) -> None:
    twin.set_faults(json_fault(kind="error_created", event_form=form))
    assert proof in ask(stream=True).raw


@pytest.mark.parametrize("kind", ["error_first", "error_created", "error_later"])
def test_an_error_in_a_plain_answer_is_a_200_with_an_error_body(twin: TwinProcess, ask: Ask, kind: str) -> None:
    twin.set_faults(kind)
    seen = ask()
    assert seen.status == 200
    assert "error" in seen.json


@BOTH
def test_a_content_filter_ends_an_answer_that_says_nothing(twin: TwinProcess, ask: Ask, *, stream: bool) -> None:
    twin.set_faults("content_filter")
    seen = ask(stream=stream)
    assert seen.status == 200
    assert b'"finish_reason":"content_filter"' in seen.raw
    assert seen.tokens == 0
    assert twin.log()[0].fault == "content_filter"


@BOTH
def test_bad_arguments_are_a_call_that_cannot_be_read(twin: TwinProcess, ask: Ask, *, stream: bool) -> None:
    twin.set_faults("bad_arguments")
    seen = ask(stream=stream)
    assert b'"finish_reason":"tool_calls"' in seen.raw
    if stream:
        deltas = [json.loads(line[6:])["choices"][0]["delta"] for line in lines_of(seen)]
        parts = [call["function"] for delta in deltas for call in delta.get("tool_calls", ())]
        assert (parts[0]["name"], DONE in seen.raw) == ("look_up", True)
        arguments = "".join(part["arguments"] for part in parts)
    else:
        arguments = json.loads(seen.body)["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert arguments
    assert not parses(arguments.encode())


@BOTH
@pytest.mark.parametrize("kind", ["json_object", "json_schema"])
def test_a_bad_structure_is_prose_where_json_was_asked_for(
    twin: TwinProcess, ask: Ask, kind: str, *, stream: bool
) -> None:
    def text() -> str:
        seen = ask(stream=stream, response_format={"type": kind})
        if stream:
            return "".join(json.loads(line[6:])["choices"][0]["delta"].get("content", "") for line in lines_of(seen))
        return str(json.loads(seen.body)["choices"][0]["message"]["content"])

    assert len(json.loads(text())["text"].split()) == TOKENS
    twin.set_faults("bad_structure")
    assert not parses(text().encode())
    ask(stream=stream)
    assert [record.fault for record in twin.log()] == [None, "bad_structure", None]


def lines_of(seen: Seen) -> list[bytes]:
    return [line for line in seen.raw.split(b"\n") if line.startswith(b"data: {")]
