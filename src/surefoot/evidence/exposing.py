"""What a user's year costs: promises broken, margin lost, responses paid, days delayed; with a fallback and without.

Where `loss` sums impacts, this keeps the minutes of each month, since a penalty depends on the month's uptime and is no
sum over incidents. Both arms see the same incidents, month for month: their difference is paired.

A *world* is one draw of all that is not known (rates, shares, revenue); its years share it. Many worlds of one year
each are what next year may bring, doubt included; many years in each of some worlds tell how far the doubt alone moves
a mean (`mean_over_worlds`).

A month is a twelfth of a year of 365.25 days. An incident counts in the month in which it begins; incidents at the same
time add up, at most to the month. Times are minutes, money is dollars.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import EvidenceError
from surefoot.evidence.given import not_negative, share, up_to, whole
from surefoot.evidence.levels import checked_steps
from surefoot.evidence.unknown import Amount, Between, Cases, Draws, Events, Known, Lasting, Part, Rate, Sample

MOST_INCIDENTS = 10_000
"""A year, of one hazard. More are no incidents but calls."""
MOST_YEARS = 2_000_000
"""In all worlds together."""
MONTHS = 12
QUARTERS = 4
MONTH_MINUTES = 365.25 * 24 * 60 / MONTHS
AT_ONCE = 250_000
"""Incidents, or months, that are drawn at once, about; bounds memory for any number of years."""
PARTS = ("penalties", "margin", "response", "impact", "delay")
"""What a loss consists of."""

_NOTHING = Known(0)


def _check(name: str, value: object, kinds: tuple[type, ...]) -> None:
    if not isinstance(value, kinds):
        raise EvidenceError(f"{name} of {value!r}: it has to be {' or '.join(kind.__name__ for kind in kinds)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """Incidents of one kind. Raises `EvidenceError` where a number cannot be what it says."""

    rate: Rate
    """Incidents a year, without any fallback; the mean at most 10,000."""
    minutes: Lasting = _NOTHING
    """How long one lasts."""
    struck: float = 1.0
    """The share of calls that fail while it lasts."""
    response: Amount = _NOTHING
    """Dollars that people's answer to one costs."""
    impact: Amount = _NOTHING
    """Dollars that one costs besides: what neither minutes nor promises tell."""
    coverage: Part = _NOTHING
    """The share of incidents that the fallback covers."""
    residual_minutes: float = 0.0
    """How long a covered one is still felt; never longer than it lasts."""
    residual_cost: float = 0.0
    """Dollars that a covered one still costs, in place of response and impact."""
    vendor: int | None = None
    """Whose uptime it lowers: index into the stake's vendors."""

    def __post_init__(self) -> None:
        """Refuses what a hazard cannot be."""
        _check("a rate", self.rate, (Known, Between, Events))
        _check("minutes", self.minutes, (Known, Between, Sample))
        for amount in (self.response, self.impact):
            _check("an amount", amount, (Known, Between))
        _check("a coverage", self.coverage, (Known, Cases))
        up_to(MOST_INCIDENTS, "incidents a year", self.rate.mean)
        share("a struck share", self.struck)
        if isinstance(self.coverage, Known):
            share("a coverage", self.coverage.value)
        if self.vendor is not None:
            whole("a vendor's index", self.vendor)
        not_negative("residual minutes", self.residual_minutes)
        not_negative("a residual cost", self.residual_cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Days lost if compliance is missed, at most once a year. Raises `EvidenceError` for a chance outside 0 to 1."""

    chance: Part
    """Of a year, without a fallback."""
    chance_kept: Part
    """Of a year, with it."""
    days: Amount
    cost_per_day: float

    def __post_init__(self) -> None:
        """Refuses what a delay cannot be."""
        _check("days", self.days, (Known, Between))
        for chance in (self.chance, self.chance_kept):
            _check("a chance", chance, (Known, Cases))
            if isinstance(chance, Known):
                share("a chance", chance.value)
        not_negative("a cost per day", self.cost_per_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """All that is at stake. Raises `EvidenceError` for steps that `service_credit` refuses, and no hazard nor delay."""

    hazards: Sequence[Hazard]
    delays: Sequence[Delay] = ()
    promises: Sequence[Sequence[tuple[float, float]]] = ()
    """Of each promise to customers the steps on monthly uptime: `(below_percent, dollars)`."""
    vendors: Sequence[Sequence[tuple[float, float]]] = ()
    """Of each vendor the steps of its credits: `(below_percent, dollars)`."""
    revenue: Amount = _NOTHING
    """Dollars a minute, that are lost while every call fails."""
    margin: float = 1.0
    """The share of revenue that is margin."""

    def __post_init__(self) -> None:
        """Refuses what cannot be at stake."""
        for kind, told in ((Hazard, self.hazards), (Delay, self.delays)):
            if not isinstance(told, Sequence) or not all(isinstance(one, kind) for one in told):
                raise EvidenceError(f"{told!r} is no list of {kind.__name__}")
        _check("revenue", self.revenue, (Known, Between))
        if not self.hazards and not self.delays:
            raise EvidenceError("neither hazards nor delays: nothing is at stake")
        share("a margin", self.margin)
        for name, tables in (("promises", self.promises), ("vendors", self.vendors)):
            if isinstance(tables, str | bytes) or not isinstance(tables, Sequence):
                raise EvidenceError(f"{name} of {tables!r}: it has to be a list of tables of steps")
            for steps in tables:
                checked_steps(steps)
        for hazard in self.hazards:
            if hazard.vendor is not None and hazard.vendor >= len(self.vendors):
                raise EvidenceError(f"a hazard of vendor {hazard.vendor}; there are {len(self.vendors)}")


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm's years, in the order drawn; year for year those of the other arm."""

    parts: dict[str, Draws]
    """Dollars of each year, by the words of `PARTS`."""
    minutes: Draws
    """Minutes of each year in which calls failed, weighed by the share that did."""
    below: list[NDArray[np.int64]]
    """Of each promise: months of the year (rows) below each of its steps, the lowest bound first (columns)."""
    quarters: Draws
    """Dollars of revenue lost in each quarter, four a year."""

    @property
    def losses(self) -> Draws:
        """Dollars of each year, all parts together. Credits are not in it."""
        total: Draws = np.stack(list(self.parts.values())).sum(axis=0)
        return total


@dataclass(frozen=True, slots=True)
class Years:
    """What was drawn."""

    worlds: int
    each: int
    """Years in each world; the years of one world stand together."""
    seed: int
    without: Arm
    kept: Arm
    """With the fallback."""
    credits: list[Draws] = field(repr=False)
    """Of each vendor, dollars credited in each year. Its own uptime counts, so they are the same in both arms."""


def exposure(stake: Stake, *, worlds: int, each: int, seed: int) -> Years:
    """So many worlds with so many years each.

    For each hazard `N ~ Poisson(rate)` incidents a year, each in a month drawn evenly, with minutes, response and
    impact drawn for themselves, covered with probability `coverage`. Of a month with d minutes lost the uptime is
    `100 (1 - d / 43,830)` percent; each promise costs the dollars of the lowest bound that it is strictly below, and
    the margin lost is `d * revenue * margin`. So the parts that are sums over incidents have the mean
    `rate * ((1 - coverage) * E[X] + coverage * residual)` (Wald's identity, as `expected_annual_loss`).
    The same seed gives the same incidents whatever the coverage, promises and prices, to the last digit with the same
    numpy. Raises `EvidenceError` for fewer than one world or year, or more than 2,000,000 years in all.
    """
    if not isinstance(stake, Stake):
        raise EvidenceError(f"{stake!r} is no Stake")
    worlds, each, seed = whole("worlds", worlds, 1), whole("years", each, 1), whole("a seed", seed)
    up_to(MOST_YEARS, "years in all worlds", worlds * each)
    return _joined(list(_blocks(stake, worlds, each, seed)), worlds, each, seed)


@dataclass(slots=True)
class _Drawn:
    """A hazard or a delay: what it is in each world, and the chance that its own incidents come from."""

    of: Hazard | Delay
    first: Draws
    """Rate, or chance without the fallback."""
    second: Draws
    """Coverage, or chance with it."""
    random: np.random.Generator
    doubt: np.random.Generator
    """Which single incidents are how likely, where those are what is known of their minutes."""


def _blocks(stake: Stake, worlds: int, each: int, seed: int) -> Iterator[Years]:
    """All years, a block of worlds at a time. Each hazard has generators of its own: one does not move another."""
    told: list[tuple[Hazard | Delay, Rate | Part, Part]] = [(one, one.rate, one.coverage) for one in stake.hazards]
    told.extend((one, one.chance, one.chance_kept) for one in stake.delays)
    drawn = []
    for number, (one, first, second) in enumerate(told):
        randoms = [np.random.default_rng([seed, number, purpose]) for purpose in range(4)]
        drawn.append(_Drawn(one, first.draw(randoms[0], worlds), second.draw(randoms[1], worlds), *randoms[2:]))
    revenue = stake.revenue.draw(np.random.default_rng([seed, len(drawn), 0]), worlds)
    busiest = max((hazard.rate.mean for hazard in stake.hazards), default=0.0)
    block = max(int(AT_ONCE / (each * max(busiest, MONTHS))), 1)
    for start in range(0, worlds, block):
        some = slice(start, min(start + block, worlds))
        yield _Block(stake, np.repeat(revenue[some], each), each).run(drawn, some)


class _Block:
    """The years of some worlds, added up hazard by hazard."""

    def __init__(self, stake: Stake, revenue: Draws, each: int) -> None:
        self._stake = stake
        self._revenue = revenue
        self._each = each
        self._years = len(revenue)
        months = self._years * MONTHS
        self._lost = {arm: np.zeros(months) for arm in (False, True)}
        """Minutes of each month, without the fallback and with it."""
        self._vendors = [np.zeros(months) for _ in stake.vendors]
        self._sums = {(arm, part): np.zeros(self._years) for arm in (False, True) for part in PARTS}

    def run(self, drawn: Sequence[_Drawn], worlds: slice) -> Years:
        """All hazards and delays in these worlds."""
        for one in drawn:
            first, second = np.repeat(one.first[worlds], self._each), np.repeat(one.second[worlds], self._each)
            if isinstance(one.of, Hazard):
                self._strike(one.of, first, second, one)
            else:
                self._delay(one.of, first, second, one.random)
        credited = [
            by_steps(steps, uptime_of(lost)).reshape(-1, MONTHS).sum(axis=1)
            for steps, lost in zip(self._stake.vendors, self._vendors, strict=True)
        ]
        return Years(0, 0, 0, self._arm(kept=False), self._arm(kept=True), credited)

    def _strike(self, hazard: Hazard, rate: Draws, coverage: Draws, drawn: _Drawn) -> None:
        random = drawn.random
        counts = random.poisson(rate)
        incidents = int(counts.sum())
        year = np.repeat(np.arange(self._years), counts)
        month = year * MONTHS + random.integers(0, MONTHS, incidents)
        minutes = self._minutes(hazard, year, drawn)
        response, impact = hazard.response.draw(random, incidents), hazard.impact.draw(random, incidents)
        covered = random.random(incidents) < coverage[year]
        left = np.where(covered, np.minimum(hazard.residual_minutes, minutes), minutes)
        lost = self._into(month, minutes * hazard.struck, len(self._lost[False]))
        self._lost[False] += lost
        self._lost[True] += self._into(month, left * hazard.struck, len(lost))
        if hazard.vendor is not None:
            self._vendors[hazard.vendor] += lost
        for part, cost, instead in (("response", response, 0.0), ("impact", impact, hazard.residual_cost)):
            self._sums[False, part] += self._into(year, cost, self._years)
            self._sums[True, part] += self._into(year, np.where(covered, instead, cost), self._years)

    def _minutes(self, hazard: Hazard, year: NDArray[np.int64], drawn: _Drawn) -> Draws:
        """Of the incident of each of these years."""
        if isinstance(hazard.minutes, Sample):
            worlds = self._years // self._each
            return hazard.minutes.draw(drawn.random, drawn.doubt, year // self._each, worlds)
        return hazard.minutes.draw(drawn.random, len(year))

    def _delay(self, delay: Delay, chance: Draws, kept: Draws, random: np.random.Generator) -> None:
        chosen = random.random(self._years)
        cost = delay.days.draw(random, self._years) * delay.cost_per_day
        self._sums[False, "delay"] += np.where(chosen < chance, cost, 0.0)
        self._sums[True, "delay"] += np.where(chosen < kept, cost, 0.0)

    def _arm(self, *, kept: bool) -> Arm:
        lost = np.minimum(self._lost[kept], MONTH_MINUTES)
        uptime = uptime_of(lost)
        of_year = lost.reshape(-1, MONTHS).sum(axis=1)
        parts = {part: self._sums[kept, part] for part in PARTS}
        parts["margin"] = of_year * self._revenue * self._stake.margin
        for steps in self._stake.promises:
            parts["penalties"] = parts["penalties"] + by_steps(steps, uptime).reshape(-1, MONTHS).sum(axis=1)
        below = [
            np.stack([(uptime < bound).reshape(-1, MONTHS).sum(axis=1) for bound, _ in sorted(steps)], axis=1)
            for steps in self._stake.promises
        ]
        quarters = lost.reshape(self._years, QUARTERS, -1).sum(axis=2) * self._revenue[:, None]
        return Arm(parts, of_year, below, quarters.ravel())

    @staticmethod
    def _into(places: NDArray[np.int64], weights: Draws, length: int) -> Draws:
        return np.bincount(places, weights=weights, minlength=length).astype(np.float64, copy=False)


def uptime_of(minutes_lost: Draws) -> Draws:
    """Monthly uptime in percent, of minutes lost in a month of 43,830."""
    return 100 * (1 - np.minimum(minutes_lost, MONTH_MINUTES) / MONTH_MINUTES)


def by_steps(steps: Sequence[tuple[float, float]], uptime_percent: Draws) -> Draws:
    """`service_credit` for many months at once: the amount of the lowest bound that each is strictly below, else 0."""
    table = sorted(steps)
    bounds = np.array([bound for bound, _ in table])
    amounts = np.array([*(amount for _, amount in table), 0.0])
    return amounts[np.searchsorted(bounds, uptime_percent, side="right")]


def _joined(blocks: list[Years], worlds: int, each: int, seed: int) -> Years:
    """The blocks as one."""

    def arm(of: Sequence[Arm]) -> Arm:
        return Arm(
            {part: np.concatenate([one.parts[part] for one in of]) for part in PARTS},
            np.concatenate([one.minutes for one in of]),
            [np.concatenate(months) for months in zip(*(one.below for one in of), strict=True)],
            np.concatenate([one.quarters for one in of]),
        )

    return Years(
        worlds,
        each,
        seed,
        arm([block.without for block in blocks]),
        arm([block.kept for block in blocks]),
        [np.concatenate(of) for of in zip(*(block.credits for block in blocks), strict=True)],
    )
