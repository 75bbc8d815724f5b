"""A door that is easily hurt: small limits, so that what is too much is quickly sent."""

from collections.abc import Iterator

import pytest
from tests.gateway.conftest import Pair, started_twins, twins
from tests.gateway.house import House, settings_of, targets_at

from surefoot.domain.front import Door

__all__ = ["started_twins", "twins"]

BODY_LIMIT = 20_000
HEADER_LIMIT = 4_000


@pytest.fixture(scope="session")
def started_door(started_twins: Pair) -> Iterator[House]:
    door = Door((), body_limit=BODY_LIMIT, header_limit=HEADER_LIMIT, read_timeout=0.2, idle_timeout=60.0)
    with House(settings_of(targets_at(*(twin.port for twin in started_twins)), door=door)) as house:
        yield house


@pytest.fixture
def door(started_door: House, twins: Pair) -> House:
    assert twins
    return started_door
