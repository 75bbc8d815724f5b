"""What a provider says when it answers, as bytes: events, answers, framing.

Knows: the OpenAI chat completions dialect as a provider writes it, HTTP framing of responses.
Must never: decide when something is said, or do I/O.
"""

from collections.abc import Mapping

import msgspec

LAST_CHUNK = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"
COMMENT = b": keep-alive\n\n"
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n%b\r\n"
)
"""With room for further header lines, each with its CRLF."""
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
BROKEN_EVENT = b'data: {"id":"chatcmpl-broken","choices":[{"delta":{"cont\n\n'
HTML = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
)
JSON_TYPE = b"application/json"
HTML_TYPE = b"text/html; charset=UTF-8"

_REASONS = {
    200: b"OK",
    204: b"No Content",
    400: b"Bad Request",
    401: b"Unauthorized",
    402: b"Payment Required",
    403: b"Forbidden",
    404: b"Not Found",
    413: b"Content Too Large",
    429: b"Too Many Requests",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
    529: b"Overloaded",
}


JSON_OPENS, JSON_CLOSES = rb"{\"text\":\"", rb"\"}"
"""What stands around the words where the client asked for JSON, escaped as they are."""
CALL_BEGINS = (
    b'{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"look_up","arguments":""}}]}'
)
CALL_OPENS = rb'{"tool_calls":[{"index":0,"function":{"arguments":"{\"place\":\""}}]}'
CALL_GOES_ON = rb'{"tool_calls":[{"index":0,"function":{"arguments":"Be"}}]}'
BAD_CALL = (
    rb'{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",'
    rb'"function":{"name":"look_up","arguments":"{\"place\":\"Be"}}]}'
)


class Voice:
    """The words of a twin, escaped for JSON once and joined on demand; `nested` for JSON inside JSON."""

    def __init__(self, text: str, *, nested: bool = False) -> None:
        words = [_escaped(word) for word in text.split()]
        if nested:
            words = [_escaped(word.decode()) for word in words]
        self._first = words[0]
        self._words = [b" " + word for word in words]
        self._joined: dict[int, bytes] = {}

    def piece(self, number: int) -> bytes:
        """Token `number` (from 0), escaped."""
        return self._words[number % len(self._words)] if number else self._first

    def text(self, tokens: int) -> bytes:
        """All the tokens, escaped; kept, because most answers of a twin have the same length."""
        known = self._joined.get(tokens)
        if known is None:
            known = b"".join(self.piece(number) for number in range(tokens))
            if len(self._joined) < 256:  # noqa: PLR2004 - bounds what random lengths can hold in memory
                self._joined[tokens] = known
        return known


class Phrases:
    """The events of one streamed answer; what all of them share is built once."""

    def __init__(self, answer_id: bytes, created: int, model: str, *, include_usage: bool) -> None:
        shared = (
            b'{"id":"chatcmpl-%b","object":"chat.completion.chunk","created":%d,"model":%b,"system_fingerprint":null'
            % (
                answer_id,
                created,
                quoted(model),
            )
        )
        self._lead = b"data: " + shared + b',"choices":[{"index":0,"delta":'
        self._usage_lead = b"data: " + shared + b',"choices":[],"usage":'
        # OpenAI writes "usage":null into every chunk once usage was asked for.
        null = b',"usage":null' if include_usage else b""
        self._open_tail = b',"logprobs":null,"finish_reason":null}]' + null + b"}\n\n"
        self._null = null

    def role(self) -> bytes:
        """The role-only delta."""
        return self._lead + b'{"role":"assistant","content":"","refusal":null}' + self._open_tail

    def content(self, piece: bytes) -> bytes:
        """One token."""
        return self.delta(b'{"content":"' + piece + b'"}')

    def delta(self, delta: bytes) -> bytes:
        """Any delta that ends nothing."""
        return self._lead + delta + self._open_tail

    def finish(self, reason: bytes) -> bytes:
        """The delta that carries the finish reason."""
        return self._lead + b'{},"logprobs":null,"finish_reason":"' + reason + b'"}]' + self._null + b"}\n\n"

    def usage(self, prompt: int, completion: int, words: Mapping[str, str]) -> bytes:
        """The usage chunk, last before [DONE]."""
        return self._usage_lead + usage(prompt, completion, words) + b"}\n\n"


def _escaped(text: str) -> bytes:
    return msgspec.json.encode(text)[1:-1]


def quoted(text: str) -> bytes:
    """The text as a JSON string."""
    return msgspec.json.encode(text)


def usage(prompt: int, completion: int, words: Mapping[str, str]) -> bytes:
    """The usage object, with words of the provider's own in it."""
    more = b"".join(b",%b:%b" % (quoted(name), quoted(word)) for name, word in words.items())
    return b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d%b}' % (
        prompt,
        completion,
        prompt + completion,
        more,
    )


def lines(headers: Mapping[str, str]) -> bytes:
    """Header lines, each with its CRLF."""
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items())


def chunk(data: bytes) -> bytes:
    """One HTTP chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def response(status: int, body: bytes, content_type: bytes = JSON_TYPE, extra: bytes = b"") -> bytes:
    """A whole plain HTTP response; `extra` is further header lines, each with its CRLF."""
    return b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n%b\r\n%b" % (
        status,
        _REASONS[status],
        content_type,
        len(body),
        extra,
        body,
    )


def models(names: tuple[str, ...]) -> bytes:
    """The answer to GET /v1/models."""
    entries = [{"id": name, "object": "model", "created": 0, "owned_by": "surefoot-twin"} for name in names]
    return response(200, msgspec.json.encode({"object": "list", "data": entries}))


EARLY_ENDS = {"truncate": LAST_CHUNK, "done_unfinished": chunk(DONE) + LAST_CHUNK}
"""By the kind of fault: how a stream ends early as if it were over."""
