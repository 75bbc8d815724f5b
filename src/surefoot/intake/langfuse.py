"""Langfuse: observations, as the table of the interface exports them and as the blob storage integration does.

The interface writes JSON, JSONL or CSV with names in camel case, the integration the same formats with names of the
database. Fields, units and meanings as in https://github.com/langfuse/langfuse at 6275144
(`packages/shared/src/server/repositories/observations_converters.ts`, `…/observations.ts`,
`worker/src/features/database-read-stream/event-stream.ts`, `packages/shared/src/domain/observation-field-groups.ts`):

- times without a zone are UTC (`parseClickhouseUTCDateTimeFormat`);
- `latency` and `time_to_first_token` are seconds in one export and milliseconds in another, by its age and settings;
  they are not read: both are differences of the times that stand beside them;
- usage comes in parts that do not overlap (`input`, `input_cached_tokens`, `output_reasoning_tokens`): as Langfuse
  does, all whose name has `input` in it are the prompt, all that have `output` the answer;
- older servers, and the public API of today, tell usage as `usage` (`input`, `output`, and a unit) or as `promptTokens`
  and `completionTokens`, and the cost as `calculatedTotalCost`; a usage in another unit than tokens is left out;
- a trace that is downloaded or asked for has its observations inside, the former even twice;
- Langfuse knows no attempts. Generations under one parent of one trace are siblings; which of them repeat one another
  is for the one who joins.

Must never: read `input` or `output`, or keep a status message.
"""

import re
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from surefoot.domain.outcome import Kind
from surefoot.intake.failing import kind_told, status_in
from surefoot.intake.fields import (
    NO_START,
    NOT_A_CALL,
    Fields,
    between,
    count,
    data,
    moment,
    number,
    objects,
    part,
    text,
)
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source

_GENERATION = "GENERATION"
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SIZES = ("max_completion_tokens", "max_tokens", "maxTokens")
"""What SDKs call the bound on the answer among the model's parameters."""


_COSTS = ("totalCost", "calculatedTotalCost")
_TOKENS = (None, "", "TOKENS")
"""Units of `usage` that mean tokens; there are CHARACTERS, SECONDS and others."""


def read(source: Source) -> Iterator[Row | Unreadable]:
    """One row for every generation; other observations are told."""
    for record in objects(source, _observations):
        yield record if isinstance(record, Unreadable) else _row(record.number, record.content)


def _observations(page: Fields) -> list[Any] | None:
    """Of a trace, each with the trace's user; or of an answer of the public API."""
    found = page.get("observations")
    if not isinstance(found, list) or "type" in page:
        return data(page)
    user = _of(part(page.get("trace")) or page, "userId")
    return [{"userId": user, **one} if isinstance(one, dict) else one for one in found]


def _row(line: int, log: Fields) -> Row | Unreadable:
    if log.get("type") != _GENERATION:
        return Unreadable(line, NOT_A_CALL)
    at = moment(_of(log, "startTime"), UTC)
    if at is None:
        return Unreadable(line, NO_START)
    first = moment(_of(log, "completionStartTime"), UTC)
    end = moment(_of(log, "endTime"), UTC)
    failed = _failed(text(log.get("level")), end)
    message = text(_of(log, "statusMessage")) if failed else None
    parameters = part(_of(log, "modelParameters"))
    return Row(
        line=line,
        call=None,
        siblings=_siblings(log),
        at=at,
        model=text(_of(log, "providedModelName")) or text(log.get("model")),
        stream=True if first is not None else None,
        prompt_tokens=_tokens(log, "input", "inputUsage", "promptTokens"),
        completion_tokens=_tokens(log, "output", "outputUsage", "completionTokens"),
        max_tokens=next((size for name in _SIZES if (size := count(parameters.get(name)))), None),
        ttft=between(at, first),
        duration=between(at, end),
        failed=failed,
        status=status_in(message),
        kind=kind_told(None, None, message) if failed else Kind.OK if failed is False else None,
        cost=next((cost for name in _COSTS if (cost := number(_of(log, name))) is not None), None),
        user=text(_of(log, "userId")),
    )


def _failed(level: str | None, end: float | None) -> bool | None:
    """Of one that never ended nobody knows; its level is the default one."""
    if level == "ERROR":
        return True
    return None if level is None or end is None else False


def _of(log: Fields, name: str) -> Any:
    """A field by its name in camel case, or by that of the database."""
    return log[name] if name in log else log.get(_HUMP.sub("_", name).lower())


def _siblings(log: Fields) -> str | None:
    trace = text(_of(log, "traceId"))
    parent = text(_of(log, "parentObservationId"))
    return trace if trace is None or parent is None else f"{trace}/{parent}"


def _tokens(log: Fields, what: str, *names: str) -> int | None:
    """By the parts of the usage, or by the sums that stand beside; zero is what is written where nothing is known."""
    usage = part(log.get("usage"))
    if usage.get("unit") not in _TOKENS:
        return None
    sums = (
        _sum(part(_of(log, "usageDetails")), what),
        count(usage.get(what)),
        *(count(_of(log, name)) for name in names),
    )
    return next((found for found in sums if found), None)


def _sum(usage: Fields, what: str) -> int | None:
    parts = [found for name, value in usage.items() if what in name and (found := count(value)) is not None]
    return sum(parts) if parts else None
