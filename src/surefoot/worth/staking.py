"""From the tables of a risk file to what is at stake, and what must hold between them.

Must never: put a number where the file or a fact has none.
"""

from collections import Counter
from collections.abc import Sequence

from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.errors import EvidenceError
from surefoot.evidence.exposing import Delay, Hazard, Stake
from surefoot.evidence.levels import checked_steps
from surefoot.worth.borrowed import Borrowed
from surefoot.worth.incidence import told_of
from surefoot.worth.months import Months
from surefoot.worth.shape import PromiseTable, RiskFile, VendorTable


def penalties_of(promise: PromiseTable) -> list[tuple[float, float]]:
    """Its steps in dollars, the lowest bound first."""
    return sorted((step.below, step.penalty.dollars + step.penalty.of_fee * promise.fee) for step in promise.steps)


def credits_of(vendor: VendorTable) -> list[tuple[float, float]]:
    """Its steps in dollars, the lowest bound first."""
    return sorted((step.below, step.credit * vendor.bill) for step in vendor.credits)


def stake_of(file: RiskFile, borrowed: Borrowed, months: Months | None) -> Stake | None:
    """What is at stake; None, with the faults in `borrowed`, if the file cannot be used."""
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
    hazards = [_hazard(at, file, borrowed, months) for at, risk in enumerate(file.risks)]
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


def _hazard(at: int, file: RiskFile, borrowed: Borrowed, months: Months | None) -> Hazard | None:
    risk, path, faults = file.risks[at], path_of("risks", at), borrowed.faults
    vendors = [vendor.name for vendor in file.vendors]
    if risk.vendor is not None and risk.vendor not in vendors:
        faults.add(f"{path}.vendor", f"there is no vendor `{risk.vendor}`; {did_you_mean(risk.vendor, vendors)}")
        return None
    told = told_of(path, risk, borrowed, months)
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
