"""A survey of end users: who gave which score, who cancelled, and when they answered.

Users are turned into the pseudonyms of traffic as soon as they are read. Must never: count a user twice, or drop a line
in silence.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from msgspec import Struct

from surefoot.errors import IntakeError
from surefoot.intake.incidents.heard import moment
from surefoot.intake.row import Unreadable
from surefoot.intake.source import Record, Source

HIGHEST = 10
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
COLUMNS = ("user", "score", "cancelled", "at")

Pseudonym = Callable[[str], str]
Row = TypeVar("Row")


class Answer(Struct, frozen=True):
    """What one end user answered."""

    line: int
    user: str
    """Pseudonym."""
    score: int | None
    """0 to 10: how likely they are to recommend the service."""
    cancelled: bool | None
    at: float | None
    """Unix time. Failures after it can have had no part in it."""


class Survey(Struct, frozen=True):
    """One file."""

    answers: tuple[Answer, ...]
    """One for each user."""
    unreadable: tuple[Unreadable, ...]
    """Lines that gave none, among them earlier answers of the same user."""


def read_survey(path: str, pseudonym: Pseudonym) -> Survey:
    """All answers of a CSV with columns user, score or cancelled, and perhaps at. Raises `IntakeError`."""
    found: dict[str, Answer] = {}
    unreadable: list[Unreadable] = []
    for one in rows_of(path, ("user",), ("score", "cancelled"), lambda line, cells: _answer(line, cells, pseudonym)):
        if isinstance(one, Unreadable):
            unreadable.append(one)
            continue
        earlier = found.get(one.user)
        kept, other = (one, earlier) if earlier is None or (one.at or 0) >= (earlier.at or 0) else (earlier, one)
        found[one.user] = kept
        if other is not None:
            unreadable.append(Unreadable(other.line, "another answer of the same user counts, the later one"))
    if not found:
        why = f": {unreadable[0].why} (line {unreadable[0].line})" if unreadable else "; it has no rows"
        raise IntakeError(f"{path}: no answer could be read{why}; a row is user, and score or cancelled")
    return Survey(tuple(found.values()), tuple(sorted(unreadable, key=lambda one: one.line)))


def rows_of(
    path: str, needed: tuple[str, ...], one_of: tuple[str, ...], build: Callable[[int, dict[str, str]], Row]
) -> Iterator[Row | Unreadable]:
    """What `build` makes of each row of a CSV. Raises `IntakeError` where a column is missing."""
    with Source(path) as source:
        for row in source.table():
            if isinstance(row, Record):
                _check(source.name, row.content, needed, one_of)
                try:
                    yield build(row.number, row.content)
                except ValueError as error:
                    yield Unreadable(row.number, str(error))
            else:
                yield row


def user_of(cells: dict[str, str], pseudonym: Pseudonym) -> str:
    """The pseudonym of the row's user. Raises `ValueError` where there is none."""
    user = cells["user"].strip()
    if not user:
        raise ValueError("no user")
    return pseudonym(user)


def at_of(cells: dict[str, str]) -> float | None:
    """When, if the file has that column at all. Raises `ValueError` for what is no time, or has no zone."""
    return moment(cells["at"], "at") if "at" in cells else None


def _check(name: str, cells: dict[str, str], needed: tuple[str, ...], one_of: tuple[str, ...]) -> None:
    missing = [column for column in needed if column not in cells]
    if missing or (one_of and not set(one_of) & set(cells)):
        wanted = ", ".join(missing) or " or ".join(one_of)
        raise IntakeError(f"{name}: no column {wanted}; its columns are {', '.join(cells)}; rename them")


def _answer(line: int, cells: dict[str, str], pseudonym: Pseudonym) -> Answer:
    score, cancelled = _score(cells.get("score", "")), _cancelled(cells.get("cancelled", ""))
    if score is None and cancelled is None:
        raise ValueError("neither score nor cancelled")
    return Answer(line, user_of(cells, pseudonym), score, cancelled, at_of(cells))


def _score(text: str) -> int | None:
    told = text.strip()
    if not told:
        return None
    if not told.isascii() or not told.isdigit() or len(told) > 2 or int(told) > HIGHEST:  # noqa: PLR2004 - digits of 10
        raise ValueError(f"score is no whole number from 0 to {HIGHEST}")
    return int(told)


def _cancelled(text: str) -> bool | None:
    told = text.strip().lower()
    if told and told not in _WORDS:
        raise ValueError(f"cancelled is none of {', '.join(_WORDS)}")
    return _WORDS[told] if told else None
