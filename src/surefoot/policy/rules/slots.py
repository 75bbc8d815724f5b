"""A target with a bound on its attempts under way is not asked beyond it; the bound is shared out among the workers."""

from surefoot.domain.request import Request
from surefoot.policy.candidate import Candidate


class Slots:
    """Admits a target that has a slot free."""

    name = "slots"

    def reason(self, candidate: Candidate, request: Request, now: float) -> str | None:  # noqa: ARG002 - one shape for all rules
        """None, or why there is no room."""
        state = candidate.state
        if state.in_flight < state.slots:
            return None
        return f"full: {state.in_flight} of {state.slots} attempts under way"
