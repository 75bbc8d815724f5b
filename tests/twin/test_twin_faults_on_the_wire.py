"""Every fault kind, seen by a raw socket."""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import trustme
from tests.twin.conftest import TOKENS, Ask, Seen, read_to_end, request_bytes

from surefoot.twin import HEALTHY, KINDS, Fault, FaultPlan, Rule, Tls, TwinError, TwinOptions, TwinProcess, always

BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
DONE = b"data: [DONE]"
LAST = b"0\r\n\r\n"


def test_refuse_closes_the_port_and_healing_opens_the_same_one(twin: TwinProcess, ask: Ask) -> None:
    pooled = socket.create_connection(("127.0.0.1", twin.port), timeout=5)
    pooled.sendall(request_bytes(close=False))
    assert pooled.recv(65536).startswith(b"HTTP/1.1 200")
    twin.set_faults("refuse")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", twin.port), timeout=5)
    with pooled:
        assert read_to_end(pooled, 5).end == "reset"
    twin.set_faults(HEALTHY)
    assert ask().status == 200


def test_refuse_ends_the_attempts_under_way_and_says_so_in_the_log(twin: TwinProcess) -> None:
    twin.set_faults("silence")
    with socket.create_connection(("127.0.0.1", twin.port), timeout=5) as sock:
        sock.sendall(request_bytes())
        while not twin.log():
            pass
        twin.set_faults("refuse")
        assert read_to_end(sock, 5).end == "reset"
    (record,) = twin.log()
    assert (record.fault, record.gone_at) == ("refuse", None)
    assert record.end is not None


