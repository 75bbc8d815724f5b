"""The made-up logs of these tests, read: rows and what was told, apart."""

from collections.abc import Callable, Iterator
from pathlib import Path

from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source

FIXTURES = Path(__file__).parent / "fixtures"
NEW_YEAR = 1767225600.0
"""2026-01-01T00:00:00Z, when they all begin."""

FAILED = Row(line=1, call=None, at=NEW_YEAR, duration=1.25, failed=True)
ANSWERED = Row(
    line=2,
    call=None,
    at=NEW_YEAR + 1.5,
    prompt_tokens=600,
    completion_tokens=125,
    duration=2.75,
    failed=False,
    kind="ok",
)
"""What all of them tell of the attempt that failed, and of the next one, which was streamed and answered: 400 of its
tokens came from a cache, 25 were reasoning."""

Reader = Callable[[Source], Iterator[Row | Unreadable]]


def read_file(reader: Reader, path: Path) -> tuple[list[Row], list[tuple[int, str]]]:
    with Source(str(path)) as source:
        found = list(reader(source))
    told = [(one.line, one.why) for one in found if isinstance(one, Unreadable)]
    return [one for one in found if isinstance(one, Row)], told


def read_fixture(reader: Reader, name: str) -> tuple[list[Row], list[tuple[int, str]]]:
    return read_file(reader, FIXTURES / name)
