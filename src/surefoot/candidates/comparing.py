"""From the tallies of all candidates to what is told of them: facts, differences from the first, places in the matrix.

Coverage in the matrix is that of drills if every candidate has one, and else that of the replay for all: a drilled
share and a replayed one are not the same thing. Names are `CANDIDATE.READING.MEASURE`, `CANDIDATE.drilled.MEASURE`,
`CANDIDATE.probe.TARGET.MEASURE` and `difference.CANDIDATE.READING.MEASURE`.
Must never: look at a clock, so that the same inputs give the same bytes.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from surefoot import __version__
from surefoot.candidates.asking import Candidate, Wanted, alike, inputs_of
from surefoot.candidates.measures import COMPARED, FALLBACK, RISK, Replayed
from surefoot.candidates.measuring import difference
from surefoot.candidates.placing import Limits, Placed, placed
from surefoot.candidates.sharing import Pair, alone_by_law, pairs_of
from surefoot.candidates.weighing import by_route, coverages_of, endless
from surefoot.facts import Fact, Facts
from surefoot.intake.incident import Reading
from surefoot.replay.counting.numbers import Measured
from surefoot.replay.counting.tally import Tally
from surefoot.replay.task import Task

FACTS, MATRIX, MARKDOWN, PAGE = FILES = "facts.json", "matrix.svg", "compare.md", "compare.html"
"""All that is kept of a comparison."""


class Told(Struct, frozen=True, kw_only=True):
    """One candidate."""

    name: str
    file: str
    version: str
    placed: Placed
    pairs: tuple[Pair, ...]
    said: tuple[str, ...]
    """What was assumed of it, a sentence each."""


class Compared(Struct, frozen=True, kw_only=True):
    """All that is told of a comparison."""

    facts: Facts
    candidates: tuple[Told, ...]
    readings: tuple[Reading, ...]
    limits: Limits
    drilled: bool
    """Whether coverage in the matrix is that of drills."""
    said: tuple[str, ...]
    """What was assumed of all alike."""
    left_out: dict[str, dict[str, int]]
    """By candidate: why incidents make no outage under the first reading, and how many."""


def tasks_of(candidates: Sequence[Candidate]) -> list[Task]:
    """The replays to be done: of each candidate one for each reading."""
    return [task for one in candidates for task in one.posed.tasks]


def compared(candidates: Sequence[Candidate], tallies: Sequence[Tally], wanted: Wanted, limits: Limits) -> Compared:
    """All of it. `tallies` are those of `tasks_of`, in that order. Raises `ReplayError` for traffic without a call."""
    each = len(wanted.readings)
    found = [
        _Measures(one, tallies[number * each : (number + 1) * each], wanted) for number, one in enumerate(candidates)
    ]
    drilled = all(one.drilled for one in found)
    base = tallies[0]
    facts = [fact for one in found for fact in one.facts()]
    facts += [fact for one in found[1:] for fact in _differences(one, found[0], drilled=drilled)]
    common = [one for one in candidates[0].posed.said if all(one in other.posed.said for other in candidates)]
    return Compared(
        facts=Facts(
            made=datetime.fromtimestamp(base.last, UTC).isoformat(timespec="seconds"),
            program=f"surefoot {__version__} compare",
            seed=wanted.seed,
            window=(base.first, base.last),
            inputs=inputs_of(wanted, candidates),
            facts=tuple(facts),
        ),
        candidates=tuple(
            Told(
                name=one.candidate.name,
                file=file.name,
                version=one.candidate.configuration.version,
                placed=one.place(limits, drilled=drilled),
                pairs=tuple(one.pairs),
                said=tuple(_said(one.candidate, common)),
            )
            for one, file in zip(found, wanted.configs, strict=True)
        ),
        readings=wanted.readings,
        limits=limits,
        drilled=drilled,
        said=(*alike(candidates), *common, *_of_all(found, drilled=drilled), *candidates[0].opened.unreadable),
        left_out={one.name: one.posed.left_out[wanted.readings[0]] for one in candidates},
    )


class _Measures:
    """The numbers of one candidate under every reading."""

    def __init__(self, candidate: Candidate, tallies: Sequence[Tally], wanted: Wanted) -> None:
        self.candidate = candidate
        self._wanted = wanted
        self.pairs = pairs_of(candidate.configuration, candidate.routes)
        self.replayed = {
            reading: Replayed(tally, f"{candidate.name}.{reading}", wanted.seed)
            for reading, tally in zip(wanted.readings, tallies, strict=True)
        }
        self.measured = {
            reading: one.measured(candidate.configuration.targets, self.pairs) for reading, one in self.replayed.items()
        }
        by_drills = coverages_of(candidate.drilled, wanted.rates, self._drills, wanted.seed)
        self.drilled: dict[str, Measured] = by_drills if _known(by_drills) else {}

    @property
    def _drills(self) -> str:
        return f"{self.candidate.name}.drilled"

    def facts(self) -> Iterator[Fact]:
        """In the order in which they are read."""
        for those in self.measured.values():
            yield from (one.fact for one in those.values())
        yield from (one.fact for one in self.drilled.values())
        if self.drilled:
            yield from by_route(self.candidate.drilled, self._wanted.rates, self._drills, self._wanted.seed)
        yield from (replace(one, name=f"{self.candidate.name}.{one.name}") for one in self.candidate.probed.facts)

    def of(self, reading: Reading, name: str, *, drilled: bool) -> Measured:
        """One number; coverage by drills where it is to be."""
        return self.drilled["risk"] if drilled and name == RISK else self.measured[reading][name]

    def place(self, limits: Limits, *, drilled: bool) -> Placed:
        """In the matrix, under the first reading."""
        reading = self._wanted.readings[0]
        replayed = self.replayed[reading]
        source = self.candidate.drilled
        weekly = min(replayed.weekly, source.weekly if drilled else replayed.modes.weekly)
        pair = self.measured[reading][FALLBACK].fact, self.of(reading, RISK, drilled=drilled).fact
        rest = endless(source, self._wanted.rates, self._drills, self._wanted.seed) if drilled else None
        return placed(self.candidate.name, pair, limits, (weekly, replayed.weeks), rest)


def _known(coverages: dict[str, Measured]) -> bool:
    return "risk" in coverages and coverages["risk"].fact.value is not None


def _differences(one: _Measures, base: _Measures, *, drilled: bool) -> Iterator[Fact]:
    for reading, replayed in one.replayed.items():
        for name in COMPARED:
            ours, theirs = (which.of(reading, name, drilled=drilled) for which in (one, base))
            start = f"difference.{one.candidate.name}.{reading}"
            yield difference(f"{start}.{name}", ours, theirs, replayed.weeks)


def _of_all(found: Sequence[_Measures], *, drilled: bool) -> Iterator[str]:
    if drilled:
        yield "coverage in the matrix is that of drills, each mode weighed by the same rates for all candidates"
        return
    yield "coverage in the matrix is that of the replay: a mode that no incident had is not in it"
    some = [one.candidate.name for one in found if one.drilled]
    if some:
        without = ", ".join(one.candidate.name for one in found if not one.drilled)
        yield f"drills of {', '.join(some)} are not in the matrix, because {without} has none to be held against"


def _said(candidate: Candidate, common: Sequence[str]) -> Iterator[str]:
    yield from (one for one in candidate.posed.said if one not in common)
    yield from (f"{one.part} of {one.target}: {one.text}" for one in candidate.posed.stand_on if not one.measured)
    yield from alone_by_law(candidate.configuration, candidate.routes)
    yield from candidate.drilled.said
    yield from candidate.probed.said
