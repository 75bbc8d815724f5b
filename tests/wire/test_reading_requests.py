"""Requests that come in unusual ways, and are right: each is served."""

import socket
from itertools import pairwise

import pytest
from tests.gateway.conftest import Pair
from tests.gateway.house import KEY, House, until
from tests.gateway.raw import body_of, chat, connect, exchange, is_whole, post, read, read_to_end

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer %b\r\n" % KEY.encode()
BODY = body_of()


@pytest.mark.parametrize("count", [2, 16, 17, 20, 40])
def test_requests_sent_ahead_are_answered_in_order(door: House, twins: Pair, count: int) -> None:
    with connect(door.port) as sock:
        sock.sendall(b"".join(chat(stream=number % 3 == 1) for number in range(count - 1)) + chat(model="last"))
        raw = b""
        while raw.count(b"HTTP/1.1 ") < count or b"last" not in raw:
            raw += sock.recv(65536)

    calls = [int(line[20:], 16) for line in raw.split(b"\r\n") if line.startswith(b"surefoot-call: call-")]
    assert len(calls) == count - 1
    assert all(one < other for one, other in pairwise(calls))
    assert raw.rindex(b"HTTP/1.1 404") > raw.rindex(b"HTTP/1.1 200")
    assert len(twins[0].log()) == count - 1


def test_a_thousand_requests_behind_one_that_takes_its_time_are_all_answered(door: House) -> None:
    with connect(door.port) as sock:
        sock.sendall(chat() + b"GET /x HTTP/1.1\r\n\r\n" * 1000 + post(BODY, "connection: close"))
        raw = read_to_end(sock).raw

    assert raw.count(b"HTTP/1.1 401 ") == 1000
    assert raw.count(b"HTTP/1.1 200 ") == 2


def test_a_request_that_comes_byte_by_byte_is_served(door: House) -> None:
    with connect(door.port) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in chat():
            sock.sendall(bytes([byte]))
        assert read(sock).status == 200


@pytest.mark.parametrize("cut", [1, 7, len(BODY)])
def test_a_body_in_chunks_is_served(door: House, twins: Pair, cut: int) -> None:
    pieces = [BODY[at : at + cut] for at in range(0, len(BODY), cut)]
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in pieces)

    answer = exchange(door.port, HEAD + b"Transfer-Encoding: Chunked\r\n\r\n" + chunks + b"0\r\nx-trailer: y\r\n\r\n")

    assert answer.status == 200
    assert len(twins[0].log()) == 1


def test_a_client_that_waits_for_100_is_told_to_continue(door: House) -> None:
    with connect(door.port) as sock:
        sock.sendall(HEAD + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(BODY))
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(BODY)
        assert read(sock).status == 200


def test_a_client_that_waits_for_100_with_too_much_is_told_before_it_sends(door: House) -> None:
    assert exchange(door.port, HEAD + b"expect: 100-continue\r\ncontent-length: 99999999\r\n\r\n").status == 413


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_an_old_client_is_served_without_chunks_and_closed(door: House, *, stream: bool) -> None:
    request = chat(stream=stream).replace(b"HTTP/1.1", b"HTTP/1.0")
    with connect(door.port) as sock:
        sock.sendall(request)
        answer = read_to_end(sock)

    assert (answer.status, answer.end) == (200, "eof")
    assert b"transfer-encoding" not in answer.head
    assert (b"data: [DONE]\n\n" if stream else b'"choices"') in answer.body


def test_an_old_client_that_would_stay_is_streamed_to_without_chunks_too(door: House) -> None:
    request = chat(stream=True).replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\nconnection: keep-alive\r\n")
    with connect(door.port) as sock:
        sock.sendall(request)
        answer = read_to_end(sock)

    assert (answer.status, answer.end) == (200, "eof")
    assert b"transfer-encoding" not in answer.head
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_a_client_that_asks_for_it_is_closed_after_its_answer(door: House) -> None:
    with connect(door.port) as sock:
        sock.sendall(post(BODY, "connection: close"))
        answer = read_to_end(sock)

    assert (answer.status, answer.end) == (200, "eof")
    assert is_whole(answer.raw)


def test_the_routes_are_listed_as_models(door: House) -> None:
    answer = exchange(door.port, HEAD.replace(b"POST /v1/chat/completions", b"GET /v1/models") + b"\r\n")

    assert [model["id"] for model in answer.json["data"]] == ["chat"]


def test_a_query_in_the_path_is_ignored(door: House) -> None:
    assert exchange(door.port, post(BODY, path="/v1/chat/completions?api-version=1")).status == 200


def test_a_client_that_is_slow_to_ask_is_told_so_and_closed(door: House) -> None:
    with connect(door.port) as sock:
        sock.sendall(HEAD)
        answer = read_to_end(sock)

    assert (answer.status, answer.code) == (408, "request_timeout")


def test_a_client_that_drips_its_body_does_not_gain_time(door: House) -> None:
    with connect(door.port) as sock:
        sock.sendall(HEAD + b"content-length: 9999\r\n\r\n")
        sock.settimeout(0.02)
        answer = b""

        def drip() -> bool:
            nonlocal answer
            try:
                sock.sendall(b" ")
                answer += sock.recv(4096)
            except TimeoutError:
                return False
            except OSError:
                return True
            return bool(answer)

        until(drip)
    assert answer.startswith(b"HTTP/1.1 408")


def test_a_client_that_closes_its_half_counts_as_gone(door: House, twins: Pair) -> None:
    twins[0].set_faults("silence")
    with connect(door.port) as sock:
        sock.sendall(chat())
        until(lambda: [record for record in twins[0].log() if record.end is None])
        sock.shutdown(socket.SHUT_WR)
        assert read_to_end(sock).raw == b""

    assert until(lambda: [record for record in twins[0].log() if record.gone_at is not None])
    assert not twins[1].log()
