"""What a reload cannot change: what was opened at the start stays as it is until a restart, and that is said.

Must never: open or close anything.
"""

import logging

from msgspec.structs import replace

from surefoot.config.configuration import Configuration
from surefoot.control.listeners import Listening

log = logging.getLogger("surefoot")


def keep_what_is_open(old: Configuration, new: Configuration, listening: Listening) -> Configuration:
    """The new configuration, with the old addresses, journal and receipts where it would have others."""
    if not listening.same_addresses(new.door.listeners):
        log.warning("reload: the addresses of the listeners have changed; that needs a restart")
        new = replace(new, door=replace(new.door, listeners=old.door.listeners))
    if (new.admin, new.journal) != (old.admin, old.journal):
        log.warning("reload: the address of the admin application or the journal has changed; that needs a restart")
        new = replace(new, admin=old.admin, journal=old.journal)
    if new.receipts != old.receipts:
        log.warning("reload: what is said of receipts has changed; that needs a restart")
        new = replace(new, receipts=old.receipts)
    return new
