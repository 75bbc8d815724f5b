"""BurstGPT: traffic of a campus to ChatGPT and GPT-4, with its failures (https://github.com/HPMLL/BurstGPT).

Times are seconds from midnight of the first day, which is not told. A request without tokens in the answer failed, and
then a prompt of 0 tokens is one of unknown length. `Elapsed time` (whole answer, not its first token) is in newer files
only. A session is a conversation and neither a user nor a call; its column is not read.
"""

from collections.abc import Iterator

from surefoot.intake.csv_map import column, mapped
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source


def read(source: Source) -> Iterator[Row | Unreadable]:
    """One request a row; the type of log is its route. Raises `IntakeError` if the start was not named."""
    columns = {
        "at": column("at", "Timestamp:+s"),
        "model": column("model", "Model"),
        "route": column("route", "Log Type"),
        "prompt_tokens": column("prompt_tokens", "Request tokens:nonzero"),
        "completion_tokens": column("completion_tokens", "Response tokens"),
        "failed": column("failed", "Response tokens:zero"),
        "duration": column("duration", "Elapsed time:s", optional=True),
    }
    yield from mapped(source.table(), columns, source.told)
