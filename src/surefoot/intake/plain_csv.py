"""Any CSV with a header, of which the one who imports says what its columns mean (`--columns`).

Must never guess a meaning from a column's name.
"""

from collections.abc import Iterator

from surefoot.errors import IntakeError
from surefoot.intake.csv_map import mapped
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source


def read(source: Source) -> Iterator[Row | Unreadable]:
    """One attempt a row. Raises `IntakeError` if nobody said what the columns mean, or one of them is not there."""
    if source.told.columns is None:
        raise IntakeError("is a plain table: say what its columns mean, as --columns at=TIMESTAMP,prompt_tokens=Tokens")
    yield from mapped(source.table(), source.told.columns, source.told)
