"""How often each failure mode is seen and what one costs: the weights of coverage.

The defaults ship as `rates.toml`, with their source and what they cannot tell; a user's file of the same form
replaces them mode by mode. A default is marked as one wherever it is shown. The same file says by which words of an
incident's title it was counted, so that other incidents can be told apart in the same way.

Must never: guess a rate. A mode without one is not counted by coverage.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.errors import ConfigError


class Rate(Struct, frozen=True):
    """What is known of one mode."""

    mode: str
    events: float
    """How often it was seen in `years`; its even share, where one count is told of several modes."""
    years: float
    """How long was watched."""
    impact: float
    """Mean impact of one event, in the unit of all."""
    what: str
    """What was counted."""
    source: str
    as_of: str
    default: bool
    """Whether this is ours and not the user's."""

    @property
    def per_year(self) -> float:
        """Events per year."""
        return self.events / self.years


class Rates(Struct, frozen=True):
    """The weights of all modes that coverage counts, by mode, in the order of the defaults."""

    unit: str
    """Of the impact: `minutes`, `dollars`."""
    of: dict[str, Rate]


class Told(Struct, frozen=True):
    """What a title tells of an incident: that it was one of these modes, and never which of them."""

    what: str
    modes: tuple[str, ...]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    modes: Annotated[list[str], Field(min_length=1)]
    events: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    impact: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    what: str = ""
    source: str | None = None
    as_of: str | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    years: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    unit: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    as_of: Annotated[str, Field(min_length=1)]
    rates: Annotated[list[_Entry], Field(min_length=1)]


class _Title(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    counted: str
    words: Annotated[list[str], Field(min_length=1)]


class _Shipped(_File):
    titles: list[_Title]


@cache
def default_rates() -> Rates:
    """What ships."""
    file = _shipped()
    return Rates(file.unit, {rate.mode: rate for rate in _rates(file, default=True)})


def told_by(title: str) -> Told | None:
    """What the words of an incident's title tell, as the defaults were counted; None if they tell nothing."""
    return next((told for words, told in _titles() if words.search(title)), None)


@cache
def _titles() -> list[tuple[re.Pattern[str], Told]]:
    file = _shipped()
    modes = {entry.what: tuple(entry.modes) for entry in file.rates}
    return [
        (re.compile("|".join(title.words), re.IGNORECASE), Told(title.counted, modes[title.counted]))
        for title in file.titles
    ]


@cache
def _shipped() -> _Shipped:
    text = (files("surefoot.config") / "rates.toml").read_text(encoding="utf-8")
    return _Shipped.model_validate(tomllib.loads(text))


def read_rates(path: Path) -> Rates:
    """The user's rates over the defaults. Raises `ConfigError` with every fault of the file, each with its path."""
    faults = Faults()
    file = _shape(_toml(path), faults)
    ours = default_rates()
    if file is not None:
        _check(file, ours, faults)
    if file is None or faults.found:
        raise ConfigError([f"{path}: {fault}" for fault in faults.found])
    theirs = {rate.mode: rate for rate in _rates(file, default=False)}
    return Rates(file.unit, {mode: theirs.get(mode, rate) for mode, rate in ours.of.items()})


def _rates(file: _File, *, default: bool) -> Iterator[Rate]:
    for entry in file.rates:
        for mode in entry.modes:
            yield Rate(
                mode=mode,
                events=entry.events / len(entry.modes),
                years=file.years,
                impact=entry.impact,
                what=entry.what,
                source=entry.source or file.source,
                as_of=entry.as_of or file.as_of,
                default=default,
            )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: there is no such file; without --rates the defaults are taken"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 at byte {error.start}; save it as UTF-8"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not TOML: {error}"]) from error


def _shape(raw: dict[str, Any], faults: Faults) -> _File | None:
    try:
        return _File.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            place, kind = detail["loc"], detail["type"]
            known: Sequence[str] = list((_Entry if len(place) > 1 else _File).model_fields)
            if kind == "extra_forbidden":
                sentence = f"unknown key; {did_you_mean(str(place[-1]), known)}"
            elif kind == "missing":
                sentence = "is required"
            else:
                sentence = detail["msg"][:1].lower() + detail["msg"][1:]
            faults.add(path_of(*place), sentence)
        return None


def _check(file: _File, ours: Rates, faults: Faults) -> None:
    """What is wrong with a file whose form is right."""
    named = Counter(mode for entry in file.rates for mode in entry.modes)
    for number, entry in enumerate(file.rates):
        for at, mode in enumerate(entry.modes):
            path = path_of("rates", number, "modes", at)
            if mode not in ours.of:
                faults.add(path, f"there is no mode `{mode}` that coverage counts; {did_you_mean(mode, ours.of)}")
            elif named[mode] > 1:
                faults.add(path, f"`{mode}` is named {named[mode]} times; a mode has one rate")
    missing = [mode for mode in ours.of if mode not in named]
    if missing and file.unit != ours.unit:
        faults.add("unit", f"the defaults are in {ours.unit}; use that, or name these modes too: {', '.join(missing)}")
    if not missing and not any(entry.events * entry.impact > 0 for entry in file.rates):
        faults.add("rates", "no entry has both events and impact above 0: there is nothing to weigh the modes by")
