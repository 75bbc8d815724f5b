"""Where an error stands in what providers send, and what it says: its words, its message, its status.

Knows the shapes: OpenAI's `error` object, Google's list of one, Anthropic's `details`, Azure's inner error, the bare
error of a Responses event or of a server that has no `error` key. What the words mean is in `dialects.signals`.
"""

import msgspec
from msgspec import Raw

from surefoot.dialects.dialect import NO_HEADERS, Headers
from surefoot.dialects.openai_content import is_error
from surefoot.dialects.signals import kind_of, kind_of_break
from surefoot.dialects.sse import named
from surefoot.domain.outcome import Kind

LARGEST_ERROR = 1024 * 1024
"""Bytes of an error that are read; no provider says more, and what does is judged by its status."""

_AMAZON = b"x-amzn-errortype"
"""https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html: `NAME`, `NAME:URI` or `NAMESPACE#NAME`."""

_RETRY_INFO = b"google.rpc.RetryInfo"
"""https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto; in JSON its name stands behind
`type.googleapis.com/`."""

_OK, _BAD_REQUEST = 200, 400
_STATUSES = range(400, 600)
_NOTHING: dict[object, object] = {}


def kind_of_status(status: int, body: bytes, headers: Headers = NO_HEADERS) -> Kind:
    """What an answer with a status other than 200 means. HTML from a proxy in between leaves only the status.

    Amazon names the exception in a header; the body need have no more than a message. Where neither a header nor an
    object speaks, no API has judged the request: a 400 is then no verdict on it, but an answer that is none.
    """
    named_there, decoded = headers.get(_AMAZON), _decoded(body)
    kind = _kind(status, decoded, () if named_there is None else (_name_of(named_there),))
    judged = named_there is not None or _is_object(decoded)
    return Kind.MALFORMED if kind is Kind.BAD_REQUEST and not judged else kind


def asks_to_wait(body: bytes) -> bytes | None:
    """The `retryDelay` among the details of Google's errors: a duration such as `17s` or `3.5s`."""
    if _RETRY_INFO not in body:
        return None
    details = _object(_decoded(body)).get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and str(detail.get("@type")).endswith(_RETRY_INFO.decode()):
            delay = detail.get("retryDelay")
            if isinstance(delay, str):
                return delay.encode("latin-1", "replace")
    return None


def kind_of_error(error: bytes) -> Kind:
    """What an error inside a 200 means; a server error where it does not say. A number in it is read as the status."""
    decoded = _decoded(error)
    return _kind(_status_in(_object(decoded)), decoded)


def kind_of_choice(error: Raw, reason: str | None) -> Kind | None:
    """What is wrong with an answer of which one choice holds this `error`, or ends for this reason; None if nothing."""
    if is_error(error):
        return kind_of_error(bytes(error))
    return kind_of_break(reason) if reason else None


def declines_stream(status: int, body: bytes) -> bool:
    """Whether a 400 is about `stream` or `stream_options`, which a watched call's client never wrote.

    OpenAI answers so for models that an organisation may not stream before it is verified (`param` is `stream`), other
    servers for `stream_options`.
    """
    return status == _BAD_REQUEST and _object(_decoded(body)).get("param") in ("stream", "stream_options")


def kind_of_event(event: bytes, data: bytes) -> Kind | None:
    """The error that an event is, in any of the forms that providers and proxies write; None if it is none.

    An error object, a bare error (`type` or `object` is `error`), a response that failed, or whatever comes under the
    name `error`. Words in quotes cannot stand inside a JSON string, so that most events need not be decoded.
    """
    under_its_name = named(event, b"error")
    if not (under_its_name or b'"error"' in data or b'"response.failed"' in data):
        return None
    decoded = _decoded(data)
    if not isinstance(decoded, dict):
        return kind_of_error(data) if under_its_name else None
    called = (decoded.get("type"), decoded.get("object"))
    if decoded.get("error") or "error" in called or under_its_name:
        return _kind(_status_in(_object(decoded)), decoded)
    if "response.failed" in called:
        response = decoded.get("response") or decoded
        return _kind(_status_in(_object(response)), response)
    return None


def is_bare_error(body: bytes) -> bool:
    """Whether a body without choices calls itself an error, without an `error` key."""
    decoded = _decoded(body)
    return isinstance(decoded, dict) and "error" in (decoded.get("object"), decoded.get("type"))


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body) if len(body) <= LARGEST_ERROR else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_object(decoded: object) -> bool:
    """Whether it says anything at all: an object that is not empty, or a list that begins with one."""
    if isinstance(decoded, list) and decoded:
        decoded = decoded[0]
    return isinstance(decoded, dict) and bool(decoded)


def _object(decoded: object) -> dict[object, object]:
    """The error itself, out of whatever it is wrapped in."""
    if isinstance(decoded, list) and decoded:
        decoded = decoded[0]
    if not isinstance(decoded, dict):
        return {"message": decoded}
    inner = decoded.get("error")
    if isinstance(inner, str):
        return decoded if "message" in decoded else {"message": inner}
    return inner if isinstance(inner, dict) else decoded


def _kind(status: int, decoded: object, more: tuple[str, ...] = ()) -> Kind:
    error = _object(decoded)
    message = error.get("message")
    return kind_of(status, (*_words(error), *more), message if isinstance(message, str) else "")


def _name_of(exception: bytes) -> str:
    return exception.decode("latin-1").partition(":")[0].rpartition("#")[2].strip()


def _words(error: dict[object, object]) -> tuple[str, ...]:
    """From the most telling to the least: `insufficient_quota` may come with the type of a rate limit."""
    details, inner, metadata = (_part(error, name) for name in ("details", "innererror", "metadata"))
    found = (
        details.get("error_code"),
        *_reasons(error),
        metadata.get("error_type"),
        "flagged_input" if "flagged_input" in metadata else None,
        error.get("code"),
        inner.get("code"),
        error.get("status"),
        error.get("type"),
        error.get("__type"),
    )
    return tuple(word for word in found if isinstance(word, str))


def _reasons(error: dict[object, object]) -> list[object]:
    """The `reason` of Google's ErrorInfo (the same file as RetryInfo): a bad key has no other word of its own."""
    details = error.get("details")
    return [one.get("reason") for one in details if isinstance(one, dict)] if isinstance(details, list) else []


def _part(error: dict[object, object], name: str) -> dict[object, object]:
    part = error.get(name)
    return part if isinstance(part, dict) else _NOTHING


def _status_in(error: dict[object, object]) -> int:
    for name in ("code", "status", "status_code"):
        value = error.get(name)
        if isinstance(value, str) and value.isdecimal():
            value = int(value[:4])
        if isinstance(value, int) and value in _STATUSES:
            return value
    return _OK
