"""What the policy needs to know of a client's request. Never its text."""

from bisect import bisect_left

from msgspec import Struct

from surefoot.domain.features import NO_FEATURES, Features
from surefoot.domain.jurisdiction import ANYWHERE, Applied

BUCKETS = (256, 1_024, 4_096, 16_384)
"""Upper bounds, in prompt tokens, of the lengths that are learned apart; a last bucket lies above them."""

BYTES_PER_TOKEN = 4
"""English prose in JSON, all common tokenizers, within a third; exact counts would cost a tokenizer per model."""


class Request(Struct, frozen=True):
    """The facts of one client request."""

    route: str
    stream: bool
    prompt_tokens: int
    """Estimated from the length of the body."""
    max_tokens: int = 0
    """What the client allows the answer to take; 0 when it does not say."""
    jurisdiction: Applied = ANYWHERE
    """All that binds where it may go, as one."""
    deadline: float | None = None
    """Seconds from its arrival that the client gives this call; None leaves the route's."""
    resumable: bool = False
    """Whether a broken answer may be continued elsewhere: text, one alternative, allowed by route and client."""
    watched: bool = False
    """A plain call that is streamed upstream, so that its answer is seen as it grows."""
    features: Features = NO_FEATURES
    """What it needs beside text; looked for only where a target of its route declares what it can do."""


def bucket_of(prompt_tokens: int) -> int:
    """Index of the prompt-length bucket, 0 to `len(BUCKETS)`."""
    return bisect_left(BUCKETS, prompt_tokens)
