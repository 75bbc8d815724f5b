"""A prompt that cannot fit into a context window is not sent."""

from surefoot.domain.request import Request
from surefoot.policy.candidate import Candidate


class Window:
    """Admits a target whose window holds the prompt and the answer that the client allows. An unknown window admits."""

    name = "window"

    def reason(self, candidate: Candidate, request: Request, now: float) -> str | None:  # noqa: ARG002 - one shape for all rules
        """None, or why the request does not fit."""
        window = candidate.target.window
        need = request.prompt_tokens + request.max_tokens
        if window is None or need <= window:
            return None
        return f"window of {window} tokens; prompt and answer may need about {need}"
