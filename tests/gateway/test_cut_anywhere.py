"""A provider whose stream comes byte by byte over a real socket: the client gets the same events."""

import socket
import socketserver
import threading

import pytest
from tests.dialects.streams import COMMENT, DONE, END, ROLE, USAGE, WORDS
from tests.gateway.house import House, settings_of, targets_at
from tests.gateway.raw import chat, exchange

STREAM = b"".join([COMMENT, ROLE, *WORDS, END, USAGE, DONE])
RELAYED = b"".join([ROLE, *WORDS, END, DONE])
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
FRAMINGS = {
    "length": HEAD + b"content-length: %d\r\n\r\n" % len(STREAM) + STREAM,
    "chunks": HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(STREAM), STREAM),
    "until the end": HEAD + b"\r\n" + STREAM,
}


class Dribble(socketserver.BaseRequestHandler):
    """Answers one request, in segments of one byte; a connection that is only kept warm gets nothing."""

    def handle(self) -> None:
        assert isinstance(self.server, Provider)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.request.recv(65536):
            for byte in self.server.answer:
                self.request.sendall(bytes([byte]))


class Provider(socketserver.ThreadingTCPServer):
    daemon_threads = True
    answer = b""


@pytest.mark.parametrize("answer", FRAMINGS.values(), ids=FRAMINGS.keys())
def test_a_stream_that_comes_byte_by_byte_is_relayed_the_same(answer: bytes) -> None:
    with Provider(("127.0.0.1", 0), Dribble) as provider:
        provider.answer = answer
        threading.Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.01}).start()
        with House(settings_of(targets_at(provider.server_address[1]))) as house:
            got = exchange(house.port, chat(stream=True))
        provider.shutdown()

    assert got.status == 200
    assert got.body == RELAYED
    assert got.raw.endswith(b"0\r\n\r\n")
