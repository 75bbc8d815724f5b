"""From what was asked to the tasks of a sweep: base, other readings, stresses, and one assumption changed at a time.

    readings ─▶ a scenario each          the first reading is the base: stresses and variations are of it
    stresses ─▶ a scenario each
    variations ─▶ a task each, looked at only for how far it moves the base

Lags need no task: they are in every tally. Must never: read a file, or leave an assumption out of what is told.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from math import ceil

from msgspec import Struct
from msgspec.structs import replace

from surefoot.config.configuration import Configuration
from surefoot.config.quantities import show_duration, show_share
from surefoot.domain.target import Target
from surefoot.errors import ReplayError
from surefoot.intake.incident import Incident, Reading
from surefoot.intake.incidents.mending import CAP
from surefoot.replay.arms import NO_FALLBACK, arms, primaries
from surefoot.replay.assumed import FEWEST, mean_seconds
from surefoot.replay.counting.measures import UNKNOWN, Where
from surefoot.replay.demand import Demand, Lengths
from surefoot.replay.modelling import Assumption, Models
from surefoot.replay.models.model import QuantileTable, Tables, TargetModel
from surefoot.replay.outages.planning import LeftOut, Plan, Rules, plan
from surefoot.replay.stress import Case, Stress
from surefoot.replay.task import Task, TrafficFile
from surefoot.replay.virtual.arm import Arm

UNKNOWN_LENGTH = 1_800.0
"""Seconds that an incident without a known length lasts in the variation that lets it count."""

INDEPENDENT = (
    "of these targets a call's first-token time says nothing of its token rate, and no minute is slow for all calls"
)
STANDING = "what a fallback costs while nothing fails (commitments, keep-warm) is not in any cost here"


class Asked(Struct, frozen=True, kw_only=True):
    """What a replay was asked to find out."""

    readings: tuple[Reading, ...]
    """The first is the base."""
    lags: tuple[float, ...]
    """In seconds; the first is 0."""
    stresses: tuple[Stress, ...] = ()
    failing: float = 1.0
    unknown_length: float = 0.0
    cap: float | None = CAP
    every_service: bool = False
    """These four as in `Rules`."""
    vary: bool = True
    """Whether assumptions are changed one at a time."""
    seed: int = 7


class Material(Struct, frozen=True, kw_only=True):
    """What is replayed."""

    ours: Configuration
    against: Configuration | None
    """None: the same without fallback."""
    traffic: TrafficFile
    filled: tuple[str, ...] = ()
    """What is not told of its calls and was filled in, a sentence each."""
    asked: frozenset[str]
    """Routes that its calls ask for."""
    demand: Demand
    incidents: tuple[Incident, ...]
    of_ours: Models
    of_against: Models | None = None


class Posed(Struct, frozen=True, kw_only=True):
    """The tasks, the base first, and what they stand on."""

    tasks: tuple[Task, ...]
    said: tuple[str, ...]
    """What was assumed or is not known, a sentence each."""
    stand_on: tuple[Assumption, ...]
    """What each part of each target's model stands on."""
    left_out: dict[str, dict[str, int]]
    """By reading: why incidents make no outage, and how many."""
    inside: dict[str, tuple[LeftOut, ...]]
    """By reading: those of them that lie in the traffic's time."""


def pose(material: Material, asked: Asked) -> Posed:
    """The tasks. Raises `ReplayError` for two configurations that cannot be compared and a stress without an object."""
    _comparable(material)
    made = _Posing(material, asked)
    plans = {reading: made.plan(made.rules(reading)) for reading in asked.readings}
    tasks = [
        made.task(made.case(found), str(reading), "reading" if n else "", str(reading))
        for n, (reading, found) in enumerate(plans.items())
    ]
    base = plans[asked.readings[0]]
    said = [*material.filled, *(one for found in plans.values() for one in found.said), STANDING]
    for stress in asked.stresses:
        case = stress.apply(made.case(base))
        said += case.said
        tasks.append(made.task(case, f"{asked.readings[0]}+{stress.label}", "stress", stress.label))
    if asked.vary:
        tasks += made.variations(base)
    models = [material.of_ours, *([] if material.of_against is None else [material.of_against])]
    apart = [name for one in models for name, model in one.of.items() if not (model.together or model.minute_share)]
    if apart:
        said.append(f"{INDEPENDENT}: {', '.join(dict.fromkeys(apart))}")
    return Posed(
        tasks=tuple(tasks),
        said=tuple(dict.fromkeys(said)),
        stand_on=tuple(dict.fromkeys(one for models_of in models for one in models_of.stand_on)),
        left_out={str(reading): dict(found.left_out) for reading, found in plans.items()},
        inside={str(reading): found.inside for reading, found in plans.items()},
    )


