"""A batch of traffic: columns in the order of arrival, mapped to routes of the configuration."""

from dataclasses import dataclass

from surefoot.replay.models.model import Floats, Integers


@dataclass(frozen=True, slots=True)
class Batch:
    """Some calls, one entry per call in each column, in the order of arrival; batches follow one another in order."""

    first: int
    """Index of its first call, counted over all batches from 0: what the draws of a call go by."""
    at: Floats
    """Unix time of arrival; never falls, within a batch or from one to the next."""
    routes: tuple[str, ...]
    """Names of routes of the configuration."""
    route: Integers
    """Index into `routes`."""
    keys: tuple[str, ...]
    """Names of client keys; "" is none."""
    key: Integers
    """Index into `keys`."""
    stream: Integers
    """1 where the client asked for a stream."""
    prompt_tokens: Integers
    completion_tokens: Integers
    """Length of the answer that a whole one has; at least 1."""
    max_tokens: Integers
    """0 where the client did not say."""

    def __len__(self) -> int:
        """How many calls."""
        return len(self.at)
