"""Quantities as a person writes them: durations, shares, sizes, prices, ranges of tokens, addresses.

Knows units. Every reader takes what TOML gave and returns the number that the code works with, or raises `ValueError`
with a sentence that shows the right form. Decimal arithmetic, so that "0.1s" is the float 0.1. Must never guess a unit.
"""

import re
from decimal import Decimal

from surefoot.domain.route import When
from surefoot.domain.units import TOKENS_PER_PRICE_UNIT

SECONDS = {"d": Decimal(86_400), "h": Decimal(3600), "m": Decimal(60), "s": Decimal(1), "ms": Decimal("0.001")}
LEAST = {**SECONDS, "d": 2 * SECONDS["d"]}
"""What is written in a unit, at least: a day is still 24 hours."""
BYTES = {
    "GiB": 1024**3,
    "MiB": 1024**2,
    "KiB": 1024,
    "GB": 1000**3,
    "MB": 1000**2,
    "kB": 1000,
    "KB": 1000,
    "B": 1,
}
TOKENS = {"MTok": TOKENS_PER_PRICE_UNIT, "1k": 1_000, "1K": 1_000}
_NUMBER = r"(\d+(?:\.\d+)?)"
_DURATION = re.compile(rf"{_NUMBER}\s*(ms|s|m|h|d)")
_SHARE = re.compile(rf"{_NUMBER}\s*%")
_SIZE = re.compile(rf"{_NUMBER}\s*({'|'.join(BYTES)})")
_PRICE = re.compile(rf"\$\s*{_NUMBER}\s*/\s*({'|'.join(TOKENS)})")
_BOUND = re.compile(r"(<=|<|>=|>)\s*([\d_]+)")
_BETWEEN = re.compile(r"([\d_]+)\s*\.\.\s*([\d_]+)")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
HIGHEST_PORT = 65_535


def _matched(pattern: re.Pattern[str], value: object, sentence: str) -> re.Match[str]:
    found = pattern.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{sentence}, not {quoted(value)}")
    return found


def quoted(value: object) -> str:
    """A value as TOML would write it, cut to a length that fits into a sentence."""
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    longest = 60
    return text if len(text) <= longest else f"{text[:longest]}…"


def read_duration(value: object) -> float:
    """Seconds."""
    found = _matched(_DURATION, value, 'a duration carries its unit: write "150ms", "2s", "5m" or "1h"')
    return float(Decimal(found[1]) * SECONDS[found[2]])


def show_duration(seconds: float) -> str:
    """The shortest exact form that `read_duration` reads back as the same number."""
    exact = Decimal(repr(float(seconds)))
    units = [unit for unit in ("d", "h", "m", "s") if exact >= LEAST[unit] and exact % SECONDS[unit] == 0]
    unit = units[0] if units else "s" if exact >= 1 else "ms"
    return f"{_plain(exact / SECONDS[unit])}{unit}"


def read_share(value: object) -> float:
    """A number from 0 to 1."""
    sentence = 'a share is a percentage in quotes, "5%", or a number from 0 to 1, 0.05'
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value <= 1:
            raise ValueError(f"{sentence}, not {value}")
        return float(value)
    return float(Decimal(_matched(_SHARE, value, sentence)[1]) / 100)


def show_share(share: float) -> str:
    """A percentage."""
    return f"{_plain(Decimal(repr(float(share))) * 100)}%"


def read_size(value: object) -> int:
    """Bytes; MB is a million of them, MiB is 1024 squared."""
    found = _matched(_SIZE, value, 'a size carries its unit: write "32MiB", "64KiB" or "10MB"')
    size = Decimal(found[1]) * BYTES[found[2]]
    if size != int(size):
        raise ValueError(f"a size is a whole number of bytes, not {quoted(value)}")
    return int(size)


def show_size(size: int) -> str:
    """The largest unit that divides it."""
    unit = next(unit for unit, factor in BYTES.items() if size >= factor and size % factor == 0)
    return f"{size // BYTES[unit]}{unit}"


def read_price(value: object) -> float:
    """US dollars per million tokens."""
    sentence = 'a price is dollars per million tokens, "$0.25/MTok", or per thousand, "$0.00025/1k"'
    found = _matched(_PRICE, value, sentence)
    return float(Decimal(found[1]) * (TOKENS_PER_PRICE_UNIT // TOKENS[found[2]]))


def show_price(price: float) -> str:
    """As public price lists print it."""
    return f"${_plain(Decimal(repr(float(price))))}/MTok"


def read_tokens(value: object) -> When:
    """A range of prompt lengths, both ends included."""
    sentence = 'a range of tokens is "<= 800", "< 800", ">= 800", "> 800" or "100..800"'
    between = _BETWEEN.fullmatch(value.strip()) if isinstance(value, str) else None
    if between is not None:
        least, most = int(between[1]), int(between[2])
        if least > most:
            raise ValueError(f"{quoted(value)} holds for no prompt: the first number is the smaller one")
        return When(least, most)
    found = _matched(_BOUND, value, sentence)
    bound = int(found[2])
    if found[1] == "<" and bound == 0:
        raise ValueError(f"{quoted(value)} holds for no prompt")
    return {
        "<=": When(0, bound),
        "<": When(0, bound - 1),
        ">=": When(bound),
        ">": When(bound + 1),
    }[found[1]]


def show_tokens(when: When) -> str:
    """As `read_tokens` reads it; empty for every length."""
    if when.most is None:
        return f">= {when.least}" if when.least else ""
    return f"{when.least}..{when.most}" if when.least else f"<= {when.most}"


def read_address(value: object) -> tuple[str, int]:
    """Host and port; port 0 lets the system choose."""
    found = _matched(_ADDRESS, value, 'an address is host and port: write "127.0.0.1:8080" or "[::1]:8080"')
    port = int(found[2])
    if port > HIGHEST_PORT:
        raise ValueError(f"port {port} does not exist: the highest is {HIGHEST_PORT}")
    return found[1].strip("[]"), port


def show_address(address: tuple[str, int]) -> str:
    """As `read_address` reads it."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _plain(number: Decimal) -> str:
    """Without exponent and without trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
