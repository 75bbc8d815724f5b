"""One risk file as a sheet of facts: the same file, facts, years and seed give the same bytes.

Must never: read a clock. A sheet is dated by its figures, which is what makes two runs of it equal.
"""

import msgspec

from surefoot import __version__
from surefoot.facts import Facts, hash_of
from surefoot.worth.given import budget, history, inputs
from surefoot.worth.reading import Read
from surefoot.worth.years import ARMS, Drawn

LEAST_YEARS = 10_000
MOST_YEARS = 1_000_000
YEARS = 200_000


def sheet_of(read: Read, years: int, seed: int) -> Facts:
    """All facts. Raises `EvidenceError` where the file's figures cannot be reckoned with."""
    drawn = Drawn(read, years, seed)
    found = list(drawn.facts())
    minutes = {name: next(fact for fact in found if fact.name == f"minutes.{name}") for name in ARMS}
    named = msgspec.json.encode(sorted(read.facts.items()))
    return Facts(
        made=read.file.as_of,
        program=f"surefoot {__version__}",
        seed=seed,
        window=(0.0, 0.0),
        inputs=hash_of(read.text, named, str(years).encode()),
        facts=(*found, *inputs(read), *history(read), *budget(read, minutes)),
    )
