"""From tallies to facts: every number of a replay, under every reading, stress and lag; and what moves it most.

    played scenarios ─▶ by week (arranged) ─▶ groups of calls ─▶ measures ─▶ Facts
                   └──▶ minutes avoided, one assumption changed at a time ─▶ moves, the largest first

Names are `SCENARIO.GROUP.MEASURE`: `any.all.minutes.avoided`, `partial.provider.acme.mode.silence.ttft.p99.with`, and
`moves.ASSUMPTION.VALUE`. Must never: look at a clock, so that the same inputs give the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct

from surefoot import __version__
from surefoot.config.quantities import show_duration
from surefoot.facts import Fact, Facts
from surefoot.replay.counting.arranged import EVERYTHING, Arranged, Group, groups_of
from surefoot.replay.counting.measures import Measures, Where, avoided_minutes
from surefoot.replay.counting.numbers import why_none
from surefoot.replay.counting.resampling import CONFIDENCE, RESAMPLES, interval
from surefoot.replay.counting.tally import Tally
from surefoot.replay.counting.toll import MICRO
from surefoot.replay.virtual.result import Integers

_MINUTE = 60 * MICRO


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one task of a sweep."""

    scenario: str
    """Reading, and stress if any: `any`, `partial`, `any+busiest-hour`. Empty: only looked at for what it moves."""
    assumption: str
    """Which assumption differs from the base: `reading`, `stress`, `failing`. Empty for the base itself."""
    value: str
    """What it was set to."""
    tally: Tally


class About(Struct, frozen=True, kw_only=True):
    """What a summary has to know besides its tallies."""

    seed: int
    inputs: str
    """Hash of configurations, traffic, incidents and options."""
    places: Mapping[str, Where]
    """By target."""


class Move(Struct, frozen=True, kw_only=True):
    """What one changed assumption does to the minutes of outage avoided."""

    assumption: str
    value: str
    base: float
    """Minutes avoided with nothing changed."""
    varied: float
    low: float | None
    high: float | None
    """Ends of the interval of the difference, paired by week."""
    why_none: str = ""
    """Why there is none."""

    @property
    def effect(self) -> float:
        """Minutes more, or less."""
        return self.varied - self.base


class Told(NamedTuple):
    """A fact, and what it is about."""

    scenario: str
    group: Group
    fact: Fact


class Summary(NamedTuple):
    """All that is told of a replay."""

    facts: Facts
    told: tuple[Told, ...]
    """The same facts without the moves."""
    moves: tuple[Move, ...]
    weeks: int
    """Calendar weeks of the traffic."""


def summarise(played: Sequence[Played], about: About) -> Summary:
    """All facts. The first that was played is the base. Raises `ReplayError` if no call was replayed."""
    base = played[0].tally
    told = tuple(one for scenario in played if scenario.scenario for one in _of_scenario(scenario, about))
    moves = tuple(moves_of(played, about.seed))
    facts = Facts(
        made=datetime.fromtimestamp(base.last, UTC).isoformat(timespec="seconds"),
        program=f"surefoot {__version__} replay",
        seed=about.seed,
        window=(base.first, base.last),
        inputs=about.inputs,
        facts=(*(one.fact for one in told), *(_fact_of(move, len(base.outages)) for move in moves)),
    )
    return Summary(facts, told, moves, len(Arranged(base, about.seed).weeks))


def _of_scenario(one: Played, about: About) -> Iterator[Told]:
    arranged = Arranged(one.tally, about.seed)
    for group in groups_of(one.tally):
        for fact in Measures(arranged, group, one.scenario, about.places).facts():
            yield Told(one.scenario, group, fact)


def moves_of(played: Sequence[Played], seed: int) -> list[Move]:
    """Each assumption changed by itself against the base, which is the first; the largest effect first."""
    base = played[0]
    arranged = Arranged(base.tally, seed)
    before = _avoided(arranged, 1)
    found = [
        _move("lag", show_duration(lag), arranged, before, _avoided(arranged, arm))
        for arm, lag in enumerate(base.tally.lags[1:], 2)
    ]
    found += [
        _move(one.assumption, one.value, arranged, before, _avoided(Arranged(one.tally, seed), 1))
        for one in played[1:]
        if one.assumption
    ]
    return sorted(found, key=lambda move: (-abs(move.effect), move.assumption, move.value))


def _avoided(arranged: Arranged, arm: int) -> Integers:
    return avoided_minutes(arranged.view(EVERYTHING), arm)


def _move(assumption: str, value: str, base: Arranged, before: Integers, after: Integers) -> Move:
    resampled = None if base.weights is None else (base.weights @ (after - before)) / _MINUTE
    ends = None if resampled is None else interval(resampled)
    return Move(
        assumption=assumption,
        value=value,
        base=int(before.sum()) / _MINUTE,
        varied=int(after.sum()) / _MINUTE,
        low=None if ends is None else ends[0],
        high=None if ends is None else ends[1],
        why_none="" if ends is not None else why_none(resampled),
    )


def _fact_of(move: Move, outages: int) -> Fact:
    return Fact(
        name=f"moves.{move.assumption.replace(' ', '_')}.{move.value}",
        value=move.effect,
        unit="minutes",
        n=outages,
        low=move.low,
        high=move.high,
        confidence=None if move.low is None else CONFIDENCE,
        method="minutes avoided with this assumption changed less those of the base"
        + ("" if move.low is None else f"; middle 95 % of {RESAMPLES} resamples of calendar weeks, paired"),
        note="" if move.low is not None else move.why_none,
    )
