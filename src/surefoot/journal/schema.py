"""The tables of the journal, and how its file is opened.

`calls` and `attempts` take their columns from `domain.record`, in that order. `calls.id` counts up; an attempt belongs
to the call with its `call_id`. `targets` keeps what each configuration said of a target, so that failure domains can be
told long after the file has changed. `losses` keeps what could not be written, so that a report can tell.

Knows: SQL and the version of the tables.
Must never: migrate in silence, or touch a database that is not a journal.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import time
from typing import cast
from urllib.parse import quote

from surefoot.domain.record import ATTEMPT_FIELDS, CALL_FIELDS, VERSION
from surefoot.errors import StartError

SCHEMA = 3
"""Version of the tables, in `PRAGMA user_version`. A new `domain.record.VERSION` is a new one of this as well."""

APPLICATION = 0x53757246
"""`PRAGMA application_id` of a journal: "SurF"."""

CALL_COLUMNS = CALL_FIELDS[:-1]
"""All fields of a call but the last, which is its attempts."""

TARGET_COLUMNS = ("config", "target", "provider", "model", "place", "domains")
"""`domains` is a JSON object."""

PATIENCE = 5.0
"""Seconds to wait for another process that holds the database's lock."""


def names(columns: tuple[str, ...]) -> str:
    """Column names for SQL, quoted: some, such as `key`, are words of SQL as well."""
    return ", ".join(f'"{column}"' for column in columns)


def insert(table: str, width: int, verb: str = "INSERT") -> str:
    """The statement that adds a row of so many columns."""
    return f"{verb} INTO {table} VALUES ({', '.join('?' * width)})"


def _tables() -> tuple[str, ...]:
    return (
        f"CREATE TABLE calls (id INTEGER PRIMARY KEY, {names(CALL_COLUMNS)})",
        # Clustered by call, and calls come in order: an attempt is appended, and is read next to its siblings.
        f"CREATE TABLE attempts (call_id, {names(ATTEMPT_FIELDS)}, PRIMARY KEY (call_id, number)) WITHOUT ROWID",
        f"CREATE TABLE targets ({names(TARGET_COLUMNS)}, PRIMARY KEY (config, target)) WITHOUT ROWID",
        "CREATE TABLE losses (at REAL, reason TEXT, records INTEGER)",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
    )


def _adapt_quickly() -> None:
    """Tell `sqlite3`, for the whole process, how None and truth values are stored: as ever. Evidence is stored as JSON.

    What it is not told it asks the value itself, at 0.6 µs each (Python 3.11), and a record has four to ten of them.
    """
    nothing = cast("Callable[[None], None]", {}.get)  # in C, and it finds nothing
    sqlite3.register_adapter(type(None), nothing)
    sqlite3.register_adapter(bool, int)
    sqlite3.register_adapter(dict, json.dumps)


def open_for_writing(path: str, patience: float = PATIENCE) -> sqlite3.Connection:
    """Open the journal, and create it if it is not there. Raises `StartError` with a sentence that says what to do."""
    _adapt_quickly()
    try:
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
        with _closed_on_error(connection):
            if not _is_journal(connection, path):
                _create(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            # A commit need not reach the disk: what a power cut may take is the last second, and never the file.
            connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error as error:
        raise StartError(f"the journal {path} cannot be opened: {error}") from error
    return connection


def open_for_reading(path: str) -> sqlite3.Connection:
    """Open a journal that exists, for reading only, also while it is being written. Raises `StartError`."""
    if not Path(path).is_file():
        raise StartError(f"there is no journal at {path}")
    try:
        connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=PATIENCE)
        with _closed_on_error(connection):
            known = _is_journal(connection, path)
    except sqlite3.Error as error:
        raise StartError(f"the journal {path} cannot be read: {error}") from error
    if not known:
        connection.close()
        raise StartError(f"{path} is empty: no journal was ever written there")
    return connection


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    with ExitStack() as stack:
        stack.callback(connection.close)
        yield
        stack.pop_all()


def _is_journal(connection: sqlite3.Connection, path: str) -> bool:
    """Whether this is a journal; False if nothing was ever written here. `StartError` if it is someone else's."""
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if application == APPLICATION:
        if version > SCHEMA:
            raise StartError(
                f"the journal {path} was written by a newer Surefoot (its tables have version {version}, this one"
                f" knows up to {SCHEMA}): upgrade Surefoot, or name another file in `journal`"
            )
        if version < SCHEMA:
            raise StartError(
                f"the journal {path} was written by an older Surefoot (its tables have version {version}, this one"
                f" has {SCHEMA}): move it away, or name another file in `journal`; a new one is begun"
            )
        return True
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StartError(f"{path} is a database, but not a journal of Surefoot: name another file in `journal`")
    return False


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in _tables():
        connection.execute(statement)
    connection.executemany("INSERT INTO meta VALUES (?, ?)", [("record", str(VERSION)), ("created", str(time()))])
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")
