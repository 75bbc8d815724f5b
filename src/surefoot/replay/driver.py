"""The driver: runs the gateway's own Call and Fleet over traffic, on a virtual clock.

Under construction: the signatures stand, the body follows.
"""

from collections.abc import Iterable, Iterator, Sequence

from surefoot.domain.outcome import Kind
from surefoot.replay.arm import Arm
from surefoot.replay.outage import Outage
from surefoot.replay.result import Results
from surefoot.replay.traffic import Batch

KINDS: tuple[Kind, ...] = tuple(Kind)
"""What `Results.kind` counts into. A call is saved only if its kind is OK: the client had a whole, valid answer."""

__all__ = ["KINDS", "Arm", "run"]


def run(arm: Arm, traffic: Iterable[Batch], outages: Sequence[Outage], seed: int) -> Iterator[Results]:
    """One `Results` per batch, in order, as soon as all of its calls have ended.

    Targets are counted as the configuration lists them, outages as they are given. Raises `ReplayError` for an outage
    of a target or a mode that is not known, a target without a model, and traffic on a route that is not there.
    """
    raise NotImplementedError
