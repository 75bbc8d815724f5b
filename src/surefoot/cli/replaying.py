"""What `surefoot replay` and `surefoot compare` share: how their options are read, and how their lines are told.

Knows: spellings and the screen. Must never: know what a replay or a comparison is.
"""

import signal
from types import FrameType

from rich.console import Console

from surefoot.config.quantities import read_share
from surefoot.intake.incident import Reading
from surefoot.report.widths import wrapped

ALL = "all"
_WHOLE = 100
"""Per cent."""


def words(text: str) -> list[str]:
    """What stands between commas, each once."""
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def read_readings(text: str) -> tuple[Reading, ...]:
    """Readings of incidents in the order given; `all` is every one. Raises `ValueError`."""
    told = list(Reading) if text.strip() == ALL else words(text)
    unknown = [word for word in told if word not in list(Reading)]
    if unknown or not told:
        raise ValueError(f"'{unknown[0] if unknown else text}' is none of {', '.join(Reading)}, {ALL}")
    return tuple(Reading(word) for word in told)


def read_part(text: str, of_none: str, of_more: str) -> float:
    """A share above 0 and up to 1. Raises `ValueError` with `of_none` for 0, and with `of_more` for more than all."""
    try:
        number: object = float(text)
    except ValueError:
        number = text
    else:
        if 1 < float(text) <= _WHOLE:
            raise ValueError(f"{text} is {float(text):.0%}; did you mean {float(text):g}%?")
    share = read_share(number)
    if share <= 0:
        raise ValueError(of_none)
    if share > 1:
        raise ValueError(of_more)
    return share


def unwind_when_stopped() -> None:
    """Let SIGTERM unwind everything, as Ctrl-C does: processes of a sweep are ended, and nothing half written stays."""
    signal.signal(signal.SIGTERM, _interrupt)


def say(console: Console, line: str) -> None:
    """A line, wrapped at words: nothing in it is markup."""
    console.print(wrapped(line, console.width), highlight=False, markup=False, soft_wrap=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
