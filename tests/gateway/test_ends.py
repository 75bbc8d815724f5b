"""The ends of answers and connections: what is drained, dropped, closed, and what is no answer at all."""

import resource
from pathlib import Path

import pytest
from tests.gateway.answering import Answering
from tests.gateway.house import CALM, NAMES, House, settings_of, targets_at, until
from tests.gateway.raw import body_of, chat, connect, exchange, post, read, read_to_end

from surefoot.domain.front import Door
from surefoot.gateway.channel import Drain
from surefoot.twin import TwinProcess

CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
NEVER_ENDS = HEAD + b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK)
PLAIN = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}'


LONG = PLAIN.replace(b"Hi", b"Hi" * 10_000_000)
"""More than the system takes off a connection's hands unread."""


def plainly(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.timeout(60)
def test_a_drain_lets_a_slow_reader_have_its_whole_answer() -> None:
    with (
        Answering(plainly(LONG)) as provider,
        House(settings_of(targets_at(provider.port), options=CALM)) as house,
        connect(house.port) as sock,
    ):
        sock.sendall(chat())
        until(lambda: house.records, patience=20.0)
        house.tell(Drain())
        answer = read_to_end(sock)
        assert house.process.wait(10) == 0

    assert answer.status == 200
    assert b"content-length: %d\r\n" % len(answer.body) in answer.head + b"\r\n"


def test_a_client_that_never_reads_is_dropped_when_its_patience_is_over() -> None:
    with Answering(plainly(LONG)) as provider:
        settings = settings_of(targets_at(provider.port), options=CALM, door=Door((), read_timeout=1.0))
        with House(settings) as house, connect(house.port) as sock:
            sock.sendall(chat())
            until(lambda: house.reports and house.reports[-1].connections == 1)
            until(lambda: house.reports[-1].connections == 0, patience=15.0)


def test_a_provider_that_never_ends_its_stream_costs_no_connection() -> None:
    with Answering(NEVER_ENDS) as provider, House(settings_of(targets_at(provider.port), options=CALM)) as house:
        for _ in range(20):
            assert exchange(house.port, chat(stream=True)).body.endswith(b"data: [DONE]\n\n")
        until(lambda: provider.connections() <= 2, patience=10.0)


def test_a_stream_that_has_told_its_usage_is_finished_without_done_and_while_its_connection_stays_open() -> None:
    said = CHUNK.replace(
        b"data: [DONE]\n\n", b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n'
    )
    with (
        Answering(HEAD + b"%x\r\n%b\r\n" % (len(said), said)) as provider,
        House(settings_of(targets_at(provider.port), options=CALM)) as house,
    ):
        answer = exchange(house.port, chat(stream=True))
        record = until(lambda: next(iter(house.records.values()), None))

    assert answer.body == CHUNK
    assert (answer.end, record["kind"], record["attempts"][0]["completion_tokens"]) == ("whole", "ok", 1)


def test_json_where_a_stream_was_asked_for_is_no_answer() -> None:
    with (
        Answering(plainly(PLAIN)) as first,
        TwinProcess() as second,
        House(settings_of(targets_at(first.port, second.port), options=CALM)) as house,
    ):
        streamed = exchange(house.port, chat(stream=True))
        plain = exchange(house.port, chat())

    assert b"surefoot-target: %b\r\n" % NAMES[1].encode() in streamed.head + b"\r\n"
    assert b"surefoot-target: %b\r\n" % NAMES[0].encode() in plain.head + b"\r\n"


def test_the_providers_request_id_keeps_its_letters() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: req_AbC\r\nContent-Length: %d\r\n\r\n"
    with Answering(head % len(PLAIN) + PLAIN) as provider, House(settings_of(targets_at(provider.port))) as house:
        answer = exchange(house.port, chat())

    assert b"x-request-id: req_AbC\r\n" in answer.raw


def test_a_large_trailer_is_refused(house: House) -> None:
    body = body_of()
    head = post(b"", "transfer-encoding: chunked").replace(b"content-length: 0\r\n", b"")
    trailer = b"".join(b"x-%d: %b\r\n" % (n, b"y" * 1000) for n in range(100))
    with connect(house.port) as sock:
        sock.sendall(head + b"%x\r\n%b\r\n0\r\n" % (len(body), body) + trailer + b"\r\n")
        answer = read(sock)

    assert answer.status == 431


def test_a_stranger_is_refused_before_a_large_body_is_sent(house: House) -> None:
    request = post(b"x" * 10, key="wrong-key-0000000000").replace(b"content-length: 10", b"content-length: 5000000")
    with connect(house.port) as sock:
        sock.sendall(request.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        answer = read(sock)

    assert answer.status == 401


def test_a_worker_takes_all_the_files_that_it_may() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
    try:
        with TwinProcess() as twin, House(settings_of(targets_at(twin.port))) as house:
            limits = Path(f"/proc/{house.process.pid}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    files = next(line for line in limits.splitlines() if line.startswith("Max open files")).split()
    assert files[3] == files[4] == str(hard)