def places_of(targets: Sequence[Target]) -> dict[str, Where]:
    """What is declared of each."""
    return {one.name: Where(one.place.where() or UNKNOWN, one.place.operator or UNKNOWN) for one in targets}


class _Posing:
    """Makes plans and tasks of one replay."""

    def __init__(self, material: Material, asked: Asked) -> None:
        self._material = material
        self._asked = asked
        both = [material.ours, *([] if material.against is None else [material.against])]
        targets = {target.name: target for one in both for target in one.targets}
        self._everybody = replace(material.ours, targets=tuple(targets.values()))
        self._arms = arms(material.ours, material.against, self._models)
        found = [material.of_ours, *([] if material.of_against is None else [material.of_against])]
        self._slowed = frozenset[str]().union(*(one.slowed for one in found))
        self._by_default = frozenset[tuple[str, str]]().union(*(one.by_default for one in found))

    def _models(self, configuration: Configuration) -> Mapping[str, TargetModel]:
        found = self._material.of_ours if configuration is self._material.ours else self._material.of_against
        return {} if found is None else found.of

    def rules(self, reading: Reading) -> Rules:
        asked = self._asked
        return Rules(
            reading=reading,
            seed=asked.seed,
            failing=asked.failing,
            unknown_length=asked.unknown_length,
            cap=asked.cap,
            every_service=asked.every_service,
        )

    def plan(self, rules: Rules) -> Plan:
        return plan(self._material.incidents, self._everybody, self._material.demand.span, rules)

    def case(self, found: Plan) -> Case:
        return Case(arms=self._arms, outages=found.outages, demand=self._material.demand, seed=self._asked.seed)

    def task(self, case: Case, scenario: str, assumption: str = "", value: str = "") -> Task:
        ours, against = case.arms
        return Task(
            scenario=scenario,
            assumption=assumption,
            value=value,
            arms=(ours, against),
            outages=case.outages,
            traffic=self._material.traffic,
            lags=self._asked.lags,
            seed=case.seed,
        )

    def variations(self, base: Plan) -> Iterator[Task]:
        """One assumption changed in each; none that nothing here stands on."""
        case, rules = self.case(base), self.rules(self._asked.readings[0])
        for assumption, value, changed in self._other_models():
            yield self.task(replace(case, arms=changed), "", assumption, value)
        for assumption, value, other in _other_rules(rules):
            yield self.task(self.case(self.plan(other)), "", assumption, value)
        uncut = self.plan(replace(rules, cap=None))
        if uncut.outages != base.outages:
            yield self.task(self.case(uncut), "", "cap", "none")
        other_seed = self._asked.seed + 1
        again = replace(self.case(self.plan(replace(rules, seed=other_seed))), seed=other_seed)
        yield self.task(again, "", "seed", str(other_seed))

    def _other_models(self) -> Iterator[tuple[str, str, tuple[Arm, ...]]]:
        """Assumption, what is taken instead, and both arms with it."""
        timed = {name for name, part in self._by_default if part in {"ttft", "rate"}}
        far = {name for name, part in self._by_default if part == "round trip"}
        for word, factor in (("half", 0.5), ("double", 2.0)):
            yield "fallback capacity", word, self._with_capacity(factor)
            if timed:
                yield "default times", word, self._with_times(timed, factor)
        if self._slowed:
            yield "load coupling", "none", self._unslowed()
        if far:
            yield "round trip", "double", self._with(far, lambda one: replace(one, round_trip=2 * one.round_trip))

    def _with(self, names: Collection[str], change: Callable[[TargetModel], TargetModel]) -> tuple[Arm, ...]:
        """Both arms, with these targets changed."""
        return tuple(
            replace(arm, models={name: change(one) if name in names else one for name, one in arm.models.items()})
            for arm in self._arms
        )

    def _with_times(self, names: Collection[str], factor: float) -> tuple[Arm, ...]:
        """Both arms, with so many times the default times of these targets: to the first token, and for each after."""
        lengths = self._material.demand.lengths

        def change(model: TargetModel) -> TargetModel:
            parts = [part for name, part in self._by_default if name == model.target]
            found = slower(model, factor, parts)
            return with_places(found, model, lengths) if model.target in self._slowed else found

        return self._with(names, change)

    def _with_capacity(self, factor: float) -> tuple[Arm, ...]:
        """Both arms, with so many times the limits of each target that nobody asks first, or that bears twice its own.

        One that carries so much that it bears the traffic's busiest minute would, halved, refuse calls in health.
        """
        peak = self._material.demand.peak_requests
        models = [model for arm in self._arms for model in arm.models.values()]
        twice = {
            one.target for one in models if one.target in self._slowed and (one.requests_per_minute or peak) < peak
        }
        first = {name for names in primaries(self._material.ours).values() for name in names} - twice
        call = self._material.demand.largest_call
        others = {name for arm in self._arms for name in arm.models} - first
        return self._with(others, lambda one: scaled(one, factor, call))

    def _unslowed(self) -> tuple[Arm, ...]:
        """Both arms, with fallbacks that take the busiest minute of the traffic as fast as if they were alone in it."""
        demand = self._material.demand
        most = {"requests_per_minute": demand.peak_requests, "tokens_per_minute": demand.peak_tokens or None}
        return self._with(self._slowed, lambda one: replace(one, servers=None, **most))


