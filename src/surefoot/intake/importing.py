"""Traffic in: from files of one format to one traffic file, and an account of every line.

Rows are checked, users get pseudonyms, attempts are joined; what cannot be used is listed beside the result. Nothing is
written under the result's name before it is whole.

Must never: drop a line in silence, write a user's name, leave a half file behind.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from math import isfinite
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from msgspec import Struct
from msgspec.structs import replace

from surefoot.domain.outcome import Kind
from surefoot.errors import IntakeError
from surefoot.intake import parquet
from surefoot.intake.failing import CUT_OFF, kind_told
from surefoot.intake.fields import LATEST
from surefoot.intake.formats import PLAIN, Read, reader_of
from surefoot.intake.joining import Attempts, Joined, attempts
from surefoot.intake.pseudonym import Pseudonyms
from surefoot.intake.refused import Reason, Refused, places
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.seen import expected, seen
from surefoot.intake.source import Source, Told

EVERY = 5_000
"""Rows between two steps of progress."""

MOST = 2**31 - 1
"""Tokens that the traffic file has room for."""

LONGEST = 1_000
"""Characters of a name: a longer one is none, and joining could not keep to its memory."""

_TEXTS = ("call", "siblings", "provider", "model", "route", "kind", "key")

ERROR = 400
"""From this HTTP status on an attempt has failed."""

SHOWN = 3
"""Reasons that are told where nothing was read."""

Progress = Callable[[int, int | None], None]
"""Told the bytes that were read of all inputs, and how many there are; None if nobody knows."""


class Order(Struct, frozen=True, kw_only=True):
    """What is to be read, and where it goes."""

    format: str
    files: tuple[str, ...]
    out: Path
    told: Told = Told()
    salt: bytes | None = None
    force: bool = False
    """Write over a result that is there."""
    memory: int = 512_000_000
    """Bytes that the database which joins may take."""


class Imported(Struct, frozen=True, kw_only=True):
    """What came of it."""

    out: str
    format: str
    files: tuple[str, ...]
    rows: int
    """Attempts that were read."""
    joined: str
    """`true`, `false` or `partly`: whether rows name their call."""
    calls: Joined
    unreadable: int
    reasons: list[Reason]
    listed: str | None
    """File that lists every line that could not be read."""
    salted: bool
    """Whether users, if there are any, can be joined with another import under the same salt."""


def import_traffic(order: Order, progress: Progress | None = None) -> Imported:
    """Read all, write the traffic file. Raises `IntakeError` with a sentence that says what to do."""
    read = reader_of(order.format)
    listed = Path(f"{order.out}.unreadable.csv")
    _check(order)
    with _folder_beside(order.out) as folder:
        result, unreadable = folder / "traffic.parquet", folder / "unreadable.csv"
        with (
            closing(Refused(unreadable, several=len(order.files) > 1)) as refused,
            attempts(folder, order.memory) as table,
        ):
            _read_all(order, read, _Sinks(table, refused, Pseudonyms(order.salt)), progress)
            named = table.named()
            joined = _joined(named[0], table.count)
            if table.count:
                table.write(result, _metadata(order, table.count, refused.count, joined))
                calls = table.joined(result, named)
        listed.unlink(missing_ok=True)
        if refused.count:
            unreadable.replace(listed)
        if not table.count:
            raise IntakeError(_nothing(order, refused, listed))
        result.replace(order.out)
    return Imported(
        out=str(order.out),
        format=order.format,
        files=order.files,
        rows=table.count,
        joined=joined,
        calls=calls,
        unreadable=refused.count,
        reasons=refused.reasons(),
        listed=str(listed) if refused.count else None,
        salted=order.salt is not None,
    )


class _Sinks(Struct, frozen=True):
    """Where rows go, and where what is none."""

    table: Attempts
    refused: Refused
    users: Pseudonyms

    def take(self, number: int, name: str, item: Row | Unreadable) -> None:
        if isinstance(item, Unreadable):
            self.refused.add(name, item)
            return
        why = fault_of(item)
        if why:
            self.refused.add(name, Unreadable(item.line, why))
        else:
            self.table.add(number, settled(item), None if item.user is None else self.users.of(item.user))


def fault_of(row: Row) -> str:
    """Why a row cannot be used, whatever reader gave it; empty if it can."""
    if not (isfinite(row.at) and 0 <= row.at < LATEST):
        return "no usable start time"
    for name in ("ttft", "duration", "cost"):
        number = getattr(row, name)
        if number is not None and not (isfinite(number) and number >= 0):
            return f"{name}: negative or not finite"
    for name in ("prompt_tokens", "completion_tokens", "max_tokens"):
        number = getattr(row, name)
        if number is not None and not 0 <= number <= MOST:
            return f"{name}: negative or beyond all bounds"
    for name in _TEXTS:
        text = getattr(row, name)
        if text is not None and len(text) > LONGEST:
            return f"{name}: longer than {LONGEST:,} characters"
    return ""


def settled(row: Row) -> Row:
    """With all that follows: a status says whether it failed and how, a kind says whether it failed.

    What was cut off, by us or by its client, has done neither, whatever the source calls it.
    """
    failed, kind = row.failed, row.kind
    if failed is None and row.status is not None:
        failed = row.status >= ERROR
    if kind is None and failed and row.status is not None:
        kind = kind_told(row.status)
    if kind is None and failed is False:
        kind = Kind.OK.value
    if kind in CUT_OFF:
        failed = None
    elif failed is None and kind is not None:
        failed = kind != Kind.OK
    return row if failed is row.failed and kind is row.kind else replace(row, failed=failed, kind=kind)


def _read_all(order: Order, read: Read, sinks: _Sinks, progress: Progress | None) -> None:
    total = _total(order.files)
    before = 0
    for number, file in enumerate(order.files, 1):
        with Source(file, order.told) as source:
            try:
                for count, item in enumerate(read(source), 1):
                    sinks.take(number, source.name, item)
                    if progress is not None and count % EVERY == 0:
                        progress(before + source.position, total)
            except IntakeError as error:
                named = str(error).startswith(source.name)
                raise IntakeError(str(error) if named else f"{source.name}: {error}") from error
            before += source.size or 0


def _nothing(order: Order, refused: Refused, listed: Path) -> str:
    """Why nothing was imported, what was expected, what was seen, and where every line is told."""
    reasons = "; ".join(f"{reason.why}: {reason.count:,} ({places(reason)})" for reason in refused.reasons()[:SHOWN])
    sentences = (
        f"no call could be read as {order.format}{expected(order.format)}: {reasons or 'there is none'}.",
        seen(order.files[0], order.format),
        f"{listed} lists every line." if refused.count else "",
    )
    return " ".join(sentence for sentence in sentences if sentence)


def _total(files: tuple[str, ...]) -> int | None:
    if not all(Path(file).is_file() for file in files):
        return None
    return sum(Path(file).stat().st_size for file in files)


def _check(order: Order) -> None:
    """Refuse what could only go wrong later. Raises `IntakeError`."""
    if order.told.columns is not None and order.format != PLAIN:
        raise IntakeError(f"--columns is for {PLAIN}; {order.format} says itself what its columns mean")
    if not order.out.parent.is_dir():
        raise IntakeError(f"--out: there is no folder {order.out.parent}; make it, or name another one")
    if order.out.is_dir():
        raise IntakeError(f"--out: {order.out} is a folder; name a file in it")
    if order.out.exists() and not order.force:
        raise IntakeError(f"{order.out} is there already; name another --out, or write over it with --force")
    seen: set[str] = set()
    for file in order.files:
        if file != "-" and Path(file).is_dir():
            raise IntakeError(f"{file} is a folder: name the files in it, as {Path(file) / '*'}")
        if file != "-" and not Path(file).exists():
            raise IntakeError(f"{file}: there is no such file")
        resolved = str(Path(file).resolve())
        if resolved in seen:
            raise IntakeError(f"{file} is given twice; each of its calls would count twice")
        seen.add(resolved)
    if order.out.resolve() in {Path(file).resolve() for file in order.files}:
        raise IntakeError(f"--out: {order.out} is one of the inputs")


@contextmanager
def _folder_beside(out: Path) -> Iterator[Path]:
    """A folder on the same disk as the result, gone afterwards."""
    try:
        folder = Path(mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise IntakeError(f"--out: nothing can be written to {out.parent}: {error.strerror}") from error
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


def _joined(named: int, rows: int) -> str:
    return "true" if named == rows else "partly" if named else "false"


def _metadata(order: Order, rows: int, unreadable: int, joined: str) -> dict[str, str]:
    return {
        parquet.VERSION_KEY: str(parquet.VERSION),
        parquet.FORMAT_KEY: order.format,
        parquet.JOINED_KEY: joined,
        parquet.ROWS_KEY: str(rows),
        parquet.UNREADABLE_KEY: str(unreadable),
    }
