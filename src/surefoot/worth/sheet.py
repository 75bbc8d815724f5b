"""One risk file as a sheet of facts: the same file, facts, years and seed give the same bytes.

Must never: read a clock. A sheet is dated by its figures, which is what makes two runs of it equal.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from surefoot import __version__
from surefoot.evidence.exposing import Stake
from surefoot.facts import Fact, Facts, hash_of
from surefoot.worth.given import budget, history, inputs
from surefoot.worth.reading import Read
from surefoot.worth.years import ARMS, Drawn

LEAST_YEARS = 10_000
MOST_YEARS = 1_000_000
YEARS = 200_000


LATE = ("loss.without.mean", "loss.with.mean", "saving.mean", "minutes.without", "minutes.with")
"""What is told by lag."""


def sheet_of(read: Read, years: int, seed: int) -> Facts:
    """All facts. Raises `EvidenceError` where the file's figures cannot be reckoned with."""
    made: list[tuple[Stake, tuple[Fact, ...]]] = []

    def drawn(one: Read) -> tuple[Fact, ...]:
        """Those of one use of the file; the same stake is not drawn twice."""
        same = next((facts for stake, facts in made if stake == one.stake), None)
        if same is None:
            same = tuple(Drawn(one, years, seed).facts())
            made.append((one.stake, same))
        return same

    found = drawn(read)
    minutes = {name: next(fact for fact in found if fact.name == f"minutes.{name}") for name in ARMS}
    return Facts(
        made=read.file.as_of,
        program=f"surefoot {__version__}",
        seed=seed,
        window=(0.0, 0.0),
        inputs=hash_of(read.text, *_borrowed(read), str(years).encode()),
        facts=(
            *found,
            *inputs(read),
            *_of_uses("readings", read.readings, lambda one: (*drawn(one), *inputs(one))),
            *_of_uses("lags", read.lags, lambda one: tuple(fact for fact in drawn(one) if fact.name in LATE)),
            *history(read),
            *budget(read, minutes),
        ),
    )


def _borrowed(read: Read) -> Iterator[bytes]:
    """What came from other files: facts, and what was made of incidents."""
    yield msgspec.json.encode(sorted(read.facts.items()))
    for one in (read, *read.readings.values(), *read.lags.values()):
        yield msgspec.json.encode(one if isinstance(one, str) else one.stake)


def _of_uses(start: str, uses: Mapping[str, Read | str], make: Callable[[Read], tuple[Fact, ...]]) -> Iterator[Fact]:
    """The facts of the file under each reading, or by lag: their names begin with which."""
    for name, one in uses.items():
        if isinstance(one, str):
            yield Fact(name=f"{start}.{name}.none", value=None, unit="USD", n=0, method="not simulated", note=one)
        else:
            yield from (replace(fact, name=f"{start}.{name}.{fact.name}") for fact in make(one))
