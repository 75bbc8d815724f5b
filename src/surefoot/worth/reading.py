"""From a risk file to what is at stake: as it is told, under each reading of an incident, and by lag.

All faults are told at once, each with its path. Must never put a number where the file or a fact has none.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Union

import msgspec
from msgspec import Struct

from surefoot.config.faults import Faults
from surefoot.config.quantities import show_duration
from surefoot.config.reading import read_table, read_toml
from surefoot.errors import ConfigError
from surefoot.evidence.exposing import Stake
from surefoot.facts import Fact
from surefoot.intake.incident import Reading
from surefoot.worth.borrowed import Borrowed
from surefoot.worth.months import Months, read_months
from surefoot.worth.shape import RiskFile, RiskTable
from surefoot.worth.staking import stake_of

AT_ONCE = "0s"
"""How no lag is named."""


class Read(Struct, frozen=True):
    """A risk file that can be used."""

    file: RiskFile
    stake: Stake
    months: Months | None
    facts: dict[str, Fact]
    """Those of another run that it names."""
    text: bytes
    """The file itself, for the hash of inputs."""
    readings: dict[str, Union["Read", str]] = {}
    """The same file under each reading, or why it cannot be had; empty if no rate depends on it."""
    lags: dict[str, Union["Read", str]] = {}
    """The same file by how late an outage is noticed, the least first; empty unless a replay tells of several."""


def read_risks(path: Path, sheet: Path | None = None) -> Read:
    """The file at `path`, with the facts it names from `sheet`: a facts file, or a folder that holds one.

    Raises `ConfigError` with every fault, each with its path.
    """
    raw = read_toml(path, "examples/risk.toml is one to begin with")
    faults = Faults()
    borrowed = Borrowed(sheet, faults)
    file = read_table(raw, RiskFile, faults)
    uptime = None if file is None or file.uptime is None else read_months(file.uptime, path.parent, faults)
    if uptime is None and file is not None and file.uptime is not None:
        faults.spoil("risks")  # what risks take from the months is no fault of theirs
    made = None if file is None else stake_of(file, borrowed, uptime)
    if file is None or made is None or faults.found:
        raise ConfigError([f"{path}: {fault}" if not fault.startswith("--") else fault for fault in faults.found])
    read = Read(file, made, uptime, borrowed.used, path.read_bytes())
    return msgspec.structs.replace(read, readings=_readings(read, borrowed), lags=_lags(read, borrowed))


def _readings(read: Read, borrowed: Borrowed) -> dict[str, Read | str]:
    if all(reading_of(risk) is None for risk in read.file.risks):
        return {}
    return {str(reading): _changed(read, borrowed, partial(_under, reading)) for reading in Reading}


def reading_of(risk: RiskTable) -> Reading | None:
    """The reading under which its incidents were counted; None where the file does not say."""
    if risk.history is not None:
        return risk.history
    word = (risk.replay or "").partition(".")[0].partition("+")[0]
    return Reading(word) if word in list(Reading) else None


def _under(reading: Reading, risk: RiskTable) -> RiskTable:
    if risk.history is not None:
        return risk.model_copy(update={"history": reading})
    own = reading_of(risk)
    return risk if own is None else risk.model_copy(update={"replay": reading + (risk.replay or "").removeprefix(own)})


def _lags(read: Read, borrowed: Borrowed) -> dict[str, Read | str]:
    groups = [risk.replay for risk in read.file.risks if risk.replay is not None]
    known = sorted({lag for group in groups for lag in borrowed.lags(group)})
    if not known:
        return {}
    return {
        (show_duration(lag) if lag else AT_ONCE): _changed(read, borrowed, partial(_late, lag)) for lag in (0.0, *known)
    }


def _late(lag: float, risk: RiskTable) -> RiskTable:
    return risk if risk.replay is None else risk.model_copy(update={"lag": lag})


def _changed(read: Read, borrowed: Borrowed, change: Callable[[RiskTable], RiskTable]) -> Read | str:
    """The same file with every risk changed, or why it cannot be used so."""
    file = read.file.model_copy(update={"risks": [change(risk) for risk in read.file.risks]})
    faults = Faults()
    made = stake_of(file, borrowed.again(faults), read.months)
    if made is None or faults.found:
        return "; ".join(faults.found)
    return Read(file, made, read.months, read.facts, read.text)
