"""Jurisdiction decides before availability: a target outside the allowed places does not exist for the request.

A target whose place is not declared is unknown, and unknown is not allowed where places are restricted.
"""

from surefoot.domain.request import Request
from surefoot.policy.candidate import Candidate


class Place:
    """Admits a target whose place the route allows, and the request too where it narrows the choice."""

    name = "place"

    def reason(self, candidate: Candidate, request: Request, now: float) -> str | None:  # noqa: ARG002 - one shape for all rules
        """None, or why this target may not process the request."""
        route, target = candidate.route, candidate.target
        if route.places is None and request.place is None:
            return None
        if target.place is None:
            return "does not say where it processes, and unknown is not allowed here"
        if route.places is not None and target.place not in route.places:
            return f"processes in {target.place}; the route allows {', '.join(route.places)}"
        if request.place is not None and target.place != request.place:
            return f"processes in {target.place}; the request allows {request.place} only"
        return None
