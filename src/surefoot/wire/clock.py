"""The clock of the request path: one name, so that it is seen who reads it."""

from time import monotonic as now
from time import time as wall

__all__ = ["now", "wall"]
