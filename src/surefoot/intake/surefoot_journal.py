"""Surefoot's own journal: every attempt of every call, with our own kinds.

Knows what an ending says of the target: an attempt that we or the client cut off has neither failed nor succeeded. The
lengths of prompts are the provider's count where it gave one, otherwise the gateway's estimate. Drilled calls are no
traffic, and what the journal says it has lost is told. Must never write to it.
"""

from collections.abc import Iterator

from surefoot.domain.outcome import Kind
from surefoot.errors import IntakeError, StartError
from surefoot.intake.failing import CUT_OFF
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source
from surefoot.journal.reader import AttemptEntry, CallEntry, TargetEntry, calls, journal, losses, targets

Targets = dict[tuple[str, str], TargetEntry]


def read(source: Source) -> Iterator[Row | Unreadable]:
    """All attempts; a call for which nobody was asked gives one row that says so. Raises `IntakeError`."""
    if source.path is None:
        raise IntakeError("a journal is a database and cannot be read from a pipe: name its file")
    number = 0
    try:
        with journal(str(source.path)) as connection:
            known = targets(connection)
            for number, entry in enumerate(calls(connection), 1):
                yield from _rows(number, entry, known)
            for lost in losses(connection):
                number += 1
                yield Unreadable(number, f"calls that the journal has lost itself: {lost.records} ({lost.reason})")
    except StartError as error:
        raise IntakeError(f"is no journal that can be read: {error}") from error


def _rows(number: int, entry: CallEntry, known: Targets) -> Iterator[Row | Unreadable]:
    if entry.drill:
        yield Unreadable(number, "a drilled call, which is no traffic")
        return
    for attempt in entry.attempts:
        yield _attempt(number, entry, attempt, known.get((entry.config, attempt.target)))
    if not entry.attempts:
        yield Row(
            line=number,
            call=entry.call,
            at=entry.at,
            asked=False,
            route=entry.route,
            stream=entry.stream,
            prompt_tokens=entry.prompt_tokens,
            max_tokens=entry.max_tokens or None,
            duration=entry.ended,
            failed=_failed(entry.kind),
            kind=entry.kind,
            key=entry.key,
        )


def _attempt(number: int, entry: CallEntry, attempt: AttemptEntry, target: TargetEntry | None) -> Row:
    began = attempt.started
    return Row(
        line=number,
        call=entry.call,
        at=entry.at + began,
        provider=target.provider if target else None,
        model=target.model if target else None,
        route=entry.route,
        stream=entry.stream,
        prompt_tokens=entry.prompt_tokens if attempt.prompt_tokens is None else attempt.prompt_tokens,
        completion_tokens=attempt.completion_tokens,
        max_tokens=entry.max_tokens or None,
        ttft=_since(began, attempt.first_content),
        duration=_since(began, attempt.ended),
        failed=_failed(attempt.kind),
        kind=attempt.kind,
        key=entry.key,
    )


def _since(began: float, moment: float | None) -> float | None:
    return None if moment is None else max(moment - began, 0.0)


def _failed(kind: str | None) -> bool | None:
    return None if kind is None or kind in CUT_OFF else kind != Kind.OK.value
