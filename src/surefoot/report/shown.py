"""How a fact is written for people: k of n, milliseconds, intervals, and why there is none.

Knows: units and rounding. Must never: compute a number, or print one without saying when it is missing.
"""

from math import floor, log10

from surefoot.facts import Fact

MS = 1000.0
SMALLEST_MS = 0.1
"""Below this the clock of an event loop says nothing."""
SMALLEST_DOLLARS = 0.000001
"""Below this a single call's cost is nothing to anybody."""


def time_of(fact: Fact, *, signed: bool = False) -> str:
    """Seconds as milliseconds, or why there is no number; `signed` for differences."""
    if fact.value is None:
        return "–" if fact.n == 0 else fact.note  # noqa: RUF001 - an en dash stands for nothing
    ms = fact.value * MS
    if not signed and ms < SMALLEST_MS:
        return f"<{SMALLEST_MS:g} ms"
    digits = 0 if abs(ms) >= 10 else 1  # noqa: PLR2004 - two significant digits
    return f"{ms:+,.{digits}f} ms" if signed else f"{ms:,.{digits}f} ms"


def times_between(fact: Fact, *, signed: bool = False) -> str:
    """The interval of a time, in milliseconds; an open end is said to be open."""
    if fact.value is None or (fact.low is None and fact.high is None):
        return ""
    form = "{:+,.0f}" if signed else "{:,.0f}"
    ends = ["none" if end is None else form.format(end * MS) for end in (fact.low, fact.high)]
    return " … ".join(ends)


def share_of(share: Fact) -> str:
    """A share in percent; never rounded up to all, nor down to none."""
    if share.value is None:
        return "–"  # noqa: RUF001 - as above
    return f"{_percent(share.value)} %"


def shares_between(share: Fact) -> str:
    """The interval of a share, in percent."""
    if share.low is None or share.high is None:
        return ""
    return f"{_percent(share.low)} … {_percent(share.high)} %"


def about(share: float) -> str:
    """A share in whole percent, for a sentence; never rounded up to all, nor down to none."""
    whole = round(100 * share)
    if share < 1 and whole == 100:  # noqa: PLR2004 - percent
        return ">99 %"
    return "<1 %" if share > 0 and whole == 0 else f"{whole} %"


def points_of(difference: Fact) -> str:
    """A difference of shares, in percentage points."""
    return "–" if difference.value is None else f"{100 * difference.value:+.1f}"  # noqa: RUF001 - as above


def points_between(difference: Fact) -> str:
    """The interval of a difference of shares, in percentage points."""
    if difference.low is None or difference.high is None:
        return ""
    return f"{100 * difference.low:+.1f} … {100 * difference.high:+.1f}"


def money_of(amount: Fact, *, signed: bool = False) -> str:
    """Dollars in plain notation, to two digits or the cent, or why there is no number; `signed` for differences."""
    if amount.value is None:
        return "unknown" if "unknown" in amount.note else "–"  # noqa: RUF001 - as above
    if amount.value == 0:
        return "$0"
    dollars = abs(amount.value)
    if dollars < SMALLEST_DOLLARS:
        return f"<${SMALLEST_DOLLARS:.6f}"  # without a sign: it is as good as nothing
    sign = "-" if amount.value < 0 else "+" * signed
    return f"{sign}${_plain(dollars)}"


def money_between(amount: Fact, *, signed: bool = False) -> str:
    """The interval of an amount of money."""
    if amount.low is None or amount.high is None:
        return ""
    ends = (Fact(name="", value=end, unit=amount.unit, n=amount.n) for end in (amount.low, amount.high))
    return " … ".join(money_of(end, signed=signed) for end in ends)


def duration_of(seconds: float) -> str:
    """A length of time as a person says it: `4.2 s`, `31 s`, `2 min 5 s`, `1 h 36 min`."""
    if seconds < 10:  # noqa: PLR2004 - two significant digits
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:  # noqa: PLR2004 - nobody asks for the seconds of an hour
        return minutes_of(round(seconds / 60))
    more = f" {rest} s" if rest else ""
    return f"{minutes} min{more}" if minutes else f"{rest} s"


def tick_of(seconds: float) -> str:
    """A length of time on an axis: `200 ms`, `2 s`, `1.5 s`."""
    return f"{seconds * MS:g} ms" if seconds < 1 else f"{seconds:g} s"


def minutes_of(minutes: float) -> str:
    """Minutes of outage as a person says them: `0 min`, `48 s`, `12 min`, `4 h 2 min`, `3 days 4 h`."""
    if 0 < abs(minutes) < 1:
        return f"{60 * minutes:.0f} s" if abs(minutes) * 60 >= 1 else "<1 s"
    sign, whole = "-" if minutes < 0 else "", round(abs(minutes))
    hours, rest = divmod(whole, 60)
    days, left = divmod(hours, 24)
    if days:
        return f"{sign}{days} {'day' if days == 1 else 'days'}" + (f" {left} h" if left else "")
    if hours:
        return f"{sign}{hours} h" + (f" {rest} min" if rest else "")
    return f"{sign}{rest} min"


def k_of_n(count: Fact) -> str:
    """A count of how many."""
    return f"{count.value:.0f}/{count.n}"


def many(count: float, what: str) -> str:
    """A whole number of things: `1 call`, `2,000 calls`."""
    return f"{count:,.0f} {what}{'' if count == 1 else 's'}"


def _plain(dollars: float) -> str:
    """Without an exponent."""
    if dollars >= 1:
        return f"{dollars:,.2f}"
    return f"{dollars:.{1 - floor(log10(dollars))}f}".rstrip("0")


def _percent(share: float) -> str:
    text = f"{100 * share:.1f}"
    if text == "100.0":
        return "100" if share == 1 else ">99.9"
    return "0" if share == 0 else text
