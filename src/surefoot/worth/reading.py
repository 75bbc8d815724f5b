"""From a risk file to what is at stake: its form, what must hold between its tables, and the facts it names.

All faults are told at once, each with its path. Must never put a number where the file or a fact has none.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.config.reading import read_table, read_toml
from surefoot.errors import ConfigError, EvidenceError
from surefoot.evidence.exposing import Delay, Hazard, Stake
from surefoot.evidence.levels import checked_steps
from surefoot.evidence.unknown import Amount, Known, Part, Rate
from surefoot.facts import Fact
from surefoot.worth.borrowed import Borrowed, rate_of, share_of, time_of
from surefoot.worth.months import Months, read_months
from surefoot.worth.shape import PromiseTable, RiskFile, RiskTable, VendorTable

_NOTHING = Known(0)


class Read(Struct, frozen=True):
    """A risk file that can be used."""

    file: RiskFile
    stake: Stake
    months: Months | None
    facts: dict[str, Fact]
    """Those of another run that it names."""
    text: bytes
    """The file itself, for the hash of inputs."""


def read_risks(path: Path, sheet: Path | None = None) -> Read:
    """The file at `path`, with the facts it names from `sheet`: a facts file, or a folder that holds one.

    Raises `ConfigError` with every fault, each with its path.
    """
    raw = read_toml(path, "examples/risk.toml is one to begin with")
    faults = Faults()
    borrowed = Borrowed(sheet, faults)
    file = read_table(raw, RiskFile, faults)
    made = None if file is None else _stake(file, borrowed)
    uptime = None if file is None or file.uptime is None else read_months(file.uptime, path.parent, faults)
    if file is None or made is None or faults.found:
        raise ConfigError([f"{path}: {fault}" if not fault.startswith("--") else fault for fault in faults.found])
    return Read(file, made, uptime, borrowed.used, path.read_bytes())


def penalties_of(promise: PromiseTable) -> list[tuple[float, float]]:
    """Its steps in dollars, the lowest bound first."""
    return sorted((step.below, step.penalty.dollars + step.penalty.of_fee * promise.fee) for step in promise.steps)


def credits_of(vendor: VendorTable) -> list[tuple[float, float]]:
    """Its steps in dollars, the lowest bound first."""
    return sorted((step.below, step.credit * vendor.bill) for step in vendor.credits)


def _stake(file: RiskFile, borrowed: Borrowed) -> Stake | None:
    faults = borrowed.faults
    _once(file, faults)
    for at, promise in enumerate(file.promises):
        _steps(path_of("promises", at, "steps"), penalties_of(promise), faults)
        if not promise.fee and any(step.penalty.of_fee for step in promise.steps):
            faults.add(path_of("promises", at, "fee"), "is required where a penalty is a share of it")
    for at, vendor in enumerate(file.vendors):
        _steps(path_of("vendors", at, "credits"), credits_of(vendor), faults)
    if not file.risks and not file.delays:
        faults.add("risks", "there is none, and no delay either: nothing is at stake")
    hazards = [_hazard(at, risk, file, borrowed) for at, risk in enumerate(file.risks)]
    if faults.found:
        return None
    return Stake(
        hazards=[hazard for hazard in hazards if hazard is not None],
        delays=[
            Delay(chance=one.chance, chance_kept=one.chance_with_fallback, days=one.days, cost_per_day=one.cost)
            for one in file.delays
        ],
        promises=[penalties_of(promise) for promise in file.promises],
        vendors=[credits_of(vendor) for vendor in file.vendors],
        revenue=file.business.revenue,
        margin=file.business.margin,
    )


def _once(file: RiskFile, faults: Faults) -> None:
    """A name stands for one thing."""
    for table in ("promises", "vendors", "risks", "delays"):
        names = [one.name for one in getattr(file, table)]
        counted = Counter(names)
        for at, name in enumerate(names):
            if counted[name] > 1:
                faults.add(path_of(table, at, "name"), f"`{name}` is named {counted[name]} times; rename one")


def _steps(path: str, steps: Sequence[tuple[float, float]], faults: Faults) -> None:
    try:
        checked_steps(steps)
    except EvidenceError as error:
        faults.add(path, str(error))


def _hazard(at: int, risk: RiskTable, file: RiskFile, borrowed: Borrowed) -> Hazard | None:
    path, faults = path_of("risks", at), borrowed.faults
    vendors = [vendor.name for vendor in file.vendors]
    if risk.vendor is not None and risk.vendor not in vendors:
        faults.add(f"{path}.vendor", f"there is no vendor `{risk.vendor}`; {did_you_mean(risk.vendor, vendors)}")
        return None
    told = _by_hand(path, risk, borrowed) if risk.replay is None else _by_replay(path, risk, borrowed)
    if told is None:
        return None
    try:
        return Hazard(
            rate=told.rate,
            minutes=told.minutes,
            struck=risk.struck,
            response=risk.response,
            impact=risk.impact,
            coverage=told.coverage,
            residual_minutes=told.residual.value,
            residual_cost=risk.residual_cost,
            vendor=None if risk.vendor is None else vendors.index(risk.vendor),
        )
    except EvidenceError as error:
        faults.add(path, str(error))
        return None


class _Told(NamedTuple):
    """What may come from facts."""

    rate: Rate
    minutes: Amount
    coverage: Part
    residual: Known


def _by_hand(path: str, risk: RiskTable, borrowed: Borrowed) -> _Told | None:
    """Each for itself, by hand or by a fact."""
    faults = borrowed.faults
    if risk.rate is None:
        faults.add(f"{path}.rate", "is required, or replay; it is: How often")
        return None
    if risk.coverage == _NOTHING and (risk.residual_cost or risk.residual_time != _NOTHING):
        faults.add(f"{path}.coverage", "is required: what is left of a covered incident is told")
    if _NOTHING == risk.lasts == risk.response == risk.impact:
        faults.add(f"{path}.lasts", "one of lasts, response and impact is required: it costs nothing")
    return _Told(
        borrowed.of(f"{path}.rate", risk.rate, rate_of, _NOTHING),
        borrowed.of(f"{path}.lasts", risk.lasts, time_of, _NOTHING),
        borrowed.of(f"{path}.coverage", risk.coverage, share_of, _NOTHING),
        borrowed.of(f"{path}.residual_time", risk.residual_time, time_of, _NOTHING),
    )


def _by_replay(path: str, risk: RiskTable, borrowed: Borrowed) -> _Told | None:
    """All by a replay; how single incidents last may be told by hand, since a replay's fact is their mean."""
    for key, unset in (("rate", None), ("coverage", _NOTHING), ("residual_time", _NOTHING), ("struck", 1.0)):
        if getattr(risk, key) != unset:
            borrowed.faults.add(f"{path}.{key}", "comes from the replay; leave it out, or replay")
    found = borrowed.replayed(f"{path}.replay", risk.replay or "")
    if found is None:
        return None
    lasts = borrowed.of(f"{path}.lasts", risk.lasts, time_of, _NOTHING)
    return _Told(found.rate, found.minutes if lasts == _NOTHING else lasts, found.coverage, _NOTHING)
