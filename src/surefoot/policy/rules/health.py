"""A target is asked only while its breaker admits it: when closed, or as the one probe of an opening that is over."""

from surefoot.domain.request import Request
from surefoot.policy.breaker import State
from surefoot.policy.candidate import Candidate


class Health:
    """Admits what the breaker admits.

    Among several workers a probe also needs a permit, since it is one for the whole gateway.
    """

    name = "health"

    def reason(self, candidate: Candidate, request: Request, now: float) -> str | None:  # noqa: ARG002 - one shape for all rules
        """None, or why the target is not asked now."""
        breaker = candidate.state.breaker
        if breaker.state is State.CLOSED:
            return None
        if not breaker.admits(now):
            if breaker.state is State.HALF_OPEN:
                return "breaker half-open: its one probe is under way"
            return f"breaker open for another {breaker.until - now:.1f} s"
        if candidate.state.may_probe(now):
            return None
        return "breaker open: another worker may hold the probe"
