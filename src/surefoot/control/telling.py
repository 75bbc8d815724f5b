"""What the supervisor logs of what it hears. Knows sentences; must never decide."""

import logging
from collections.abc import Collection, Iterable

from surefoot.config.configuration import Configuration
from surefoot.policy.target_state import Closed, News, Opened, Suspended

SUSPENDED = (
    "target suspended: %s: it %s; nobody asks it until `surefoot readmit`, or a reload that declares it otherwise"
)

ALL_FAIL = "every target fails at once: look at this machine and its network first; breakers stay closed"
NOT_ALL_FAIL = "not every target fails any more"

log = logging.getLogger("surefoot")


def tell_news(told: Iterable[News], suspended: Collection[str]) -> None:
    """Of breakers, and of targets that were not among the suspended before."""
    for news in told:
        match news:
            case Opened(target=target, seconds=seconds):
                log.warning("breaker opened: %s, for %.1f s", target, seconds)
            case Closed(target=target):
                log.info("breaker closed: %s", target)
            case Suspended(target=target, why=why) if target not in suspended:
                log.error(SUSPENDED, target, why)


def tell_ours(*, ours: bool) -> None:
    """Whether every target fails at once, where that has changed."""
    log.warning(ALL_FAIL if ours else NOT_ALL_FAIL)


def tell_warnings(configuration: Configuration) -> None:
    """What looks wrong in a configuration and can be run."""
    for warning in configuration.warnings:
        log.warning("configuration: %s", warning)
