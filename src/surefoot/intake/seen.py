"""What a file looks like, for whoever has named another format than it is in.

Knows the names by which formats are told apart. Shows names of columns and fields, and must never show what they hold.
"""

import csv
from collections.abc import Iterable, Mapping

from surefoot.intake.fields import JSON, data, named
from surefoot.intake.formats import FORMATS
from surefoot.intake.source import Line, Record, Source

_OTHERS = {b"SQLite format 3": "an SQLite database", b"PAR1": "a Parquet file", b"PK": "a ZIP archive; unpack it"}
"""By their first bytes."""


def expected(name: str) -> str:
    """What records of a format have; empty where that cannot be said."""
    marks = FORMATS[name].marks
    return f", of which records have {named(marks)}" if marks else ""


def seen(path: str, name: str) -> str:
    """What is in a file that gave nothing as this format, as a sentence; empty where it cannot be read twice."""
    if path == "-":
        return ""
    with Source(path) as source:
        head = source.head()
        if not head:
            return f"{path} is empty."
        for begin, what in _OTHERS.items():
            if head.startswith(begin):
                return f"{path} is {what}."
        is_json = head[:1] in JSON
    names = _of_records(path) if is_json else _of_table(path)
    if not names:
        return f"{path} is {'JSON without an object' if is_json else 'neither JSON nor a table'}."
    what = "records with" if is_json else "a table with the columns"
    return f"{path} holds {what} {named(names)}{_like(names, name)}."


def _like(names: Iterable[str], name: str) -> str:
    there = set(names)
    found = [other for other, form in FORMATS.items() if form.marks and there.issuperset(form.marks) and other != name]
    return f", which looks like {named(found)}" if found else ""


def _of_records(path: str) -> list[str]:
    with Source(path) as source:
        first = next((one.content for one in source.records() if isinstance(one, Record)), None)
    if not isinstance(first, Mapping):
        return []
    inside = data(first)
    return list(inside[0] if inside and isinstance(inside[0], Mapping) else first)


def _of_table(path: str) -> list[str]:
    with Source(path) as source:
        first = next((one.content for one in source.lines() if isinstance(one, Line)), b"")
    try:
        names = next(csv.reader([first.decode()]), [])
    except (UnicodeDecodeError, csv.Error):
        return []
    return [name.strip() for name in names] if len(names) > 1 else []
