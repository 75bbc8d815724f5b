"""The calendar: dated duties of law, as data that ships, and by which declared facts each touches what is configured.

Knows `calendar.toml` beside it. Must never know the day, or say what somebody has to do: that is counsel's.
"""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

UNDECLARED = "undeclared"
"""Stands among transfer tools for a target that declares none, not even "none"."""


class OfTarget(Struct, frozen=True, forbid_unknown_fields=True):
    """A condition on a target; all that is given has to hold. Zones and tools are alternatives."""

    every: bool = False
    """Holds for all; without any key a condition holds for none."""
    transfers: tuple[str, ...] = ()
    """Transfer tools, or `UNDECLARED`."""
    processes: tuple[str, ...] = ()
    """Zones; it may process inside any of them, which it also may if it does not say."""
    outside: tuple[str, ...] = ()
    """Zones; it is not certain that all its processing lies within them."""


class OfJurisdiction(Struct, frozen=True, forbid_unknown_fields=True):
    """A condition on a jurisdiction; all that is given has to hold."""

    every: bool = False
    classes: bool = False
    """It binds classes of data."""
    regions: tuple[str, ...] = ()
    """Zones; it is about people who may live inside any of them."""
    processes: tuple[str, ...] = ()
    """Zones; it asks for processing inside any of them."""


class Duty(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One dated obligation."""

    law: str
    article: str
    title: str
    date: date
    """From when on it applies."""
    source: str
    as_of: str
    """When it was read there, as year and month."""
    note: str = ""
    targets: tuple[OfTarget, ...] = ()
    """Touches a target for which any of these holds."""
    jurisdictions: tuple[OfJurisdiction, ...] = ()
    """Likewise a jurisdiction."""


class _Calendar(Struct, frozen=True, forbid_unknown_fields=True):
    duties: tuple[Duty, ...]


@cache
def calendar() -> tuple[Duty, ...]:
    """What ships, by date."""
    text = (files("surefoot.config") / "calendar.toml").read_text(encoding="utf-8")
    return tuple(sorted(msgspec.convert(tomllib.loads(text), _Calendar).duties, key=lambda duty: duty.date))
