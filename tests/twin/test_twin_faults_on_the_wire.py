"""Every fault kind, seen by a raw socket."""

import http.client
import json
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from tests.twin.conftest import TOKENS, Ask, Seen, json_fault, parses, read_to_end, request_bytes

from surefoot.twin import HEALTHY, KINDS, Fault, FaultPlan, Rule, Tls, TwinError, TwinOptions, TwinProcess

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


@BOTH
def test_comments_only_never_says_anything(twin: TwinProcess, *, stream: bool) -> None:
    twin.set_faults(Fault("comments_only", seconds=0.02))
    comment, raw = b": keep-alive\n\n" if stream else b"1\r\n\n\r\n", b""
    with socket.create_connection(("127.0.0.1", twin.port), timeout=5) as sock:
        sock.sendall(request_bytes(stream=stream))
        while raw.count(comment) < 5:
            raw += sock.recv(65536)
    assert raw.startswith(b"HTTP/1.1 200")
    assert b"{" not in raw
    assert twin.log()[0].first_content is None


@BOTH
def test_a_drip_may_begin_later(twin: TwinProcess, ask: Ask, *, stream: bool) -> None:
    twin.set_faults(Fault("drip_later", seconds=0.1, after_tokens=TOKENS - 3))
    seen = ask(stream=stream)
    assert 0.29 <= seen.seconds < 0.1 * (TOKENS - 1)
    assert seen.tokens == TOKENS if stream else seen.json


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


def test_done_unfinished_ends_with_done_and_without_finish_reason(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults(Fault("done_unfinished", after_tokens=4))
    seen = ask(stream=True)
    assert seen.tokens == 4
    assert b'"finish_reason":"' not in seen.raw
    assert DONE in seen.raw
    assert json.loads(ask().body)["choices"][0]["finish_reason"] is None


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


def test_no_done_open_says_all_but_the_end_and_keeps_the_connection(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults("no_done_open")
    seen = ask(stream=True, patience=0.4, stream_options={"include_usage": True})
    assert (seen.tokens, seen.end) == (TOKENS, "open")
    assert b'"finish_reason":"stop"' in seen.raw
    assert b'"usage":{' not in seen.raw
    assert DONE not in seen.raw
    assert LAST not in seen.raw


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


def test_every_kind_of_the_table_is_named_in_these_files() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_twin_*.py"))
    named = {kind for kind in KINDS if not kind.startswith("status:")}  # those stand as numbers in a table
    assert {kind for kind in named if f'"{kind}"' not in source} == set()


def content_length(seen: Seen) -> int:
    return int(seen.head.partition(b"content-length: ")[2].split(b"\r\n")[0])
