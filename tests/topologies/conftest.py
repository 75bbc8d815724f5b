"""Four providers for all topologies: started once, well again before each test."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from surefoot.twin import HEALTHY, Behaviour, Fixed, TwinOptions, TwinProcess


@pytest.fixture(scope="session")
def providers() -> Iterator[list[TwinProcess]]:
    options = TwinOptions(behaviour=Behaviour(ttft=Fixed(0.005), rate=Fixed(500.0), tokens=Fixed(8), seed=1))
    with ExitStack() as stack:
        yield [stack.enter_context(TwinProcess(options)) for _ in range(4)]


@pytest.fixture
def twins(providers: list[TwinProcess]) -> list[TwinProcess]:
    for twin in providers:
        twin.set_faults(HEALTHY)
        twin.clear_log()
    return providers
