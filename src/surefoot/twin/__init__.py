"""A provider that misbehaves on order, on a real socket, from a seed.

Knows: nothing of the gateway; it stands on the other side of the wire.
Must never: become a mock inside the process under test.
"""

from surefoot.twin.behaviour import Behaviour, Distribution, Fixed, Lognormal, Resampled, TwinError
from surefoot.twin.faults import HEALTHY, KINDS, Fault, FaultPlan, Rule, always
from surefoot.twin.log import AttemptLog, AttemptRecord
from surefoot.twin.process import TwinProcess
from surefoot.twin.server import Tls, Twin, TwinOptions

__all__ = [
    "HEALTHY",
    "KINDS",
    "AttemptLog",
    "AttemptRecord",
    "Behaviour",
    "Distribution",
    "Fault",
    "FaultPlan",
    "Fixed",
    "Lognormal",
    "Resampled",
    "Rule",
    "Tls",
    "Twin",
    "TwinError",
    "TwinOptions",
    "TwinProcess",
    "always",
]
