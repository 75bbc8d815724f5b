"""Capability: a target that declares what it can do is asked for nothing else.

What is not declared is unknown, and unknown admits, as an unknown window does: a wrong guess costs an error of the
provider's, and no law is broken by it.
"""

from surefoot.domain.features import ALL_FEATURES, Features, written
from surefoot.domain.request import Request
from surefoot.domain.target import Target
from surefoot.policy.candidate import Candidate


class Capability:
    """Admits a target that declares all that the request needs, or declares nothing."""

    name = "capability"

    def reason(self, candidate: Candidate, request: Request, now: float) -> str | None:  # noqa: ARG002 - one shape for all rules
        """None, or what the target cannot do."""
        able = features_of(candidate.target)
        missing = request.features - able
        return f"cannot do {written(missing)}; it declares {written(able) or 'nothing'}" if missing else None


def features_of(target: Target) -> Features:
    """All that a target may be asked for."""
    return ALL_FEATURES if target.features is None else target.features
