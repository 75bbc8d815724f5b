"""One paired replay as a task that any process can do, here or on another machine: all that it needs goes along.

The same task gives the same tally, to the last digit, wherever it is done. Only the traffic stays where it is: a task
names its file and knows its hash, so that nobody replays another one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import file_digest
from itertools import tee
from pathlib import Path

import numpy as np
from msgspec import Struct

from surefoot.config.configuration import Configuration
from surefoot.errors import ReplayError
from surefoot.replay.arms import without_fallback
from surefoot.replay.counting.tally import Tally
from surefoot.replay.outages.outage import GATEWAY, Outage
from surefoot.replay.traffic import Batch, Traffic
from surefoot.replay.virtual.arm import Arm
from surefoot.replay.virtual.arriving import NONE
from surefoot.replay.virtual.driver import run
from surefoot.replay.virtual.result import Integers, Results

Tell = Callable[[int], None]
"""Is told how many calls more are done."""


class TrafficFile(Struct, frozen=True, kw_only=True):
    """A traffic file, and how a configuration takes it."""

    path: str
    content: str
    """Hash of the file."""
    calls: int
    routes: tuple[str, ...]
    """Of the configuration; a call that names none of them is given the first."""

    def batches(self) -> Iterator[Batch]:
        """All its calls."""
        return iter(Traffic(Path(self.path), self.routes, otherwise=self.routes[0]))


class Task(Struct, frozen=True, kw_only=True):
    """See the module. `scenario`, `assumption` and `value` are as in `summary.Played`."""

    scenario: str
    assumption: str = ""
    value: str = ""
    arms: tuple[Arm, Arm]
    """The configuration in question, and what it is held against."""
    outages: tuple[Outage, ...]
    traffic: TrafficFile
    lags: tuple[float, ...]
    seed: int


def perform(task: Task, tell: Tell) -> Tally:
    """Replay both arms side by side. Raises `ReplayError` where the traffic is not here, or is another one."""
    try:
        found = content_of(Path(task.traffic.path))
    except OSError as error:
        raise ReplayError(
            f"{task.traffic.path}: cannot be read here: {error.strerror}; every machine needs it at this path"
        ) from error
    if found != task.traffic.content:
        raise ReplayError(f"{task.traffic.path}: is not the file that the replay began with")
    ours, against = task.arms
    names = list(dict.fromkeys(target.name for arm in task.arms for target in arm.configuration.targets))
    tally = Tally(task.outages, names, task.lags)
    cut = without_fallback(ours.configuration)
    asked, of_ours, of_against = tee(task.traffic.batches(), 3)
    sides = _played(against, of_against, task, names), _played(ours, of_ours, task, names)
    for batch, without, with_it in zip(asked, *sides, strict=True):
        # what a call without fallback asked is known, also where its key admits another target or none at all
        first = without.first if against.direct else first_targets(batch, cut, names)
        tally.add(first, without, with_it)
        tell(len(batch))
    return tally


def content_of(path: Path) -> str:
    """SHA-256 of a file, read once as long as it does not change. Raises `OSError`."""
    state = path.stat()
    return _digest(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def first_targets(batch: Batch, cut: Configuration, names: Sequence[str]) -> Integers:
    """The position in `names` of the target that each call asks first if there is no fallback; -1 if it has none."""
    found = np.full(len(batch), NONE, np.int64)
    routes = {route.name: route for route in cut.routes}
    for number, name in enumerate(batch.routes):
        free = batch.route == number
        for rung in routes[name].rungs:
            most = np.inf if rung.when.most is None else rung.when.most
            holds = free & (batch.prompt_tokens >= rung.when.least) & (batch.prompt_tokens <= most)
            found[holds] = names.index(rung.target)
            free &= ~holds
    return found


def _played(arm: Arm, batches: Iterator[Batch], task: Task, names: Sequence[str]) -> Iterator[Results]:
    """One arm, with targets and outages counted as the tally counts them."""
    targets = [target.name for target in arm.configuration.targets]
    struck = [n for n, one in enumerate(task.outages) if one.target in targets or one.target == GATEWAY]
    target_of = np.array([*map(names.index, targets), NONE], np.int64)
    outage_of = np.array([*struck, NONE], np.int64)
    for one in run(arm, batches, [task.outages[number] for number in struck], task.seed):
        yield replace(one, first=target_of[one.first], winner=target_of[one.winner], outage=outage_of[one.outage])
