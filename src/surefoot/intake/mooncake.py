"""Mooncake's traces of Kimi: arrivals and lengths, as JSON lines or as a CSV of the same names.

https://github.com/kvcache-ai/Mooncake. Times are milliseconds since a start that is not told. `hash_ids`, the blocks of
the prompt that could be cached, are not read. Nothing is said of failures or how long an answer took.
"""

from collections.abc import Iterator

from surefoot.intake.csv_map import column, mapped
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source


def read(source: Source) -> Iterator[Row | Unreadable]:
    """One request a line. Raises `IntakeError` if the start was not named."""
    columns = {
        "at": column("at", "timestamp:+ms"),
        "prompt_tokens": column("prompt_tokens", "input_length"),
        "completion_tokens": column("completion_tokens", "output_length"),
    }
    records = source.records() if source.head()[:1] in {b"{", b"["} else source.table()
    yield from mapped(records, columns, source.told)
