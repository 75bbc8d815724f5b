"""Order by learned time to first token: the median of the request's own series, soonest first.

A target that nothing is known of comes first, so that it becomes known; ties keep the listed order.
"""

from surefoot.domain.request import Request, bucket_of
from surefoot.policy.candidate import Candidate
from surefoot.policy.first_token import series_of


class Latency:
    """Ranks by the learned median."""

    name = "latency"

    def rank(self, candidate: Candidate, request: Request) -> float:
        """Seconds; 0 while nothing is learned."""
        series = series_of(bucket_of(request.prompt_tokens), stream=request.stream)
        return candidate.state.first_token.table[series].median or 0.0
