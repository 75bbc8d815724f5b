"""One side of a comparison: a configuration, and what is assumed of its targets."""

from msgspec import Struct

from surefoot.config.configuration import Configuration
from surefoot.replay.model import TargetModel


class Arm(Struct, frozen=True):
    """See the module."""

    name: str
    """As it is reported: `with`, `without`."""
    configuration: Configuration
    """Its targets, routes, options and jurisdictions are replayed; a worker would run under them."""
    models: dict[str, TargetModel]
    """By name of the target; every target of the configuration needs one, but for static ones."""
    heeds_retry_after: bool = True
    """Whether a provider's word (`Retry-After`) opens a breaker. False for an application that asks without one."""
