"""A candidate: one rung of one route, and the target it names, alive. It is what every rule looks at."""

from typing import Protocol

from surefoot.domain.jurisdiction import Jurisdiction
from surefoot.domain.request import Request
from surefoot.domain.route import Route, Rung
from surefoot.policy.jurisdictions import NO_JURISDICTIONS, Jurisdictions
from surefoot.policy.target_state import TargetState


class Candidate:
    """One target as one route offers it."""

    __slots__ = ("bound", "route", "rung", "state", "target", "zones")

    def __init__(
        self, route: Route, rung: Rung, state: TargetState, jurisdictions: Jurisdictions = NO_JURISDICTIONS
    ) -> None:
        self.route = route
        self.rung = rung
        self.state = state
        self.target = state.target
        self.zones = jurisdictions.zones
        own = () if route.jurisdiction is None else (route.jurisdiction,)
        self.bound: tuple[Jurisdiction, ...] = jurisdictions.named((*own, *rung.jurisdictions))
        """What binds it whatever the request says: the route's jurisdiction, and those of the routes it came from."""


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
