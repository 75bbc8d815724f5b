"""OpenTelemetry: spans of calls of generative models in OTLP JSON, as the collector's file exporter writes it.

One export a line, each with `resourceSpans` (or one such object, or a list of them). Encoding: 64 bit integers are
strings of decimals, times nanoseconds of Unix time, a status code a number or its name
(https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding, `opentelemetry/proto/trace/v1/trace.proto`).

Attributes by the conventions for generative AI, old and new names
(https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/gen-ai/gen-ai-spans.md and
`docs/registry/attributes/gen-ai.md` for what they replaced):

- `gen_ai.usage.input_tokens` has the cached tokens in it, `output_tokens` the reasoning, by the conventions; an
  instrumentation may know less than it should;
- `gen_ai.response.time_to_first_chunk` is seconds from the request to the first chunk, which need not have content;
- a status that is not set is no error (`STATUS_CODE_UNSET`), and `error.type` is set only if there was one;
- `gen_ai.cost.total_cost` (US dollars), `llm.is_streaming`, `llm.request.type` and `llm.user` are LiteLLM's;
  `gen_ai.usage.total_cost` (US dollars), `user.id` and a span without operation, provider and asked model are
  OpenRouter's (https://openrouter.ai/docs/guides/features/broadcast/otel-collector);
- `ai.response.msToFirstChunk` (milliseconds) is the Vercel AI SDK's, on the same spans as its `gen_ai.*`
  (https://ai-sdk.dev/docs/ai-sdk-core/telemetry);
- a parent of zeros is none (https://www.w3.org/TR/trace-context/#parent-id).

Spans of models under one parent are siblings; which of them repeat one another is for the one who joins.

Must never: read attributes or events that hold messages.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from surefoot.domain.outcome import Kind
from surefoot.intake.failing import kind_told
from surefoot.intake.fields import (
    MILLISECONDS,
    NANOSECONDS,
    NO_START,
    NOT_A_CALL,
    Fields,
    between,
    count,
    flag,
    moment,
    number,
    part,
    text,
)
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source

NO_SPANS = "no spans in it: another signal, or not OTLP"

_OPERATIONS = frozenset({"chat", "text_completion", "generate_content"})
_OTHER_REQUESTS = frozenset({"embedding", "aembedding", "rerank", "arerank"})
"""`llm.request.type` of spans of LiteLLM that have no operation."""

_ERRORS = (2, "STATUS_CODE_ERROR")
_ERROR_FROM = 400
"""An HTTP status that some instrumentations tell and do not make an error of."""

_VALUES = ("stringValue", "intValue", "doubleValue", "boolValue")
_MARKS = ("gen_ai.provider.name", "gen_ai.system", "gen_ai.request.model", "gen_ai.response.model")
_WANTED = frozenset(
    {
        *_MARKS,
        "ai.response.msToFirstChunk",
        "enduser.id",
        "error.type",
        "gen_ai.cost.total_cost",
        "gen_ai.operation.name",
        "gen_ai.request.max_tokens",
        "gen_ai.request.stream",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.usage.completion_tokens",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.total_cost",
        "http.response.status_code",
        "http.status_code",
        "llm.is_streaming",
        "llm.request.type",
        "llm.user",
        "service.name",
        "user.id",
    }
)
"""The attributes that are looked at; the old conventions keep prompts in attributes, too."""


def read(source: Source) -> Iterator[Row | Unreadable]:
    """One row for every span of a call; spans of other kinds are told, all of a line under its number."""
    for record in source.records():
        if isinstance(record, Unreadable):
            yield record
            continue
        found = False
        for service, span in _spans(record.content):
            found = True
            yield _row(record.number, service, span)
        if not found:
            yield Unreadable(record.number, NO_SPANS)


def _spans(export: Any) -> Iterator[tuple[str | None, Fields]]:
    """Every span, with the name of the service that it is of."""
    for resource_spans in _list(export, "resourceSpans"):
        service = text(_attributes(part(part(resource_spans).get("resource"))).get("service.name"))
        for scope_spans in _list(resource_spans, "scopeSpans"):
            for span in _list(scope_spans, "spans"):
                yield service, part(span)


def _list(holder: Any, name: str) -> list[Any]:
    found = part(holder).get(name)
    return found if isinstance(found, list) else []


def _attributes(holder: Fields) -> Fields:
    """Those that are wanted, by their keys; a list or an object is none of them."""
    found: dict[str, Any] = {}
    for attribute in _list(holder, "attributes"):
        key = text(part(attribute).get("key"))
        if key in _WANTED:
            value = part(part(attribute).get("value"))
            found[key] = next((value[name] for name in _VALUES if name in value), None)
    return found


def _row(line: int, service: str | None, span: Fields) -> Row | Unreadable:
    told = _attributes(span)
    if not _is_call(told):
        return Unreadable(line, NOT_A_CALL)
    at = _time(span.get("startTimeUnixNano"))
    if at is None:
        return Unreadable(line, NO_START)
    status, kind = _ending(span, told)
    return Row(
        line=line,
        call=None,
        siblings=_siblings(span),
        at=at,
        provider=text(told.get("gen_ai.provider.name")) or text(told.get("gen_ai.system")),
        model=text(told.get("gen_ai.request.model")) or text(told.get("gen_ai.response.model")),
        stream=_stream(told),
        prompt_tokens=_first(told, count, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        completion_tokens=_first(told, count, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        max_tokens=count(told.get("gen_ai.request.max_tokens")),
        ttft=_ttft(told),
        duration=between(at, _time(span.get("endTimeUnixNano"))),
        failed=kind != Kind.OK,
        status=status,
        kind=kind,
        cost=_first(told, number, "gen_ai.cost.total_cost", "gen_ai.usage.total_cost"),
        user=_first(told, text, "enduser.id", "user.id", "llm.user"),
        key=service,
    )


def _is_call(told: Fields) -> bool:
    if operation := text(told.get("gen_ai.operation.name")):
        return operation in _OPERATIONS
    return any(mark in told for mark in _MARKS) and text(told.get("llm.request.type")) not in _OTHER_REQUESTS


def _ending(span: Fields, told: Fields) -> tuple[int | None, str | None]:
    """Status and kind; the kind is None where it failed and nothing says how."""
    error = text(told.get("error.type"))
    status = count(error) or _first(told, count, "http.response.status_code", "http.status_code")
    told_failed = error is not None or part(span.get("status")).get("code") in _ERRORS
    if not told_failed and (status is None or status < _ERROR_FROM):
        return status, Kind.OK
    return status, kind_told(status, error, text(part(span.get("status")).get("message")))


def _ttft(told: Fields) -> float | None:
    milliseconds = number(told.get("ai.response.msToFirstChunk"))
    of_sdk = None if milliseconds is None else milliseconds * MILLISECONDS
    return of_sdk if of_sdk is not None else number(told.get("gen_ai.response.time_to_first_chunk"))


def _stream(told: Fields) -> bool | None:
    """As it is told, and of an answer in chunks by its first one."""
    asked = _first(told, flag, "gen_ai.request.stream", "llm.is_streaming")
    return True if asked is None and _ttft(told) is not None else asked


def _siblings(span: Fields) -> str | None:
    """Trace and parent; a span without a parent has no siblings."""
    trace, parent = text(span.get("traceId")), text(span.get("parentSpanId"))
    return f"{trace}/{parent}" if trace and parent and parent.strip("0") else None


def _time(nanoseconds: Any) -> float | None:
    found = number(nanoseconds)
    return None if found is None else moment(found * NANOSECONDS, None)


def _first(told: Mapping[str, Any], reading: Any, *names: str) -> Any:
    return next((found for name in names if (found := reading(told.get(name))) is not None), None)
