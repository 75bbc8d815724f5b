"""Faults of several files and options, gathered, so that all of them are told at once before any work.

Must never: stop at the first one.
"""

from collections.abc import Callable
from typing import TypeVar

from surefoot.errors import ConfigError, SurefootError

_Found = TypeVar("_Found")


def read_option(faults: list[str], option: str, reader: Callable[[str], _Found], text: str) -> _Found | None:
    """What the reader makes of the text; what it refuses (`ValueError`) is a fault of the option."""
    try:
        return reader(text)
    except ValueError as error:
        faults.append(f"{option}: {error}")
        return None


def attempted(faults: list[str], do: Callable[[], _Found]) -> _Found | None:
    """What comes of it, or None; what stands against it is added to the faults."""
    try:
        return do()
    except ConfigError as error:
        faults += error.faults
    except SurefootError as error:
        faults.append(str(error))
    return None
