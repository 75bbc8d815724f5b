"""How a provider says no, as bytes: error bodies, error events, and when to come back.

Knows the shapes of OpenAI, Anthropic and Azure. Must never decide when something is said, or do I/O.
"""

from datetime import UTC, datetime
from email.utils import formatdate

import msgspec

from surefoot.twin import bodies
from surefoot.twin.faults import Fault

CREATED = (
    b'event: response.created\ndata: {"type":"response.created","sequence_number":0,'
    b'"response":{"id":"resp_1","object":"response","status":"in_progress","error":null,"output":[]}}\n\n'
)
"""The first event of a Responses stream, in which nothing has been said yet."""

# (status, code) -> (type, code in the body, message), as OpenAI and Azure write them.
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
    (400, "content_filter"): (
        "invalid_request_error",
        "content_filter",
        "The response was filtered due to the prompt triggering the content management policy.",
    ),
    (401, None): ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    (402, None): ("billing_error", None, "There is a problem with your payment."),
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
    (413, None): ("request_too_large", None, "Request exceeds the maximum allowed size."),
    (429, None): ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    (429, "insufficient_quota"): (
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    (500, None): ("server_error", None, "The server had an error while processing your request."),
    (429, "project_spend_limit_exceeded"): (
        "insufficient_quota",
        "project_spend_limit_exceeded",
        "The project has reached its spend limit.",
    ),
    (503, None): ("server_error", None, "The engine is currently overloaded, please try again later."),
    (504, None): ("timeout_error", None, "The request took too long."),
}
# The same as Anthropic writes them: the type says less, the details or the message say the rest.
_ANTHROPIC: dict[tuple[int, str | None], dict[str, object]] = {
    (529, None): {"type": "overloaded_error", "message": "Overloaded"},
    (429, "enforced_spend_limit_reached"): {
        "type": "rate_limit_error",
        "message": "Your organization has reached its monthly spend limit.",
        "details": {"error_code": "enforced_spend_limit_reached"},
    },
    (400, "spend_limit"): {
        "type": "invalid_request_error",
        "message": "You have reached your specified API usage limits. You will regain access next month.",
    },
    (400, "prompt_too_long"): {
        "type": "invalid_request_error",
        "message": "prompt is too long: 208310 tokens > 200000 maximum",
    },
}


def error_body(status: int, code: str | None = None) -> bytes:
    """A provider's JSON error body; an unknown code falls back to the status's usual body."""
    anthropic = _ANTHROPIC.get((status, code))
    if anthropic is not None:
        return msgspec.json.encode({"type": "error", "error": anthropic, "request_id": "req_1"})
    if status == 529:  # noqa: PLR2004 - the overload status of one provider
        return error_body(status)
    kind, said, message = _ERRORS.get((status, code)) or _ERRORS[status, None]
    error: dict[str, object] = {"message": message, "type": kind, "param": None, "code": said}
    if said == "content_filter":  # Azure says more
        error |= {"status": status, "innererror": {"code": "ResponsibleAIPolicyViolation"}}
    return msgspec.json.encode({"error": error})


def nothing_there(method: bytes, path: bytes) -> bytes:
    """The body of a 404 for what this provider does not serve: where its API is."""
    asked = f"{method.decode('latin-1')} {path.decode('latin-1')[:200]}"
    message = (
        f"There is nothing at {asked}. This is a twin, and its API is below /v1: POST /v1/chat/completions and "
        "GET /v1/models. The base URL of a target that points here has to end in /v1."
    )
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": "unknown_url"}
    return msgspec.json.encode({"error": error})


def error_event(fault: Fault, code: str | None) -> bytes:
    """An error inside a stream, in the form the fault names."""
    body = error_body(error_status(code), code)
    error = msgspec.json.decode(body)["error"]
    form = fault.event_form
    if form == "bare":
        body = msgspec.json.encode(
            {"type": "error", "code": error.get("code"), "message": error["message"], "param": None}
        )
    elif form == "failed":
        response = {"id": "resp_1", "object": "response", "status": "failed", "error": error}
        return b"event: response.failed\ndata: %b\n\n" % msgspec.json.encode(
            {"type": "response.failed", "response": response}
        )
    return b"%bdata: %b\n\n" % (b"" if form == "data" else b"event: error\n", body)


def error_status(code: str | None) -> int:
    """The status whose body an error inside a 200 answer carries: the server's by default."""
    return next((status for status, known in (*_ERRORS, *_ANTHROPIC) if code is not None and known == code), 500)


def status_response(status: int, fault: Fault, wall: float) -> bytes:
    """The response of a `status:…` fault; `wall` is the time a Retry-After date counts from."""
    extra = _when(fault, wall + (fault.date_skew or 0.0))
    if fault.date_skew is not None:
        extra += b"date: %b\r\n" % formatdate(wall + fault.date_skew, usegmt=True).encode()
    if status == 502:  # noqa: PLR2004 - a bad gateway answers for itself, in HTML
        return bodies.response(status, bodies.HTML, bodies.HTML_TYPE, extra)
    return bodies.response(status, error_body(status, fault.code), bodies.JSON_TYPE, extra)


def _when(fault: Fault, there: float) -> bytes:
    """The header that says when to come back; `there` is what the provider's clock shows."""
    seconds = fault.retry_after
    if seconds is None:
        return b""
    name, value = "retry-after", f"{seconds:g}"
    match fault.retry_after_form:
        case "http_date":
            value = formatdate(there + seconds, usegmt=True)
        case "milliseconds":
            name, value = "retry-after-ms", f"{seconds * 1000:g}"
        case "reset_duration":
            name, value = "x-ratelimit-reset-requests", f"{seconds:g}s"
        case "reset_moment":
            name = "anthropic-ratelimit-requests-reset"
            value = datetime.fromtimestamp(there + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case _:
            pass
    return f"{name}: {value}\r\n".encode()
