"""How OpenAI-compatible providers say that something is wrong: status and error object to one `Kind`.

Sources: the providers' public error references, as gathered in `docs/failures.md`. Nothing else in the project reads
a status.
"""

import msgspec
from msgspec import Struct

from surefoot.domain.outcome import Kind

_BY_STATUS = {
    401: Kind.AUTH,
    402: Kind.QUOTA,
    403: Kind.AUTH,
    404: Kind.MODEL_GONE,
    408: Kind.SERVER_ERROR,
    409: Kind.SERVER_ERROR,
    410: Kind.MODEL_GONE,
    425: Kind.OVERLOAD,
    429: Kind.RATE_LIMIT,
    503: Kind.OVERLOAD,
    529: Kind.OVERLOAD,
}

_BY_WORD = {
    "insufficient_quota": Kind.QUOTA,
    "billing_error": Kind.QUOTA,
    "billing_hard_limit_reached": Kind.QUOTA,
    "enforced_spend_limit_reached": Kind.QUOTA,
    "rate_limit_exceeded": Kind.RATE_LIMIT,
    "rate_limit_error": Kind.RATE_LIMIT,
    "overloaded_error": Kind.OVERLOAD,
    "server_overloaded": Kind.OVERLOAD,
    "model_not_found": Kind.MODEL_GONE,
    "invalid_api_key": Kind.AUTH,
    "authentication_error": Kind.AUTH,
    "permission_error": Kind.AUTH,
    "invalid_request_error": Kind.BAD_REQUEST,
    "context_length_exceeded": Kind.BAD_REQUEST,
}

_OK, _CLIENT_ERROR, _SERVER_ERROR = 200, 400, 500


class _Details(Struct):
    error_code: object = None


class _Error(Struct):
    details: _Details | None = None
    """Where Anthropic says which of its two 429s it is: https://docs.anthropic.com/en/api/errors."""
    code: object = None
    type: object = None
    param: object = None


class _ErrorBody(Struct):
    error: _Error | str | None = None


_BODIES = msgspec.json.Decoder(_ErrorBody)
_ERRORS = msgspec.json.Decoder(_Error)


def kind_of_status(status: int, body: bytes) -> Kind:
    """What an answer with a status other than 200 means. The body refines it where a status has two meanings."""
    try:
        error = _BODIES.decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        error = None  # HTML from a proxy in between, or nothing at all: the status has to do
    word = _by_word(error) if isinstance(error, _Error) else None
    if word is Kind.QUOTA or (status == _CLIENT_ERROR and word is Kind.MODEL_GONE):
        return word
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= _SERVER_ERROR:
        return Kind.SERVER_ERROR
    return Kind.BAD_REQUEST if status >= _CLIENT_ERROR else Kind.MALFORMED


def kind_of_error(error: bytes) -> Kind:
    """What an error object inside a 200 means; a server error where it does not say."""
    try:
        decoded = _ERRORS.decode(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Kind.SERVER_ERROR
    word = _by_word(decoded)
    if word is not None:
        return word
    code = decoded.code
    if isinstance(code, int) and _CLIENT_ERROR <= code < 600:  # noqa: PLR2004 - the end of the 5xx
        return _BY_STATUS.get(code, Kind.SERVER_ERROR if code >= _SERVER_ERROR else Kind.BAD_REQUEST)
    return Kind.SERVER_ERROR


def declines_stream(status: int, body: bytes) -> bool:
    """Whether a 400 is about `stream` or `stream_options`, which a watched call's client never wrote.

    OpenAI answers so for models that an organisation may not stream before it is verified (`param` is `stream`), other
    servers for `stream_options`.
    """
    if status != _CLIENT_ERROR:
        return False
    try:
        error = _BODIES.decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(error, _Error) and error.param in ("stream", "stream_options")


def _by_word(error: _Error) -> Kind | None:
    """The code says more than the type: `insufficient_quota` may come as a type `rate_limit_error`."""
    for word in (error.details and error.details.error_code, error.code, error.type):
        if isinstance(word, str) and word in _BY_WORD:
            return _BY_WORD[word]
    return None
