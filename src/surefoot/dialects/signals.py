"""What providers say when something is wrong, and which `Kind` it is: the one table of signals.

Aggregators and proxies that speak OpenAI's API hand on other vendors' words, so that every word is looked up in every
answer. Knows the words and where each was read; `docs/reference/signals.md` is generated from here. Must never say
what follows: that is `domain.outcome`.
"""

from enum import StrEnum

from msgspec import Struct

from surefoot.domain.outcome import Kind


class Api(StrEnum):
    """Who says it."""

    ANY = "any"
    OPENAI = "OpenAI"
    ANTHROPIC = "Anthropic"
    GOOGLE = "Gemini, Vertex AI"
    BEDROCK = "Amazon Bedrock"
    AZURE = "Azure OpenAI"
    OPENROUTER = "OpenRouter"
    GROQ = "Groq"
    XAI = "xAI"
    LLAMA_CPP = "llama.cpp"
    VLLM = "vLLM"
    SUREFOOT = "another Surefoot"


class Where(StrEnum):
    """In which part of an answer it stands."""

    STATUS = "status"
    WORD = "word of the error"
    OPENING = "message begins"
    MESSAGE = "message contains"
    ENDING = "finish reason, without content"
    BREAK = "finish reason, whatever was said"
    WIRE = "seen on the wire"


class Signal(Struct, frozen=True):
    """One row."""

    api: Api
    where: Where
    status: int | None
    """The HTTP status that it comes with; 200 is an error inside a good answer; None is whatever status."""
    word: str
    """An error's code, type, status or exception name; part of a message; a finish reason. Empty: the status alone."""
    kind: Kind
    source: str


_Row = tuple[int | None, str, Kind]


def _rows(api: Api, where: Where, source: str, *rows: _Row) -> tuple[Signal, ...]:
    return tuple(Signal(api, where, status, word, kind, source) for status, word, kind in rows)


_RFC = "https://www.rfc-editor.org/rfc/rfc9110#section-15"
_OPENAI = "https://developers.openai.com/api/docs/guides/error-codes"
_OPENAI_SPEND = "https://help.openai.com/en/articles/6614457-troubleshooting-api-usage-and-spend-limits"
_OPENAI_CHAT = "https://developers.openai.com/api/reference/chat/create"
_ANTHROPIC = "https://platform.claude.com/docs/en/api/errors"
_ANTHROPIC_ENDS = "https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons"
_GOOGLE = "https://ai.google.dev/gemini-api/docs/generate-content/api-errors"
_GOOGLE_ENDS = "https://ai.google.dev/api/generate-content#FinishReason"
_BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html"
_BEDROCK_STREAM = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html"
_BEDROCK_ENDS = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"
_AZURE = "https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter"
_OPENROUTER = "https://openrouter.ai/docs/api/reference/errors-and-debugging"
_GOOGLE_KEY = "https://github.com/continuedev/continue/issues/8516"
_GROQ = "https://github.com/atiilla/sqlmap-ai/issues/3"
_XAI = "https://github.com/openai/codex/issues/1352"
_LLAMA_CPP = "https://github.com/ggml-org/llama.cpp/pull/15780"
_VLLM = "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html"
_VLLM_ENDS = "https://docs.vllm.ai/en/latest/api/vllm/v1/engine/"

