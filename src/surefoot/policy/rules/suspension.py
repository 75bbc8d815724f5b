"""A target whose own answer has contradicted what is declared of it is asked by nobody, until a person says otherwise.

It may be as well as can be. So this stands before all that asks how a target is, and no probe ever lifts it.
"""

from surefoot.domain.request import Request
from surefoot.policy.candidate import Candidate


class Suspension:
    """Admits what is not suspended."""

    name = "suspension"

    def reason(self, candidate: Candidate, request: Request, now: float) -> str | None:  # noqa: ARG002 - one shape for all rules
        """None, or what its answer has contradicted."""
        suspended = candidate.state.suspended
        return None if suspended is None else f"suspended until it is readmitted: {suspended}"
