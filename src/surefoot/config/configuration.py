"""The configuration as the rest of the house sees it: plain, frozen, checked.

Knows no TOML and no pydantic. Must never show a credential when it is printed.
"""

from msgspec import Struct

from surefoot.domain.front import Door, Ring
from surefoot.domain.jurisdiction import Jurisdiction
from surefoot.domain.place import Zone
from surefoot.domain.receipt import ReceiptOptions
from surefoot.domain.route import Route
from surefoot.domain.target import Target
from surefoot.policy.options import PolicyOptions


class Credentials(dict[str, str]):
    """Secrets by target. Prints how many, never which."""

    def __repr__(self) -> str:
        return f"<{len(self)} credentials>"

    __str__ = __repr__


class Admin(Struct, frozen=True):
    """Where the admin application listens."""

    host: str = "127.0.0.1"
    port: int = 8081


class Configuration(Struct, frozen=True):
    """One version of the whole configuration."""

    version: str
    """12 hexadecimal digits of a hash over the content; secrets are not part of it."""
    door: Door
    admin: Admin
    targets: tuple[Target, ...]
    routes: tuple[Route, ...]
    options: PolicyOptions
    credentials: dict[str, str]
    """Secret by name of the target; only for targets that have one."""
    journal: str | None = None
    """Path of the SQLite file; None keeps no journal."""
    receipts: ReceiptOptions | None = None
    """None keeps no receipts."""
    trace: str | None = None
    """Path of the file that the policy's inputs are recorded to."""
    zones: dict[str, Zone] = {}
    """Every zone by name, those that ship included."""
    jurisdictions: tuple[Jurisdiction, ...] = ()
    ring: Ring = Ring()
    """The keys of the key file, as they were when this was loaded."""
    warnings: tuple[str, ...] = ()
    """What looks wrong but can be run, each as `path: sentence`."""
