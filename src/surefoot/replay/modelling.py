"""The models of all targets of a configuration, and on what each part of each stands.

For first-token times and token rates the first that there is: the models file, the traffic itself, a default. For
limits the models file, else what `replay.assumed` makes of the traffic, so that no fallback is infinite. For prices the
models file, then the configuration. For the round trip of a refusal the models file, else a default. Each part that is
not measured is an assumption, and told as one.

Must never: assume in silence.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from surefoot.config.configuration import Configuration
from surefoot.config.quantities import show_duration
from surefoot.domain.target import Target
from surefoot.domain.units import Price
from surefoot.replay.assumed import NOTHING, Carried, assumed, carried, mean_seconds
from surefoot.replay.demand import Demand
from surefoot.replay.models.fitting import LEAST, Fitted, lognormal, resampled
from surefoot.replay.models.measured import Measured, called, given_up, left_out_told, of_traffic, read_measured
from surefoot.replay.models.model import ROUND_TRIP, Tables, TargetModel
from surefoot.replay.models.models_file import Given
from surefoot.replay.models.together import lasting, of_call, of_minute

_TTFT = lognormal({0.5: 0.37, 0.99: 2.9})
_RATE = lognormal({0.01: 5.6, 0.5: 53.0})
_WHERE_FROM = "5,985 measurements of 139 models by thefastest.ai in April and May 2024, short prompts"
"""A p50 of 0.37 s and a p99 of 2.87 s to the first token; 52.6 tokens a second in the middle, 5.6 at the first
percentile, without those answers that came in one piece."""

DEFAULT_TTFT: Tables = ((_TTFT,),)
DEFAULT_RATE: Tables = ((_RATE,),)


class Assumption(Struct, frozen=True):
    """What one part of one model stands on."""

    target: str
    part: str
    """`ttft`, `rate`, `common` (what times have in common, if anything), `minutes` (how they are drawn, if that says
    less than was found), `capacity`, `price` or `round trip`."""
    text: str
    measured: bool
    """Whether it was measured or told by the user; else it is assumed."""


class Models(Struct, frozen=True):
    """By target, with what they stand on."""

    of: dict[str, TargetModel]
    stand_on: tuple[Assumption, ...]
    slowed: frozenset[str] = frozenset()
    """Those that are slowed by assumption: nobody said what they take."""
    by_default: frozenset[tuple[str, str]] = frozenset()
    """Target and part, `ttft`, `rate` or `round trip`, of what nothing is known of: a default stands for it."""


class _Speed(Struct, frozen=True):
    """Times and rates of one target, and what they have in common."""

    ttft: Tables
    rate: Tables
    together: float
    minute_share: float
    stand_on: tuple[Assumption, ...]
    by_default: tuple[str, ...]
    """Parts that nothing is known of."""


def models_of(
    configuration: Configuration, traffic: Path, demand: Demand, given: Mapping[str, Given] | None = None
) -> Models:
    """The models of all targets that are not static. Raises `ReplayError` for a file that cannot be used."""
    names, silent = called(traffic), given_up(traffic)
    targets = [target for target in configuration.targets if target.text is None]
    told = {target.name: (given or {}).get(target.name, Given()) for target in targets}
    speeds = {one.name: _speed(one, told[one.name], of_traffic(traffic, one, names), silent) for one in targets}
    seconds = {name: mean_seconds(one.ttft, one.rate, demand.lengths) for name, one in speeds.items()}
    carries = {} if all(own.bounded for own in told.values()) else carried(configuration, traffic, demand, seconds)
    models: dict[str, TargetModel] = {}
    stand_on: list[Assumption] = []
    for target in targets:
        own, speed = told[target.name], speeds[target.name]
        limits, capacity = _limits(own, demand, carries.get(target.name, NOTHING), seconds[target.name])
        price, priced = _price(target, own)
        trip = _round_trip(target.name, own)
        parts = (*speed.stand_on, Assumption(target.name, "capacity", capacity, measured=own.bounded), priced, trip)
        models[target.name] = TargetModel(
            target=target.name,
            ttft=speed.ttft,
            rate=speed.rate,
            together=speed.together,
            minute_share=speed.minute_share,
            minutes_of=own.minutes_of or "",
            round_trip=own.round_trip or ROUND_TRIP,
            price=price,
            measured="; ".join(f"{one.part}: {one.text}" for one in parts),
            servers=limits.servers,
            queue=limits.queue,
            requests_per_minute=limits.requests_per_minute,
            tokens_per_minute=limits.tokens_per_minute,
        )
        stand_on += parts
    slowed = {name for name, own in told.items() if not own.bounded and models[name].servers is not None}
    by_default = {(name, part) for name, one in speeds.items() for part in one.by_default}
    by_default |= {(name, "round trip") for name, own in told.items() if own.round_trip is None}
    return Models(models, tuple(stand_on), frozenset(slowed), frozenset(by_default))


def _speed(target: Target, own: Given, of_calls: Measured | None, silent: int) -> _Speed:
    measured, source = (
        (of_calls, "the traffic") if own.measured is None else (read_measured(own.measured), own.measured.file.name)
    )
    parts: dict[str, Tables] = {}
    stand_on, by_default = [], []
    for part, by_hand, default in (("ttft", own.ttft, DEFAULT_TTFT), ("rate", own.rate, DEFAULT_RATE)):
        fitted = None if measured is None or by_hand else _fitted(measured, part, strict=own.measured is None)
        if by_hand is not None:
            parts[part], text, known = by_hand, "given in the models file", True
        elif fitted is not None and measured is not None:
            text = _from(source, fitted, measured, part)
            if silent and part == "ttft" and own.measured is None:
                text += f"; not of {silent:,} calls, of any target, that were given up while silent: those are longer"
            parts[part], known = fitted.tables, not measured.inferred
        else:
            parts[part], text, known = default, f"assumed: {_WHERE_FROM}", False
            by_default.append(part)
        stand_on.append(Assumption(target.name, part, text, known))
    together, minute_share = _common(own, measured)
    if together or minute_share:
        common = ", ".join(_told_common(own, together, minute_share))
        stand_on.append(Assumption(target.name, "common", common, measured=True))
    stand_on += _minutes(target.name, own, measured, minute_share)
    return _Speed(parts["ttft"], parts["rate"], together, minute_share, tuple(stand_on), tuple(by_default))


def _common(own: Given, measured: Measured | None) -> tuple[float, float]:
    """How a call's times hang together, and the minute's share: given, or measured where the tables are, or none."""
    together, minute_share = own.together, own.minute_share
    if together is None and own.ttft is None and own.rate is None and measured is not None and measured.paired:
        ttft, rate = measured.paired
        together = of_call(ttft.values, rate.values, ttft.at, ttft.prompt_tokens)
    if minute_share is None and own.ttft is None and measured is not None and not measured.inferred:
        minute_share = of_minute(measured.ttft.values, measured.ttft.at, measured.ttft.prompt_tokens)
    return together or 0.0, minute_share or 0.0


def _minutes(target: str, own: Given, measured: Measured | None, minute_share: float) -> Iterator[Assumption]:
    """What drawing slow minutes one by one, each for itself, does not say."""
    if own.minutes_of and not minute_share:
        text = "`minutes_of` does nothing: what a minute's calls share is neither given nor found in what was measured"
        yield Assumption(target, "minutes", text, measured=False)
    if own.minute_share is not None or not minute_share or measured is None:
        return
    lasts = min(lasting(measured.ttft.values, measured.ttft.at, measured.ttft.prompt_tokens) / minute_share, 1.0)
    if lasts:
        text = f"drawn one by one; but {lasts:.0%} of what a minute's calls share, those of the next minute share too"
        yield Assumption(target, "minutes", f"{text}: spells that last are played as single slow minutes", False)


def _told_common(own: Given, together: float, minute_share: float) -> Iterator[str]:
    if together:
        yield f"first-token time and token rate of a call have a correlation of {together:+.2f} (normal scores)"
    if minute_share:
        whose = own.minutes_of or "this target"
        yield f"{minute_share:.0%} of the spread of first-token times is common to all calls of {whose} in a minute"


def _fitted(measured: Measured, part: str, *, strict: bool) -> Fitted | None:
    """The tables of one series; None where there is too little of it. A file that somebody named is taken as it is."""
    series = measured.ttft if part == "ttft" else measured.rate
    least = LEAST if strict else 1
    return resampled(series.values, series.at, series.prompt_tokens) if len(series.values) >= least else None


def _from(source: str, fitted: Fitted, measured: Measured, part: str) -> str:
    words = [f"resampled from {source}, {fitted.told}"]
    if measured.inferred:
        words.append("inferred from durations and lengths, not measured")
    if part == "ttft" and measured.left_out:
        words.append(f"left out: {', '.join(left_out_told(measured.left_out))}")
    if fitted.samples < LEAST:
        words.append(f"fewer than {LEAST}: its p99 is not to be relied on")
    return "; ".join(words)


def _limits(own: Given, demand: Demand, carries: Carried, seconds: float) -> tuple[Given, str]:
    """The limits, and what they stand on."""
    if own.bounded:
        words = [
            f"{name} {value:g}"
            for name in ("servers", "queue", "requests_per_minute", "tokens_per_minute")
            if (value := getattr(own, name)) is not None
        ]
        return own, f"given in the models file: {', '.join(words)}"
    found = assumed(demand, carries, seconds)
    limits = Given(
        servers=found.servers,
        requests_per_minute=found.requests_per_minute,
        tokens_per_minute=found.tokens_per_minute,
    )
    return limits, found.text


def _round_trip(target: str, own: Given) -> Assumption:
    if own.round_trip is not None:
        text = f"{show_duration(own.round_trip)}, given in the models file"
        return Assumption(target, "round trip", text, measured=True)
    text = f"assumed: {show_duration(ROUND_TRIP)} until it says no where it does so at once; it is in no traffic"
    return Assumption(target, "round trip", text, measured=False)


def _price(target: Target, own: Given) -> tuple[Price | None, Assumption]:
    price, source = (own.price, "the models file") if own.price else (target.price, "the configuration")
    if price is None:
        return None, Assumption(target.name, "price", "unknown: neither file has one", measured=False)
    text = f"${price.input:g} and ${price.output:g} per million tokens, by {source}"
    return price, Assumption(target.name, "price", text, measured=True)
