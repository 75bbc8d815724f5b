"""Asks a provider twice, plain and as a watched call, over real sockets."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from surefoot.dialects.openai_chat import DIALECT
from surefoot.domain.outcome import Kind

SECONDS = 50.0


def ask_both(url: str, model: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The provider's plain answer, and the one put together from its stream.

    The plain body is filled up to the length of the other: twins count tokens by it.
    """
    body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Say hello."}]} | more).encode()
    ask = DIALECT.read(body)
    assert ask.watchable
    watched = DIALECT.encode(ask, model, usage=True, watched=True)
    plain = DIALECT.encode(ask, model, usage=True).ljust(len(watched))
    subject = DIALECT.assembler(ask)
    for piece in _answer(url, watched, "text/event-stream"):
        subject.feed(piece)
    assert (subject.wrong, subject.whole, subject.finished) == (None, True, True)
    assembled = subject.answer()
    reader = DIALECT.plain_reader()
    assert reader.judge(assembled) is Kind.OK
    assert reader.usage == subject.usage
    return json.loads(b"".join(_answer(url, plain, "application/json"))), json.loads(assembled)


def _answer(url: str, body: bytes, content_type: str) -> list[bytes]:
    address = urlsplit(url)
    connection = HTTPConnection(address.netloc, timeout=SECONDS)
    try:
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        response = connection.getresponse()
        assert response.status == 200
        assert (response.headers["content-type"] or "").startswith(content_type)
        return list(iter(response.read1, b""))
    finally:
        connection.close()
