"""The facts of simulated years: losses with the fallback and without, what it saves, months below each step.

Two sets of years are drawn from the same stake. *Independent* years each have their own draw of what is not known: of
them are distributions, whose intervals are those of their Monte Carlo error. *Shared* years stand in worlds: of them
are the intervals of means, which say how far what is not known moves them.

Must never: give a mean without that interval, or subtract a credit from a loss without showing both.
"""

from collections.abc import Callable, Iterator
from math import ceil, floor, log10, sqrt
from statistics import NormalDist

import numpy as np

from surefoot.evidence.exposing import PARTS, QUARTERS, Arm, Years, exposure
from surefoot.evidence.intervals import wilson
from surefoot.evidence.loss import cvar
from surefoot.evidence.means import mean_over_worlds
from surefoot.evidence.order import percentile
from surefoot.evidence.unknown import Draws
from surefoot.facts import Fact
from surefoot.worth.reading import Read
from surefoot.worth.staking import penalties_of

CONFIDENCE = 0.95
WORLDS = 1_000
"""Of shared years; the ends of an interval then stand on 25 worlds either side."""
ARMS = ("without", "with")
QUANTILES = (("median", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99))
RENARD = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0)
"""Ten steps a decade (ISO 3, series R10): the amounts at which the loss exceedance curve is told."""
_REACH = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_RAREST = 0.0005
"""The curve ends where fewer years exceed it than this."""

Pick = Callable[[Years], Draws]


