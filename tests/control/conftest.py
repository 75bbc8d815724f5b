"""A whole gateway, `surefoot serve`, before a twin: what the tests of the supervisor drive."""

from collections.abc import Iterator

import pytest

from surefoot.twin import Behaviour, Fixed, TwinOptions, TwinProcess


@pytest.fixture(scope="module")
def twin() -> Iterator[TwinProcess]:
    with TwinProcess(TwinOptions(behaviour=Behaviour(tokens=Fixed(5.0), seed=1))) as process:
        yield process