SIGNALS: tuple[Signal, ...] = (
    *_rows(
        Api.ANY, Where.STATUS, _RFC,
        (401, "", Kind.AUTH),
        (402, "", Kind.QUOTA),
        (403, "", Kind.AUTH),
        (404, "", Kind.MODEL_GONE),
        (408, "", Kind.SERVER_ERROR),
        (409, "", Kind.SERVER_ERROR),
        (410, "", Kind.MODEL_GONE),
        (413, "", Kind.CONTEXT_OVERFLOW),
        (425, "", Kind.OVERLOAD),
        (429, "", Kind.RATE_LIMIT),
        (503, "", Kind.OVERLOAD),
    ),
    *_rows(Api.ANY, Where.STATUS, "https://www.rfc-editor.org/rfc/rfc7725", (451, "", Kind.AUTH)),
    *_rows(Api.ANTHROPIC, Where.STATUS, _ANTHROPIC, (529, "", Kind.OVERLOAD)),
    *_rows(Api.BEDROCK, Where.STATUS, _BEDROCK_STREAM, (424, "", Kind.SERVER_ERROR)),
    *_rows(
        Api.OPENAI, Where.WORD, _OPENAI,
        (None, "rate_limit_exceeded", Kind.RATE_LIMIT),
        (None, "slow_down", Kind.RATE_LIMIT),
        (None, "insufficient_quota", Kind.QUOTA),
        (None, "billing_hard_limit_reached", Kind.QUOTA),
        (None, "billing_not_active", Kind.QUOTA),
        (None, "server_is_overloaded", Kind.OVERLOAD),
        (None, "server_overloaded", Kind.OVERLOAD),
        (200, "server_error", Kind.SERVER_ERROR),
        (None, "invalid_api_key", Kind.AUTH),
        (None, "model_not_found", Kind.MODEL_GONE),
        (None, "context_length_exceeded", Kind.CONTEXT_OVERFLOW),
        (None, "content_policy_violation", Kind.CONTENT_FILTER),
        (200, "invalid_request_error", Kind.BAD_REQUEST),
    ),
    *_rows(
        Api.OPENAI, Where.WORD, _OPENAI_SPEND,
        (None, "credit_balance_exhausted", Kind.QUOTA),
        (None, "organization_spend_limit_exceeded", Kind.QUOTA),
        (None, "project_spend_limit_exceeded", Kind.QUOTA),
        (None, "organization_usage_limit_exceeded", Kind.QUOTA),
    ),
    *_rows(Api.OPENAI, Where.ENDING, _OPENAI_CHAT, (200, "content_filter", Kind.CONTENT_FILTER)),
    *_rows(
        Api.ANTHROPIC, Where.WORD, _ANTHROPIC,
        (None, "enforced_spend_limit_reached", Kind.QUOTA),
        (None, "billing_error", Kind.QUOTA),
        (None, "rate_limit_error", Kind.RATE_LIMIT),
        (None, "overloaded_error", Kind.OVERLOAD),
        (200, "api_error", Kind.SERVER_ERROR),
        (None, "timeout_error", Kind.SERVER_ERROR),
        (None, "authentication_error", Kind.AUTH),
        (None, "permission_error", Kind.AUTH),
        (None, "not_found_error", Kind.MODEL_GONE),
        (None, "request_too_large", Kind.CONTEXT_OVERFLOW),
    ),
    *_rows(
        Api.ANTHROPIC, Where.OPENING, _ANTHROPIC,
        (400, "you have reached your specified api usage limits", Kind.QUOTA),
        (400, "you have reached your specified workspace api usage limits", Kind.QUOTA),
        (400, "your credit balance is too low", Kind.QUOTA),
    ),
    *_rows(
        Api.ANTHROPIC, Where.MESSAGE, _ANTHROPIC,
        (400, "prompt is too long", Kind.CONTEXT_OVERFLOW),
        (400, "exceed context limit", Kind.CONTEXT_OVERFLOW),
    ),
    *_rows(
        Api.ANTHROPIC, Where.ENDING, _ANTHROPIC_ENDS,
        (200, "refusal", Kind.CONTENT_FILTER),
        (200, "model_context_window_exceeded", Kind.CONTEXT_OVERFLOW),
    ),
    *_rows(
        Api.GOOGLE, Where.WORD, _GOOGLE,
        (402, "RESOURCE_EXHAUSTED", Kind.QUOTA),
        (None, "RESOURCE_EXHAUSTED", Kind.RATE_LIMIT),
        (None, "UNAVAILABLE", Kind.OVERLOAD),
        (200, "INTERNAL", Kind.SERVER_ERROR),
        (None, "DEADLINE_EXCEEDED", Kind.SERVER_ERROR),
        (None, "UNAUTHENTICATED", Kind.AUTH),
        (None, "PERMISSION_DENIED", Kind.AUTH),
        (None, "NOT_FOUND", Kind.MODEL_GONE),
        (400, "FAILED_PRECONDITION", Kind.AUTH),
        (200, "INVALID_ARGUMENT", Kind.BAD_REQUEST),
    ),
    *_rows(Api.GOOGLE, Where.WORD, _GOOGLE_KEY, (None, "API_KEY_INVALID", Kind.AUTH)),
    *_rows(Api.GOOGLE, Where.OPENING, _GOOGLE_KEY, (400, "api key not valid", Kind.AUTH)),
    *_rows(
        Api.GOOGLE, Where.MESSAGE, _GOOGLE,
        (400, "exceeds the maximum number of tokens", Kind.CONTEXT_OVERFLOW),
    ),
    *_rows(
        Api.GOOGLE, Where.ENDING, _GOOGLE_ENDS,
        (200, "SAFETY", Kind.CONTENT_FILTER),
        (200, "RECITATION", Kind.CONTENT_FILTER),
        (200, "BLOCKLIST", Kind.CONTENT_FILTER),
        (200, "PROHIBITED_CONTENT", Kind.CONTENT_FILTER),
        (200, "SPII", Kind.CONTENT_FILTER),
        (200, "IMAGE_SAFETY", Kind.CONTENT_FILTER),
        (200, "blockReason", Kind.CONTENT_FILTER),
        (200, "MALFORMED_FUNCTION_CALL", Kind.MALFORMED),
    ),
    *_rows(
        Api.BEDROCK, Where.WORD, _BEDROCK,
        (None, "ThrottlingException", Kind.RATE_LIMIT),
        (None, "ServiceQuotaExceededException", Kind.RATE_LIMIT),
        (None, "InternalFailure", Kind.SERVER_ERROR),
        (None, "InternalServerException", Kind.SERVER_ERROR),
        (None, "ModelNotReadyException", Kind.SERVER_ERROR),
        (None, "ModelErrorException", Kind.SERVER_ERROR),
        (None, "ModelStreamErrorException", Kind.SERVER_ERROR),
        (None, "ModelTimeoutException", Kind.SERVER_ERROR),
        (None, "ServiceUnavailable", Kind.OVERLOAD),
        (None, "ServiceUnavailableException", Kind.OVERLOAD),
        (None, "AccessDeniedException", Kind.AUTH),
        (None, "ResourceNotFoundException", Kind.MODEL_GONE),
        (200, "ValidationException", Kind.BAD_REQUEST),
    ),
    *_rows(
        Api.BEDROCK, Where.MESSAGE, _BEDROCK,
        (400, "input is too long for requested model", Kind.CONTEXT_OVERFLOW),
    ),
    *_rows(
        Api.BEDROCK, Where.ENDING, _BEDROCK_ENDS,
        (200, "guardrail_intervened", Kind.CONTENT_FILTER),
        (200, "content_filtered", Kind.CONTENT_FILTER),
        (200, "malformed_tool_use", Kind.MALFORMED),
    ),
    *_rows(
        Api.AZURE, Where.WORD, _AZURE,
        (None, "content_filter", Kind.CONTENT_FILTER),
        (None, "ResponsibleAIPolicyViolation", Kind.CONTENT_FILTER),
        (None, "DeploymentNotFound", Kind.MODEL_GONE),
    ),
    *_rows(
        Api.OPENROUTER, Where.WORD, _OPENROUTER,
        (None, "payment_required", Kind.QUOTA),
        (None, "token_limit_exceeded", Kind.QUOTA),
        (None, "provider_overloaded", Kind.OVERLOAD),
        (None, "provider_unavailable", Kind.SERVER_ERROR),
        (None, "flagged_input", Kind.CONTENT_FILTER),
    ),
    *_rows(Api.OPENROUTER, Where.BREAK, _OPENROUTER, (200, "error", Kind.SERVER_ERROR)),
    *_rows(Api.GROQ, Where.WORD, _GROQ, (None, "model_decommissioned", Kind.MODEL_GONE)),
    *_rows(Api.XAI, Where.OPENING, _XAI, (400, "incorrect api key provided", Kind.AUTH)),
    *_rows(
        Api.LLAMA_CPP, Where.WORD, _LLAMA_CPP,
        (None, "exceed_context_size_error", Kind.CONTEXT_OVERFLOW),
        (None, "unavailable_error", Kind.OVERLOAD),
    ),
    *_rows(
        Api.LLAMA_CPP, Where.MESSAGE, "https://github.com/ggml-org/llama.cpp/issues/19774",
        (500, "context size has been exceeded", Kind.CONTEXT_OVERFLOW),
    ),
    *_rows(Api.VLLM, Where.MESSAGE, _VLLM, (400, "maximum context length", Kind.CONTEXT_OVERFLOW)),
    *_rows(Api.VLLM, Where.BREAK, _VLLM_ENDS, (200, "abort", Kind.CUT)),
    *_rows(Api.ANY, Where.BREAK, "dialects/signals.py", (200, "cancelled", Kind.CUT)),
    *_rows(
        Api.SUREFOOT, Where.WORD, "domain/outcome.py",
        (None, "rate_limit", Kind.RATE_LIMIT),
        (None, "quota_exhausted", Kind.QUOTA),
        (None, "overload", Kind.OVERLOAD),
        (None, "no_target", Kind.OVERLOAD),
        (None, "shutdown", Kind.OVERLOAD),
        (None, "context_overflow", Kind.CONTEXT_OVERFLOW),
        (None, "too_long", Kind.CONTEXT_OVERFLOW),
    ),
    *_rows(
        Api.ANY, Where.WIRE, "wire/pool.py, gateway/leg.py",
        (None, "refused, unreachable, name not found, or not open within `limits.connect`", Kind.CONNECT),
        (None, "the TLS handshake fails, or the connection is cut inside it", Kind.TLS),
        (None, "closed or reset before a byte of the answer", Kind.RESET),
        (200, "part of an answer, then the end, without a finish reason and without `[DONE]`", Kind.CUT),
        (200, "part of an answer, then `[DONE]`, and a choice that began has no finish reason", Kind.CUT),
        (200, "a plain answer with content whose finish reason is an empty string", Kind.CUT),
        (200, "an `error` object inside a choice that says nothing clearer", Kind.SERVER_ERROR),
        (200, "no text, reasoning or tool call, and no reason to have none; or no body", Kind.EMPTY),
        (200, "a body that is not JSON (HTML of a proxy, half a body)", Kind.MALFORMED),
        (200, "a plain answer with content whose finish reason is null or missing", Kind.MALFORMED),
        (200, "a plain answer whose tool arguments are not JSON", Kind.MALFORMED),
        (200, "a plain answer that is not JSON where `response_format` asked for it", Kind.MALFORMED),
    ),
    *_rows(
        Api.ANY, Where.WIRE, "dialects/signals.py",
        (None, "any other 5xx; an error in a 200 that says nothing clearer", Kind.SERVER_ERROR),
        (None, "any other 4xx with an object in its body", Kind.BAD_REQUEST),
        (None, "any other 4xx without one: an empty body, HTML or text of a proxy", Kind.MALFORMED),
        (None, "any other status: another 2xx, a 3xx", Kind.MALFORMED),
    ),
    *_rows(
        Api.ANY, Where.WIRE, "policy/call.py",
        (None, "not a byte within the first-token limit", Kind.SILENCE),
        (200, "a head, roles, comments, `response.created`, but no content in time", Kind.SLOW_FIRST_TOKEN),
        (None, "silent past its hedge delay when a later attempt spoke", Kind.OVERTAKEN),
        (200, "content, then nothing within `limits.idle`", Kind.STALL),
        (200, "content, far below the target's usual tokens per second", Kind.SLOW_DRIP),
        (None, "the call's deadline passes", Kind.DEADLINE),
    ),
)  # fmt: skip
"""Every signal. Those on the wire are told here for the reader; the code named as their source sees them."""

