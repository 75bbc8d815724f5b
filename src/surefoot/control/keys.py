"""The key file as the running gateway sees it.

It is looked at every quarter of a second, so that a key that is revoked is refused everywhere within a second, and no
signal is needed.

Knows the file that was read last. Must never let a broken file take keys away or bring any: the last whole one counts.
"""

import logging
import time
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from surefoot.config.configuration import Configuration
from surefoot.config.keyfile import read_keys, ring_of, unusable
from surefoot.domain.front import ClientKey, Ring
from surefoot.errors import ConfigError
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.zones import Zones

LOOK_EVERY = 0.25
"""Seconds between looks at the file."""

log = logging.getLogger("surefoot")


class KeyWatch:
    """The keys in force. `ring` are those of the file, `keys` all of them."""

    def __init__(self, configuration: Configuration) -> None:
        self._seen: tuple[int, ...] | None = ()
        self.configuration = configuration
        self.ring = configuration.ring

    @property
    def keys(self) -> Iterable[ClientKey]:
        """Those of the configuration too."""
        return (*self.configuration.door.keys, *self.ring.keys)

    def reconfigure(self, configuration: Configuration) -> None:
        """Another configuration is in force; it has read the file anew."""
        self.configuration = configuration
        self.ring = configuration.ring
        self._seen = ()

    def look(self) -> bool:
        """Whether other keys are in force than before. What is wrong with the file is logged once."""
        if self.configuration.door.keys_file is None:
            return False
        path = Path(self.configuration.door.keys_file)
        seen = _seen(path)
        if seen == self._seen:
            return False
        self._seen = seen
        if seen is None and self.ring.keys:
            log.error("keys: %s: the key file is gone; the keys of before go on", path)
            return False
        try:
            ring = ring_of(read_keys(path), time.time())
        except ConfigError as error:
            for fault in error.faults:
                log.error("keys: %s; the keys of before go on", fault)  # noqa: TRY400 - a fault of the file
            return False
        ring = self._usable(ring)
        if ring == self.ring:
            return False
        self.ring = ring
        return True

    def _usable(self, ring: Ring) -> Ring:
        told = self.configuration
        known = Jurisdictions(Zones(told.zones), told.jurisdictions)
        wrong = unusable(ring, [key.name for key in told.door.keys], known)
        for name, sentence in wrong.items():
            log.error("keys: %s is not admitted: %s", name, sentence)
        return replace(ring, keys=tuple(key for key in ring.keys if key.name not in wrong))


def _seen(path: Path) -> tuple[int, ...] | None:
    """What changes whenever the file does; None without one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
