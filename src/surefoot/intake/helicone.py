"""Helicone: requests with their responses, as its export tool and `/v1/request/query-clickhouse` write them.

JSONL or JSON; in the tool's CSV what cannot be told is missing. Fields and units as in
https://github.com/Helicone/helicone (`examples/export/typescript/index.ts`,
`valhalla/jawn/src/lib/stores/request/request.ts`, `packages/cost/usage/openAIUsageProcessor.ts`,
`packages/cost/costCalc.ts`):

- times are the database's, UTC without a zone, or ISO 8601; the dashboard reads the former with a `z` put behind;
- `delay_ms` and `time_to_first_token` are milliseconds; a time of zero is none;
- `prompt_tokens` is without what was read from or written to the cache, and `completion_tokens` without reasoning:
  both are added here, as `total_tokens` does with the latter;
- `cost` and `costUSD` are US dollars (the database's integers are divided before they leave it); zero is what is
  written where no price is known;
- `cache_reference_id` names another request whose answer was given again, or is a UUID of zeros;
- a status that is none of HTTP's is Helicone's own word for a request without an answer: left out, as not known.

Helicone sees attempts, each as a request of its own, and has nothing that joins them.

Must never: read `request_body` or `response_body`, or anything from a `signed_body_url`.
"""

from collections.abc import Iterator
from datetime import UTC

from surefoot.domain.outcome import Kind
from surefoot.intake.failing import kind_told
from surefoot.intake.fields import (
    CACHED,
    MILLISECONDS,
    NO_START,
    NOT_A_CALL,
    Fields,
    between,
    count,
    moment,
    number,
    objects,
    text,
)
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source

_NOBODY = "00000000-0000-0000-0000-000000000000"
_LIST_OF_MODELS = "/models"
_NOT_CALLS = ("/embeddings/", "/moderations/", "/images/", "/audio/", "/files/")
"""Parts of paths of OpenAI's API that Helicone records too and that are no calls of a language model."""

_STATUSES = range(100, 600)
_GOOD = range(200, 300)


def read(source: Source) -> Iterator[Row | Unreadable]:
    """One row for every request."""
    for record in objects(source):
        yield record if isinstance(record, Unreadable) else _row(record.number, record.content)


def _row(line: int, log: Fields) -> Row | Unreadable:
    if _is_other(text(log.get("request_path"))):
        return Unreadable(line, NOT_A_CALL)
    if (text(log.get("cache_reference_id")) or _NOBODY) != _NOBODY:
        return Unreadable(line, CACHED)
    at = moment(log.get("request_created_at"), UTC)
    if at is None:
        return Unreadable(line, NO_START)
    status = count(log.get("response_status"))
    status = status if status in _STATUSES else None
    failed = None if status is None else status not in _GOOD
    first = number(log.get("time_to_first_token"))
    delay = number(log.get("delay_ms"))
    return Row(
        line=line,
        call=None,
        at=at,
        provider=text(log.get("provider")),
        model=_model(log),
        stream=True if first else None,
        prompt_tokens=_sum(log, "prompt_tokens", "prompt_cache_read_tokens", "prompt_cache_write_tokens"),
        completion_tokens=_sum(log, "completion_tokens", "reasoning_tokens"),
        ttft=first * MILLISECONDS if first else None,
        duration=between(at, moment(log.get("response_created_at"), UTC)) if not delay else delay * MILLISECONDS,
        failed=failed,
        status=status,
        kind=kind_told(status) if failed else Kind.OK if failed is False else None,
        cost=number(log.get("costUSD")) or number(log.get("cost")) or None,
        user=text(log.get("request_user_id")),
    )


def _is_other(path: str | None) -> bool:
    """By the path alone, which is a whole URL in some exports."""
    path = (path or "").partition("?")[0].rstrip("/")
    return path.endswith(_LIST_OF_MODELS) or any(other in f"{path}/" for other in _NOT_CALLS)


def _model(log: Fields) -> str | None:
    """The one that was asked for, as Helicone's override of it says, or its field in the tool's CSV."""
    names = ("model_override", "request_model", "model", "response_model")
    return next((found for name in names if (found := text(log.get(name)))), None)


def _sum(log: Fields, first: str, *more: str) -> int | None:
    """Without the first there is no sum; zero tokens are none."""
    counts = [count(log.get(name)) for name in (first, *more)]
    return None if counts[0] is None else sum(found for found in counts if found) or None
