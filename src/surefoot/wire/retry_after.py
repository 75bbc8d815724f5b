"""How long a provider asks to be left alone, in seconds, out of the headers of its refusal.

`Retry-After` is a number or a date (RFC 9110, section 10.2.3). Providers besides send milliseconds, durations such as
`6m0s` and moments as RFC 3339 or Unix time. A moment is read against the answer's own `Date`, if it has one: whose
clock is wrong does not matter then.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 86_400.0
"""A day. What asks for more is no instruction that a gateway can follow."""

LIMITED = frozenset({429, 503, 529})
"""Statuses with which the headers of a rate limit tell when to come back."""

_LIMITS = (
    # OpenAI, Azure, Groq: https://developers.openai.com/api/docs/guides/rate-limits
    (b"x-ratelimit-remaining-requests", b"x-ratelimit-reset-requests"),
    (b"x-ratelimit-remaining-tokens", b"x-ratelimit-reset-tokens"),
    # Anthropic: https://platform.claude.com/docs/en/api/rate-limits
    (b"anthropic-ratelimit-requests-remaining", b"anthropic-ratelimit-requests-reset"),
    (b"anthropic-ratelimit-tokens-remaining", b"anthropic-ratelimit-tokens-reset"),
    (b"anthropic-ratelimit-input-tokens-remaining", b"anthropic-ratelimit-input-tokens-reset"),
    (b"anthropic-ratelimit-output-tokens-remaining", b"anthropic-ratelimit-output-tokens-reset"),
    # OpenRouter: https://openrouter.ai/docs/api/reference/limits
    (b"x-ratelimit-remaining", b"x-ratelimit-reset"),
)
"""What is left of a limit, and when it is whole again."""

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_UNIX_SECONDS, _UNIX_MILLISECONDS = 1e9, 1e12
"""From here on a number in a reset header is a moment: as seconds it would be 31 years."""


def seconds_to_wait(status: int, headers: dict[bytes, bytes], wall: float) -> float | None:
    """Seconds from now that a refusal asks for; None if it says nothing. `wall` is our Unix time.

    `retry-after-ms` (OpenAI, Azure) is the finer `Retry-After`. Without either, a rate limit lasts until the last of
    the exhausted limits is whole again; one that says that something is left of it is not the one that was hit.
    """
    value = headers.get(b"retry-after-ms")
    if value is not None:
        milliseconds = _number(_text(value))
        if milliseconds is not None:
            return _bounded(milliseconds / 1000)
    value = headers.get(b"retry-after")
    if value is not None:
        waited = seconds_of(value, _now_there(headers, wall))
        if waited is not None:
            return waited
    return _until_reset(headers, wall) if status in LIMITED else None


def seconds_of(value: bytes, wall: float) -> float | None:
    """A single value, as seconds from `wall` (Unix time); None if it says nothing. A moment in the past is 0."""
    text = _text(value)
    seconds = _number(text)
    if seconds is None:
        seconds = _duration(text)
    if seconds is None:
        moment = _moment(text)
        if moment is None:
            return None
        seconds = moment - wall
    return _bounded(seconds)


def _until_reset(headers: dict[bytes, bytes], wall: float) -> float | None:
    there = _now_there(headers, wall)
    waits = []
    for left, reset in _LIMITS:
        value = headers.get(reset)
        if value is None or (_number(_text(headers.get(left, b"0"))) or 0) > 0:
            continue
        number = _number(_text(value))
        if number is not None and number >= _UNIX_SECONDS:
            seconds = number / (1000 if number >= _UNIX_MILLISECONDS else 1) - there
            waits.append(_bounded(seconds))
            continue
        waited = seconds_of(value, there)
        if waited is not None:
            waits.append(waited)
    return max(waits, default=None)


def _now_there(headers: dict[bytes, bytes], wall: float) -> float:
    """What the provider's own clock says."""
    date = headers.get(b"date")
    moment = None if date is None else _moment(_text(date))
    return wall if moment is None else moment


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip()


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if number != number else number  # noqa: PLR0124 - only NaN differs from itself


def _duration(text: str) -> float | None:
    """As Go writes them: `1.5s`, `500ms`, `6m0s`."""
    if _DURATION.fullmatch(text) is None:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def _moment(text: str) -> float | None:
    """An HTTP date or RFC 3339, as Unix time; one without a zone is UTC."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST)
