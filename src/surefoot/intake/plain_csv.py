"""Any CSV with a header, of which the one who imports says what its columns mean (`--columns`).

Knows the columns of OpenAI's exports, which hold sums: a map would make one call of each.
Must never guess a meaning from a column's name, or make calls of sums.
"""

from collections.abc import Iterator

from surefoot.errors import IntakeError
from surefoot.intake.csv_map import mapped
from surefoot.intake.formats import reader_of
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source

_PERIOD = frozenset({"start_time", "end_time"})
_SUMMED = frozenset({"num_model_requests", "amount_value"})
"""Requests or dollars of a period: no log of calls counts its requests row by row."""


def read(source: Source) -> Iterator[Row | Unreadable]:
    """One attempt a row. Raises `IntakeError` if nobody said what the columns mean, or they cannot mean that."""
    if _holds_sums(source.head()):
        yield from reader_of("openai-usage")(source)  # which refuses, with what they come to
    if source.told.columns is None:
        raise IntakeError("is a plain table: say what its columns mean, as --columns at=TIMESTAMP,prompt_tokens=Tokens")
    yield from mapped(source.table(), source.told.columns, source.told)


def _holds_sums(head: bytes) -> bool:
    names = {name.strip('" \r') for name in head.partition(b"\n")[0].decode(errors="replace").split(",")}
    return names >= _PERIOD and not names.isdisjoint(_SUMMED)
