"""The twins of the gateway's tests."""

from tests.gateway.conftest import started_twins, twins

__all__ = ["started_twins", "twins"]
