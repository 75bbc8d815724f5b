"""One side of a comparison: a configuration, and what is assumed of its targets."""

from msgspec import Struct

from surefoot.config.configuration import Configuration
from surefoot.replay.models.model import TargetModel


class Arm(Struct, frozen=True):
    """See the module."""

    name: str
    """As it is reported: `with`, `without`."""
    configuration: Configuration
    """Its targets, routes, options and jurisdictions are replayed; a worker would run under them."""
    models: dict[str, TargetModel]
    """By name of the target; every target of the configuration needs one, but for static ones."""
    direct: bool = False
    """An application that asks its provider without a gateway: no `Retry-After` closes a target to other calls, and
    outages of the gateway do not strike it."""
