"""A rung of a route may be meant for some prompt lengths only."""

from surefoot.domain.request import Request
from surefoot.policy.candidate import Candidate


class Condition:
    """Admits a rung when the prompt's estimated length is inside its `when`."""

    name = "condition"

    def reason(self, candidate: Candidate, request: Request, now: float) -> str | None:  # noqa: ARG002 - one shape for all rules
        """None, or why this rung is not meant for the request."""
        when = candidate.rung.when
        if when.holds(request.prompt_tokens):
            return None
        bound = f"from {when.least}" if when.most is None else f"{when.least} to {when.most}"
        return f"meant for {bound} prompt tokens; this one has about {request.prompt_tokens}"
