"""When a source says that something happened, as Unix seconds.

Knows ISO 8601 and zones. A time without a zone is one only if whoever imports has named the zone (`--time-zone`).
Must never guess a zone, nor which of two hours is meant when clocks are set back.
"""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from math import isfinite
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from surefoot.errors import IntakeError

ZONELESS = "its times have no zone: name it with --time-zone, as UTC, +02:00 or Europe/Berlin"


def read_moment(text: str, zone: tzinfo | None = None) -> float:
    """Unix seconds. `ValueError` with a short reason if it is no time; `IntakeError` if it would need a zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("not a time such as 2026-01-31T12:00:00Z") from None
    if found.tzinfo is None:
        if zone is None:
            raise IntakeError(ZONELESS)
        found = found.replace(tzinfo=zone)
        if zone is not UTC and found.utcoffset() != found.replace(fold=1).utcoffset():
            raise ValueError("a local time that was there twice, or not at all")
    return found.timestamp()


def read_zone(text: str) -> tzinfo:
    """`UTC`, `+02:00` or `Europe/Berlin`. Raises `ValueError` with a sentence that says what to write."""
    if text.upper() in {"UTC", "Z"}:
        return UTC
    if text[:1] in {"+", "-"}:
        return _offset(text)
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{text!r} is no time zone known here; write UTC, +02:00 or Europe/Berlin") from None


def _offset(text: str) -> timezone:
    try:
        found = datetime.strptime(text, "%z").utcoffset() or timedelta()
    except ValueError:
        raise ValueError(f"{text!r} is no offset from UTC; write it as +02:00") from None
    return timezone(found)


def read_start(text: str) -> float:
    """An ISO time with a zone, or Unix seconds. Raises `ValueError` with a sentence that says what to write."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = None
    if seconds is not None and isfinite(seconds):
        return seconds
    try:
        return read_moment(text)
    except (ValueError, IntakeError):
        raise ValueError(f"{text!r} is no moment; write it with its zone, as 2026-01-31T00:00:00Z") from None
