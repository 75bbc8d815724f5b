"""Many cases from few draws: what Hypothesis draws is one case, and parts of it and of a stock make further ones.

Drawing a world costs fifteen times what living it costs. So the long profile draws fewer of them, and deals the parts
anew: each case gets its own targets, scripts, places, jurisdictions, circumstances and options, field by field, from
the world just drawn and from the stock. The stock is the same in every process, and how it is dealt comes from a number
that Hypothesis draws, so that a case that breaks a law is found again and made small as any other. The short profile
deals nothing.

Knows how parts are put together. Must never state a law.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, NamedTuple, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from tests.policy import law_of_places as law
from tests.policy.laws import LONG, TARGETS, Setting, settings_of_the_world

from surefoot.domain.jurisdiction import Circumstances, Constraints, Deny, Jurisdiction, Obligations, Subjects
from surefoot.domain.place import Place
from surefoot.gateway.own_headers import CLASS, JURISDICTION, PLACE, REGION

CASES = 20 if LONG else 1
"""Cases that are made of each draw, the drawn one included."""

STOCK = 400

Parts = TypeVar("Parts", bound=Struct)


class Drawn(NamedTuple):
    """One case, as Hypothesis has drawn it or as it was dealt."""

    setting: Setting
    places: dict[str, Place]
    listed: list[Jurisdiction]
    ways: tuple[Circumstances, Circumstances]
    map_seed: int
    bound: str | None
    """The jurisdiction of the route."""
    more: Jurisdiction
    """One that may be added."""
    said: dict[bytes, bytes]
    """Headers of a request."""


headers = st.dictionaries(
    st.sampled_from([JURISDICTION, PLACE, CLASS, REGION]),
    st.sampled_from([b"j0", b"anywhere", b"J0", b"EU", b"world", b"DE, us", b"health", b"", b"EU,,DE", b"\xff"]),
)


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    """One case."""
    setting = draw(settings_of_the_world())
    return Drawn(
        setting,
        {name: draw(law.places) for name in setting.scripts},
        draw(law.jurisdictions()),
        (draw(law.circumstances), draw(law.circumstances)),
        draw(law.seeds),
        draw(st.sampled_from([None, "j0"])),
        Jurisdiction("more", constraints=draw(law.constraints), deny=draw(law.denials)),
        draw(headers),
    )


class Dealt(NamedTuple):
    """A drawn case, and by which number others are made of it and of the stock."""

    first: Drawn
    seed: int

    def cases(self) -> Iterator[Drawn]:
        """The drawn one and, in the long profile, the others."""
        yield self.first
        rng = Random(self.seed)  # noqa: S311 - an example
        for _ in range(CASES - 1):
            yield _deal([self.first, *_STOCK], rng)


def dealt() -> st.SearchStrategy[Dealt]:
    """As many cases as `CASES` says."""
    return st.builds(Dealt, drawn(), st.integers(0, 2**32 - 1) if LONG else st.just(0))


def _deal(decks: Sequence[Drawn], rng: Random) -> Drawn:
    """Every part from anybody."""
    setting = _setting([deck.setting for deck in decks], rng)
    sources = [rng.choice(decks) for _ in range(8)]
    places = [place for deck in sources for place in deck.places.values()]
    listed = [one for deck in sources for one in deck.listed]
    ways = [way for deck in sources for way in deck.ways]
    return Drawn(
        setting,
        {name: _mixed(Place, places, rng) for name in setting.scripts},
        [_jurisdiction(f"j{number}", listed, rng) for number in range(rng.randint(1, 3))],
        (_mixed(Circumstances, ways, rng), _mixed(Circumstances, ways, rng)),
        rng.randrange(law.POOL),
        rng.choice([None, "j0"]),
        _jurisdiction("more", [deck.more for deck in sources], rng),
        rng.choice(decks).said,
    )


def _jurisdiction(name: str, listed: Sequence[Jurisdiction], rng: Random) -> Jurisdiction:
    return Jurisdiction(
        name,
        _mixed(Subjects, [one.subjects for one in listed], rng),
        _mixed(Constraints, [one.constraints for one in listed], rng),
        _mixed(Deny, [one.deny for one in listed], rng),
        _mixed(Obligations, [one.obligations for one in listed], rng),
    )


def _mixed(kind: type[Parts], parts: Sequence[Parts], rng: Random) -> Parts:
    """One of its kind: half of the time as one of the parts is, else each field as that of any of them."""
    if rng.random() < 0.5:
        return rng.choice(parts)
    return kind(**{name: getattr(rng.choice(parts), name) for name in kind.__struct_fields__})


_OPTIONS = ("order", "limits", "hedge", "share", "burst", "seed", "filtered", "exercise", "static", "requests")
_OF_TARGETS = ("scripts", "slots", "continues", "windows", "models")


def _setting(settings: Sequence[Setting], rng: Random) -> Setting:
    names = TARGETS[: rng.randint(1, len(TARGETS))]
    mixed: dict[str, Any] = {option: getattr(rng.choice(settings), option) for option in _OPTIONS}
    for part in _OF_TARGETS:
        mixed[part] = {name: rng.choice(list(getattr(rng.choice(settings), part).values())) for name in names}
    openings = tuple(one for one in rng.choice(settings).openings if one[1].target in names)
    return rng.choice(settings)._replace(openings=openings, **mixed)  # arrivals and leavings belong together


def _stock() -> list[Drawn]:
    found: list[Drawn] = []

    @settings(
        derandomize=True,
        max_examples=STOCK,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn())
    def fill(one: Drawn) -> None:
        found.append(one)

    fill()
    return found


_STOCK = _stock() if LONG else []
