"""OpenAI's exports of usage and costs: sums over a minute, an hour or a day. They hold no calls and cannot be replayed.

`sums` reads pages of `/v1/organization/usage/…` and `/v1/organization/costs` (JSON; one page, one bucket a line, or a
list) and the CSV that the dashboard exports, of either view. What can be had from them is what a bill says: dollars,
tokens, numbers of requests, by period and by whatever the export is grouped by. `read` refuses, with a sentence that
has their total.

Fields as in https://github.com/openai/openai-openapi (`UsageTimeBucket`, `UsageCompletionsResult`, `CostsResult`):
times are Unix seconds, `input_tokens` has the cached ones in it, an amount names its currency. The CSV has the same
fields as columns, with `amount_value` and `amount_currency`, as exports show that people published
(docs/traffic-formats.md). A period without any use is a sum of nothing.

Must never: make calls of sums.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from math import inf
from typing import Any

from msgspec import Struct

from surefoot.errors import IntakeError
from surefoot.intake.fields import NO_START, Fields, moment, number, objects, part, text
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source

NOT_DOLLARS = "an amount that is not in US dollars"
NO_BUCKETS = "no bucket of usage or costs"

_DOLLARS = "usd"
_TOTALS = {
    "cost": "${:,.2f}",
    "requests": "{:,.0f} requests",
    "prompt_tokens": "{:,.0f} tokens of prompts",
    "completion_tokens": "{:,.0f} of answers",
}
"""What is added up, and how it is told."""


class Sum(Struct, frozen=True, kw_only=True):
    """What was used or spent in one period. None: the export does not say, or is not grouped so."""

    line: int
    start: float
    """Unix seconds."""
    end: float | None
    model: str | None = None
    item: str | None = None
    """What was charged for, in an export of costs."""
    project: str | None = None
    key: str | None = None
    """OpenAI's id of a client key, not the key."""
    requests: int | None = None
    prompt_tokens: int | None = None
    """Cached ones included. Not bounded as those of one call are."""
    completion_tokens: int | None = None
    cost: float | None = None
    """US dollars."""


def read(source: Source) -> Iterator[Row | Unreadable]:
    """Refuses: raises `IntakeError`, which says what is in it, what it is good for, and what to import instead."""
    raise IntakeError(
        f"{source.name}: OpenAI's usage exports are sums over a period, not calls. No call in them has a time, a "
        "length or an outcome of its own, so there is nothing to replay; they tell cost and tokens only. Import a log "
        "of calls instead (a gateway's, a tracing tool's, or a CSV with a column map), and check its cost by them. "
        f"{_in_all(sums(source))}"
    )


def _in_all(found: Iterable[Sum | Unreadable]) -> str:
    """All sums as one sentence."""
    start, end = inf, -inf
    totals = dict.fromkeys(_TOTALS, 0.0)
    unreadable = 0
    for one in found:
        if isinstance(one, Unreadable):
            unreadable += 1
            continue
        start, end = min(start, one.start), max(end, one.end or one.start)
        for name in totals:
            totals[name] += getattr(one, name) or 0
    if start > end:
        return "In this one no sum could be read."
    days = " to ".join(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}" for at in (start, end))
    named = ", ".join(_TOTALS[name].format(total) for name, total in totals.items() if total)
    left = f"; {unreadable:,} could not be read" if unreadable else ""
    return f"In this one, {days} UTC: {named or 'nothing was used'}{left}."


def sums(source: Source) -> Iterator[Sum | Unreadable]:
    """Every sum of every bucket."""
    for record in objects(source, page=lambda _: None):
        if isinstance(record, Unreadable):
            yield record
        elif "object" not in record.content and "start_time" in record.content:  # a row of the CSV
            yield _sum(record.number, record.content, record.content)
        else:
            yield from _of_page(record.number, record.content)


def _of_page(line: int, page: Fields) -> Iterator[Sum | Unreadable]:
    """Of a page, or of a bucket that stands alone."""
    buckets = page.get("data") if "data" in page else [page]
    for bucket in buckets if isinstance(buckets, list) else [None]:
        results = part(bucket).get("results")
        if not isinstance(results, list):
            yield Unreadable(line, NO_BUCKETS)
            continue
        for result in results or [{}]:
            yield _sum(line, part(bucket), part(result))


def _sum(line: int, bucket: Fields, result: Fields) -> Sum | Unreadable:
    start = moment(bucket.get("start_time"), UTC)
    if start is None:
        return Unreadable(line, NO_START)
    amount = part(result.get("amount"))
    cost = number(amount.get("value") if amount else result.get("amount_value"))
    currency = text(amount.get("currency") if amount else result.get("amount_currency"))
    if cost is not None and (currency or "").lower() != _DOLLARS:
        return Unreadable(line, NOT_DOLLARS)
    return Sum(
        line=line,
        start=start,
        end=moment(bucket.get("end_time"), UTC),
        model=text(result.get("model")),
        item=text(result.get("line_item")),
        project=text(result.get("project_id")),
        key=text(result.get("api_key_id")),
        requests=_whole(result.get("num_model_requests")),
        prompt_tokens=_whole(result.get("input_tokens")),
        completion_tokens=_whole(result.get("output_tokens")),
        cost=cost,
    )


def _whole(value: Any) -> int | None:
    found = number(value)
    return int(found) if found is not None and found.is_integer() else None