@BOTH
def test_reset_comes_before_any_header(twin: TwinProcess, ask: Ask, *, stream: bool) -> None:
    twin.set_faults("reset")
    seen = ask(stream=stream)
    assert (seen.raw, seen.end) == (b"", "reset")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_twin(authority: trustme.CA, tmp_path: Path) -> Tls:
    leaf = authority.issue_cert("127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return Tls(str(cert), str(key))


def test_tls_spoils_handshakes_and_nothing_else(authority: trustme.CA, tls_twin: Tls) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with TwinProcess(TwinOptions(tls=tls_twin)) as twin:

        def call() -> int:
            client = http.client.HTTPSConnection("127.0.0.1", twin.port, timeout=5, context=context)
            try:
                client.request("POST", "/v1/chat/completions", b'{"model":"m","messages":[]}')
                return client.getresponse().status
            finally:
                client.close()

        assert call() == 200
        twin.set_faults(FaultPlan((Rule(Fault("tls"), count=1),)))
        with pytest.raises(ssl.SSLError):
            call()
        assert call() == 200
        assert [record.fault for record in twin.log()] == [None, "tls", None]


def test_a_tls_fault_without_tls_is_refused(twin: TwinProcess) -> None:
    with pytest.raises(TwinError, match="needs a twin with TLS"):
        twin.set_faults("tls")


@BOTH
@pytest.mark.parametrize(
    ("status", "code", "proof"),
    [
        (400, "context_length_exceeded", b'"code":"context_length_exceeded"'),
        (401, None, b'"code":"invalid_api_key"'),
        (403, None, b'"type":"request_forbidden"'),
        (404, None, b'"code":"model_not_found"'),
        (429, None, b'"code":"rate_limit_exceeded"'),
        (429, "insufficient_quota", b'"type":"insufficient_quota"'),
        (500, None, b'"type":"server_error"'),
        (502, None, b"<title>502 Bad Gateway</title>"),
        (503, None, b"currently overloaded"),
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


@BOTH
def test_silence_reads_and_never_answers(
    twin: TwinProcess, ask: Ask, eventually: Callable[[Callable[[], bool]], None], *, stream: bool
) -> None:
    twin.set_faults("silence")
    seen = ask(stream=stream, patience=0.3)
    assert (seen.raw, seen.end) == (b"", "open")
    eventually(lambda: twin.log()[0].gone_at is not None)
    assert twin.log()[0].first_byte is None


def test_a_slow_first_token_sends_head_role_and_comments_but_no_content(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults(Fault("slow_first_token", seconds=0.4))
    seen = ask(stream=True)
    before = seen.raw.partition(b'"delta":{"content":"')[0]
    assert b'"role":"assistant"' in before
    assert before.count(b": keep-alive") >= 2
    assert seen.tokens == TOKENS
    (record,) = twin.log()
    assert record.first_byte is not None
    assert record.first_content is not None
    assert record.first_byte - record.arrival < 0.2
    assert record.first_content - record.arrival >= 0.39


def test_a_slow_first_token_delays_a_plain_answer_whole(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults(Fault("slow_first_token", seconds=0.4))
    seen = ask()
    assert seen.seconds >= 0.39
    assert seen.status == 200


@BOTH
def test_a_slow_drip_takes_its_seconds_for_every_token(twin: TwinProcess, ask: Ask, *, stream: bool) -> None:
    twin.set_faults(Fault("slow_drip", seconds=0.05))
    seen = ask(stream=stream)
    assert seen.seconds >= 0.05 * (TOKENS - 1) - 0.01
    assert seen.end == "eof"
    assert (DONE in seen.raw) if stream else seen.json


def test_a_stall_stops_after_the_tokens_told(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults(Fault("stall", after_tokens=3))
    seen = ask(stream=True, patience=0.4)
    assert (seen.tokens, seen.end) == (3, "open")
    assert DONE not in seen.raw


def test_a_stall_of_a_plain_answer_stops_inside_the_body(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults("stall")
    seen = ask(patience=0.4)
    assert seen.end == "open"
    assert 0 < len(seen.body) < content_length(seen)


@pytest.mark.parametrize(("cut_by", "end"), [("close", "eof"), ("mid_event", "eof"), ("reset", "reset")])
def test_a_cut_ends_the_connection_mid_stream(twin: TwinProcess, ask: Ask, cut_by: str, end: str) -> None:
    twin.set_faults(json_fault(kind="cut", after_tokens=2, cut_by=cut_by))
    seen = ask(stream=True)
    assert seen.end == end
    assert LAST not in seen.raw
    whole_events = seen.raw.count(b"\n\n\r\n")
    assert whole_events == 3  # role and two tokens
    assert seen.raw.endswith(b"\n\n\r\n") is (cut_by != "mid_event")


@pytest.mark.parametrize(("cut_by", "end"), [("close", "eof"), ("reset", "reset")])
def test_a_cut_ends_a_plain_answer_inside_its_body(twin: TwinProcess, ask: Ask, cut_by: str, end: str) -> None:
    twin.set_faults(json_fault(kind="cut", cut_by=cut_by))
    seen = ask()
    assert seen.end == end
    assert 0 < len(seen.body) < content_length(seen)


def test_truncate_ends_cleanly_without_finish_reason_or_done(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults(Fault("truncate", after_tokens=4))
    seen = ask(stream=True)
    assert seen.tokens == 4
    assert seen.raw.endswith(LAST)
    assert b'"finish_reason":"' not in seen.raw
    assert DONE not in seen.raw


def test_truncate_gives_a_plain_answer_whose_json_breaks_off(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults("truncate")
    seen = ask()
    assert len(seen.body) == content_length(seen)
    with pytest.raises(json.JSONDecodeError):
        json.loads(seen.body)


def test_no_done_is_a_whole_stream_but_for_done(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults("no_done")
    seen = ask(stream=True)
    assert seen.tokens == TOKENS
    assert b'"finish_reason":"stop"' in seen.raw
    assert seen.raw.endswith(LAST)
    assert DONE not in seen.raw


def test_faults_of_streams_alone_leave_plain_answers_whole_and_unlogged(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults("no_done")
    assert ask().json
    assert twin.log()[0].fault is None


@BOTH
def test_empty_is_200_without_a_body(twin: TwinProcess, ask: Ask, *, stream: bool) -> None:
    twin.set_faults("empty")
    seen = ask(stream=stream)
    assert (seen.status, seen.body, seen.end) == (200, b"", "eof")


@BOTH
def test_not_json_is_200_with_html(twin: TwinProcess, ask: Ask, *, stream: bool) -> None:
    twin.set_faults("not_json")
    seen = ask(stream=stream)
    assert seen.status == 200
    assert b"text/html" in seen.head
    assert seen.body.startswith(b"<html>")


@pytest.mark.parametrize(("kind", "tokens"), [("error_first", 0), ("error_later", 2)])
def test_an_error_event_comes_first_or_after_tokens(twin: TwinProcess, ask: Ask, kind: str, tokens: int) -> None:
    twin.set_faults(Fault(kind, after_tokens=2, code="insufficient_quota"))
    seen = ask(stream=True)
    assert (seen.status, seen.tokens) == (200, tokens)
    assert b'data: {"error":{' in seen.raw
    assert b"insufficient_quota" in seen.raw
    assert (b"assistant" in seen.raw) is (kind == "error_later")
    assert DONE not in seen.raw


@pytest.mark.parametrize("kind", ["error_first", "error_later"])
def test_an_error_in_a_plain_answer_is_a_200_with_an_error_body(twin: TwinProcess, ask: Ask, kind: str) -> None:
    twin.set_faults(kind)
    seen = ask()
    assert seen.status == 200
    assert "error" in seen.json


def test_a_malformed_event_stands_inside_a_good_stream(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults(Fault("malformed_event", after_tokens=2))
    seen = ask(stream=True)
    payloads = [line[6:] for line in seen.raw.split(b"\n") if line.startswith(b"data: {")]
    broken = [n for n, payload in enumerate(payloads) if not parses(payload)]
    assert broken == [3]  # after the role and two tokens
    assert seen.tokens == TOKENS
    assert DONE in seen.raw


@BOTH
def test_an_empty_answer_is_whole_but_says_nothing(twin: TwinProcess, ask: Ask, *, stream: bool) -> None:
    twin.set_faults("empty_answer")
    seen = ask(stream=stream)
    assert b'"finish_reason":"stop"' in seen.raw
    assert seen.tokens == 0
    assert stream or b'"content":""' in seen.body


@BOTH
def test_stale_closes_a_kept_connection_just_after_the_answer(twin: TwinProcess, ask: Ask, *, stream: bool) -> None:
    twin.set_faults("stale")
    seen = ask(stream=stream, close=False)
    assert b"connection: close" not in seen.head
    assert seen.end == "eof"
    assert seen.tokens == TOKENS if stream else seen.json


@BOTH
def test_stale_closes_on_the_next_request_without_answering(twin: TwinProcess, *, stream: bool) -> None:
    twin.set_faults(Fault("stale", stale_at="next_request"))
    with socket.create_connection(("127.0.0.1", twin.port), timeout=5) as sock:
        sock.sendall(request_bytes(close=False, stream=stream))
        first = b""
        while not first.endswith(LAST if stream else b'"system_fingerprint":null}'):
            first += sock.recv(65536)
        sock.sendall(request_bytes(close=False, stream=stream))
        assert read_to_end(sock, 5).raw == b""
    assert [record.fault for record in twin.log()] == [None, "stale"]


def test_every_kind_of_the_table_is_named_in_this_file() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    named = {kind for kind in KINDS if not kind.startswith("status:")}  # those stand as numbers in a table
    assert {kind for kind in named if f'"{kind}"' not in source} == set()


def content_length(seen: Seen) -> int:
    return int(seen.head.partition(b"content-length: ")[2].split(b"\r\n")[0])


def json_fault(**fields: object) -> FaultPlan:
    return always(Fault(**fields))  # type: ignore[arg-type]


def parses(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except json.JSONDecodeError:
        return False
    return True
