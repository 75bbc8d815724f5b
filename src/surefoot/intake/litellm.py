"""LiteLLM: its `StandardLoggingPayload`, one JSON object a line, and its table `LiteLLM_SpendLogs` as CSV or JSON.

The payload is what its callbacks write to S3, to Google Cloud Storage and to files, one for an attempt. Of one call
they tell the first failure at most, and the good end (`router_utils/fallback_event_handlers.py`: the first failure that
is logged blocks all that follow). The table has one row for a call of the proxy. Fields and meanings as in LiteLLM
1.110.2 (`litellm/types/utils.py`, `litellm/litellm_core_utils/litellm_logging.py`, `litellm/proxy/schema.prisma`,
`litellm/proxy/spend_tracking/spend_tracking_utils.py`) and in https://docs.litellm.ai/docs/proxy/logging_spec:

- times of the payload are Unix seconds; those of the table are written in UTC, without a zone (`_ensure_datetime_utc`);
- `response_time` and `request_duration_ms` are not read: the first is the TTFT when streaming and the duration else;
- `completionStartTime` is the end where there was no stream, so that only an earlier one is a first token;
- `prompt_tokens` has the cached tokens in it, and those of other APIs are added up so; zero is what LiteLLM writes
  where it knows none;
- a cost of zero is likewise what is written where it knows no price or no usage: it is none here;
- `litellm_call_id` is the client request's, whatever attempts it took; older payloads have only `trace_id`, which is
  the session's where the client named one.

Must never: read `messages`, `response` or `proxy_server_request`.
"""

from collections.abc import Iterator
from datetime import UTC

from surefoot.domain.outcome import Kind
from surefoot.intake.failing import kind_told
from surefoot.intake.fields import (
    CACHED,
    NO_START,
    NOT_A_CALL,
    Fields,
    between,
    count,
    flag,
    moment,
    number,
    objects,
    part,
    text,
)
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source

_CALLS = frozenset(
    {
        "completion",
        "text_completion",
        "responses",
        "anthropic_messages",
        "generate_content",
        "generate_content_stream",
        "llm_passthrough_route",
        "pass_through_endpoint",
    }
)
"""Call types (`CallTypes` in `litellm/types/utils.py`), the asynchronous ones without their `a`."""

_ALWAYS = frozenset({"call_type", "response_cost", "spend"})
"""One of these is in everything that LiteLLM writes; other tools write a `startTime`, too."""

FOREIGN = "no log of LiteLLM: neither call_type nor a cost"

_NO_DEPLOYMENT = "RouterRateLimitError"
"""Every deployment of the group is cooling down: nobody was asked."""


def read(source: Source) -> Iterator[Row | Unreadable]:
    """One row for a payload (an attempt), or a row of the table (a call as it ended)."""
    for record in objects(source):
        yield record if isinstance(record, Unreadable) else _row(record.number, record.content)


def _row(line: int, log: Fields) -> Row | Unreadable:
    if _ALWAYS.isdisjoint(log):
        return Unreadable(line, FOREIGN)
    call_type = text(log.get("call_type")) or "completion"
    if call_type not in _CALLS and call_type.removeprefix("a") not in _CALLS:
        return Unreadable(line, NOT_A_CALL)
    if flag(log.get("cache_hit")):
        return Unreadable(line, CACHED)
    at = moment(log.get("startTime"), UTC)
    if at is None:
        return Unreadable(line, NO_START)
    end = moment(log.get("endTime"), UTC)
    metadata, parameters = part(log.get("metadata")), part(log.get("model_parameters"))
    failed = _failed(log, metadata)
    error = part(log.get("error_information")) or part(metadata.get("error_information"))
    status, kind = _ending(log, error, failed=failed)
    ttft = _ttft(log, at, end)
    prompt_tokens = count(log.get("prompt_tokens")) or None
    return Row(
        line=line,
        call=_call(log, metadata),
        at=at,
        asked=not (failed and _is_own(error)),
        provider=text(log.get("custom_llm_provider")),
        model=text(log.get("model")),
        route=text(log.get("model_group")),
        stream=_stream(log, parameters, ttft, failed=failed),
        prompt_tokens=prompt_tokens,
        completion_tokens=count(log.get("completion_tokens")) if prompt_tokens and not failed else None,
        max_tokens=count(parameters.get("max_completion_tokens")) or count(parameters.get("max_tokens")),
        ttft=ttft,
        duration=between(at, end),
        failed=failed,
        status=status,
        kind=kind,
        cost=number(log.get("response_cost")) or number(log.get("spend")) or None,
        user=text(log.get("end_user")),
        key=_key(log, metadata),
    )


def _failed(log: Fields, metadata: Fields) -> bool | None:
    """Old rows of the table say nothing; there LiteLLM wrote successes alone, but not surely."""
    status = text(log.get("status")) or text(metadata.get("status"))
    return {"success": False, "failure": True}.get(status or "")


def _ending(log: Fields, error: Fields, *, failed: bool | None) -> tuple[int | None, str | None]:
    """Status and kind. Of a success LiteLLM keeps no status."""
    if failed is not True:
        return None, None if failed is None else Kind.OK
    status, name = count(error.get("error_code")), text(error.get("error_class"))
    if _is_own(error):
        return status, Kind.NO_TARGET if name == _NO_DEPLOYMENT else None
    return status, kind_told(status, name, text(error.get("error_message")) or text(log.get("error_str")))


def _is_own(error: Fields) -> bool:
    """Whether LiteLLM refused by itself: no deployment left, or its own limit for a key or a team."""
    category = text(error.get("error_rate_limit_category")) or ""
    return error.get("error_class") == _NO_DEPLOYMENT or category.startswith("litellm")


def _ttft(log: Fields, at: float, end: float | None) -> float | None:
    first = moment(log.get("completionStartTime"), UTC)
    return between(at, first) if first is not None and end is not None and first < end else None


def _stream(log: Fields, parameters: Fields, ttft: float | None, *, failed: bool | None) -> bool | None:
    """The payload says so of streams that ended well, and nothing else of others; the table has it from the TTFT."""
    if flag(log.get("stream")) or ttft is not None:
        return True
    asked = flag(parameters.get("stream"))
    return False if asked is None and "stream" in log and failed is False else asked


def _call(log: Fields, metadata: Fields) -> str | None:
    return text(log.get("litellm_call_id")) or text(metadata.get("litellm_call_id")) or text(log.get("trace_id"))


def _key(log: Fields, metadata: Fields) -> str | None:
    """The alias of the key or of its team; never `api_key`, which is the key's hash."""
    for name in ("user_api_key_alias", "user_api_key_team_alias", "user_api_key_team_id"):
        if found := text(metadata.get(name)):
            return found
    return text(log.get("team_id"))
