"""Bad input: a clear error or correct service, the process stays up, and other calls are unharmed."""

from collections.abc import Iterator

import pytest
from tests.gateway.house import KEY, House
from tests.gateway.raw import Answer, body_of, chat, connect, exchange, post, read, read_to_end
from tests.wire.conftest import BODY_LIMIT, HEADER_LIMIT

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer %b\r\n" % KEY.encode()
BODY = body_of()
LENGTH = b"content-length: %d\r\n" % len(BODY)
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.fixture(autouse=True)
def _others_are_unharmed(door: House) -> Iterator[None]:
    with connect(door.port) as other:
        yield
        other.sendall(chat())
        assert read(other).status == 200, "a connection that was open meanwhile is served"
    assert exchange(door.port, chat()).status == 200
    assert door.lives()


MALFORMED = {
    "no HTTP": b"hello there\r\n\r\n",
    "TLS to a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40,
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version": b"POST /v1/chat/completions HTTP/9.9\r\n\r\n",
    "NUL in a header": HEAD + b"x: a\x00b\r\n\r\n",
    "two lengths": HEAD + LENGTH + b"content-length: 3\r\n\r\n" + BODY,
    "the same length twice": HEAD + LENGTH + LENGTH + b"\r\n" + BODY,
    "length and chunks": HEAD + LENGTH + b"transfer-encoding: chunked\r\n\r\n" + CHUNKED,
    "chunks and length": HEAD + b"transfer-encoding: chunked\r\n" + LENGTH + b"\r\n" + CHUNKED,
    "negative length": HEAD + b"content-length: -5\r\n\r\n" + BODY,
    "signed length": HEAD + b"content-length: +%d\r\n\r\n" % len(BODY) + BODY,
    "list of lengths": HEAD + b"content-length: 5, 5\r\n\r\n" + BODY,
    "length in hex": HEAD + b"content-length: 0x10\r\n\r\n" + BODY,
    "huge length": HEAD + b"content-length: 99999999999999999999999\r\n\r\n",
    "identity": HEAD + b"transfer-encoding: identity\r\n\r\n" + CHUNKED,
    "xchunked": HEAD + b"transfer-encoding: xchunked\r\n\r\n" + CHUNKED,
    "gzip and chunked": HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n" + CHUNKED,
    "chunked twice": HEAD + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n" + CHUNKED,
    "chunked, hidden": HEAD + b"transfer-encoding:\x0bchunked\r\n\r\n" + CHUNKED,
    "folded header": HEAD + b"x-a: b\r\n c\r\n" + LENGTH + b"\r\n" + BODY,
    "folded coding": HEAD + b"transfer-encoding:\r\n chunked\r\n\r\n" + CHUNKED,
    "space before the colon": HEAD + b"content-length : %d\r\n\r\n" % len(BODY) + BODY,
    "bare line feeds": (HEAD + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + BODY,
    "bare carriage return": HEAD + b"x: a\rb: c\r\n" + LENGTH + b"\r\n" + BODY,
    "no colon": HEAD + b"nonsense\r\n" + LENGTH + b"\r\n" + BODY,
    "chunk size of letters": HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n" + BODY,
    "chunk longer than said": HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
    "chunk size too large": HEAD + b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "two hosts": HEAD + b"host: other\r\n" + LENGTH + b"\r\n" + BODY,
    "two keys": HEAD + b"authorization: Bearer other\r\n" + LENGTH + b"\r\n" + BODY,
    "upgrade": HEAD + b"connection: upgrade\r\nupgrade: websocket\r\n" + LENGTH + b"\r\n" + BODY,
    "connect": b"CONNECT gateway:443 HTTP/1.1\r\nhost: gateway\r\n\r\n",
    "connect with a key": HEAD.replace(b"POST /v1/chat/completions", b"CONNECT gateway:443") + b"\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_clear_request_is_refused_and_the_connection_closed(door: House, sent: bytes) -> None:
    with connect(door.port) as sock:
        sock.sendall(sent)
        answer = read_to_end(sock)

    assert answer.status in {400, 413}
    assert answer.raw.count(b"HTTP/1.1 400") + answer.raw.count(b"HTTP/1.1 413") == 1
    assert b"connection: close" in answer.head
    assert answer.json["error"]["message"]


def test_what_follows_a_smuggled_body_is_never_served(door: House) -> None:
    smuggled = b"0\r\n\r\n" + chat()
    with connect(door.port) as sock:
        sock.sendall(HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n" + smuggled)
        answer = read_to_end(sock)

    assert (answer.status, answer.raw.count(b"HTTP/1.1 ")) == (400, 1)


TOO_LARGE = {
    "one long header": (HEAD + b"x: " + b"a" * HEADER_LIMIT, 431),
    "many headers": (HEAD + b"".join(b"x-%d: y\r\n" % n for n in range(HEADER_LIMIT)), 431),
    "a long path": (b"POST /" + b"a" * (HEADER_LIMIT + 1), 431),
    "a long body": (HEAD + b"content-length: %d\r\n\r\n" % (BODY_LIMIT + 1), 413),
    "a body in many chunks": (
        HEAD + b"transfer-encoding: chunked\r\n\r\n" + (b"3e8\r\n" + b"a" * 1000 + b"\r\n") * (BODY_LIMIT // 1000 + 1),
        413,
    ),
}


@pytest.mark.parametrize(("sent", "status"), TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_what_is_too_large_is_refused_before_it_is_whole(door: House, sent: bytes, status: int) -> None:
    with connect(door.port) as sock:
        sock.sendall(sent)
        answer = read(sock)

    assert answer.status == status
    assert b"connection: close" in answer.head


def test_a_large_head_in_one_piece_is_refused(door: House) -> None:
    answer = exchange(door.port, HEAD + b"x: " + b"a" * HEADER_LIMIT + b"\r\n" + LENGTH + b"\r\n" + BODY)

    assert answer.status == 431


WRONG = {
    "no JSON": (post(b"{nonsense"), 400, "invalid_body"),
    "broken text": (post(b'{"model":"chat\xff","messages":[]}'), 400, "invalid_body"),
    "no body": (post(b""), 400, "invalid_body"),
    "a list": (post(b"[]"), 400, "invalid_body"),
    "no model": (post(b'{"messages":[]}'), 400, "invalid_body"),
    "a model that is a number": (post(b'{"model":1,"messages":[]}'), 400, "invalid_body"),
    "deep nesting": (post(b'{"model":"chat","messages":' + b"[" * 9000), 400, "invalid_body"),
    "an unknown model": (chat(model="other"), 404, "model_not_found"),
    "an unknown path": (post(BODY, path="/v1/embeddings"), 404, "unknown_path"),
    "no key": (post(BODY, key=None), 401, "missing_api_key"),
    "a wrong key": (post(BODY, key="sk-wrong"), 401, "invalid_api_key"),
    "a key of another scheme": (post(BODY, "authorization: Basic abc", key=None), 401, "invalid_api_key"),
    "GET of what is posted": (HEAD.replace(b"POST", b"GET") + b"\r\n", 405, "method_not_allowed"),
    "DELETE": (HEAD.replace(b"POST", b"DELETE") + b"\r\n", 405, "method_not_allowed"),
    "POST of what is got": (post(BODY, path="/v1/models"), 405, "method_not_allowed"),
}


@pytest.mark.parametrize(("sent", "status", "code"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_request_is_told_what_is_wrong_and_the_connection_goes_on(
    door: House, sent: bytes, status: int, code: str
) -> None:
    with connect(door.port) as sock:
        sock.sendall(sent)
        answer = read(sock)
        sock.sendall(chat())
        following = read(sock)

    assert (answer.status, answer.code) == (status, code)
    assert following.status == 200


def test_an_unknown_route_is_told_which_there_are(door: House) -> None:
    assert "Routes: chat." in exchange(door.port, chat(model="other")).json["error"]["message"]
    message = exchange(door.port, post(BODY, path="/v2/x?y=z")).json["error"]["message"]
    assert "POST /v1/chat/completions" in message
    assert "GET /v1/models" in message


def test_a_head_request_is_answered_without_a_body(door: House) -> None:
    with connect(door.port) as sock:
        sock.sendall(HEAD.replace(b"POST", b"HEAD") + b"connection: close\r\n\r\n")
        answer: Answer = read_to_end(sock)

    assert answer.status == 405
    assert answer.body == b""
