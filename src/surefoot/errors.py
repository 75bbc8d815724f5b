"""The error tree of the whole project, drawn here at the top so that a caller can choose what to catch.

    SurefootError
    ├── ConfigError        the configuration file cannot be used; carries every fault with its path
    ├── DialectError       bytes from a client that are not what the API asks for (the caller's fault)
    ├── EvidenceError      numbers that a formula does not allow (k > n, NaN, too few samples); a ValueError too
    ├── DrillError         a drill that must not or cannot be run; the message says what to do
    ├── IntakeError        traffic or incidents that cannot be read in; the message says what to do
    ├── ExplainError       a question about a route that names what is not there
    ├── ReplayError        traffic, outages or models that do not fit the configuration; the message says what to do
    ├── StartError         the program cannot start: a port is taken, a file is missing
    └── ChannelError       the supervisor and a worker no longer understand one another

Expected failures of *providers* are not here: they are values (`domain.outcome.Kind`).
"""

from collections.abc import Sequence


class SurefootError(Exception):
    """Everything that Surefoot raises on purpose."""


class ConfigError(SurefootError):
    """The configuration cannot be used. `faults` lists every fault found, each as `path: what is wrong`."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class DialectError(SurefootError):
    """A request that its API does not allow. `param` names the offending field, if one can be named."""

    def __init__(self, message: str, param: str | None = None) -> None:
        self.param = param
        super().__init__(message)


class EvidenceError(SurefootError, ValueError):
    """Input that a formula does not allow; a `ValueError` too, as Python's own mathematics raises."""


class DrillError(SurefootError):
    """A drill that must not be run, or could not go on; the message says what to do."""


class IntakeError(SurefootError):
    """Traffic or incidents that cannot be read in, as a whole; the message says what to do."""


class ExplainError(SurefootError):
    """A question that names what is not there; the message says what is."""


class ReplayError(SurefootError):
    """Traffic, outages or models that cannot be replayed under a configuration; the message says what to do."""


class StartError(SurefootError):
    """The program cannot start; the message says what to do."""


class ChannelError(SurefootError):
    """A frame between supervisor and worker that cannot be read."""
