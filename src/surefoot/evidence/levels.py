"""Service levels: how fast an error budget burns, when that is noticed, what the provider credits, who could answer."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import inf
from numbers import Real
from typing import NamedTuple

import numpy as np

from surefoot.errors import EvidenceError
from surefoot.evidence.given import inside, not_negative, positive, rows, up_to
from surefoot.evidence.given import share as share_of

_ROUNDING = 1e-9


class Levels(NamedTuple):
    """Two answers to how much of the time a service was there; shares, from 0 to 1."""

    uptime: float
    """Of the time points, those at which it answered somewhere."""
    reachability: float
    """Of all executions, those that it answered. Uptime hides a regional outage, this does not: the headline."""


def burn_rate(share: float, period_hours: float, window_hours: float) -> float:
    """How many times too fast errors come if they use up this share of the period's budget within the window.

    `share * period / window` (Beyer et al., The Site Reliability Workbook, 2018, chapter 5): 2 % of a 30-day budget in
    an hour burn at 14.4. Page when both this window and one of a twelfth of it exceed it.
    Raises `EvidenceError` unless share is from 0 to 1 and both times are above 0.
    """
    used = share_of("a share of the budget", share)
    return used * positive("a period", period_hours) / positive("a window", window_hours)


def detection_seconds(slo: float, error_rate: float, window_seconds: float, burn: float) -> float:
    """Seconds from the first error to the alert, if from then on a share `error_rate` of calls fails.

    `(1 - slo) / error_rate * window * burn` (The Site Reliability Workbook, chapter 5). The formula holds up to the
    window's own length: errors that would need longer never bring its mean to the burn rate, and the answer is
    infinite. Raises `EvidenceError` unless 0 < slo < 1, 0 < error_rate <= 1 and window and burn are above 0.
    """
    budget = 1 - inside("a service level objective", slo)
    errors = share_of("an error rate", positive("an error rate", error_rate))
    window = positive("a window", window_seconds)
    seconds = budget / errors * window * positive("a burn rate", burn)
    return seconds if seconds <= window * (1 + _ROUNDING) else inf


def service_credit(steps: Iterable[tuple[float, float]], uptime_percent: float) -> float:
    """The share of the provider's bill, in percent, that is credited for a month with this uptime; 0 without a step.

    `steps` are `(below_percent, credit_percent)` in any order, as providers publish them: the lowest bound counts that
    the uptime is strictly below. A credit is not the user's loss.
    Raises `EvidenceError` for no steps, percentages outside 0 to 100, a bound told twice, and where a lower uptime is
    credited less.
    """
    uptime = up_to(100, "an uptime in percent", uptime_percent)
    table = checked_steps(steps)
    for _, credit in table:
        up_to(100, "a credit in percent", credit)
    return next((credit for bound, credit in table if uptime < bound), 0.0)


def checked_steps(steps: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Steps on monthly uptime, the lowest bound first: `(below_percent, amount)`, the amount of any unit.

    Raises `EvidenceError` for no steps, a bound outside 0 to 100 or told twice, a negative amount, and where a lower
    uptime has the smaller one.
    """
    table = [
        (up_to(100, "a bound in percent", below), not_negative("an amount", amount))
        for below, amount in rows("steps", steps, "below_percent, amount")
    ]
    table.sort()
    for (bound, amount), (higher, less) in pairwise(table):
        if bound == higher:
            raise EvidenceError(f"two amounts below {bound:g} %: one step per bound")
        if amount < less:
            raise EvidenceError(f"{amount:g} below {bound:g} % and {less:g} below {higher:g} %: the worse has the less")
    return table


def uptime_and_reachability(matrix: Iterable[Sequence[bool | None]]) -> Levels:
    """Uptime and reachability of a matrix of time points (rows) by vantage points (columns).

    A cell is True or 1 where the execution succeeded, False or 0 where it failed, None where there was none. Uptime is
    the share of time points with at least one success, of those with any execution; reachability the share of all
    executions that succeeded. A service that is down in one of four regions all day has an uptime of 100 % and a
    reachability of 75 %.
    Raises `EvidenceError` for no rows, rows of different lengths, no execution, and cells that are anything else.
    """
    executed = [[cell for cell in row if cell is not None] for row in _cells(matrix)]
    seen = [row for row in executed if row]
    if not seen:
        raise EvidenceError("no execution at any time point: neither uptime nor reachability is known")
    return Levels(
        uptime=sum(any(row) for row in seen) / len(seen),
        reachability=sum(map(sum, seen)) / sum(map(len, seen)),
    )


def reachability_by_vantage(matrix: Iterable[Sequence[bool | None]]) -> tuple[float | None, ...]:
    """The share of executions that succeeded from each vantage point, in the order of the columns; None without any.

    The matrix is that of `uptime_and_reachability`, and so are the errors.
    """
    columns = zip(*_cells(matrix), strict=True)
    executed = [[cell for cell in column if cell is not None] for column in columns]
    return tuple(sum(column) / len(column) if column else None for column in executed)


def _cells(matrix: Iterable[Sequence[bool | None]]) -> list[list[bool | None]]:
    if isinstance(matrix, str | bytes) or not isinstance(matrix, Iterable):
        raise EvidenceError(f"{matrix!r} is no matrix")
    found: list[list[bool | None]] = []
    for row in matrix:
        if isinstance(row, str | bytes) or not isinstance(row, Iterable):
            raise EvidenceError(f"{row!r} is no row of a matrix")
        found.append([_cell(cell) for cell in row])
    if not found or not found[0]:
        raise EvidenceError("a matrix needs at least one time point and one vantage point")
    if any(len(row) != len(found[0]) for row in found):
        raise EvidenceError("the rows of a matrix have to be of one length; None where nothing was executed")
    return found


def _cell(value: object) -> bool | None:
    if value is None:
        return None
    if isinstance(value, Real | np.bool_) and value in {0, 1}:
        return bool(value)
    raise EvidenceError(f"{value!r} in a matrix: a cell is True or 1, False or 0, or None")
