"""How long a provider asks to be left alone: every form of it, and whose clock counts."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from surefoot.wire.retry_after import LONGEST, seconds_of, seconds_to_wait

WALL = 1_800_000_000.0
HOUR = 3_600.0


def http_date(moment: float) -> bytes:
    return format_datetime(datetime.fromtimestamp(moment, UTC), usegmt=True).encode()


def rfc_3339(moment: float) -> bytes:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"7", 7.0),
        (b" 0.5 ", 0.5),
        (b"-3", 0.0),
        (b"1e9", LONGEST),
        (b"inf", LONGEST),
        (b"1.5s", 1.5),
        (b"500ms", 0.5),
        (b"6m0s", 360.0),
        (b"1h2m3.5s", 3_723.5),
        (b"2d", LONGEST),
        (http_date(WALL + 90), 90.0),
        (http_date(WALL - 90), 0.0),
        (http_date(WALL + 90).replace(b"GMT", b"-0000"), 90.0),
        (rfc_3339(WALL + 90), 90.0),
        (b"2027-01-15T09:01:30+01:00", 90.0),
        (b"", None),
        (b"soon", None),
        (b"5 parsecs", None),
        (b"nan", None),
        (b"\xff", None),
    ],
)
def test_a_time_is_read_as_seconds_duration_or_moment(value: bytes, seconds: float | None) -> None:
    assert seconds_of(value, WALL) == seconds


@pytest.mark.parametrize("skew", [-HOUR, -1.0, 0.0, HOUR])
@pytest.mark.parametrize("form", [http_date, rfc_3339])
def test_a_moment_is_read_against_the_answers_own_date(skew: float, form: object) -> None:
    assert callable(form)
    headers = {b"retry-after": form(WALL + skew + 20), b"date": http_date(WALL + skew)}

    assert seconds_to_wait(429, headers, WALL) == 20.0


@pytest.mark.parametrize("headers", [{}, {b"date": b"yesterday"}])
def test_without_a_date_our_clock_counts(headers: dict[bytes, bytes]) -> None:
    assert seconds_to_wait(503, headers | {b"retry-after": http_date(WALL + 20)}, WALL) == 20.0


def test_seconds_do_not_depend_on_any_clock() -> None:
    assert seconds_to_wait(429, {b"retry-after": b"20", b"date": http_date(WALL - HOUR)}, WALL) == 20.0


def test_milliseconds_are_the_finer_word_unless_they_cannot_be_read() -> None:
    assert seconds_to_wait(429, {b"retry-after": b"2", b"retry-after-ms": b"1250"}, WALL) == 1.25
    assert seconds_to_wait(429, {b"retry-after": b"2", b"retry-after-ms": b"soon"}, WALL) == 2.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset-requests": b"1s"}, 1.0),
        ({"x-ratelimit-reset-requests": b"1s", "x-ratelimit-reset-tokens": b"6m0s"}, 360.0),
        (
            {
                "x-ratelimit-remaining-requests": b"0",
                "x-ratelimit-reset-requests": b"250ms",
                "x-ratelimit-remaining-tokens": b"149000",
                "x-ratelimit-reset-tokens": b"6m0s",
            },
            0.25,
        ),
        ({"x-ratelimit-remaining-requests": b"3", "x-ratelimit-reset-requests": b"1s"}, None),
        ({"anthropic-ratelimit-input-tokens-reset": rfc_3339(WALL + 30)}, 30.0),
        ({"anthropic-ratelimit-requests-reset": rfc_3339(WALL + HOUR + 30), "date": http_date(WALL + HOUR)}, 30.0),
        ({"x-ratelimit-reset": b"%d" % ((WALL + 30) * 1000)}, 30.0),
        ({"x-ratelimit-reset": b"%d" % (WALL + 30)}, 30.0),
        ({"x-ratelimit-reset": b"30"}, 30.0),
        ({"x-ratelimit-reset-requests": b"soon"}, None),
        ({"retry-after": b"soon", "x-ratelimit-reset-requests": b"1s"}, 1.0),
        ({"retry-after": b"5", "x-ratelimit-reset-requests": b"1s"}, 5.0),
        ({}, None),
    ],
)
def test_without_retry_after_a_rate_limit_lasts_until_what_is_exhausted_is_whole_again(
    headers: dict[str, bytes], seconds: float | None
) -> None:
    sent = {name.encode(): value for name, value in headers.items()}

    assert seconds_to_wait(429, sent, WALL) == seconds
    assert seconds_to_wait(503, sent, WALL) == seconds


def test_a_rate_limits_headers_say_nothing_of_another_failure() -> None:
    assert seconds_to_wait(500, {b"x-ratelimit-reset-requests": b"1s"}, WALL) is None
    assert seconds_to_wait(500, {b"retry-after": b"1"}, WALL) == 1.0
