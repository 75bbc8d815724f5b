"""A candidate: one rung of one route, and the target it names, alive. It is what every rule looks at."""

from typing import Protocol

from surefoot.domain.request import Request
from surefoot.domain.route import Route, Rung
from surefoot.policy.target_state import TargetState


class Candidate:
    """One target as one route offers it."""

    __slots__ = ("route", "rung", "state", "target")

    def __init__(self, route: Route, rung: Rung, state: TargetState) -> None:
        self.route = route
        self.rung = rung
        self.state = state
        self.target = state.target


class Rule(Protocol):
    """What admits a candidate, or says why not."""

    @property
    def name(self) -> str:
        """One word, as in records and explanations."""

    def reason(self, candidate: Candidate, request: Request, now: float) -> str | None:
        """None where the candidate is admitted; otherwise the words that tell a person why not."""


class Ranking(Protocol):
    """What orders the admitted candidates: the lowest first, ties as listed."""

    @property
    def name(self) -> str:
        """One word, as in the configuration's `order`."""

    def rank(self, candidate: Candidate, request: Request) -> float:
        """The candidate's sort key for this request."""
