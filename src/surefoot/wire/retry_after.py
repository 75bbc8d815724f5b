"""`Retry-After` as seconds: a number, or a date (RFC 9110, section 10.2.3)."""

from email.utils import parsedate_to_datetime

LONGEST = 86_400.0
"""A day. What asks for more is no instruction that a gateway can follow."""


def seconds_of(value: bytes, wall: float) -> float | None:
    """Seconds from `wall` (Unix time); None if the value says nothing. A date in the past is 0."""
    text = value.decode("latin-1").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - wall
        except (ValueError, TypeError, OverflowError):
            return None
    if seconds != seconds:  # noqa: PLR0124 - only NaN differs from itself
        return None
    return min(max(seconds, 0.0), LONGEST)
