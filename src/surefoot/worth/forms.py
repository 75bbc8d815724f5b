"""The forms in which a risk file tells amounts: with their unit; exactly, as a 90 % interval, as counts, or by a fact.

Each reader takes what TOML gave and returns a quantity of `evidence.unknown`, or the name of a fact that stands for
one. A wrong value is a `ValueError` with a sentence, which is what pydantic collects. Must never guess a unit.
"""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec import Struct

from surefoot.config.faults import did_you_mean
from surefoot.config.forms import Form, named
from surefoot.config.quantities import quoted, read_duration, read_share, show_duration
from surefoot.errors import EvidenceError
from surefoot.evidence.unknown import Between, Cases, Events, Known
from surefoot.intake.incident import Reading

PER_YEAR = {"year": 1, "quarter": 4, "month": 12}
MINUTE = 60
PERCENT = 100
SHORTEST, LONGEST = "7d", "366d"
"""Of the period of an objective: the alerts' windows are up to three days, and promises are of a year at most."""

_MONEY = re.compile(r"\$\s*(\d[\d_]*(?:\.\d+)?)(?:\s*/\s*([a-z]+))?")
_RATE = re.compile(r"(\d[\d_]*(?:\.\d+)?)\s*/\s*([a-z]+)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


class Named(Struct, frozen=True):
    """A quantity that a fact of another run tells, by the fact's name."""

    fact: str


class Penalty(Struct, frozen=True):
    """What a step costs: dollars, or a share of the month's fee."""

    dollars: float = 0.0
    of_fee: float = 0.0


def _money(per: str) -> Callable[[object], float]:
    unit = f"/{per}" if per else ""
    sentence = f'an amount of money carries its unit: write "$1_500{unit}"'

    def read(value: object) -> float:
        found = _MONEY.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None or (found[2] or "") != per:
            raise ValueError(f"{sentence}, not {quoted(value)}")
        return float(found[1].replace("_", ""))

    return read


def _rate(value: object) -> float:
    found = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or found[2] not in PER_YEAR:
        raise ValueError(f'a rate carries its unit: write "12/year", "2/quarter" or "1/month", not {quoted(value)}')
    return float(Decimal(found[1].replace("_", "")) * PER_YEAR[found[2]])


def _minutes(value: object) -> float:
    return read_duration(value) / MINUTE


def _days(value: object) -> float:
    return read_duration(value) / read_duration("1d")


def read_percent(value: object) -> float:
    """Percent of a month, `"99.9%"`, as the number before the sign."""
    found = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or float(found[1]) > PERCENT:
        raise ValueError(f'an uptime is a percentage in quotes, "99.9%", not {quoted(value)}')
    return float(found[1])


def _part(value: object) -> float:
    """A share of a whole."""
    found = read_share(value)
    if found > 1:
        raise ValueError(f"{quoted(value)} is more than all: a share is at most 100%")
    return found


def _objective(value: object) -> float:
    found = _part(value)
    if not 0 < found < 1:
        raise ValueError(
            f"{quoted(value)} leaves no error budget, or nothing else: an objective lies between 0% and 100%"
        )
    return found


def _period(value: object) -> float:
    found = read_duration(value)
    if not read_duration(SHORTEST) <= found <= read_duration(LONGEST):
        raise ValueError(f"{show_duration(found)} is out of range: a period is from {SHORTEST} to {LONGEST}")
    return found


def _reading(value: object) -> Reading:
    if not isinstance(value, str) or value not in list(Reading):
        raise ValueError(f"a reading of incidents is {', '.join(Reading)}, not {quoted(value)}")
    return Reading(value)


def _penalty(value: object) -> Penalty:
    if isinstance(value, str) and value.strip().startswith("$"):
        return Penalty(dollars=_money("")(value))
    try:
        return Penalty(of_fee=read_share(value))
    except ValueError:
        raise ValueError(f'a penalty is a share of the fee, "10%", or dollars, "$5_000", not {quoted(value)}') from None


Keyed = Callable[[dict[str, Any]], Any]


def _told(read: Callable[[object], float], tables: dict[tuple[str, ...], Keyed]) -> Callable[[object], Any]:
    """A plain value, or one of these tables, known by its keys."""

    def from_any(value: object) -> Any:
        if not isinstance(value, dict):
            return Known(read(value))
        for keys, make in tables.items():
            if set(value) == set(keys):
                try:
                    return make(value)
                except EvidenceError as error:
                    raise ValueError(str(error)) from error
        known = {key for keys in tables for key in keys}
        for key in value:
            if key not in known:
                raise ValueError(f"unknown key `{key}`; {did_you_mean(key, known)}")
        forms = " or ".join("{ " + ", ".join(keys) + " }" for keys in tables)
        raise ValueError(f"a table here is {forms}, not {{ {', '.join(value)} }}")

    return from_any


def _between(read: Callable[[object], float]) -> Keyed:
    return lambda table: Between(read(table["low"]), read(table["high"]))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"must be a number without quotes, not {quoted(value)}")
    return float(value)


def _named(table: dict[str, Any]) -> Named:
    if not isinstance(table["fact"], str):
        raise ValueError(f"a fact is named by text in quotes, not {quoted(table['fact'])}")  # noqa: TRY004 - pydantic collects ValueErrors
    return Named(table["fact"])


_FACT: dict[tuple[str, ...], Keyed] = {("fact",): _named}


def money(per: str = "") -> Form:
    """Dollars, exactly."""
    return Form(f"dollars a {per}" if per else "dollars", _money(per))


def money_range(per: str = "") -> Form:
    """Dollars, exactly or as a 90 % interval."""
    read = _money(per)
    label = f"dollars a {per}" if per else "dollars"
    return Form(f"{label}, or {{ low, high }}", _told(read, {("low", "high"): _between(read)}))


RATE = Form(
    "rate, { low, high }, { events, years } or { fact }",
    _told(
        _rate,
        {
            ("low", "high"): _between(_rate),
            ("events", "years"): lambda table: Events(_number(table["events"]), _number(table["years"])),
            **_FACT,
        },
    ),
)
SHARE = Form(
    "share, { k, n } or { fact }",
    _told(_part, {("k", "n"): lambda table: Cases(_number(table["k"]), _number(table["n"])), **_FACT}),
)
MINUTES = Form("duration, { low, high } or { fact }", _told(_minutes, {("low", "high"): _between(_minutes), **_FACT}))
TIME = Form("duration, or { fact }", _told(_minutes, _FACT))
DAYS = Form("duration, or { low, high }", _told(_days, {("low", "high"): _between(_days)}))
LAG = Form("duration", read_duration)
PERIOD = Form(f"duration from {SHORTEST} to {LONGEST}", _period)
PERCENTAGE = Form("percentage", read_percent)
PLAIN_SHARE = Form("share", _part)
OBJECTIVE = Form("share between 0% and 100%", _objective)
READING = Form(f"one of {', '.join(Reading)}", _reading)
NAME = named("name", "[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""Without a dot: it stands between dots in the names of facts."""
PENALTY = Form("share of the fee, or dollars", _penalty)