class Drawn:
    """The years of one stake, and how facts are made of them."""

    def __init__(self, read: Read, years: int, seed: int) -> None:
        self.read = read
        self.n = years
        self._alone = exposure(read.stake, worlds=years, each=1, seed=seed)
        each = max(years // WORLDS, 2)
        self._shared = exposure(read.stake, worlds=WORLDS, each=each, seed=seed + 1)
        self._how = f"{years:,} simulated years, seed {seed}"
        self._doubt = (
            f"interval: how far what is not known moves the mean, of {WORLDS:,} draws of it with {each} years each, "
            f"seed {seed + 1}"
        )

    def facts(self) -> Iterator[Fact]:
        """All of them."""
        for name in ARMS:
            yield from self._losses(name)
        yield from self._savings()
        yield from self._credits()
        yield from self._months()
        yield from self._quarters()
        for name in ARMS:
            yield self.mean(f"minutes.{name}", "minutes", _minutes(name))

    def mean(self, name: str, unit: str, pick: Pick, what: str = "mean of a year") -> Fact:
        """The mean of something that each year has, with the interval of what is not known."""
        of_years = pick(self._alone)
        value, chance = float(of_years.mean()), _REACH * float(of_years.std(ddof=1)) / sqrt(self.n)
        _, low, high = mean_over_worlds(pick(self._shared), self._shared.each, CONFIDENCE)
        return Fact(
            name=name,
            value=value,
            unit=unit,
            n=self.n,
            low=min(low, value - chance),
            high=max(high, value + chance),
            confidence=CONFIDENCE,
            method=f"{what}, {self._how}; {self._doubt}, no narrower than the Monte Carlo error",
        )

    def _losses(self, name: str) -> Iterator[Fact]:
        start = f"loss.{name}"
        losses = arm(self._alone, name).losses
        yield self.mean(f"{start}.mean", "USD", _loss(name))
        for word, q in QUANTILES:
            yield self._quantile(f"{start}.{word}", losses, q)
        value, low, high = cvar(losses, CONFIDENCE)
        yield self._fact(f"{start}.cvar", value, "USD", (low, high), "mean of the worst 5 % of years; 20 batches")
        yield self._share(f"{start}.zero", losses == 0, "years without any loss")
        for part in PARTS:
            yield self.mean(f"{start}.{part}", "USD", _part(name, part))
        for amount in _amounts([arm(self._alone, each).losses for each in ARMS]):
            yield self._share(f"{start}.exceeds.{amount:.10g}", losses > amount, "years that lose more")

    def _savings(self) -> Iterator[Fact]:
        def saved(years: Years) -> Draws:
            return years.without.losses - years.kept.losses

        of_years = saved(self._alone)
        yield self.mean("saving.mean", "USD", saved, "mean of the paired differences, without less with")
        for word, q in (("p5", 0.05), ("median", 0.5), ("p95", 0.95)):
            yield self._quantile(f"saving.{word}", of_years, q)
        yield self._share("saving.some", of_years > 0, "years that lose less with the fallback than without")
        if self.read.file.fallback is not None:
            cost = self.read.file.fallback.cost
            what = f"mean of the paired differences, less ${cost:,.0f} that the fallback costs a year"
            yield self.mean("saving.net", "USD", lambda years: saved(years) - cost, what)

    def _credits(self) -> Iterator[Fact]:
        note = "credited by the provider, whose own uptime counts: the same with a fallback and without"
        for at, vendor in enumerate(self.read.file.vendors):
            yield self.mean(f"credits.{vendor.name}", "USD", _credit(at), note)
        for name in ARMS:
            yield self.mean(f"exposure.{name}", "USD", _exposed(name), "mean of losses less credits")

    def _months(self) -> Iterator[Fact]:
        for at, promise in enumerate(self.read.file.promises):
            for step, (bound, _) in enumerate(penalties_of(promise)):
                what = f"mean number of months a year with an uptime below {bound:g} %"
                for name in ARMS:
                    yield self.mean(f"months.{promise.name}.{bound:g}.{name}", "months", _below(name, at, step), what)

    def _quarters(self) -> Iterator[Fact]:
        target = self.read.file.business.quarterly_target
        if not target:
            return
        for name in ARMS:
            of_year = _quarter(name, target)
            yield self.mean(f"quarter.{name}.mean", "share", of_year, "mean share of the quarter's target that is lost")
            first = arm(self._alone, name).quarters[::QUARTERS] / target  # those of a year share what is not known
            for word, q in (("p95", 0.95), ("p99", 0.99)):
                yield self._quantile(f"quarter.{name}.{word}", first, q, "share")

    def _quantile(self, name: str, values: Draws, q: float, unit: str = "USD") -> Fact:
        value, low, high = percentile(values, q, CONFIDENCE)
        what = "smallest value with that share at or below it; order statistics (Monte Carlo error)"
        return self._fact(name, value, unit, (low, high), what)

    def _share(self, name: str, hits: np.ndarray, what: str) -> Fact:
        count = int(hits.sum())
        return self._fact(name, count / self.n, "share", wilson(count, self.n, CONFIDENCE), f"share of {what}; Wilson")

    def _fact(self, name: str, value: float, unit: str, ends: tuple[float, float | None], what: str) -> Fact:
        return Fact(
            name=name,
            value=value,
            unit=unit,
            n=self.n,
            low=ends[0],
            high=ends[1],
            confidence=CONFIDENCE,
            method=f"{what}, {self._how}",
            note="" if ends[1] is not None else "too few years for an upper end",
        )


def arm(years: Years, name: str) -> Arm:
    """One arm by its name in facts."""
    return years.without if name == "without" else years.kept


def _loss(name: str) -> Pick:
    return lambda years: arm(years, name).losses


def _part(name: str, part: str) -> Pick:
    return lambda years: arm(years, name).parts[part]


def _minutes(name: str) -> Pick:
    return lambda years: arm(years, name).minutes


def _below(name: str, promise: int, step: int) -> Pick:
    return lambda years: arm(years, name).below[promise][:, step].astype(np.float64)


def _credit(vendor: int) -> Pick:
    return lambda years: years.credits[vendor]


def _exposed(name: str) -> Pick:
    return lambda years: arm(years, name).losses - sum(years.credits)


def _quarter(name: str, target: float) -> Pick:
    return lambda years: arm(years, name).quarters.reshape(-1, QUARTERS).mean(axis=1) / target


def _amounts(arms: list[Draws]) -> list[float]:
    """Round amounts from where the curves begin to fall to where they end."""
    losses = np.concatenate(arms)
    some = losses[losses > 0]
    if not len(some):
        return []
    least, most = np.quantile(some, [0.02, 1 - _RAREST])
    decades = range(floor(log10(least)), ceil(log10(most)) + 1)
    return [
        float(f"{step * 10.0**decade:.3g}")
        for decade in decades
        for step in RENARD
        if least <= step * 10.0**decade * 1.25 and step * 10.0**decade / 1.25 <= most
    ]
