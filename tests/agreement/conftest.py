"""The twins of the gateway's tests."""

from tests.gateway.conftest import authority, started_twins, twins

__all__ = ["authority", "started_twins", "twins"]
