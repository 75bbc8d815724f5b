"""From what was asked to the tasks of a sweep: base, other readings, stresses, and one assumption changed at a time.

    readings ─▶ a scenario each          the first reading is the base: stresses and variations are of it
    stresses ─▶ a scenario each
    variations ─▶ a task each, looked at only for how far it moves the base

Lags need no task: they are in every tally. Must never: read a file, or leave an assumption out of what is told.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from msgspec import Struct
from msgspec.structs import replace

from surefoot.config.configuration import Configuration
from surefoot.config.quantities import show_duration, show_share
from surefoot.domain.target import Target
from surefoot.errors import ReplayError
from surefoot.intake.incident import Incident, Reading
from surefoot.replay.arms import NO_FALLBACK, arms, primaries
from surefoot.replay.counting.measures import UNKNOWN, Where
from surefoot.replay.demand import Demand
from surefoot.replay.modelling import Assumption, Models
from surefoot.replay.models.model import TargetModel
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
        self._slowed = material.of_ours.slowed | (material.of_against.slowed if material.of_against else frozenset())

    def _models(self, configuration: Configuration) -> Mapping[str, TargetModel]:
        found = self._material.of_ours if configuration is self._material.ours else self._material.of_against
        return {} if found is None else found.of

    def rules(self, reading: Reading) -> Rules:
        return Rules(reading=reading, seed=self._asked.seed, failing=self._asked.failing)

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
        """One assumption changed in each."""
        case, rules = self.case(base), self.rules(self._asked.readings[0])
        for word, factor in (("half", 0.5), ("double", 2.0)):
            yield self.task(replace(case, arms=self._with_capacity(factor)), "", "fallback capacity", word)
        if self._slowed:
            yield self.task(replace(case, arms=self._unslowed()), "", "load coupling", "none")
        half = self._asked.failing / 2
        changed = (
            ("failing", show_share(half), replace(rules, failing=half)),
            ("unknown length", show_duration(UNKNOWN_LENGTH), replace(rules, unknown_length=UNKNOWN_LENGTH)),
            ("services", "every", replace(rules, every_service=True)),
        )
        for assumption, value, other in changed:
            yield self.task(self.case(self.plan(other)), "", assumption, value)
        other_seed = self._asked.seed + 1
        again = replace(self.case(self.plan(replace(rules, seed=other_seed))), seed=other_seed)
        yield self.task(again, "", "seed", str(other_seed))

    def _with_capacity(self, factor: float) -> tuple[Arm, ...]:
        """Both arms, with so many times the limits of every target that no route asks first, or that is slowed."""
        first = {name for names in primaries(self._material.ours).values() for name in names} - self._slowed
        call = self._material.demand.largest_call
        return tuple(
            replace(arm, models={n: one if n in first else scaled(one, factor, call) for n, one in arm.models.items()})
            for arm in self._arms
        )

    def _unslowed(self) -> tuple[Arm, ...]:
        """Both arms, with fallbacks that take the busiest minute of the traffic as fast as if they were alone in it."""
        demand = self._material.demand
        most = {"requests_per_minute": demand.peak_requests, "tokens_per_minute": demand.peak_tokens or None}
        return tuple(
            replace(
                arm,
                models={
                    name: replace(one, servers=None, **most) if name in self._slowed else one
                    for name, one in arm.models.items()
                },
            )
            for arm in self._arms
        )


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
