"""What a provider says, as bytes: events, answers, error bodies.

Knows: the OpenAI chat completions dialect as a provider writes it, HTTP framing of responses.
Must never: decide when something is said, or do I/O.
"""

from email.utils import formatdate

import msgspec

from surefoot.twin.faults import Fault

LAST_CHUNK = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"
COMMENT = b": keep-alive\n\n"
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
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
    403: b"Forbidden",
    404: b"Not Found",
    429: b"Too Many Requests",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    529: b"Overloaded",
}
# (status, code) -> (type, code in the body, message), as the providers write them.
_ERRORS: dict[tuple[int, str | None], tuple[str, str | None, str]] = {
    (400, None): ("invalid_request_error", None, "We could not parse the body of your request."),
    (400, "context_length_exceeded"): (
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
    ),
    (400, "content_policy_violation"): (
        "invalid_request_error",
        "content_policy_violation",
        "Your request was rejected as a result of our safety system.",
    ),
    (401, None): ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    (403, None): (
        "request_forbidden",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
    (404, None): (
        "invalid_request_error",
        "model_not_found",
        "The model does not exist or you do not have access to it.",
    ),
    (429, None): ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    (429, "insufficient_quota"): (
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    (500, None): ("server_error", None, "The server had an error while processing your request."),
    (503, None): ("server_error", None, "The engine is currently overloaded, please try again later."),
}
_OVERLOADED = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'


class Voice:
    """The words of a twin, escaped for JSON once and joined on demand."""

    def __init__(self, text: str) -> None:
        words = text.split()
        self._first = msgspec.json.encode(words[0])[1:-1]
        self._words = [msgspec.json.encode(" " + word)[1:-1] for word in words]
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
        return self._lead + b'{"content":"' + piece + b'"}' + self._open_tail

    def finish(self, reason: bytes) -> bytes:
        """The delta that carries the finish reason."""
        return self._lead + b'{},"logprobs":null,"finish_reason":"' + reason + b'"}]' + self._null + b"}\n\n"

    def usage(self, prompt: int, completion: int) -> bytes:
        """The usage chunk, last before [DONE]."""
        return self._usage_lead + usage(prompt, completion) + b"}\n\n"


def quoted(text: str) -> bytes:
    """The text as a JSON string."""
    return msgspec.json.encode(text)


def usage(prompt: int, completion: int) -> bytes:
    """The usage object."""
    return b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}' % (
        prompt,
        completion,
        prompt + completion,
    )


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


def error_body(status: int, code: str | None = None) -> bytes:
    """A provider's JSON error body; an unknown code falls back to the status's usual body."""
    if status == 529:  # noqa: PLR2004 - the overload status of one provider, with that provider's shape
        return _OVERLOADED
    kind, said, message = _ERRORS.get((status, code)) or _ERRORS[status, None]
    error = {"message": message, "type": kind, "param": None, "code": said}
    return msgspec.json.encode({"error": error})


def error_event(code: str | None = None) -> bytes:
    """An error inside a stream: the server's by default, or insufficient_quota and the like by code."""
    return b"data: " + error_body(error_status(code), code) + b"\n\n"


def error_status(code: str | None) -> int:
    """The status whose body an error inside a 200 answer carries."""
    return 429 if code == "insufficient_quota" else 500


def status_response(status: int, fault: Fault, wall: float) -> bytes:
    """The response of a `status:…` fault; `wall` is the time a Retry-After date counts from."""
    extra = b""
    if fault.retry_after is not None:
        if fault.retry_after_form == "http_date":
            value = formatdate(wall + fault.retry_after, usegmt=True)
        else:
            value = f"{fault.retry_after:g}"
        extra = b"retry-after: %b\r\n" % value.encode()
    if status == 502:  # noqa: PLR2004 - a bad gateway answers for itself, in HTML
        return response(status, HTML, HTML_TYPE, extra)
    return response(status, error_body(status, fault.code), JSON_TYPE, extra)
