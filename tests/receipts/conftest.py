from collections.abc import Iterator

import pytest

from surefoot.twin import Behaviour, Fixed, TwinOptions, TwinProcess


@pytest.fixture
def twin() -> Iterator[TwinProcess]:
    with TwinProcess(TwinOptions(behaviour=Behaviour(tokens=Fixed(5.0), seed=1))) as process:
        yield process
