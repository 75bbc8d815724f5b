"""Reads the journal: calls with their attempts, in the order in which they ended.

Knows: the tables; may read while they are being written.
Must never: write, or compute a number of its own.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct, convert

from surefoot.domain.record import ATTEMPT_FIELDS
from surefoot.journal.schema import CALL_COLUMNS, TARGET_COLUMNS, names, open_for_reading


class AttemptEntry(Struct, frozen=True, array_like=True):
    """One attempt: the fields of `domain.record.ATTEMPT_FIELDS`. Times are seconds since its call began."""

    number: int
    target: str
    reason: str
    kind: str | None
    started: float
    sent: float | None
    heard: float | None
    first_content: float | None
    ended: float | None
    verdict: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    won: bool
    breaker: str
    rules: str
    evidence: dict[str, str] | None = None


class CallEntry(Struct, frozen=True, array_like=True):
    """One call: the fields of `domain.record.CALL_FIELDS`. Times are seconds since it began, but `at` is Unix time."""

    call: str
    at: float
    route: str
    key: str | None
    config: str
    drill: int
    stream: bool
    bucket: int
    prompt_tokens: int
    max_tokens: int
    features: str
    request_bytes: int
    answer_bytes: int
    kind: str
    winner: int | None
    first_content: float | None
    ended: float | None
    jurisdiction: str
    jurisdiction_version: str
    attempts: tuple[AttemptEntry, ...]


class TargetEntry(Struct, frozen=True, array_like=True):
    """What one configuration said of one target."""

    config: str
    target: str
    provider: str
    model: str
    place: str | None
    domains: dict[str, str]


class LossEntry(Struct, frozen=True):
    """Calls that could not be written, noted at a Unix time that is not before their end."""

    at: float
    reason: str
    records: int


@contextmanager
def journal(path: str) -> Iterator[sqlite3.Connection]:
    """Open a journal for reading. Raises `StartError` if it is missing, foreign, or newer than this program."""
    connection = open_for_reading(path)
    try:
        yield connection
    finally:
        connection.close()


def calls(connection: sqlite3.Connection, since: float = 0.0, until: float = float("inf")) -> Iterator[CallEntry]:
    """The calls that arrived from `since` to before `until` (Unix time), each with its attempts.

    One snapshot is read, however long it takes: what is written meanwhile is not seen.
    """
    heads = connection.cursor()
    rows = connection.cursor()
    heads.execute(
        f"SELECT id, {names(CALL_COLUMNS)} FROM calls WHERE at >= ? AND at < ? ORDER BY id",  # noqa: S608 - our own names
        (since, until),
    )
    attempts_of = f"SELECT {names(ATTEMPT_FIELDS)} FROM attempts WHERE call_id = ? ORDER BY number"  # noqa: S608 - likewise
    for head in heads:
        attempts = [_attempt(row) for row in rows.execute(attempts_of, head[:1])]
        yield convert((*head[1:], attempts), CallEntry, strict=False)


def _attempt(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row of `attempts`; the last column is JSON."""
    return row if row[-1] is None else (*row[:-1], json.loads(row[-1]))


def targets(connection: sqlite3.Connection) -> dict[tuple[str, str], TargetEntry]:
    """What is known of the targets, by configuration and name."""
    rows = connection.execute(f"SELECT {names(TARGET_COLUMNS)} FROM targets")  # noqa: S608 - likewise
    entries = (convert((*row[:-1], json.loads(row[-1])), TargetEntry) for row in rows)
    return {(entry.config, entry.target): entry for entry in entries}


def losses(connection: sqlite3.Connection) -> list[LossEntry]:
    """What could not be written, oldest first."""
    return [LossEntry(*row) for row in connection.execute("SELECT at, reason, records FROM losses ORDER BY at")]
