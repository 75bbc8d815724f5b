"""What the supervisor logs of what it hears. Knows sentences; must never decide."""

import logging
from collections.abc import Collection

from surefoot.config.configuration import Configuration
from surefoot.policy.target_state import Closed, News, Opened, Suspended

SUSPENDED = (
    "target suspended: %s: it %s; nobody asks it until `surefoot readmit`, or a reload that declares it otherwise"
)

log = logging.getLogger("surefoot")


def tell_news(news: News, suspended: Collection[str]) -> None:
    """Of a breaker, or of a target that was not among the suspended before."""
    match news:
        case Opened(target=target, seconds=seconds):
            log.warning("breaker opened: %s, for %.1f s", target, seconds)
        case Closed(target=target):
            log.info("breaker closed: %s", target)
        case Suspended(target=target, why=why) if target not in suspended:
            log.error(SUSPENDED, target, why)


def tell_warnings(configuration: Configuration) -> None:
    """What looks wrong in a configuration and can be run."""
    for warning in configuration.warnings:
        log.warning("configuration: %s", warning)
