"""How often incidents of a risk come, how long they last and what share is covered: by hand, by a replay, by history.

Knows that the three are one or the other: what one tells cannot be told by another too.
Must never: take "none was seen" for "none will come", or guess how long one that was never seen would last.
"""

from collections.abc import Sequence
from typing import NamedTuple

from surefoot.config.quantities import show_duration
from surefoot.evidence.unknown import Events, Known, Lasting, Part, Rate, Sample
from surefoot.worth.borrowed import Borrowed, rate_of, share_of, time_of
from surefoot.worth.months import Months
from surefoot.worth.shape import RiskTable
from surefoot.worth.singles import level

_NOTHING = Known(0)
_UNSET = {"rate": None, "coverage": _NOTHING, "residual_time": _NOTHING, "struck": 1.0, "history": None, "lag": 0.0}


class Told(NamedTuple):
    """What may come from elsewhere."""

    rate: Rate
    minutes: Lasting
    coverage: Part
    residual: Known


def told_of(path: str, risk: RiskTable, borrowed: Borrowed, months: Months | None) -> Told | None:
    """All of it; None, with the faults in `borrowed`, where it cannot be had."""
    if risk.replay is not None:
        return _by_replay(path, risk, borrowed)
    if risk.lag:
        borrowed.faults.add(f"{path}.lag", "is of a replay; by hand tell residual_time, what is felt of a covered one")
    if risk.coverage == _NOTHING and (risk.residual_cost or risk.residual_time != _NOTHING):
        borrowed.faults.add(f"{path}.coverage", "is required: what is left of a covered incident is told")
    return _by_hand(path, risk, borrowed) if risk.history is None else _by_history(path, risk, borrowed, months)


def _by_hand(path: str, risk: RiskTable, borrowed: Borrowed) -> Told | None:
    """Each for itself, by hand or by a fact."""
    if risk.rate is None:
        borrowed.faults.add(f"{path}.rate", "is required, or replay, or history; it is: How often")
        return None
    if _NOTHING == risk.lasts == risk.response == risk.impact:
        borrowed.faults.add(f"{path}.lasts", "one of lasts, response and impact is required: it costs nothing")
    rate = borrowed.of(f"{path}.rate", risk.rate, rate_of, _NOTHING)
    return _with(path, risk, borrowed, rate, borrowed.of(f"{path}.lasts", risk.lasts, time_of, _NOTHING))


def _with(path: str, risk: RiskTable, borrowed: Borrowed, rate: Rate, minutes: Lasting) -> Told:
    """With what the fallback does, as the file tells it."""
    return Told(
        rate,
        minutes,
        borrowed.of(f"{path}.coverage", risk.coverage, share_of, _NOTHING),
        borrowed.of(f"{path}.residual_time", risk.residual_time, time_of, _NOTHING),
    )


def _by_replay(path: str, risk: RiskTable, borrowed: Borrowed) -> Told | None:
    """All by a replay; how single incidents last may be told by hand."""
    _not_told(path, risk, borrowed, ("rate", "coverage", "residual_time", "struck", "history"), "the replay")
    group, known = risk.replay or "", borrowed.lags(risk.replay or "")
    if risk.lag and known and risk.lag not in known:
        told = ", ".join(map(show_duration, known))
        sentence = (
            f"the replay was not run with it, but with {told}: `surefoot replay --lags 0,{show_duration(risk.lag)}`"
        )
        borrowed.faults.add(f"{path}.lag", sentence)
        return None
    found = borrowed.replayed(f"{path}.replay", group, risk.lag)
    if found is None:
        return None
    lasts = borrowed.of(f"{path}.lasts", risk.lasts, time_of, _NOTHING)
    if lasts != _NOTHING:
        return Told(found.rate, lasts, found.coverage, Known(found.residual))
    single = borrowed.singles(f"{path}.replay", group, found)
    if single is None:
        return None
    return Told(found.rate, single, found.coverage, Known(level(single.values, found.residual)))


def _by_history(path: str, risk: RiskTable, borrowed: Borrowed, months: Months | None) -> Told | None:
    """Rate, and how long one lasts unless that is told, by the outages that began in the file's months."""
    _not_told(path, risk, borrowed, ("rate",), "the history")
    if months is None or months.outages is None or risk.history is None:
        borrowed.faults.add(f"{path}.history", "needs [uptime] with incidents, provider, first and last")
        return None
    minutes = months.outages[risk.history]
    lasts = borrowed.of(f"{path}.lasts", risk.lasts, time_of, _NOTHING)
    if lasts == _NOTHING and not minutes:
        none = f"under `{risk.history}` no outage of known length began in {months.count} months"
        borrowed.faults.add(f"{path}.lasts", f"{none}: tell how long one would last")
        return None
    rate = Events(len(minutes) + months.unknown.get(risk.history, 0), months.years)
    return _with(path, risk, borrowed, rate, Sample(tuple(minutes)) if lasts == _NOTHING else lasts)


def _not_told(path: str, risk: RiskTable, borrowed: Borrowed, keys: Sequence[str], by: str) -> None:
    for key in keys:
        if getattr(risk, key) != _UNSET[key]:
            borrowed.faults.add(f"{path}.{key}", f"comes from {by}; leave it out, or {by.removeprefix('the ')}")