_CLIENT_ERROR, _SERVER_ERROR, _END = 400, 500, 600
_OK = 200


def _of(where: Where) -> dict[tuple[int | None, str], Kind]:
    return {(row.status, row.word.lower()): row.kind for row in SIGNALS if row.where is where}


_BY_STATUS = _of(Where.STATUS)
_BY_WORD = _of(Where.WORD)
_BY_ENDING = _of(Where.ENDING)
_BY_BREAK = _of(Where.BREAK)
_BY_MESSAGE = tuple(row for row in SIGNALS if row.where in {Where.OPENING, Where.MESSAGE})


def kind_of(status: int, words: tuple[str, ...], message: str) -> Kind:
    """What an error means: its words say most, the first of them first; then how its message reads; then the status.

    A status of 200 is an error inside a good answer; what only says that the request was wrong comes last there.
    """
    lower = [word.lower() for word in words]
    for word in lower:
        kind = (status != _OK and _BY_WORD.get((status, word))) or _BY_WORD.get((None, word))
        if kind:
            return kind
    kind = _by_message(status, message.lower())
    if kind is None and status == _OK:
        kind = next((_BY_WORD[_OK, word] for word in lower if (_OK, word) in _BY_WORD), None)
    return kind or _by_status(status)


def kind_of_ending(reason: str) -> Kind | None:
    """What an answer without content means that ends for this reason; None if it is merely empty."""
    return _BY_ENDING.get((_OK, reason.lower()))


def kind_of_break(reason: str) -> Kind | None:
    """What an answer means, however much it said, that ends for this reason; None if the reason is none to doubt it."""
    return _BY_BREAK.get((_OK, reason.lower()))


def _by_message(status: int, message: str) -> Kind | None:
    """Spent money and a refused key open the message: elsewhere it may be the caller's text, and it opens a breaker."""
    for row in _BY_MESSAGE:
        if status not in {row.status, _OK}:
            continue
        if message.startswith(row.word) if row.where is Where.OPENING else row.word in message:
            return row.kind
    return None


def _by_status(status: int) -> Kind:
    kind = _BY_STATUS.get((status, ""))
    if kind is not None:
        return kind
    if status == _OK or _SERVER_ERROR <= status < _END:
        return Kind.SERVER_ERROR  # an error inside a 200 that says nothing clearer
    return Kind.BAD_REQUEST if _CLIENT_ERROR <= status < _SERVER_ERROR else Kind.MALFORMED
