"""A small world of the replay: targets that are always as fast, calls at given times, and all of it run to its end."""

from collections.abc import Iterable, Sequence
from dataclasses import fields

import numpy as np

from surefoot.config.configuration import Admin, Configuration
from surefoot.domain.front import Door
from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits, Route, Rung
from surefoot.domain.target import Endpoint, Target
from surefoot.domain.units import Price
from surefoot.policy.breaker import BreakerOptions
from surefoot.policy.options import PolicyOptions
from surefoot.replay.models.model import TargetModel, constant
from surefoot.replay.outages.outage import Outage
from surefoot.replay.virtual.arm import Arm
from surefoot.replay.virtual.batch import Batch
from surefoot.replay.virtual.driver import KINDS, run
from surefoot.replay.virtual.result import Results

ENDPOINT = Endpoint("127.0.0.1", 1, tls=False, path="/v1")
BEGAN = 1_700_000_000.0
"""Unix time at which these worlds begin."""

FIRST, RATE, TRIP = 0.5, 20.0, 0.1
"""Seconds to the first token, tokens a second, seconds to a refusal."""

NEVER_TRIPS = PolicyOptions(breaker=BreakerOptions(streak=2**60, certain=2**60))


def target(name: str, **more: object) -> Target:
    return Target(name, "provider", "model", "openai-chat", ENDPOINT, **more)  # type: ignore[arg-type]


def model(name: str, first: float = FIRST, rate: float = RATE, **more: object) -> TargetModel:
    more.setdefault("price", Price(1.0, 2.0))
    return TargetModel(target=name, ttft=constant(first), rate=constant(rate), round_trip=TRIP, **more)  # type: ignore[arg-type]


def arm(
    *models: TargetModel,
    limits: Limits | None = None,
    options: PolicyOptions | None = None,
    targets: Sequence[Target] | None = None,
    direct: bool = False,
    **route: object,
) -> Arm:
    """All of them in one route, in this order."""
    those = targets or [target(one.target) for one in models]
    names = [one.name for one in those if one.text is None]
    chat = Route("chat", tuple(Rung(name) for name in names), limits=limits or Limits(), **route)  # type: ignore[arg-type]
    configuration = Configuration("0", Door(()), Admin(), tuple(those), (chat,), options or PolicyOptions(), {})
    return Arm("with", configuration, {one.target: one for one in models}, direct)


def alone(one: TargetModel, limits: Limits | None = None) -> Arm:
    """An application that asks one target and takes what comes."""
    patient = limits or Limits(attempts=1, wait=0.0)
    return arm(one, limits=patient, options=NEVER_TRIPS, direct=True, hedge=0.0)


def calls(
    at: Iterable[float],
    *,
    tokens: int | Sequence[int] = 11,
    prompt: int = 100,
    stream: bool = True,
    size: int = 1_000,
) -> list[Batch]:
    """Calls at these seconds of the world, in batches."""
    times = BEGAN + np.array(list(at), np.float64)
    lengths = np.broadcast_to(np.array(tokens, np.int64), times.shape)
    batches = []
    for first in range(0, len(times), size):
        part = slice(first, first + size)
        zeros = np.zeros(len(times[part]), np.int64)
        batches.append(
            Batch(
                first, times[part], ("chat",), zeros, ("",), zeros, zeros + stream, zeros + prompt, lengths[part], zeros
            )
        )
    return batches


def outage(name: str, start: float, end: float, mode: str = "server_error", share: float = 1.0) -> Outage:
    """Within these seconds of the world."""
    return Outage(target=name, start=BEGAN + start, end=BEGAN + end, mode=mode, share=share)


def replayed(the_arm: Arm, traffic: Iterable[Batch], outages: Sequence[Outage] = (), seed: int = 1) -> Results:
    """All results as one."""
    parts = list(run(the_arm, traffic, outages, seed))
    return Results(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Results)}
    )


def kinds(results: Results) -> list[Kind]:
    return [KINDS[number] for number in results.kind]


def answered(results: Results) -> int:
    return int((results.kind == KINDS.index(Kind.OK)).sum())
