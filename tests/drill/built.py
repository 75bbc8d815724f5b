"""Drilled calls, made up from a seed: the shapes that a runner hands over."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from surefoot.config.rates import Rate, Rates
from surefoot.drill.coverage import Drill, facts_of
from surefoot.drill.repetition import Repetition
from surefoot.facts import Facts

MADE = "2026-11-24T06:30:00+00:00"


def repetition(mode: str = "silence", *, mitigated: bool = True, **changed: Any) -> Repetition:
    """A cold call that met its fault, with round times."""
    one = Repetition(
        mode=mode,
        route="chat",
        target="eu-cloud",
        warm=False,
        delivered=True,
        mitigated=mitigated,
        passed_off=False,
        answered_by="us-cloud" if mitigated else None,
        kind="ok" if mitigated else "deadline",
        attempts=2,
        detect=0.2,
        switch=0.001,
        fallback_ttft=0.1 if mitigated else None,
        end_to_end=0.5 if mitigated else None,
        ttft=0.3 if mitigated else None,
        cost=0.002,
    )
    return msgspec.structs.replace(one, **changed)


def drilled(mode: str, k: int, n: int, *, seed: int = 1, scale: float = 1.0, **changed: Any) -> list[Repetition]:
    """`n` cold calls of which `k` were mitigated, with end-to-end times about 0.5 s times `scale`."""
    rng = random.Random(f"{mode}{seed}")  # noqa: S311 - a sample, not a secret
    found = []
    for number in range(n):
        times = {"end_to_end": 0.5 * scale * rng.lognormvariate(0, 0.1)} if number < k else {}
        found.append(repetition(mode, mitigated=number < k, **(times | changed)))
    return found


def warm(mode: str, k: int, n: int) -> list[Repetition]:
    """Calls that found the breaker open."""
    return [
        repetition(mode, mitigated=number < k, warm=True, delivered=False, detect=None, switch=None)
        for number in range(n)
    ]


def rates(weights: Mapping[str, tuple[float, float]], *, years: float = 2.0, default: bool = False) -> Rates:
    """Events in `years` and impact in minutes, by mode."""
    return Rates(
        "minutes",
        {
            mode: Rate(mode, events, years, impact, "own count", "our pager", "2026-11", default)
            for mode, (events, impact) in weights.items()
        },
    )


def sheet(repetitions: Sequence[Repetition], weights: Rates, **changed: Any) -> Facts:
    """The facts of a drill whose catalogue is what has a rate."""
    told: dict[str, Any] = {
        "repetitions": repetitions,
        "modes": tuple(weights.of),
        "rates": weights,
        "seed": 7,
        "made": MADE,
        "window": (1_790_000_000.0, 1_790_000_060.0),
        "inputs": "0" * 64,
    }
    return facts_of(Drill(**(told | changed)))
