"""How an attempt failed, by what a log keeps of it: an HTTP status, an exception's name, a message.

Knows the exceptions of the SDKs of OpenAI and Anthropic (https://github.com/openai/openai-python#handling-errors,
https://github.com/anthropics/anthropic-sdk-python#handling-errors) and of LiteLLM
(https://docs.litellm.ai/docs/exception_mapping), and those by which Python and JavaScript say that the caller gave up
(`asyncio.CancelledError`, `AbortError`). What providers' words and statuses mean is in `dialects.signals`. A
log says less than the wire did: where it does not say enough, the kind is None and not the likeliest one.

Must never: keep or hand on a message; it may quote a prompt.
"""

import re

from surefoot.dialects.signals import kind_of
from surefoot.domain.outcome import Kind

_BY_EXCEPTION = {
    "timeout": Kind.SILENCE,
    "apitimeouterror": Kind.SILENCE,
    "ratelimiterror": Kind.RATE_LIMIT,
    "authenticationerror": Kind.AUTH,
    "permissiondeniederror": Kind.AUTH,
    "notfounderror": Kind.MODEL_GONE,
    "paymentrequirederror": Kind.QUOTA,
    "internalservererror": Kind.SERVER_ERROR,
    "badgatewayerror": Kind.SERVER_ERROR,
    "serviceunavailableerror": Kind.OVERLOAD,
    "overloadederror": Kind.OVERLOAD,
    "contextwindowexceedederror": Kind.CONTEXT_OVERFLOW,
    "contentpolicyviolationerror": Kind.CONTENT_FILTER,
    "midstreamfallbackerror": Kind.CUT,
    "clientdisconnected": Kind.CLIENT_GONE,
    "cancellederror": Kind.CLIENT_GONE,
    "aborterror": Kind.CLIENT_GONE,
    "badrequesterror": Kind.BAD_REQUEST,
    "unprocessableentityerror": Kind.BAD_REQUEST,
}
"""In lower case, without the module."""

_ANYTHING = "APIConnectionError"
"""LiteLLM raises it, with a 500 of its own, for whatever it has no better word for."""

CUT_OFF = frozenset({Kind.CANCELLED, Kind.CLIENT_GONE, Kind.SHUTDOWN})
"""Endings after which nobody knows how the attempt would have ended: it has neither failed nor succeeded."""

_CLIENT_GONE = 499
_STATUSES = range(400, 600)
_SURE = frozenset({Kind.SILENCE, Kind.CUT, Kind.CLIENT_GONE, Kind.CONTEXT_OVERFLOW, Kind.CONTENT_FILTER, Kind.QUOTA})
"""Where an exception says more than the status that comes with it: LiteLLM's timeout has 408, its full window 400."""

_STATUS_IN_MESSAGE = re.compile(r"\b(?:error|status)(?:[ _]code)?\W{1,3}([45]\d\d)\b", re.IGNORECASE)
"""`Error code: 429 - …` is how the SDKs of OpenAI and Anthropic begin; `status_code=503` and the like are common."""

_WORD_IN_MESSAGE = re.compile(r"""['"](?:code|status|type)['"]: ?['"](\w{1,64})['"]""")
"""And then they quote the body, as Python or as JSON."""


def kind_told(status: int | None, exception: str | None = None, message: str | None = None) -> str | None:
    """The kind of a failure, or None where the log does not say."""
    if status == _CLIENT_GONE:
        return Kind.CLIENT_GONE
    name = (exception or "").rpartition(".")[2]
    by_name = _BY_EXCEPTION.get(name.lower())
    status = status if status in _STATUSES else status_in(message)
    if status is None or by_name in _SURE or name == _ANYTHING:
        return by_name
    quoted = _WORD_IN_MESSAGE.findall(message) if message else []
    return kind_of(status, (*quoted, name) if name else tuple(quoted), message or "")


def status_in(message: str | None) -> int | None:
    """The HTTP status that a message names."""
    found = _STATUS_IN_MESSAGE.search(message) if message else None
    return int(found[1]) if found else None
