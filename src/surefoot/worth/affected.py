"""Which of the users who answered had met failures before they did: by the traffic file, or by a list.

Knows that of a user who is not in the traffic nothing is known. Must never: write a user's name, or hold the traffic.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb
from msgspec import Struct

from surefoot.errors import IntakeError
from surefoot.intake.parquet import JOINED_KEY
from surefoot.intake.row import Unreadable
from surefoot.worth.survey import Answer, Pseudonym, at_of, rows_of, user_of

ABSENT = "not in the traffic before the answer"
UNTOLD = "none of their calls says whether it failed"
STRANGERS = "met failures and did not answer"

_MEMORY = "512MB"
_COLUMNS = {"user", "at", "failed"}


class Affected(Struct, frozen=True):
    """Who is in which group."""

    yes: tuple[Answer, ...]
    """Met failures before they answered, at least so many as asked for."""
    no: tuple[Answer, ...]
    apart: dict[str, tuple[Answer, ...]]
    """In neither group, by reason."""
    unreadable: tuple[Unreadable, ...] = ()
    """Lines of the list that gave no user."""
    strangers: int | None = None
    """Users of the list who gave no answer; None where there is no list."""
    joined: str = ""
    """What the traffic file says of its attempts; empty where there is none."""


def by_traffic(path: Path, answers: Sequence[Answer], least: int) -> Affected:
    """By failed calls in a traffic file; of those at or before the answer where that has a time.

    Raises `IntakeError` if the file cannot be read as one.
    """
    if not path.is_file():
        raise IntakeError(f"--traffic: {path} is no file; `surefoot import` writes one")
    with duckdb.connect(config={"memory_limit": _MEMORY}) as database:
        try:
            found = _counted(database, path, answers)
            told = database.execute(
                "SELECT value FROM parquet_kv_metadata(?) WHERE key = ?", [str(path), JOINED_KEY.encode()]
            )
            joined = told.fetchone()
        except duckdb.Error as error:
            raise IntakeError(f"--traffic: {path} is no traffic file: {str(error).splitlines()[0]}") from error
    yes: list[Answer] = []
    no: list[Answer] = []
    absent: list[Answer] = []
    untold: list[Answer] = []
    for number, answer in enumerate(answers):
        calls, known, failed = found.get(number, (0, 0, 0))
        group = absent if not calls else untold if not known else yes if failed >= least else no
        group.append(answer)
    apart = {ABSENT: tuple(absent), UNTOLD: tuple(untold)}
    return Affected(tuple(yes), tuple(no), apart, joined=bytes(joined[0]).decode() if joined else "")


def _counted(
    database: duckdb.DuckDBPyConnection, path: Path, answers: Sequence[Answer]
) -> dict[int, tuple[int, int, int]]:
    """Of each answer's user, by the answer's number: calls, those that say whether they failed, and failed ones."""
    columns = {row[0] for row in database.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()}
    if not columns >= _COLUMNS:
        raise IntakeError(f"--traffic: {path} has no column {', '.join(sorted(_COLUMNS - columns))}")
    database.execute("CREATE TABLE answer (number INTEGER, user_ VARCHAR, until DOUBLE)")
    if answers:
        rows = [(number, answer.user, answer.at) for number, answer in enumerate(answers)]
        database.executemany("INSERT INTO answer VALUES (?, ?, ?)", rows)
    counted = database.execute(
        """
        SELECT number, count(*), count(traffic.failed), count(*) FILTER (traffic.failed)
        FROM read_parquet(?) AS traffic
        JOIN answer ON traffic."user" = answer.user_ AND traffic."at" <= coalesce(until, 'inf')
        GROUP BY number
        """,
        [str(path)],
    )
    return {number: (calls, known, failed) for number, calls, known, failed in counted.fetchall()}


def by_list(path: str, answers: Sequence[Answer], least: int, pseudonym: Pseudonym) -> Affected:
    """By a CSV of failures met, a row each: user, and perhaps at. Who is not in it met none.

    Raises `IntakeError` if it cannot be read.
    """
    met: dict[str, list[float | None]] = {}
    unreadable = []
    for one in rows_of(path, ("user",), (), lambda _, cells: (user_of(cells, pseudonym), at_of(cells))):
        if isinstance(one, Unreadable):
            unreadable.append(one)
        else:
            met.setdefault(one[0], []).append(one[1])

    if not met:
        why = f": {unreadable[0].why} (line {unreadable[0].line})" if unreadable else "; it has no rows"
        raise IntakeError(f"{path}: no failure could be read{why}; a row is user, and at where that is known")

    def affected(answer: Answer) -> bool:
        times = met.get(answer.user, [])
        return sum(at is None or answer.at is None or at <= answer.at for at in times) >= least

    yes = tuple(answer for answer in answers if affected(answer))
    no = tuple(answer for answer in answers if not affected(answer))
    strangers = len(met.keys() - {answer.user for answer in answers})
    return Affected(yes, no, {}, tuple(unreadable), strangers)
