"""Order by what the call would cost. An unknown price is unknown, not zero: it comes last."""

from surefoot.domain.request import Request
from surefoot.policy.candidate import Candidate

TYPICAL_ANSWER = 256
"""Tokens assumed where the client does not bound the answer. It only weighs output price against input price."""


class Price:
    """Ranks by expected cost."""

    name = "price"

    def rank(self, candidate: Candidate, request: Request) -> float:
        """US dollars; infinite when unknown."""
        price = candidate.target.price
        if price is None:
            return float("inf")
        return price.cost(request.prompt_tokens, request.max_tokens or TYPICAL_ANSWER)