def _other_rules(rules: Rules) -> Iterator[tuple[str, str, Rules]]:
    """What is assumed of incidents, what instead, and the rules with it."""
    half = rules.failing / 2
    yield "failing", show_share(half), replace(rules, failing=half)
    if rules.unknown_length:
        yield "unknown length", "leave-out", replace(rules, unknown_length=0.0)
    else:
        yield "unknown length", show_duration(UNKNOWN_LENGTH), replace(rules, unknown_length=UNKNOWN_LENGTH)
    yield "services", "chat" if rules.every_service else "every", replace(rules, every_service=not rules.every_service)


def scaled(model: TargetModel, factor: float, call: float = 0.0) -> TargetModel:
    """A target that takes so many times as much, but at least a call a minute, and one of so many tokens if it did.

    A limit below a call's tokens refuses it for ever: that would be another target, not half of this one.
    """
    return replace(
        model,
        servers=None if model.servers is None else ceil(model.servers * factor),
        queue=None if model.queue is None else ceil(model.queue * factor),
        requests_per_minute=None if model.requests_per_minute is None else max(model.requests_per_minute * factor, 1.0),
        tokens_per_minute=None if model.tokens_per_minute is None else _at_least(model.tokens_per_minute, factor, call),
    )


def slower(model: TargetModel, factor: float, parts: Collection[str]) -> TargetModel:
    """A target that takes so many times as long to the first token (`ttft`), and for each token after it (`rate`)."""
    return replace(
        model,
        ttft=_times(model.ttft, factor) if "ttft" in parts else model.ttft,
        rate=_times(model.rate, 1 / factor) if "rate" in parts else model.rate,
    )


def with_places(model: TargetModel, before: TargetModel, lengths: Lengths) -> TargetModel:
    """The places that bear, at its other times, the minute that it bore before: as many times as an answer is longer.

    Places are calls a minute times seconds of an answer (`replay.assumed`): else other times were another capacity too.
    """
    if before.servers is None:
        return model
    longer = mean_seconds(model.ttft, model.rate, lengths) / mean_seconds(before.ttft, before.rate, lengths)
    return replace(model, servers=max(ceil(before.servers * longer), FEWEST))


def _times(tables: Tables, factor: float) -> Tables:
    return tuple(tuple(QuantileTable(tuple(value * factor for value in one.values)) for one in row) for row in tables)


def _at_least(limit: float, factor: float, call: float) -> float:
    return max(limit * factor, min(call, limit))


def _comparable(material: Material) -> None:
    """Whether calls of one configuration can be asked of the other."""
    other = material.against
    if other is None:
        return
    routes = {route.name for route in other.routes}
    missing = sorted(material.asked - routes)
    if missing:
        raise ReplayError(f"--against: it has no route {', '.join(missing)}, which the traffic asks for; add it there")
    known = {target.name: target for target in material.ours.targets}
    for target in other.targets:
        mine = known.get(target.name, target)
        if (mine.provider, mine.model) != (target.provider, target.model):
            raise ReplayError(
                f"--against: `{target.name}` is {target.provider} {target.model} there"
                f" and {mine.provider} {mine.model} here; give one of them another name"
            )


def held_against(against: str) -> str:
    """In words, for a heading."""
    return "no fallback" if against == NO_FALLBACK else against
